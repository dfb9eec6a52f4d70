//! A folder of this machine: the lock, the layout, what interrupted writes leave, and what is said where it cannot be.

use std::fs;
use std::path::Path;

use tidemill_checkpoint::*;

use crate::support::*;

fn local(folder: &Path) -> Sequence {
    let settings = Settings {
        relative_to: folder.to_owned(),
        ..Settings::default()
    };
    Location::open("checkpoints", &settings)
        .unwrap()
        .pipeline("fraud")
        .unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_life_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let sequence = local(folder.path());
    assert_eq!(sequence.list().unwrap(), []);
    assert_eq!(sequence.recovery().unwrap().recovery, Recovery::Fresh);
    assert_eq!(files(folder.path()), [""; 0], "looking makes nothing");

    let mut claim = sequence.claim(&life(1), OnLock::Refuse).unwrap();
    checkpoint(&mut claim, &[], "a").unwrap();
    checkpoint(&mut claim, &[], "b").unwrap();
    claim.retain(1).unwrap();
    assert_eq!(
        files(&folder.path().join("checkpoints/fraud")),
        [
            "data/1-0000000000000001/3.1.totals.0.0",
            "lock",
            "manifests/000000000001.json",
            "manifests/000000000003.json",
            "pipeline.json",
            "probe",
        ]
    );
    drop(claim);
    let claim = local(folder.path())
        .claim(&life(2), OnLock::Refuse)
        .unwrap();
    let from = resumed(claim.recovery().unwrap());
    assert_eq!(state(claim.sequence(), &from).unwrap(), "b");
}

#[test]
fn a_second_one_is_refused_while_the_first_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = local(folder.path())
        .claim(&life(1), OnLock::Refuse)
        .unwrap();
    let refused = local(folder.path())
        .claim(&life(2), OnLock::Refuse)
        .unwrap_err();
    let lock = folder.path().join("checkpoints/fraud/lock");
    assert_eq!(
        refused.to_string(),
        format!(
            "another process runs this pipeline here: {} is locked by process 1 of a test",
            lock.display()
        )
    );
    checkpoint(&mut first, &[], "a").unwrap();

    let mut second = local(folder.path())
        .claim(&life(3), OnLock::TakeOver)
        .unwrap();
    assert!(checkpoint(&mut first, &[], "b").unwrap_err().is_fenced());
    checkpoint(&mut second, &[], "c").unwrap();
    // Once the first has gone the second gets its lock, with its next checkpoint.
    drop(first);
    checkpoint(&mut second, &[], "d").unwrap();
    let refused = local(folder.path())
        .claim(&life(4), OnLock::Refuse)
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("locked by process 3 of a test"),
        "{refused}"
    );
}

#[test]
fn what_interrupted_writes_leave_goes_with_their_life() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = local(folder.path())
        .claim(&life(1), OnLock::Refuse)
        .unwrap();
    put(&first.begin().unwrap(), 0, "orphan").unwrap();
    let data = folder
        .path()
        .join("checkpoints/fraud/data/1-0000000000000001");
    fs::write(data.join("2.1.totals.0.1#1"), "half a file").unwrap();
    drop(first);
    let mut second = local(folder.path())
        .claim(&life(2), OnLock::Refuse)
        .unwrap();
    assert_eq!(second.sweep().unwrap().files, 1);
    assert!(!data.exists());
}

#[test]
fn what_cannot_be_says_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("checkpoints"), "a file").unwrap();
    let error = local(folder.path())
        .claim(&life(1), OnLock::Refuse)
        .unwrap_err();
    let text = error.to_string();
    let place = folder.path().join("checkpoints").display().to_string();
    assert!(
        text.contains(&place) && error.hint().unwrap().contains("a location is a folder"),
        "{text}"
    );
    assert!(error.certainly_not_done());

    for (address, expected) in [
        ("", "it is empty"),
        ("ftp://there/x", "`ftp` is no kind of location"),
        ("file://relative", "after `file://` comes a path"),
        ("s3://", "it names no bucket"),
        ("s3://bucket/../x", "no prefix of a bucket"),
    ] {
        let error = Location::open(address, &Settings::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let settings = Settings {
        options: vec![("colour".to_owned(), "red".to_owned())],
        ..Settings::default()
    };
    for (address, expected) in [
        ("s3://bucket", "it has no setting `colour`"),
        ("gs://bucket", "it has no setting `colour`"),
        ("az://bucket", "it has no setting `colour`"),
        ("folder", "a folder has no setting \"colour\""),
    ] {
        let error = Location::open(address, &settings).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(matches!(error, CheckpointError::Configuration { .. }));
    }
    let location = Location::open("x", &Settings::default()).unwrap();
    assert!(location.pipeline("../x").is_err());
}

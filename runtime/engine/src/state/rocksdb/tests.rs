//! What becomes of the database when its folder is of no use.

use std::fs;

use super::cold::Cold;
use super::part::{Changes, Keys, Part};

#[test]
fn a_folder_that_can_no_longer_be_written_is_named() {
    let base = tempfile::tempdir().expect("a folder");
    let cold = Cold::open(base.path(), 1 << 20).expect("a database");
    let mut part = Part::new(cold);
    let mut write = |n: u32| {
        let mut changes = Changes::default();
        part.put(&mut changes, &n.to_be_bytes(), &[7; 4096]);
        part.write(changes)
    };
    write(0).expect("it can be written");
    fs::remove_dir_all(base.path()).expect("it goes");
    // What is to be written waits in memory for a while.
    let failed = (0..100_000).find_map(|n| write(n).err());
    let failed = failed.expect("it cannot be written");
    let said = failed.to_string();
    let folder = base.path().to_string_lossy();
    assert!(
        said.contains(&*folder) && said.contains("cannot be written to"),
        "{said}"
    );
    assert!(failed.may_pass());
    assert!(failed.hint("op").contains("`folder`"));
}

#[test]
fn parts_do_not_see_each_other() {
    let base = tempfile::tempdir().expect("a folder");
    let cold = Cold::open(base.path(), 1 << 20).expect("a database");
    let mut parts = [Part::new(cold.clone()), Part::new(cold)];
    for (part, record) in parts.iter_mut().zip([b"one", b"two"]) {
        let mut changes = Changes::default();
        part.put(&mut changes, b"key", record);
        part.write(changes).expect("it is written");
    }
    for (part, record) in parts.iter().zip([b"one", b"two"]) {
        let mut keys = Keys::default();
        part.ask(&mut keys, |into| into.extend(b"other"));
        part.ask(&mut keys, |into| into.extend(b"key"));
        let mut found = Vec::new();
        part.get(&keys, |at, record| {
            found.push((at, record.to_vec()));
            Ok(())
        })
        .expect("it is read");
        assert_eq!(found, [(1, record.to_vec())]);
    }
}

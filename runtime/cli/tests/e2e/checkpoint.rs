//! `tidemill checkpoint`: what lies in a location, and whether it is whole.

use std::fs;

use serde_json::{Value, json};
use tidemill_checkpoint::{
    Checkpoint, Claim, Content, Contents, DecidedBy, Form, Kind, Life, Location, OnLock, Operator,
    Settings,
};

use crate::support::Folder;

const PIPELINE: &str = "\
name = \"fraud\"
[checkpoints]
location = \"state/checkpoints\"
[sources.rows]
stdin = {}
columns = { value = \"integer\" }
[sinks.out]
input = \"rows\"
blackhole = {}
";

/// A pipeline with a claim, a checkpoint, a savepoint and a checkpoint whose transaction is not known to be over.
fn story() -> (Folder, Vec<Checkpoint>) {
    let folder = Folder::with(&[("pipeline.toml", PIPELINE)]);
    let settings = Settings {
        relative_to: folder.path().to_owned(),
        ..Settings::default()
    };
    let location = Location::open("state/checkpoints", &settings).expect("a location");
    let sequence = location.pipeline("fraud").expect("a pipeline");
    let life = Life::of_this_process().expect("a life");
    let mut claim = sequence.claim(&life, OnLock::Refuse).expect("a claim");
    let made = [
        (Kind::Checkpoint, DecidedBy::Manifest),
        (Kind::Savepoint, DecidedBy::Manifest),
        (Kind::Checkpoint, DecidedBy::Note),
    ];
    let made = made.map(|(kind, decided_by)| complete(&mut claim, kind, decided_by));
    (folder, made.to_vec())
}

fn complete(claim: &mut Claim, kind: Kind, decided_by: DecidedBy) -> Checkpoint {
    let draft = claim.begin().expect("a draft");
    let mut file = draft.part("velocity", 0, 0).expect("a file");
    file.block(vec![7; 2000]);
    let content = Content {
        label: "value".to_owned(),
        form: Form::Base,
        key_groups: Some((0, 127)),
    };
    let parts = vec![draft.put(file, content).expect("it is put")];
    let contents = Contents {
        kind,
        decided_by,
        finished: false,
        workers: 2,
        max_parallelism: 128,
        modules: [("fraud.wasm".to_owned(), "c0ffee".to_owned())].into(),
        operators: vec![Operator {
            name: "velocity".to_owned(),
            kind: "process".to_owned(),
            schemas: json!({}),
            parts,
            more: Value::Null,
        }],
        sources: [("rows".to_owned(), json!({ "stdin": 12 }))].into(),
        pending: Default::default(),
    };
    claim.complete(&draft, contents).expect("it is completed")
}

/// Where the data file of a checkpoint lies.
fn file_of(folder: &Folder, checkpoint: &Checkpoint) -> std::path::PathBuf {
    let part = checkpoint.manifest.parts().next().expect("a part");
    folder
        .path()
        .join("state/checkpoints/fraud")
        .join(&part.file)
}

#[test]
fn list_has_a_line_for_every_number() {
    let (folder, made) = story();
    let ended = folder.run(&["checkpoint", "list"]).expect(0);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ended.out);
    for (line, texts) in lines.iter().zip([
        ["number", "kind", "state", "continues"],
        ["1", "claim", "process ", " on host "],
        ["2", "checkpoint", "confirmed", "2.0"],
        ["3", "savepoint", "confirmed", "2"],
        ["4", "checkpoint", "prepared", "3"],
    ]) {
        for text in texts {
            assert!(line.contains(text), "no {text:?} in {line}");
        }
    }

    fs::remove_file(file_of(&folder, &made[1])).expect("it was there");
    let ended = folder
        .run(&["checkpoint", "list", "--format", "json"])
        .expect(0);
    let listed: Value = serde_json::from_str(&ended.out).expect("JSON");
    let states: Vec<&Value> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| &e["state"])
        .collect();
    assert_eq!(
        states,
        [
            &Value::Null,
            &json!("confirmed"),
            &json!("damaged"),
            &json!("prepared")
        ]
    );
    assert_eq!(listed[1]["number"], 2);
    assert_eq!(listed[2]["continues"], 2);
    assert_eq!(listed[2]["bytes"], listed[2]["new_bytes"]);
    let damage = listed[2]["damage"][0].as_str().expect("what is wrong");
    assert!(
        damage.starts_with("missing: ") && damage.ends_with("3.1.velocity.0.0"),
        "{damage}"
    );
}

#[test]
fn show_says_what_one_consists_of() {
    let (folder, made) = story();
    let ended = folder.run(&["checkpoint", "show", "3"]).expect(0);
    for text in [
        "savepoint   3\n",
        "state       confirmed\n",
        "continues   2\n",
        "workers     2, 128 key groups\n",
        "module      fraud.wasm c0ffee\n",
        "source      rows {\"stdin\":12}\n",
        "process velocity: 1 file, ",
        "base of value: ",
        "key groups 0 to 127\n",
    ] {
        assert!(ended.out.contains(text), "no {text:?} in:\n{}", ended.out);
    }
    let ended = folder
        .run(&["checkpoint", "show", "3", "--format", "json"])
        .expect(0);
    let shown: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(
        shown["manifest"],
        serde_json::to_value(&made[1].manifest).expect("JSON")
    );

    folder.run(&["checkpoint", "show", "1"]).expect(2).says(&[
        "error: pipeline fraud has no checkpoint 1 in ",
        "hint: `tidemill checkpoint list` shows",
    ]);
}

#[test]
fn verify_reads_everything() {
    let (folder, made) = story();
    let ended = folder.run(&["checkpoint", "verify"]).expect(0);
    assert_eq!(
        ended.out.matches(": whole, 1 file, ").count(),
        3,
        "{}",
        ended.out
    );

    // The same length, and one bit that is another: only reading shows it.
    let path = file_of(&folder, &made[0]);
    let mut bytes = fs::read(&path).expect("it is there");
    bytes[500] ^= 1;
    fs::write(&path, bytes).expect("it is written");
    let ended = folder.run(&["checkpoint", "verify"]).expect(1).says(&[
        "error: 1 of 3 checkpoints in ",
        "cannot be resumed",
        "hint: ",
    ]);
    let expected = format!(
        "2: damaged\n  damaged: {}: the checksum of a block does not match",
        path.display()
    );
    assert!(ended.out.starts_with(&expected), "{}", ended.out);
    folder
        .run(&["checkpoint", "verify", "--number", "3"])
        .expect(0);
    let ended = folder
        .run(&["checkpoint", "verify", "--number", "2", "--format", "json"])
        .expect(1);
    let found: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(found[0]["whole"], false);
}

#[test]
fn what_is_not_there_is_said() {
    let folder = Folder::with(&[("pipeline.toml", PIPELINE)]);
    let ended = folder.run(&["checkpoint", "list"]).expect(0);
    assert!(ended.out.starts_with("no checkpoints in "), "{}", ended.out);
    assert!(
        !folder.path().join("state").exists(),
        "looking makes nothing"
    );

    let without = PIPELINE.replace("[checkpoints]\nlocation = \"state/checkpoints\"\n", "");
    folder.write("pipeline.toml", &without);
    folder.run(&["checkpoint", "list"]).expect(2).says(&[
        "error: pipeline fraud makes no checkpoints",
        "hint: a section `[checkpoints]`",
    ]);
    folder
        .run(&[
            "checkpoint",
            "list",
            "--set",
            "checkpoints.location=ftp://there",
        ])
        .expect(2)
        .says(&[
            "`ftp` is no kind of location that is known",
            "hint: a location is a folder",
        ]);
}

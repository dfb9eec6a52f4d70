//! A disk that is full where state lies that does not fit into memory.

use serde_json::Value;

use super::published;
use super::running::Run;
use crate::support::{Folder, kinds};

/// More keys than have room in memory; one row in ten thousand fails, and no other gives anything to write.
const KEYS: u64 = 250_000;
const FAILING: u64 = 10_000;

const PIPELINE: &str = r#"
name = "many"
[checkpoints]
interval = "1h"
restarts = RESTARTS
restart-pause = "50ms"
[state]
backend = "rocksdb"
memory = "128MiB"
folder = "cold"
[modules.kinds]
file = "KINDS"
[sources.rows]
files = "in/*.jsonl"
event-time = "at"
[sources.rows.columns]
key = "text"
id = "integer"
value = "integer"
bad = "bool"
at = { type = "time", format = "epoch-ms" }
[operators.keeping]
input = "rows"
key = "key"
function = "kinds/keeping"
config = { breaking = "return" }
on-failure = "dead-letter"
[sinks.failed]
input = "keeping.failed"
folder = "out"
"#;

/// A run that cannot write files of state: only these become so long.
fn full(restarts: u32) -> (Folder, Run) {
    let pipeline = PIPELINE
        .replace("KINDS", kinds())
        .replace("RESTARTS", &restarts.to_string());
    let folder = Folder::with(&[("pipeline.toml", &pipeline)]);
    let row = |id: u64| {
        let bad = id % FAILING == 7;
        format!("{{\"key\":\"k{id}\",\"id\":{id},\"value\":1,\"bad\":{bad},\"at\":1000}}\n")
    };
    folder.write("in/a.jsonl", &(0..KEYS).map(row).collect::<String>());
    // So that its module need not be compiled, and written, under the limit.
    folder.run(&["check"]).expect(0);
    let run = Run::start(&folder, &["run", "--workers", "1"]);
    run.limit_files(Some(64 << 10));
    (folder, run)
}

/// Of the row in a dead letter.
fn id(letter: &str) -> u64 {
    let letter: Value = serde_json::from_str(letter).expect("a letter is JSON");
    let row = letter["row"].as_str().expect("it holds the row");
    let row: Value = serde_json::from_str(row).expect("a row is JSON");
    row["id"].as_u64().expect("it has an id")
}

#[test]
fn a_state_folder_without_room_is_tried_again_and_nothing_is_lost() {
    let (folder, mut run) = full(1000);
    let err = run.err.clone();
    run.until("a failure", || {
        let said = err.lock().expect("no panic");
        said.contains("the pipeline has failed") && said.contains("cannot be written to")
    });
    run.limit_files(None);
    assert_eq!(run.ended(), 0, "{}", run.err());
    let said = run.err();
    assert!(said.contains("the state folder "), "{said}");
    let rows = published(&folder);
    let mut ids: Vec<u64> = rows.iter().map(|letter| id(letter)).collect();
    ids.sort_unstable();
    let failing: Vec<u64> = (0..KEYS).filter(|id| id % FAILING == 7).collect();
    assert_eq!(ids, failing, "{said}");
}

#[test]
fn a_state_folder_that_stays_without_room_ends_the_run_with_the_reason() {
    let (folder, mut run) = full(1);
    assert_eq!(run.ended(), 1);
    let said = run.err();
    for text in [
        "the state folder ",
        "cannot be written to",
        "File too large",
        "hint: [state] `folder` is to be a place that can be written and has room",
    ] {
        assert!(said.contains(text), "{text} in:\n{said}");
    }
    assert!(published(&folder).is_empty());
}

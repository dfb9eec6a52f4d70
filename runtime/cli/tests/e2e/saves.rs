//! Savepoints of running pipelines, stopping with and without draining, and runs that leave windows open at the end.

mod disk;
mod full;
mod running;

use std::fs;
use std::io::Write;

use rustix::process::{Pid, Signal, kill_process};

use self::running::Run;
use crate::support::{Ended, Folder, kinds};

/// Sums per key and ten seconds, from a file that grows.
const PIPELINE: &str = r#"
name = "sums"
[checkpoints]
interval = "20ms"
min-pause = "0ms"
keep = 1
restart-pause = "50ms"
[modules.kinds]
file = "KINDS"
[sources.rows]
files = { path = "in/*.jsonl", follow = true }
event-time = "at"
out-of-orderness = "0s"
max-ahead = "none"
[sources.rows.columns]
key = "text"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[operators.sum]
input = "rows"
key = "key"
window = { tumble = "10s" }
function = "kinds/sum"
[sinks.out]
input = "sum"
folder = { path = "out", part-rows = 1 }
"#;

fn folder(pipeline: &str) -> Folder {
    let folder = Folder::with(&[("pipeline.toml", &pipeline.replace("KINDS", kinds()))]);
    folder.write("in/a.jsonl", "");
    folder
}

/// Adds a row per second of event time to a file.
fn add(folder: &Folder, file: &str, seconds: std::ops::Range<u64>) {
    let mut text = String::new();
    for second in seconds {
        let key = second % 3;
        text += &format!(
            "{{\"key\":\"k{key}\",\"value\":1,\"at\":{}}}\n",
            second * 1000
        );
    }
    let path = folder.path().join("in").join(file);
    let file = fs::File::options().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("the file is written");
}

/// What is published: sums by window and key, sorted.
fn published(folder: &Folder) -> Vec<String> {
    let mut rows = Vec::new();
    let parts = fs::read_dir(folder.path().join("out"));
    for part in parts.into_iter().flatten() {
        let path = part.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.starts_with('.') {
            rows.extend(
                fs::read_to_string(&path)
                    .expect("a part")
                    .lines()
                    .map(str::to_owned),
            );
        }
    }
    rows.sort();
    rows
}

fn number(ended: &Ended) -> u64 {
    ended.out.trim().parse().expect("a savepoint's number")
}

#[test]
fn a_savepoint_stays_and_is_gone_on_from() {
    let folder = folder(PIPELINE);
    let mut run = Run::start(&folder, &["run"]);
    add(&folder, "a.jsonl", 0..25);
    run.until("two windows", || published(&folder).len() == 6);
    let taken = folder.run(&["savepoint", "--to", "saves"]).expect(0);
    let taken = taken.says(&["of pipeline sums", "`tidemill run --from saves@"]);
    let name = taken.out.trim().to_owned();
    let first = name.strip_prefix("saves@").expect("a place").to_owned();
    assert!(
        run.err().contains(&format!("savepoint {first}: ")),
        "{}",
        run.err()
    );
    add(&folder, "a.jsonl", 25..45);
    run.until("four windows", || published(&folder).len() == 12);
    let last = number(&folder.run(&["stop"]).expect(0).says(&["has ended"])).to_string();
    assert_eq!(run.ended(), 0);
    let listed = folder.run(&["checkpoint", "list"]).expect(0).out;
    for saved in [&first, &last] {
        let line = listed
            .lines()
            .find(|line| line.split_whitespace().next() == Some(saved));
        assert!(
            line.is_some_and(|line| line.contains("savepoint")),
            "{listed}"
        );
    }
    let mut after = published(&folder);
    after.retain(|row| {
        row.contains("\"window_start\":\"1970-01-01T00:00:20Z")
            || row.contains("\"window_start\":\"1970-01-01T00:00:30Z")
    });
    assert_eq!(after.len(), 6);

    // More has been published since the first one: a person must say that it may come again.
    folder
        .run(&["run", "--from", &first])
        .expect(2)
        .says(&["what came after checkpoint", "hint: `--allow-duplicates`"]);
    fs::remove_dir_all(folder.path().join("out")).expect("what was published");
    for (from, extra) in [
        (first.as_str(), &["--allow-duplicates"][..]),
        (&name, &["--allow-duplicates"]),
    ] {
        let mut args = vec!["run", "--from", from];
        args.extend(extra);
        let mut again = Run::start(&folder, &args);
        again.until("what came after it", || published(&folder).len() == 6);
        assert_eq!(published(&folder), after, "{}", again.err());
        folder.run(&["stop"]).expect(0);
        assert_eq!(again.ended(), 0);
        fs::remove_dir_all(folder.path().join("out")).expect("what was published");
    }

    // A copy is whole by itself: in another checkout, say, whose own location holds nothing.
    fs::remove_dir_all(folder.path().join("checkpoints")).expect("the location");
    let mut elsewhere = Run::start(&folder, &["run", "--from", "saves", "--workers", "3"]);
    elsewhere.until("what came after it", || published(&folder).len() == 6);
    assert_eq!(published(&folder), after);
    folder.run(&["stop"]).expect(0);
    assert_eq!(elsewhere.ended(), 0);
    folder
        .run(&["run", "--from", "saves@9999"])
        .expect(2)
        .says(&["has no checkpoint 9999 in"]);
}

#[test]
fn a_savepoint_goes_when_a_person_deletes_it() {
    let folder = folder(PIPELINE);
    let mut run = Run::start(&folder, &["run", "--workers", "1"]);
    add(&folder, "a.jsonl", 0..25);
    run.until("two windows", || published(&folder).len() == 6);
    let first = number(&folder.run(&["savepoint"]).expect(0)).to_string();
    // Until there is a later checkpoint it is what the next run goes on from.
    let delete = |number: &str| folder.run(&["checkpoint", "delete", number]);
    run.until("a later checkpoint", || {
        delete(&first)
            .err
            .contains("of pipeline sums is deleted, 1 file removed")
    });
    delete(&first)
        .expect(2)
        .says(&["has no checkpoint", "hint: `tidemill checkpoint list`"]);
    let last = number(&folder.run(&["stop"]).expect(0)).to_string();
    assert_eq!(run.ended(), 0);
    delete(&last).expect(2).says(&[
        "is what the next run goes on from",
        "hint: it can be deleted when there is a later checkpoint",
    ]);
}

#[test]
fn a_stopped_pipeline_goes_on_and_a_drained_one_is_over() {
    let folder = folder(PIPELINE);
    let mut run = Run::start(&folder, &["run", "--workers", "2"]);
    add(&folder, "a.jsonl", 0..25);
    run.until("two windows", || published(&folder).len() == 6);
    folder.run(&["stop"]).expect(0);
    assert_eq!(run.ended(), 0);
    assert_eq!(published(&folder).len(), 6, "the open window is not fired");

    add(&folder, "a.jsonl", 25..35);
    let mut run = Run::start(&folder, &["run", "--workers", "1"]);
    run.until("the third window", || published(&folder).len() == 9);
    folder
        .run(&["stop", "--drain"])
        .expect(0)
        .says(&["has ended"]);
    assert_eq!(run.ended(), 0);
    let drained = published(&folder);
    assert_eq!(
        drained.len(),
        12,
        "the fourth window has fired: {drained:?}"
    );
    let counted: u64 = drained.iter().map(|row| field(row, "sum")).sum();
    assert_eq!(counted, 35);

    folder.run(&["stop"]).expect(1).says(&[
        "pipeline sums does not run",
        "hint: its newest checkpoint is ",
    ]);
    add(&folder, "a.jsonl", 35..36);
    folder
        .run(&["run"])
        .expect(1)
        .says(&["all windows were closed", "`--at-end keep`"]);
    assert_eq!(published(&folder), drained);
}

fn field(row: &str, name: &str) -> u64 {
    let row: serde_json::Value = serde_json::from_str(row).expect("JSON");
    row[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {row}"))
}

#[test]
fn whom_nobody_can_ask() {
    let folder = folder(PIPELINE);
    folder.run(&["savepoint"]).expect(1).says(&[
        "pipeline sums does not run",
        "hint: `tidemill run` begins it",
    ]);
    let without = PIPELINE
        .replace("[checkpoints]", "[later]")
        .replace("KINDS", kinds());
    let start = without.find("[later]").expect("it is there");
    let end = without.find("[modules.kinds]").expect("it is there");
    folder.write(
        "pipeline.toml",
        &(without[..start].to_owned() + &without[end..]),
    );
    folder
        .run(&["stop"])
        .expect(2)
        .says(&["makes no checkpoints", "hint: a section `[checkpoints]`"]);
    folder
        .run(&["run", "--at-end", "keep"])
        .expect(2)
        .says(&["`--at-end keep` needs checkpoints"]);
}

/// A process that is only stopped holds the lock and answers nobody.
#[test]
fn who_does_not_answer_is_named() {
    let folder = folder(PIPELINE);
    let mut run = Run::start(&folder, &["run"]);
    add(&folder, "a.jsonl", 0..25);
    run.until("two windows", || published(&folder).len() == 6);
    let pid = Pid::from_child(&run.child);
    kill_process(pid, Signal::STOP).expect("it is there");
    folder
        .run(&["stop", "--wait", "1"])
        .expect(1)
        .says(&["has not answered in time", "hint: it holds the lock"]);
    kill_process(pid, Signal::CONT).expect("it is there");
    // What was taken back is not done.
    add(&folder, "a.jsonl", 25..35);
    run.until("the third window", || published(&folder).len() == 9);
    folder.run(&["stop"]).expect(0);
    assert_eq!(run.ended(), 0);
}

#[test]
fn windows_that_are_kept_open_at_the_end_go_on() {
    let bounded = PIPELINE.replace(
        "files = { path = \"in/*.jsonl\", follow = true }",
        "files = \"in/*.jsonl\"",
    );
    let whole = folder(&bounded);
    add(&whole, "a.jsonl", 0..47);
    whole.run(&["run"]).expect(0);
    let expected = published(&whole);
    assert_eq!(expected.len(), 15);

    let parts = folder(&bounded);
    for (day, seconds) in [(1, 0..13), (2, 13..13), (3, 13..38)] {
        add(&parts, "a.jsonl", seconds);
        let workers = day.to_string();
        let run = parts.run(&["run", "--at-end", "keep", "--workers", &workers]);
        run.expect(0);
    }
    assert_eq!(published(&parts).len(), 9, "three windows have ended");
    // A file that was read to its end may go, and others may come.
    fs::remove_file(parts.path().join("in/a.jsonl")).expect("it was there");
    add(&parts, "b.jsonl", 38..47);
    parts.run(&["run"]).expect(0);
    assert_eq!(published(&parts), expected);
    parts
        .run(&["run"])
        .expect(0)
        .says(&["everything was read and published"]);
}

#[test]
fn check_says_what_is_promised_and_what_run_refuses() {
    let folder = folder(PIPELINE);
    let checked = folder.run(&["check"]).expect(0).out;
    let promised = "sink out: exactly once: parts come to stand in their places with checkpoints\n";
    assert!(checked.contains(promised), "{checked}");
    let plain = PIPELINE.replace("KINDS", kinds());
    let one_file = plain.replace(
        "folder = { path = \"out\", part-rows = 1 }",
        "file = \"out.jsonl\"",
    );
    folder.write("pipeline.toml", &one_file);
    for command in ["check", "run"] {
        folder.run(&[command]).expect(2).says(&[
            "sink out writes one file, whole at the end, and source rows has none",
            "hint: `folder = ",
        ]);
    }
    let stdout = plain.replace("folder = { path = \"out\", part-rows = 1 }", "stdout = {}");
    let stdin = stdout.replace(
        "files = { path = \"in/*.jsonl\", follow = true }",
        "stdin = {}",
    );
    folder.write("pipeline.toml", &stdin);
    let checked = folder.run(&["check"]).expect(0).out;
    for text in [
        "sink out: at least once: after a crash what came after the last checkpoint is written again, but for rows that source rows",
        "source rows reads standard input, which gives nothing twice",
    ] {
        assert!(checked.contains(text), "no {text:?} in {checked}");
    }
}

//! Checkpoints that earlier versions have written: every later one reads them, shows what they hold, and goes on from them.
//!
//! Each folder of `tests/checkpoints` is one, with what it was taken of. Those of this version are made by
//! `TIDEMILL_FIXTURE=/some/folder cargo test -p tidemill-cli --test e2e lasting -- --ignored`.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Folder, kinds, root};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => _ = fs::copy(entry.path(), target).expect("a file"),
        }
    }
}

/// The rows that a sink has published, sorted.
fn published(folder: &Path, sink: &str) -> String {
    let mut rows = Vec::new();
    for part in fs::read_dir(folder.join("out").join(sink))
        .into_iter()
        .flatten()
    {
        let path = part.expect("an entry").path();
        if !path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .starts_with('.')
        {
            let text = fs::read_to_string(path).expect("a part");
            // How many parts there are, each with a header, is no matter of the rows.
            let lines = text.lines().filter(|line| !line.starts_with("key,"));
            rows.extend(lines.map(|line| format!("{line}\n")));
        }
    }
    rows.sort();
    rows.concat()
}

#[test]
fn old_checkpoints_are_gone_on_from() {
    let all = fs::read_dir(root().join("tests/checkpoints")).expect("the fixtures");
    let mut count = 0;
    for fixture in all {
        let fixture = fixture.expect("an entry").path();
        if !fixture.is_dir() {
            continue;
        }
        let folder = Folder::new();
        copy(&fixture, folder.path());
        let pipeline = folder.read("pipeline.toml").replace("KINDS", kinds());
        folder.write("pipeline.toml", &pipeline);
        folder.run(&["checkpoint", "verify"]).expect(0);
        let state = folder.run(&["state", "dump"]).expect(0);
        assert_eq!(state.out, folder.read("state.jsonl"), "{fixture:?}");
        for workers in ["1", "3"] {
            let again = Folder::new();
            copy(folder.path(), again.path());
            // The rest of the input, and its end.
            let rows = again.read("in/a.jsonl") + &again.read("rest.jsonl");
            again.write("in/a.jsonl", &rows);
            let bounded = pipeline.replace(", follow = true", "");
            again.write("pipeline.toml", &bounded);
            let ended = again.run(&["run", "--workers", workers]).expect(0);
            assert!(ended.err.contains("going on from"), "{}", ended.err);
            for expected in fs::read_dir(fixture.join("expected")).expect("what is expected") {
                let expected = expected.expect("an entry").path();
                let sink = expected.file_stem().expect("a sink").to_string_lossy();
                assert_eq!(
                    published(again.path(), &sink),
                    fs::read_to_string(&expected).expect("rows"),
                    "{fixture:?} {sink}"
                );
            }
        }
        count += 1;
    }
    assert!(count > 0, "there are no fixtures");
}

const PIPELINE: &str = r#"# What a checkpoint of tests/checkpoints was taken of.
name = "lasting"
[checkpoints]
interval = "1h"
[modules.kinds]
file = "KINDS"
[sources.rows]
files = { path = "in/*.jsonl", follow = true }
event-time = "at"
out-of-orderness = "3s"
max-ahead = "none"
on-failure = "skip"
[sources.rows.columns]
key = "text?"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[operators.tumble]
input = "rows"
key = "key"
window = { tumble = "10s", lateness = "20s", mode = "retract" }
function = "kinds/sum"
[operators.hop]
input = "rows"
key = ["key", "value"]
window = { hop = "10s", step = "3s" }
function = "kinds/count"
[operators.sessions]
input = "rows"
key = "key"
window = { session = "4s" }
function = "kinds/sum"
[operators.newest]
input = "rows"
window = { global = true, keep = { newest = 3 }, trigger = ["at-end", { every-rows = 7 }] }
function = "kinds/list"
[operators.slide]
input = "rows"
key = "key"
window = { slide = "6s" }
function = "kinds/sum"
[sinks.tumbled]
input = "tumble"
folder = "out/tumbled"
[sinks.hopped]
input = "hop"
folder = { path = "out/hopped", part-rows = 20 }
[sinks.visits]
input = "sessions"
folder = "out/visits"
format = "csv"
[sinks.latest]
input = "newest"
folder = "out/latest"
[sinks.slid]
input = "slide"
folder = "out/slid"
"#;

/// Process state of every sort; and a split that must wait for another in the middle of what it has read at once.
const KEYED: &str = r#"# What a checkpoint of tests/checkpoints was taken of.
name = "lasting"
[checkpoints]
interval = "1h"
[modules.kinds]
file = "KINDS"
[sources.rows]
files = { path = "in/*.jsonl", follow = true }
event-time = "at"
out-of-orderness = "3s"
max-ahead = "none"
on-failure = "skip"
[sources.rows.columns]
key = "text?"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[sources.apart]
files = { path = "apart/*.jsonl", follow = true }
event-time = "at"
out-of-orderness = "0s"
max-ahead = "none"
max-drift = "5s"
[sources.apart.columns]
key = "text"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[operators.tally]
input = "rows"
key = "key"
function = "kinds/tally"
[operators.counted]
input = "apart"
key = "key"
window = { tumble = "10s" }
function = "kinds/sum"
[sinks.told]
input = "tally"
folder = "out/told"
[sinks.counts]
input = "counted"
folder = { path = "out/counts", part-rows = 2 }
"#;

fn rows(seconds: std::ops::Range<u64>) -> String {
    let row = |second: u64| {
        // Two of three keys, one of them null; some seconds are silent, some rows late or none.
        let key = ["\"a\"", "null", "\"b\""][(second / 2 % 3) as usize];
        let at = match second % 11 {
            5 => second.saturating_sub(9),
            _ => second,
        };
        match second % 17 {
            3 => "no row\n".to_owned(),
            7..12 => String::new(),
            _ => format!(
                "{{\"key\":{key},\"value\":{},\"at\":{}}}\n",
                second % 5,
                at * 1000
            ),
        }
    };
    seconds.map(row).collect()
}

/// Two files, of which one is far ahead of the other.
fn apart(folder: &Folder) {
    let row = |second: u64| format!("{{\"key\":\"a\",\"value\":1,\"at\":{}}}\n", second * 1000);
    folder.write("apart/a.jsonl", &(0..3).map(row).collect::<String>());
    folder.write("apart/b.jsonl", &(0..40).map(row).collect::<String>());
}

#[test]
#[ignore = "makes fixtures of this version"]
fn make() {
    let into = std::env::var("TIDEMILL_FIXTURE").expect("TIDEMILL_FIXTURE says where");
    for (name, pipeline) in [("windows", PIPELINE), ("keyed", KEYED)] {
        make_one(&Path::new(&into).join(name), pipeline);
    }
}

fn make_one(into: &Path, pipeline: &str) {
    let bounded = pipeline
        .replace("KINDS", kinds())
        .replace(", follow = true", "");
    let whole = Folder::with(&[("pipeline.toml", &bounded)]);
    whole.write("in/a.jsonl", &rows(0..150));
    apart(&whole);
    whole.run(&["run", "--workers", "1"]).expect(0);

    let folder = Folder::with(&[("pipeline.toml", &pipeline.replace("KINDS", kinds()))]);
    folder.write("in/a.jsonl", &rows(0..90));
    apart(&folder);
    let mut run = folder.command(&["run", "--workers", "2", "--format", "json"]);
    let mut run = run.stderr(Stdio::null()).spawn().expect("the binary runs");
    // Whatever it has read by then belongs to the checkpoint of its end.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    kill_process(Pid::from_child(&run), Signal::TERM).expect("it is there");
    assert!(run.wait().expect("it ends").success());

    copy(folder.path(), into);
    fs::write(into.join("pipeline.toml"), pipeline).expect("a file");
    fs::write(into.join("rest.jsonl"), rows(90..150)).expect("a file");
    let state = folder.run(&["state", "dump"]).expect(0);
    fs::write(into.join("state.jsonl"), state.out).expect("a file");
    fs::create_dir_all(into.join("expected")).expect("a folder");
    for sink in fs::read_dir(whole.path().join("out")).expect("what is published") {
        let sink = sink.expect("an entry").file_name();
        let sink = sink.to_string_lossy();
        let expected = into.join(format!("expected/{sink}.jsonl"));
        fs::write(expected, published(whole.path(), &sink)).expect("a file");
    }
    // For people, and not of the fixture.
    for mine in ["lock", "probe"] {
        let _ = fs::remove_file(into.join("checkpoints/lasting").join(mine));
    }
}

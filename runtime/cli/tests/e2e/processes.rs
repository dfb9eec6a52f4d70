//! Process functions from the command line: scenarios with timers of both times, what `check` and `inspect` say of them, and
//! what becomes of timers that fail.

use crate::support::{Folder, kinds};

fn folder(scenario: &str) -> Folder {
    let pipeline = format!(
        r#"name = "bells"
[modules.kinds]
file = {:?}
[sources.rows]
files = "rows.jsonl"
event-time = "at"
[sources.rows.columns]
key = "text"
id = "integer"
value = "integer"
bad = "bool"
at = "time"
[operators.ring]
input = "rows"
key = "key"
function = "kinds/ringing"
on-failure = "dead-letter"
state-limit = "64MiB"
[sinks.out]
input = "ring"
stdout = {{}}
[sinks.failed]
input = "ring.failed"
blackhole = {{}}
"#,
        kinds()
    );
    let folder = Folder::with(&[("rows.jsonl", "")]);
    folder.write("pipeline.toml", &pipeline);
    folder.write("bells.scenario", scenario);
    folder
}

/// The same, held by RocksDB: a rehearsal has one key in memory between two steps.
fn folder_beyond_memory(scenario: &str) -> Folder {
    let folder = folder(scenario);
    let pipeline = folder.read("pipeline.toml");
    let pipeline = pipeline.replace("state-limit = \"64MiB\"\n", "");
    let state = "[state]\nbackend = \"rocksdb\"\n";
    folder.write("pipeline.toml", &(pipeline + state));
    folder
}

const SCENARIO: &str = r#"# Bells that the clock rings, and one that event time rings after them.
pipeline pipeline.toml
show ring, ring.failed

processing-time 2024-01-01T00:00:00Z
----

rows rows
{"key":"b","id":1,"value":1,"bad":false,"at":"2024-01-01T00:00:10Z"}
{"key":"a","id":2,"value":1,"bad":false,"at":"2024-01-01T00:00:10Z"}
{"key":"c","id":3,"value":1,"bad":true,"at":"2024-01-01T00:00:10Z"}
----
ring {"key":"b","what":"row","lately":0}
ring {"key":"a","what":"row","lately":0}
ring {"key":"c","what":"row","lately":0}

# Event time does not ring what is the clock's.
watermark 2024-01-01T00:00:20Z
----

processing-time 2024-01-01T00:00:19.999999Z
----

processing-time 2024-01-01T00:00:20Z
----
ring {"key":"a","what":"clock","lately":1}
ring {"key":"b","what":"clock","lately":1}

# A timer that fails is gone, and what it changed with it.
processing-time 2024-01-01T00:00:23Z
----
ring.failed {"reason":"invalid","message":"cracked: the bell has cracked","row":{"key":{"key":"c"},"timer":"clock","time":"2024-01-01T00:00:23Z"}}

watermark 2024-01-01T00:00:20.000001Z
----
ring {"key":"a","what":"event","lately":2}
ring {"key":"b","what":"event","lately":2}

# A minute of the clock later nothing is remembered.
processing-time 2024-01-01T00:01:23Z
----

rows rows
{"key":"a","id":2,"value":1,"bad":false,"at":"2024-01-01T00:02:00Z"}
----
ring {"key":"a","what":"row","lately":0}

# What the clock would have rung does not ring at the end.
end
----
"#;

#[test]
fn the_clock_rings_and_event_time_after_it() {
    for workers in ["", "workers 1\n", "workers 3\n"] {
        let pipeline = "pipeline pipeline.toml\n";
        let with = SCENARIO.replacen(pipeline, &format!("{pipeline}{workers}"), 1);
        folder(&with).run(&["test", "bells.scenario"]).expect(0);
        let beyond = folder_beyond_memory(&with);
        beyond.run(&["test", "bells.scenario"]).expect(0);
    }
}

const CRASHES: &str = r#"# What the clock is to ring outlasts crashes, and so does what it rang for.
pipeline pipeline.toml
show ring

processing-time 2024-01-01T00:00:00Z
----

rows rows
{"key":"b","id":1,"value":1,"bad":false,"at":"2024-01-01T00:00:10Z"}
{"key":"a","id":2,"value":1,"bad":false,"at":"2024-01-01T00:00:10Z"}
----
ring {"key":"b","what":"row","lately":0}
ring {"key":"a","what":"row","lately":0}

checkpoint
----

crash
----

restore at parallelism 3
----

# Event time is ahead: the timers that these set are due already.
watermark 2024-01-01T00:00:30Z
----

processing-time 2024-01-01T00:00:20Z
----
ring {"key":"a","what":"clock","lately":1}
ring {"key":"b","what":"clock","lately":1}

checkpoint
----

crash
----

restore at parallelism 2
----

watermark 2024-01-01T00:00:31Z
----
ring {"key":"a","what":"event","lately":2}
ring {"key":"b","what":"event","lately":2}

crash
----

# The watermark rises again.
restore at parallelism 1
----
ring {"key":"a","what":"event","lately":2}
ring {"key":"b","what":"event","lately":2}

checkpoint
----

crash
----

restore
----

# A minute of the clock later nothing is remembered.
processing-time 2024-01-01T00:01:20Z
----

rows rows
{"key":"a","id":2,"value":1,"bad":false,"at":"2024-01-01T00:02:00Z"}
----
ring {"key":"a","what":"row","lately":0}
"#;

#[test]
fn what_the_clock_rings_outlasts_crashes() {
    folder(CRASHES).run(&["test", "bells.scenario"]).expect(0);
    let beyond = folder_beyond_memory(CRASHES);
    beyond.run(&["test", "bells.scenario"]).expect(0);
}

#[test]
fn check_and_inspect_say_what_is_kept() {
    let folder = folder(SCENARIO);
    let ended = folder
        .run(&["check", "--explain", "pipeline.toml"])
        .expect(0);
    let said = format!("{}{}", ended.out, ended.err);
    for text in [
        "process ring",
        "key (key)",
        "state of at most 64 MiB per worker",
        "state lately: value (value: integer), for 1m of the clock from when it was written",
        "timer clock: the clock",
        "timer event: event time",
    ] {
        assert!(said.contains(text), "no {text:?} in:\n{said}");
    }
    let shown = folder.run(&["inspect", kinds()]).expect(0);
    for text in [
        "process ringing\n",
        "state       lately: value (value: integer), for 1m of the clock from when it was written\n",
        "timer       event: event time\n",
    ] {
        assert!(shown.out.contains(text), "no {text:?} in:\n{}", shown.out);
    }
}

#[test]
fn a_process_function_has_a_key_and_no_window() {
    let folder = folder(SCENARIO);
    let pipeline = folder.read("pipeline.toml");
    let windowed = pipeline.replace("state-limit", "window = { tumble = \"1m\" }\nstate-limit");
    folder.write("windowed.toml", &windowed);
    let ended = folder.run(&["check", "windowed.toml"]).expect(2);
    ended.says(&["ringing is a process function and has no window"]);
    let limited = pipeline
        .replace("kinds/ringing", "kinds/large")
        .replace("key = \"key\"\n", "");
    folder.write("limited.toml", &limited);
    let ended = folder.run(&["check", "limited.toml"]).expect(2);
    ended.says(&["`state-limit` of operator `ring` has no effect"]);
}

#[test]
fn state_beyond_its_limit_stops_the_run() {
    let folder = folder(SCENARIO);
    let row = |i: usize| {
        format!(
            "{{\"key\":\"k{i}\",\"id\":1,\"value\":1,\"bad\":false,\"at\":\"2024-01-01T00:00:10Z\"}}\n"
        )
    };
    folder.write("rows.jsonl", &(0..5000).map(row).collect::<String>());
    let ended = folder
        .run(&["run", "--set", "operators.ring.state-limit=10kB"])
        .expect(1);
    ended.says(&[
        "operator ring: the state of its keys takes more memory",
        "`state-limit`",
    ]);
}

#[test]
fn check_says_what_of_state_has_no_effect() {
    let folder = folder_beyond_memory(SCENARIO);
    let ended = folder.run(&["check", "--explain", "pipeline.toml"]);
    let ended = ended.expect(0);
    let said = format!("{}{}", ended.out, ended.err);
    assert!(
        said.contains("state in rocksdb, with 1024 MiB of memory for the process"),
        "{said}"
    );
    let pipeline = folder.read("pipeline.toml");
    let limited = pipeline.replace("on-failure", "state-limit = \"1MiB\"\non-failure");
    folder.write("limited.toml", &limited);
    let ended = folder.run(&["check", "limited.toml"]).expect(0);
    ended.says(&["`state-limit` of operator `ring` has no effect"]);
    let summed = pipeline.replace(
        "function = \"kinds/ringing\"",
        "function = \"kinds/sum\"\nwindow = { tumble = \"1m\" }",
    );
    let times = "event-time = \"at\"\nout-of-orderness = \"1s\"";
    let summed = summed.replace("event-time = \"at\"", times);
    folder.write("summed.toml", &summed);
    let ended = folder.run(&["check", "summed.toml"]).expect(0);
    ended.says(&[
        "`state` of the pipeline has no effect",
        "what windows hold is in memory",
    ]);
}

#[test]
fn a_state_folder_that_cannot_be_is_an_error() {
    let folder = folder_beyond_memory(SCENARIO);
    folder.write("taken", "a file");
    let ended = folder
        .run(&["run", "--set", "state.folder=taken"])
        .expect(1);
    ended.says(&[
        "the state folder",
        "taken cannot be made",
        "hint: [state] `folder`",
    ]);
    folder.run(&["run"]).expect(0);
    assert!(!folder.path().join("state").exists(), "what a run leaves");
}

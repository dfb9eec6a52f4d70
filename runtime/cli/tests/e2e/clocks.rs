//! What the clock does to the real binary: idle files, operators that work by the clock, who waits for whom, and waiting
//! itself.

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Folder, kinds};

/// Counts rows of each second; what comes out goes to standard output.
fn pipeline(source: &str, operator: &str) -> String {
    format!(
        "name = \"clocks\"\n[sources.rows]\n{source}\n[operators.sums]\ninput = \"rows\"\n\
         window = {{ tumble = \"1s\" }}\nfunction = \"{}/sum\"\n{operator}\n\
         [sinks.out]\ninput = \"sums\"\nstdout = {{}}\nformat = \"json\"\n",
        kinds()
    )
}

const FOLLOWED: &str = "files = { path = \"in/*.jsonl\", follow = true }\nevent-time = \"at\"\nmax-ahead = \"none\"\n\
    out-of-orderness = \"0s\"\ncolumns = { value = \"integer\", at = { type = \"time\", format = \"epoch-s\" } }\n";

fn start(folder: &Folder) -> Child {
    let mut command = folder.command(&["run", "--format", "json", "--workers", "2"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary runs")
}

/// Stops it; what it wrote and what it said.
fn stop(child: Child) -> (Vec<Value>, Vec<Value>) {
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it is there to be told");
    let output = child.wait_with_output().expect("it ends");
    let lines = |bytes: &[u8]| -> Vec<Value> {
        let text = String::from_utf8_lossy(bytes);
        let parse = |line: &str| serde_json::from_str(line).expect(line);
        text.lines().map(parse).collect()
    };
    (lines(&output.stdout), lines(&output.stderr))
}

/// The last figures of the window operator before the end.
fn progress(events: &[Value]) -> impl Iterator<Item = &Value> {
    let told = events.iter().filter(|event| event["event"] == "progress");
    told.map(|event| &event["stations"][1])
}

#[test]
fn a_file_that_goes_idle_is_named_and_given_up() {
    let text = pipeline(&format!("idle-timeout = \"2s\"\n{FOLLOWED}"), "");
    let folder = Folder::with(&[
        ("pipeline.toml", &text),
        ("in/a.jsonl", "{\"value\":1,\"at\":0}\n"),
        ("in/b.jsonl", "{\"value\":1,\"at\":0}\n"),
    ]);
    let child = start(&folder);
    let path = folder.path().join("in/b.jsonl");
    let mut going = fs::File::options().append(true).open(path).expect("a file");
    for second in 1..40 {
        writeln!(going, "{{\"value\":1,\"at\":{second}}}").expect("it is written");
        std::thread::sleep(Duration::from_millis(100));
    }
    folder.write("in/found.jsonl", "{\"value\":1,\"at\":50}\n");
    std::thread::sleep(Duration::from_millis(600));
    let (out, events) = stop(child);
    assert!(out.len() >= 20, "{out:#?}");
    assert_eq!((&out[0]["sum"], &out[1]["sum"]), (&2.into(), &1.into()));
    let mut held = progress(&events).map(|station| &station["held_by"]);
    let held = held
        .find(|held| held["split"] == "in/a.jsonl")
        .expect("it was named");
    let fields = ["source", "state", "watermark"].map(|field| held[field].as_str());
    assert_eq!(
        fields,
        [
            Some("rows"),
            Some("counts"),
            Some("1969-12-31T23:59:59.999999Z")
        ]
    );
    assert_eq!(
        held["released_by"],
        serde_json::json!(["row", "idle-timeout"])
    );
    let summary = events.last().expect("a summary");
    assert_eq!(
        summary["rows_read"], 42,
        "one of a file that was found later"
    );
    assert!(summary["stations"][1]["held_by"].is_object(), "{summary:#}");
    assert_eq!(summary["stations"][0]["lateness"]["keeps_all"], "0s");
}

/// Nothing comes after these rows: the clock alone fires their window, soon after its end.
#[test]
fn the_clock_fires_windows_by_itself() {
    let text = pipeline(
        "stdin = {}\ncolumns = { value = \"integer\" }",
        "time = \"processing\"",
    );
    let folder = Folder::with(&[("pipeline.toml", &text)]);
    let mut command = folder.command(&["run", "--quiet"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(b"{\"value\":1}\n{\"value\":2}\n")
        .expect("it reads");
    std::thread::sleep(Duration::from_millis(2500));
    let (out, _) = stop(child);
    let sum: i64 = out.iter().filter_map(|row| row["sum"].as_i64()).sum();
    assert_eq!(sum, 3, "{out:#?}");
    drop(stdin);
}

#[test]
fn check_says_what_depends_on_the_clock() {
    for (source, operator, said) in [
        (
            "time = \"ingestion\"",
            "",
            "source rows: event time is the clock of reading",
        ),
        (
            "",
            "time = \"processing\"",
            "operator sums: works by the clock",
        ),
    ] {
        let source = format!("{source}\nstdin = {{}}\ncolumns = {{ value = \"integer\" }}");
        let text = pipeline(&source, operator);
        let folder = Folder::with(&[("pipeline.toml", &text)]);
        let checked = folder.run(&["check"]).expect(0);
        let line = format!("  {said}: its results depend on when they were made\n");
        assert!(checked.out.contains(&line), "{}", checked.out);
    }
}

#[test]
fn the_summary_says_which_out_of_orderness_would_do() {
    let text = pipeline(&FOLLOWED.replace("follow = true", "follow = false"), "");
    let rows: String = (0..1000)
        .map(|i| {
            format!(
                "{{\"value\":1,\"at\":{}}}\n",
                if i == 500 { 420 } else { i }
            )
        })
        .collect();
    let folder = Folder::with(&[("pipeline.toml", &text), ("in/a.jsonl", &rows)]);
    let ran = folder.run(&["run"]).expect(0);
    let ran = ran.says(&[
        "rows: of its 1,000 rows this would have kept so many in time:",
        "out-of-orderness = \"0s\"            # 99 %\n",
        "out-of-orderness = \"0s\"            # 99.9 %\n",
        "out-of-orderness = \"1m19s\"         # all\n",
    ]);
    // What is said is true: with it no row is late.
    assert!(!ran.err.contains("\"1m18s\""));
    let with = [
        "run",
        "--format",
        "json",
        "--set",
        "sources.rows.out-of-orderness=1m19s",
    ];
    let ran = folder.run(&with).expect(0);
    let summary: Value =
        serde_json::from_str(ran.err.lines().last().expect("a summary")).expect("JSON");
    assert_eq!(summary["stations"][1]["late"], 0, "{summary:#}");
}

/// A generator with a rate sleeps between its rows, whether it ends or not.
#[test]
fn who_waits_sleeps() {
    for rows in ["rows = 30, ", ""] {
        let text = format!(
            "name = \"slow\"\n[sources.rows]\ndatagen = {{ {rows}rate = 20 }}\n\
             columns = {{ n = \"integer\" }}\n[sinks.out]\ninput = \"rows\"\nblackhole = {{}}\n"
        );
        let folder = Folder::with(&[("pipeline.toml", &text)]);
        let child = start(&folder);
        let began = Instant::now();
        std::thread::sleep(Duration::from_millis(1500));
        let (_, events) = if rows.is_empty() {
            stop(child)
        } else {
            let output = child.wait_with_output().expect("it ends");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let parse = |line: &str| serde_json::from_str(line).expect(line);
            (vec![], text.lines().map(parse).collect())
        };
        let summary: &Value = events.last().expect("a summary");
        let cpu = summary["cpu_s"].as_f64().expect("a figure");
        let took = began.elapsed().as_secs_f64();
        assert!(
            cpu < took / 5.0,
            "{cpu} s of CPU time in {took} s: {summary:#}"
        );
    }
}

//! What the clock does to the real binary: idle files, operators that work by the clock, who waits for whom, and waiting
//! itself.

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Folder, Lines, PATIENCE, kinds};

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

/// A run that tells in lines of JSON.
struct Started {
    child: Child,
    out: Lines,
    err: Lines,
}

fn start(folder: &Folder, stdin: Stdio) -> Started {
    let mut command = folder.command(&["run", "--format", "json", "--workers", "2"]);
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    Started {
        out: Lines::of(child.stdout.take().expect("a pipe")),
        err: Lines::of(child.stderr.take().expect("a pipe")),
        child,
    }
}

impl Started {
    /// Stops it. What else it wrote, and what else it said.
    fn stop(self) -> (Vec<Value>, Vec<Value>) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is there to be told");
        self.end()
    }

    /// Waits for its end. What else it wrote, and what else it said.
    fn end(mut self) -> (Vec<Value>, Vec<Value>) {
        self.child.wait().expect("it ends");
        let values = |lines: Vec<String>| lines.iter().map(|line| value(line)).collect();
        (values(self.out.rest()), values(self.err.rest()))
    }
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).expect(line)
}

/// The figures of a station, where they are those of a run that goes on.
fn progress(line: &str, station: usize) -> Option<Value> {
    let mut event = value(line);
    let told = event["event"] == "progress";
    told.then(|| event["stations"][station].take())
}

/// Who holds the window operator back, where it is this split.
fn held_by(line: &str, split: &str) -> Option<Value> {
    let held = progress(line, 1)?["held_by"].take();
    (held["split"] == split).then_some(held)
}

#[test]
fn a_file_that_goes_idle_is_named_and_given_up() {
    let text = pipeline(&format!("idle-timeout = \"4s\"\n{FOLLOWED}"), "");
    let folder = Folder::with(&[
        ("pipeline.toml", &text),
        ("in/a.jsonl", "{\"value\":1,\"at\":0}\n"),
        ("in/b.jsonl", "{\"value\":1,\"at\":0}\n"),
    ]);
    let started = start(&folder, Stdio::null());
    let path = folder.path().join("in/b.jsonl");
    let mut going = fs::File::options().append(true).open(path).expect("a file");
    let (mut out, mut named, mut seconds) = (Vec::new(), None, 0);
    let begun = Instant::now();
    while out.len() < 20 || named.is_none() {
        assert!(begun.elapsed() < PATIENCE, "{named:?}, {out:#?}");
        seconds += 1;
        writeln!(going, "{{\"value\":1,\"at\":{seconds}}}").expect("it is written");
        std::thread::sleep(Duration::from_millis(100));
        out.extend(started.out.so_far().iter().map(|line| value(line)));
        let said = started.err.so_far();
        named = named.or(said.iter().find_map(|line| held_by(line, "in/a.jsonl")));
    }
    assert_eq!((&out[0]["sum"], &out[1]["sum"]), (&2.into(), &1.into()));
    let held = named.expect("it was waited for");
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
    // The first rows, those that came, and one of a file that is found.
    let all = 2 + seconds + 1;
    folder.write("in/found.jsonl", "{\"value\":1,\"at\":500}\n");
    started.err.until("row of the file that was found", |line| {
        progress(line, 0).is_some_and(|rows| rows["rows_out"] == all)
    });
    let (_, events) = started.stop();
    let summary = events.last().expect("a summary");
    assert_eq!(summary["rows_read"], all);
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
    let mut started = start(&folder, Stdio::piped());
    let mut stdin = started.child.stdin.take().expect("a pipe");
    stdin
        .write_all(b"{\"value\":1}\n{\"value\":2}\n")
        .expect("it reads");
    // The end of a second may lie between the two.
    let mut sum = 0;
    while sum < 3 {
        sum += value(&started.out.next())["sum"].as_i64().expect("a sum");
    }
    assert_eq!(sum, 3);
    let (out, _) = started.stop();
    assert!(out.is_empty(), "{out:#?}");
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
        "out-of-orderness = \"0s\"            # 99 %, 99.9 %\n",
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
        let started = start(&folder, Stdio::null());
        let began = Instant::now();
        std::thread::sleep(Duration::from_millis(1500));
        let (_, events) = match rows {
            "" => started.stop(),
            _ => started.end(),
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

//! Pipelines and their input, by a number: windows, a process function with timers, late rows and dead letters.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tidemill_engine::Plan;

use crate::reader::{self, Counted};
use crate::support::input::{self, Random, Row, Shape};
use crate::support::stations::pipeline;
use crate::support::{Bench, How, parse};

/// Operators of the independence tests' pipeline whose results no order between workers decides; behind which stand others.
const WINDOWS: &[&[&str]] = &[
    &["tumble-late"],
    &["tumble-offset"],
    &["hop"],
    &["hop-late"],
    &["hop-discarding"],
    &["session"],
    &["session-late"],
    &["session", "behind-sessions"],
    &["float-hops"],
    &["unkeyed"],
    &["cumulate"],
    &["slide"],
    &["rows-of-seven"],
    &["global-floats"],
    &["retract", "hop-rows", "behind-early"],
    &["retract-sessions"],
    &["ticks"],
    &["session-rows"],
    &["whole-newest"],
    &["kept-sessions"],
    &["failing"],
    &["failing-sessions"],
    &["sifted", "sifted-hops"],
];

/// How many rows of each key there are is known without any of that.
const COUNTED: &str = r#"
[operators.counted]
input = "rows"
key = "key"
window = { tumble = "1300us", lateness = "500us", mode = "discarding" }
function = "kinds/count"

[sinks.to-counted]
input = "counted"
file = "counted.jsonl"

[sinks.to-counted-late]
input = "counted.late"
file = "counted.late.jsonl"
"#;

const BUSY: &str = r#"
[operators.busy]
input = "rows"
key = "key"
function = "kinds/busy"
config = { ahead = AHEAD, breaking = "return" }
on-failure = "dead-letter"

[sinks.to-busy]
input = "busy"
file = "busy.jsonl"

[sinks.to-busy-failed]
input = "busy.failed"
file = "busy.failed.jsonl"
"#;

const KEEPING: &str = r#"
[operators.keeping]
input = "rows"
key = "key"
function = "kinds/keeping"
config = { breaking = "no" }

[sinks.to-keeping]
input = "keeping"
file = "keeping.jsonl"

[operators.behind-keeping]
input = "keeping"
key = "key"
window = { tumble = "700us" }
function = "kinds/count"

[sinks.to-behind-keeping]
input = "behind-keeping"
file = "behind-keeping.jsonl"
"#;

/// Values that stay are saved as calls read them.
const LASTING: &str = r#"
[operators.lasting]
input = "rows"
key = "key"
function = "kinds/lasting"
config = { breaking = "return" }
on-failure = "dead-letter"

[sinks.to-lasting]
input = "lasting"
file = "lasting.jsonl"

[sinks.to-lasting-failed]
input = "lasting.failed"
file = "lasting.failed.jsonl"
"#;

/// How far out of order rows may be, in microseconds.
const OUT_OF_ORDERNESS: i64 = 150;

/// A pipeline with its input.
pub struct Case {
    bench: Bench,
    /// By the number of workers, from one.
    pub plans: Arc<Vec<Plan>>,
    /// By sink, what an undisturbed run publishes.
    pub expected: BTreeMap<String, Counted>,
}

impl Case {
    pub fn new(number: u64) -> Self {
        let mut random = Random(number ^ 0x51_6d);
        let shape = Shape {
            seed: random.below(1 << 40),
            rows: [30, 80, 200][random.below(3) as usize],
            splits: 1,
            keys: [2, 6, 40][random.below(3) as usize],
            from: 1_000_000,
            step: 40,
            disorder: 4000,
            bad: 9,
        };
        let rows = shape.make();
        let bench = Bench::in_memory(&text(&mut random));
        bench.write("in-0.jsonl", &with_bad_lines(&rows[0], &mut random));
        let case = Self {
            plans: Arc::new((1..=3).map(|workers| bench.plan(workers)).collect()),
            bench,
            expected: BTreeMap::new(),
        };
        case.bench.run(How::new(16, 1));
        let expected = reader::published(&case.out());
        check_counts(&expected, &rows[0], number);
        case.clear();
        Self { expected, ..case }
    }

    /// The folder of the sinks' places.
    pub fn out(&self) -> PathBuf {
        self.bench.path("out")
    }

    /// Removes what was published.
    pub fn clear(&self) {
        std::fs::remove_dir_all(self.out()).expect("something was published");
    }
}

/// The pipeline file.
fn text(random: &mut Random) -> String {
    let mut only: Vec<&str> = Vec::new();
    for _ in 0..1 + random.below(2) {
        only.extend(WINDOWS[random.below(WINDOWS.len() as u64) as usize]);
    }
    let (mut text, _) = pipeline(OUT_OF_ORDERNESS, &only);
    text += COUNTED;
    if random.below(4) > 0 {
        let ahead = [300, 5000][random.below(2) as usize];
        text += &BUSY.replace("AHEAD", &format!("{ahead}"));
    }
    if random.below(3) == 0 {
        text += KEEPING;
    }
    if random.below(3) > 0 {
        text += LASTING;
    }
    let lines = text
        .lines()
        .map(|line| match line.strip_prefix("file = \"") {
            Some(rest) => place(rest.trim_end_matches(".jsonl\""), random),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where a sink's rows go: to parts of few rows or of many, or to one file at the end.
fn place(sink: &str, random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("file = \"out/{sink}.jsonl\""),
        1 => format!("folder = \"out/{sink}\""),
        2 => format!("folder = {{ path = \"out/{sink}\", part-age = \"3ms\" }}"),
        _ => {
            let rows = 1 + random.below(12);
            format!("folder = {{ path = \"out/{sink}\", part-rows = {rows} }}")
        }
    }
}

/// Some lines are no rows.
fn with_bad_lines(rows: &[Row], random: &mut Random) -> String {
    let text = input::lines(rows);
    let lines = text.lines().map(|line| match random.below(30) {
        0 => format!("no row\n{line}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// Of each key the windows have counted as many rows as there are, but for those that were late.
fn check_counts(published: &BTreeMap<String, Counted>, rows: &[Row], case: u64) {
    let mut of_keys: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows {
        let key = serde_json::Value::from(row.key.clone()).to_string();
        *of_keys.entry(key).or_default() += 1;
    }
    let none = Counted::new();
    let of = |sink: &str| published.get(sink).unwrap_or(&none);
    for (line, count) in of("counted") {
        let row = parse(line);
        let rows = row["rows"].as_i64().expect("a count");
        *of_keys.entry(row["key"].to_string()).or_default() -= rows * *count as i64;
    }
    for (line, count) in of("counted.late") {
        let key = parse(line)["key"].to_string();
        *of_keys.entry(key).or_default() -= *count as i64;
    }
    of_keys.retain(|_, left| *left != 0);
    assert!(of_keys.is_empty(), "case {case}: not counted: {of_keys:?}");
}

//! Runs that are killed at any moment, and go on: what is published is what an undisturbed run publishes, row for row.
//! `TIDEMILL_SEED=1000` kills at other moments, `TIDEMILL_KILLS=200` more often.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Folder, kinds};

const PIPELINE: &str = r#"
name = "killed"

[checkpoints]
interval = "10ms"
min-pause = "0ms"
keep = 2

[modules.kinds]
file = "kinds.wasm"

# What the order between splits decides is input: corrections and sessions are of one split.
[sources.rows]
files = "in/*.jsonl"
event-time = "at"
out-of-orderness = "2s"
on-failure = "dead-letter"
[sources.rows.columns]
key = "text"
value = "integer"
at = { type = "time", format = "epoch-ms" }

[sources.one]
files = "one.jsonl"
event-time = "at"
out-of-orderness = "100ms"
on-failure = "dead-letter"
[sources.one.columns]
key = "text"
value = "integer"
at = { type = "time", format = "epoch-ms" }

[operators.hop]
input = "rows"
key = "key"
window = { hop = "10s", step = "2s" }
function = "kinds/sum"

[operators.corrected]
input = "one"
key = "key"
window = { tumble = "1s", lateness = "2s", mode = "retract" }
function = "kinds/sum"

[operators.sessions]
input = "one"
key = "key"
window = { session = "200ms" }
function = "kinds/sum"

[sinks.hops]
input = "hop"
folder = "out/hop"

[sinks.corrections]
input = "corrected"
folder = "out/corrected"

[sinks.visits]
input = "sessions"
folder = { path = "out/sessions", part-rows = 500 }

[sinks.late]
input = ["hop.late", "corrected.late", "sessions.late"]
folder = "out/late"

[sinks.bad]
input = ["rows.failed", "one.failed"]
file = "out/bad.jsonl"
"#;

/// How many runs are killed.
const KILLS: u64 = 25;

#[test]
fn killed_runs_publish_every_row_once() {
    let folder = Folder::with(&[("pipeline.toml", PIPELINE)]);
    fs::copy(kinds(), folder.path().join("kinds.wasm")).expect("the module");
    let mut random = Random(number("TIDEMILL_SEED", 7));
    for split in 0..3 {
        folder.write(&format!("in/{split}.jsonl"), &rows(&mut random, 40_000));
    }
    folder.write("one.jsonl", &rows(&mut random, 40_000));
    let began = Instant::now();
    folder.run(&["run", "--workers", "2"]).expect(0);
    let whole = began.elapsed();
    let expected = published(&folder);
    let (mut kills, most) = (0, number("TIDEMILL_KILLS", KILLS));
    while kills < most {
        for made in ["out", "checkpoints"] {
            fs::remove_dir_all(folder.path().join(made)).expect("what a run made");
        }
        kills += killed(&folder, &mut random, whole);
        let is = published(&folder);
        assert_eq!(
            expected.keys().collect::<Vec<_>>(),
            is.keys().collect::<Vec<_>>()
        );
        for (sink, rows) in &expected {
            let same = rows == &is[sink];
            assert!(
                same,
                "{sink} differs after {kills} kills: {} and {} rows",
                rows.len(),
                is[sink].len()
            );
        }
    }
}

/// Runs to the end, through some kills; how many.
fn killed(folder: &Folder, random: &mut Random, whole: Duration) -> u64 {
    let mut kills = 0;
    loop {
        let workers = (1 + random.below(3)).to_string();
        let mut run = folder.command(&["run", "--quiet", "--workers", &workers]);
        let mut run = run.spawn().expect("the binary runs");
        let until = Instant::now() + whole.mul_f64(random.below(1000) as f64 / 900.0);
        let ended = loop {
            let ended = run.try_wait().expect("a child of ours");
            if ended.is_some() || Instant::now() > until {
                break ended;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        if let Some(status) = ended {
            assert!(status.success(), "a run that went on ended with {status}");
            return kills;
        }
        run.kill().expect("it is killed");
        run.wait().expect("it was killed");
        kills += 1;
    }
}

/// The rows in the places of the sinks, sorted. Hidden files are nobody's.
fn published(folder: &Folder) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for sink in ["hop", "corrected", "sessions", "late"] {
        let mut rows = Vec::new();
        for entry in fs::read_dir(folder.path().join("out").join(sink)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if !name.starts_with('.') {
                let text = fs::read_to_string(&path).expect("a part");
                rows.extend(text.lines().map(str::to_owned));
            }
        }
        rows.sort();
        all.insert(sink.to_owned(), rows);
    }
    let mut bad: Vec<String> = folder
        .read("out/bad.jsonl")
        .lines()
        .map(str::to_owned)
        .collect();
    bad.sort();
    all.insert("bad".to_owned(), bad);
    all
}

fn rows(random: &mut Random, rows: u64) -> String {
    let (mut text, mut at) = (String::new(), 1_700_000_000_000_i64);
    for _ in 0..rows {
        at += random.below(20) as i64;
        if random.below(500) == 0 {
            text.push_str("no row\n");
        }
        let late = match random.below(20) {
            0 => 30_000,
            1 | 2 => 1_500,
            _ => 0,
        };
        let (key, value) = (random.below(40), random.below(1000));
        writeln!(
            text,
            r#"{{"key":"k{key}","value":{value},"at":{}}}"#,
            at - late
        )
        .expect("a string takes all");
    }
    text
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Randomness that a seed decides (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

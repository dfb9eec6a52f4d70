//! What may not change a result: crashes between any two rows, restarts from the last checkpoint, and another number of
//! workers after each. Every kind of window and operator, step by step; `TIDEMILL_SEED=1000` makes other input and other
//! crashes.

mod support;

use support::input::{self, Random, Shape};
use support::stations::pipeline;
use support::{Bench, HOLDERS, Holder, How};
use tidemill_engine::Rehearsal;
use tidemill_engine::rehearsal::{Came, Does, Line, Script, Stepped, Watermarks};
use tidemill_rows::json;

const SHAPE: Shape = Shape {
    seed: 21,
    rows: 120,
    splits: 1,
    keys: 4,
    from: 1_000_000,
    step: 40,
    disorder: 4000,
    bad: 9,
};

const OUT_OF_ORDERNESS: i64 = 150;

/// Behind a second exchange several workers count as several splits: what these make of the order between them is input.
const BETWEEN_WORKERS: [&str; 2] = ["rekeyed-floats.", "behind-wide."];

#[test]
fn one_split() {
    check(SHAPE, &|_, _| 2, &|_| true);
}

#[test]
fn one_split_other_workers() {
    let compared = |line: &str| !BETWEEN_WORKERS.iter().any(|name| line.starts_with(name));
    check(SHAPE, &|random, _| 1 + random.below(3) as usize, &compared);
}

#[test]
fn one_split_many_keys() {
    let shape = Shape {
        seed: 22,
        keys: 60,
        from: -4000,
        ..SHAPE
    };
    check(shape, &|_, _| 2, &|_| true);
}

#[test]
fn several_splits() {
    check(SEVERAL, &|_, workers| workers, &|_| true);
}

/// Which rows are late depends on no other split, and on no worker.
#[test]
fn several_splits_other_workers() {
    let compared = |line: &str| line.contains(".late ") && !line.starts_with("session");
    check(SEVERAL, &|_, workers| 3 - workers, &compared);
}

const SEVERAL: Shape = Shape {
    seed: 23,
    splits: 3,
    ..SHAPE
};

/// Process functions: with timers and values, with lists and maps, and ones that fail.
const PROCESSES: &str = r#"
[operators.busy]
input = "rows"
key = "key"
function = "kinds/busy"
config = { ahead = 500, breaking = "return" }
on-failure = "dead-letter"

[sinks.to-busy]
input = ["busy"]
file = "busy.jsonl"

[sinks.to-busy-failed]
input = "busy.failed"
file = "busy-failed.jsonl"

[operators.far]
input = "rows"
key = ["id", "key"]
function = "kinds/busy"
config = { ahead = 20_000, breaking = "no" }

[sinks.to-far]
input = "far"
file = "far.jsonl"

[operators.keeping]
input = "rows"
key = "key"
function = "kinds/keeping"
config = { breaking = "no" }

[sinks.to-keeping]
input = "keeping"
file = "keeping.jsonl"

[operators.lasting]
input = "rows"
key = "key"
function = "kinds/lasting"
config = { breaking = "no" }

[sinks.to-lasting]
input = "lasting"
file = "lasting.jsonl"

[operators.ringing]
input = "rows"
key = "key"
function = "kinds/ringing"
on-failure = "dead-letter"

[sinks.to-ringing]
input = "ringing"
file = "ringing.jsonl"

[sinks.to-ringing-failed]
input = "ringing.failed"
file = "ringing-failed.jsonl"

[operators.behind-busy]
input = "busy"
key = "key"
window = { tumble = "700us" }
function = "kinds/count"

[sinks.to-behind-busy]
input = "behind-busy"
file = "behind-busy.jsonl"
"#;

/// One step: a row of a split, or its end.
#[derive(Clone)]
enum Step {
    Row(usize, String),
    End(usize),
}

/// `workers` says how many there are after a crash, given how many there were; `compared`, which of what comes is.
fn check(
    shape: Shape,
    workers: &dyn Fn(&mut Random, usize) -> usize,
    compared: &dyn Fn(&str) -> bool,
) {
    let shape = shape.of_this_run();
    let (text, _) = pipeline(OUT_OF_ORDERNESS, &[]);
    let bench = Bench::new(&(text + PROCESSES));
    input::write(&bench, &vec![Vec::new(); shape.splits]);
    let steps = steps(shape);
    let mut undisturbed = run(&bench, shape, &steps, &mut || Happens::Nothing);
    assert!(undisturbed.len() > shape.rows, "{shape:?}");
    undisturbed.retain(|line| compared(line));
    for holders in [[Holder::Memory; 2], [Holder::RocksDb(3); 2], HOLDERS] {
        let (mut random, mut count) = (Random(shape.seed ^ 0xc4a5), 2);
        let mut holders = holders.into_iter().cycle();
        bench.hold_in(holders.next().expect("they are two"));
        let mut disturbed = run(&bench, shape, &steps, &mut || match random.below(20) {
            0 | 1 => Happens::Checkpoint,
            2 => {
                count = workers(&mut random, count);
                Happens::Crash(count, holders.next().expect("they are two"))
            }
            _ => Happens::Nothing,
        });
        disturbed.retain(|line| compared(line));
        same(&undisturbed, &disturbed, shape);
    }
}

fn same(undisturbed: &[String], disturbed: &[String], shape: Shape) {
    let mut pairs = undisturbed.iter().zip(disturbed);
    if let Some((was, is)) = pairs.find(|(was, is)| was != is) {
        panic!("{was}\ninstead, after a crash:\n{is}\n{shape:?}");
    }
    assert_eq!(undisturbed.len(), disturbed.len(), "{shape:?}");
}

/// The splits' rows in one order that the seed decides, with lines between them that cannot be read.
fn steps(shape: Shape) -> Vec<Step> {
    let mut random = Random(shape.seed ^ 0x57e9);
    let mut splits: Vec<Vec<String>> = shape
        .make()
        .iter()
        .map(|rows| {
            input::lines(rows)
                .lines()
                .rev()
                .map(str::to_owned)
                .collect()
        })
        .collect();
    let mut steps = Vec::new();
    while splits.iter().any(|rows| !rows.is_empty()) {
        let split = random.below(splits.len() as u64) as usize;
        if random.below(30) == 0 {
            steps.push(Step::Row(split, "no row".to_owned()));
        }
        if let Some(row) = splits[split].pop() {
            steps.push(Step::Row(split, row));
        }
    }
    steps.extend((0..splits.len()).map(Step::End));
    steps
}

enum Happens {
    Nothing,
    Checkpoint,
    /// And so many workers after it, and this holds state.
    Crash(usize, Holder),
}

fn run(
    bench: &Bench,
    shape: Shape,
    steps: &[Step],
    happens: &mut dyn FnMut() -> Happens,
) -> Vec<String> {
    let names: Vec<String> = (0..shape.splits).map(|n| format!("split-{n}")).collect();
    let script = Script {
        splits: vec![("rows".to_owned(), names.clone())],
        watermarks: Watermarks::FromRows,
        ..Script::default()
    };
    let options = How::new(64, 2).options();
    let mut rehearsal = Rehearsal::start(bench.plan(2), &script, &options).expect("a start");
    // What came before the last checkpoint, and since.
    let (mut before, mut since) = (Vec::new(), Vec::new());
    for step in steps {
        match happens() {
            Happens::Nothing => {}
            Happens::Checkpoint => {
                rehearsal.checkpoint().expect("a checkpoint");
                before.append(&mut since);
            }
            Happens::Crash(workers, holder) => {
                rehearsal.hold_in(bench.state(holder));
                since = shown(rehearsal.restore(workers).expect("a restart"));
            }
        }
        since.extend(shown(match step {
            Step::Row(split, line) => {
                let text = Line {
                    header: None,
                    text: line,
                };
                let row = rehearsal.row(("rows", &names[*split]), text, Does::Insert);
                row.expect("JSON needs no header")
            }
            Step::End(split) => {
                rehearsal.end(("rows", &names[*split]));
                rehearsal.step()
            }
        }));
    }
    before.append(&mut since);
    before
}

fn shown(stepped: Stepped) -> Vec<String> {
    assert!(stepped.stopped.is_none(), "{:?}", stepped.stopped);
    let line = |came: &Came| {
        let Came {
            station,
            port,
            time,
            stamp,
            change,
            ..
        } = came;
        let row = json::row(&came.row, 0);
        format!("{station}.{port} {row} at {time} stamped {stamp} {change:?}")
    };
    stepped.came.iter().map(line).collect()
}

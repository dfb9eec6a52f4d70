//! A transform that does what no honest one does, where a row's `n` is 13: it asks for more than there is, says more than
//! anybody reads, and returns what only just is, or is not, allowed.

use std::cell::Cell;
use std::hint::black_box;

use crate::bindings::tidemill::operator::columns::{Batch, Column, Values};
use crate::bindings::tidemill::operator::log;
use crate::bindings::tidemill::operator::outcome::{Emitted, Failure, Output, Produced};

const BAD: i64 = 13;
const ESCAPES: &str = "\x1b[2J\x1b]0;owned\x07 \u{9b}31m \r over \u{202e}txt.exe";
const FAR: u32 = 1_000_000;

thread_local! {
    static SEEN: Cell<i64> = const { Cell::new(0) };
}

/// Serves a call as `how` says.
pub fn apply(how: &str, rows: &Batch) -> Result<Output, String> {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let bad = n.iter().position(|&n| n == BAD);
    if let Some(bad) = bad {
        act(how);
        if let Some(failures) = failing(how, bad as u32) {
            let emitted = Vec::new();
            return Ok(Output { emitted, failures });
        }
    }
    let mut output = well(how, rows, n);
    if bad.is_some() || how.starts_with("each-") {
        spoil(how, &mut output);
    }
    Ok(output)
}

/// What does not come back, or only after a while.
fn act(how: &str) {
    match how {
        "grow-forever" => {
            while core::arch::wasm32::memory_grow(0, 1) != usize::MAX {}
            core::arch::wasm32::unreachable()
        }
        "grow-and-go-on" => while core::arch::wasm32::memory_grow(0, 1) != usize::MAX {},
        "log-forever" => loop {
            log::write(2, "and another line")
        },
        "log-one-huge" => log::write(2, &"long ".repeat(2 << 20)),
        "log-escapes" => log::write(0, ESCAPES),
        "log-forges" => log::write(2, "fine\nerror: the disk is on fire\nhint: send money"),
        "panic-1mb" => panic!("{}", "panic ".repeat(180_000)),
        "panic-escapes" => panic!("{ESCAPES}"),
        "divide" => {
            let _ = black_box(1 / black_box(0i32));
        }
        "read-far" => {
            // SAFETY: none; the address is beyond this guest's memory, which is the point.
            let _ = black_box(unsafe { *(black_box(0x7000_0000usize) as *const u32) });
        }
        "compute-forever" => {
            let mut x = 1.000_000_1f64;
            while black_box(x) > 0.0 {
                x = (x * 1.000_000_1).min(1e300);
            }
        }
        _ => {}
    }
}

fn failing(how: &str, row: u32) -> Option<Vec<Failure>> {
    let one = |severity, code: &str, message: &str| Failure {
        row,
        severity,
        code: code.to_owned(),
        message: message.to_owned(),
    };
    Some(match how {
        "fail-escapes" => vec![one(0, ESCAPES, ESCAPES)],
        "fail-long" => vec![one(0, &"code".repeat(1 << 20), &"message".repeat(1 << 20))],
        "fail-fatal" => vec![one(1, "stop", "nothing goes any more")],
        "fail-retry" => vec![one(2, "again", "not now")],
        "fail-10m" => vec![one(0, "", ""); 10_000_000],
        "fail-1m" => vec![one(0, "", ""); 1_500_000],
        "fail-same-row" => vec![one(0, "a", "first"), one(0, "b", "second")],
        _ => return None,
    })
}

fn well(how: &str, rows: &Batch, n: &[i64]) -> Output {
    let seen = SEEN.get() + n.len() as i64;
    if how == "each-remembers" {
        SEEN.set(seen);
    }
    let words = |values| {
        Produced::Made(Column {
            values: Values::Words(values),
            valid: None,
        })
    };
    let floats = Column {
        values: Values::Floats(n.iter().map(|&n| n as f64 / 2.0).collect()),
        valid: None,
    };
    let numbers = match how {
        "each-remembers" => n.iter().map(|n| n + SEEN.get()).collect(),
        _ => n.to_vec(),
    };
    let main = Emitted {
        target: 0,
        origins: (0..rows.rows).collect(),
        times: None,
        changes: None,
        columns: vec![
            words(numbers),
            Produced::Made(floats),
            words(rows.times.clone()),
        ],
    };
    Output {
        emitted: vec![main],
        failures: Vec::new(),
    }
}

fn spoil(how: &str, output: &mut Output) {
    let main = &mut output.emitted[0];
    let last = main.origins.len() - 1;
    match how {
        "each-nan" => {
            let odd = [
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -0.0,
                f64::MIN_POSITIVE / 4.0,
            ];
            let Values::Floats(floats) = &mut made(main, 1).values else {
                unreachable!()
            };
            for (at, float) in floats.iter_mut().enumerate() {
                *float = odd[at % odd.len()];
            }
        }
        "time-first" => words(main, 2)[last] = i64::MIN,
        "time-under-null" => {
            words(main, 2).fill(i64::MAX);
            made(main, 2).valid = Some(vec![0; last + 1]);
        }
        "times-first" => main.times = Some(vec![i64::MIN; last + 1]),
        "times-last" => main.times = Some(vec![i64::MAX; last + 1]),
        "origins-nowhere" => main.origins[last] = u32::MAX,
        "origins-backwards" => main.origins.reverse(),
        "origins-thrice" => {
            for _ in 0..2 {
                main.origins.push(last as u32);
                words(main, 0).push(BAD);
                words(main, 2).push(0);
                if let Values::Floats(floats) = &mut made(main, 1).values {
                    floats.push(0.5);
                }
            }
        }
        "valid-long" => made(main, 2).valid = Some(vec![1; FAR as usize]),
        "valid-200" => made(main, 2).valid = Some(vec![200; last + 1]),
        "changes-200" => main.changes = Some(vec![200; last + 1]),
        "column-more" => main.columns.push(Produced::Input(0)),
        "column-far" => main.columns[0] = Produced::Input(u32::MAX),
        "side-columns" => output
            .emitted
            .push(side(vec![last as u32], vec![Produced::Input(0)])),
        "side-twice" => {
            output.emitted.push(side(vec![last as u32], Vec::new()));
            output.emitted.push(side(vec![last as u32], Vec::new()));
        }
        "targets-many" => output
            .emitted
            .extend((0..FAR).map(|_| side(Vec::new(), Vec::new()))),
        _ => {}
    }
}

fn side(origins: Vec<u32>, columns: Vec<Produced>) -> Emitted {
    Emitted {
        target: 1,
        origins,
        times: None,
        changes: None,
        columns,
    }
}

fn made(entry: &mut Emitted, at: usize) -> &mut Column {
    match &mut entry.columns[at] {
        Produced::Made(column) => column,
        Produced::Input(_) => unreachable!(),
    }
}

fn words(entry: &mut Emitted, at: usize) -> &mut Vec<i64> {
    match &mut made(entry, at).values {
        Values::Words(words) => words,
        _ => unreachable!(),
    }
}

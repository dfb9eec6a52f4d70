//! A transform that does one thing wrong, where a row's `n` is 13 or always.

use std::hint::black_box;

use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Values};
use crate::bindings::tidemill::operator::log;
use crate::bindings::tidemill::operator::outcome::{Emitted, Failure, Output, Produced};

const BAD: i64 = 13;

/// Serves a call as `how` says.
#[inline(never)]
pub fn apply(how: &str, rows: Batch) -> Result<Output, String> {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let bad = n.contains(&BAD);
    match how {
        "refuse" => return Err("not today".into()),
        "trap" if bad => panic!("row {BAD} is not to be had"),
        "unreachable" if bad => core::arch::wasm32::unreachable(),
        "trap-all" => panic!("nothing is to be had"),
        "loop" if bad => endless(),
        "recurse" if bad => drop(black_box(recurse(black_box(1)))),
        "recurse-deep" if bad => drop(black_box(recurse_flat(black_box(1)))),
        "memory" if bad => bomb(),
        "memory-batch" if n.len() > 8 => bomb(),
        "leak" => std::mem::forget(black_box(vec![1u8; 4 << 20])),
        "slow-batch" if n.len() > 8 => endless(),
        "log" => (0..100_000).for_each(|at| log::write(2, &format!("line {at}"))),
        "fail" if bad => return Ok(failing(&rows, n)),
        _ => {}
    }
    let mut output = well(&rows);
    if bad || !how.starts_with("bad-") {
        spoil(how, &mut output);
    }
    Ok(output)
}

fn well(rows: &Batch) -> Output {
    let all: Vec<u32> = (0..rows.rows).collect();
    let mut texts = rows.columns[1].clone();
    texts.valid = None;
    let columns = vec![
        Produced::Input(0),
        Produced::Made(texts),
        Produced::Made(rows.columns[2].clone()),
        Produced::Made(Column {
            values: Values::Words(rows.times.clone()),
            valid: None,
        }),
    ];
    let main = Emitted {
        target: 0,
        origins: all,
        times: None,
        changes: None,
        columns,
    };
    Output {
        emitted: vec![main],
        failures: Vec::new(),
    }
}

/// Leaves the bad rows out, as failures.
fn failing(rows: &Batch, n: &[i64]) -> Output {
    let bad = |row: &u32| n[*row as usize] == BAD;
    let mut output = Output {
        emitted: Vec::new(),
        failures: Vec::new(),
    };
    output
        .failures
        .extend((0..rows.rows).filter(bad).map(|row| Failure {
            row,
            severity: 0,
            code: "thirteen".into(),
            message: format!("row has {BAD}"),
        }));
    output
}

fn spoil(how: &str, output: &mut Output) {
    let main = &mut output.emitted[0];
    match how.trim_start_matches("bad-") {
        "length" => words(main).push(1),
        "offsets-short" => drop(arena(main).offsets.pop()),
        "offsets-first" => arena(main).offsets[0] = 1,
        "offsets-descend" => match arena(main).offsets.as_mut_slice() {
            [_, b, c, ..] => std::mem::swap(b, c),
            alone => alone.reverse(),
        },
        "offsets-last" => arena(main).bytes.push(b'x'),
        "utf8" => arena(main).bytes[0] = 0xff,
        "utf8-cut" => {
            let held = arena(main);
            let end = held.offsets[1] as usize;
            if end < held.bytes.len() {
                held.bytes[end - 1..end + 1].copy_from_slice("é".as_bytes());
            }
        }
        "bool" => octets(main)[0] = 2,
        "valid" => made(main, 3).valid = Some(vec![7]),
        "null" => {
            let rows = main.origins.len();
            made(main, 1).valid = Some(vec![0; rows]);
        }
        "layout" => made(main, 1).values = Values::Words(Vec::new()),
        "time" => words(main)[0] = i64::MAX,
        "columns" => drop(main.columns.pop()),
        "input" => main.columns[0] = Produced::Input(9),
        "input-type" => main.columns[0] = Produced::Input(1),
        "origins-range" => *main.origins.last_mut().unwrap() += 1,
        "origins-descend" => main.origins.reverse(),
        "times-length" => main.times = Some(Vec::new()),
        "changes" => main.changes = Some(vec![4; main.origins.len()]),
        "target" => main.target = 5,
        "target-twice" => output.emitted.push(well_again(&output.emitted[0])),
        "same-twice" => {
            let side = Emitted {
                target: 1,
                origins: vec![0, 0],
                times: None,
                changes: None,
                columns: Vec::new(),
            };
            output.emitted.push(side);
        }
        "failure-row" => output.failures.push(failure(1_000_000, 0)),
        "severity" => output.failures.push(failure(0, 9)),
        "failed-and-emitted" => output.failures.push(failure(0, 0)),
        "huge" => words(main).resize(100 << 17, 0),
        "rows" => main.origins = vec![0; (1 << 20) + 1],
        _ => {}
    }
}

/// A row that failed, of any severity.
pub fn failure(row: u32, severity: u8) -> Failure {
    Failure {
        row,
        severity,
        code: "wrong".into(),
        message: "is wrong".into(),
    }
}

fn well_again(main: &Emitted) -> Emitted {
    Emitted {
        target: main.target,
        origins: Vec::new(),
        times: None,
        changes: None,
        columns: main
            .columns
            .iter()
            .map(|_| {
                Produced::Made(Column {
                    values: Values::Words(Vec::new()),
                    valid: None,
                })
            })
            .take(0)
            .collect(),
    }
}

fn made(entry: &mut Emitted, at: usize) -> &mut Column {
    match &mut entry.columns[at] {
        Produced::Made(column) => column,
        Produced::Input(_) => unreachable!(),
    }
}

fn arena(entry: &mut Emitted) -> &mut Arena {
    match &mut made(entry, 1).values {
        Values::Arena(arena) => arena,
        _ => unreachable!(),
    }
}

fn octets(entry: &mut Emitted) -> &mut Vec<u8> {
    match &mut made(entry, 2).values {
        Values::Octets(octets) => octets,
        _ => unreachable!(),
    }
}

fn words(entry: &mut Emitted) -> &mut Vec<i64> {
    match &mut made(entry, 3).values {
        Values::Words(words) => words,
        _ => unreachable!(),
    }
}

/// Never comes back.
#[inline(never)]
pub fn endless() {
    let mut n = 0u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

/// Needs the stack in linear memory.
#[allow(unconditional_recursion)]
fn recurse(n: u64) -> u64 {
    let held = black_box([n; 512]);
    recurse(held[7] + 1) + black_box(held)[3]
}

/// Needs the stack of the engine only.
#[allow(unconditional_recursion)]
#[inline(never)]
fn recurse_flat(n: u64) -> u64 {
    recurse_flat(n.wrapping_add(1))
        .wrapping_mul(3)
        .wrapping_add(n)
}

fn bomb() {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(black_box(vec![1; 1 << 20]));
    }
}

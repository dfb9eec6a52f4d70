//! A function of kind window that does what no honest one does, where a window has a row of 13.

use std::cell::Cell;
use std::hint::black_box;

use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Values};
use crate::bindings::tidemill::operator::log;
use crate::bindings::tidemill::operator::outcome::{Emitted, Firings, Output, Produced};
use crate::hostile::{endless, failure};

const BAD: i64 = 13;
const FAR: u32 = 1_000_000;

thread_local! {
    static SEEN: Cell<i64> = const { Cell::new(0) };
}

/// Serves a call as `how` says.
pub fn apply(
    how: &str,
    firings: &Firings,
    rows: &Batch,
    offsets: &[u32],
) -> Result<Output, String> {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let windows: Vec<&[i64]> = offsets
        .windows(2)
        .map(|bounds| &n[bounds[0] as usize..bounds[1] as usize])
        .collect();
    let bad = windows.iter().position(|n| n.contains(&BAD));
    if bad.is_some() {
        act(how)?;
    }
    let mut output = well(how, &windows);
    if let Some(bad) = bad {
        spoil(how, (bad as u32, firings), &mut output);
    }
    Ok(output)
}

/// What does not come back, or not well.
fn act(how: &str) -> Result<(), String> {
    match how {
        "loops" => endless(),
        "panics" => panic!("13 is in this window"),
        "memory" => drop(black_box(vec![1u8; 1 << 30])),
        "logs" => loop {
            log::write(2, "and another line");
        },
        "refuses" => return Err("no windows today".into()),
        _ => {}
    }
    Ok(())
}

/// The sum of each window, and how many rows it has.
fn well(how: &str, windows: &[&[i64]]) -> Output {
    let sum = |n: &&[i64]| {
        let seen = SEEN.get();
        SEEN.set(seen + 1);
        n.iter().sum::<i64>() + if how == "remembers" { seen } else { 0 }
    };
    let counts: Vec<String> = windows.iter().map(|n| n.len().to_string()).collect();
    let columns = vec![
        Produced::Input(0),
        made(Values::Words(windows.iter().map(sum).collect())),
        made(texts(&counts)),
    ];
    let main = Emitted {
        target: 0,
        origins: (0..windows.len() as u32).collect(),
        times: None,
        changes: None,
        columns,
    };
    Output {
        emitted: vec![main],
        failures: Vec::new(),
    }
}

/// Makes an outcome what it must not be.
fn spoil(how: &str, (bad, firings): (u32, &Firings), output: &mut Output) {
    let main = &mut output.emitted[0];
    let rows = main.origins.len();
    match how {
        "beyond" => main.origins.fill(FAR),
        "times" => main.times = Some(firings.starts.clone()),
        "changes" => main.changes = Some(vec![3; rows]),
        "key-far" => main.columns[0] = Produced::Input(1),
        "key-type" => main.columns[2] = Produced::Input(0),
        "column-missing" => drop(main.columns.pop()),
        "target-far" => main.target = 9,
        "huge" => {
            // The first text is all of it: nothing is there twice.
            let mut offsets = vec![80 << 20; rows + 1];
            offsets[0] = 0;
            let bytes = vec![b'x'; 80 << 20];
            main.columns[2] = made(Values::Arena(Arena { offsets, bytes }));
        }
        "utf8" => main.columns[2] = made(arena(&vec![vec![0xff]; rows])),
        "offsets" => {
            if let Produced::Made(column) = &mut main.columns[2]
                && let Values::Arena(arena) = &mut column.values
            {
                arena.offsets.reverse();
            }
        }
        "many-rows" => {
            main.origins = vec![bad; 2 << 20];
            main.columns[1] = made(Values::Words(vec![0; 2 << 20]));
            main.columns[2] = made(texts(&vec![String::new(); 2 << 20]));
        }
        "failure-far" => output.failures.push(failure(FAR, 0)),
        "failed-and-emitted" => output.failures.push(failure(bad, 0)),
        "severity" => output.failures.push(failure(bad, 9)),
        "fatal" => {
            output.emitted.clear();
            output.failures.push(failure(bad, 1));
        }
        "fail-10m" => {
            output.emitted.clear();
            output.failures = vec![failure(bad, 0); 10_000_000];
        }
        _ => {}
    }
}

fn made(values: Values) -> Produced {
    Produced::Made(Column {
        values,
        valid: None,
    })
}

fn texts(texts: &[String]) -> Values {
    arena(
        &texts
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect::<Vec<_>>(),
    )
}

fn arena(values: &[Vec<u8>]) -> Values {
    let mut offsets = vec![0];
    for value in values {
        offsets.push(offsets[offsets.len() - 1] + value.len() as u32);
    }
    let bytes = values.concat();
    Values::Arena(Arena { offsets, bytes })
}

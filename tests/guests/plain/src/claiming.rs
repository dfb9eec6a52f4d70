//! A watermark that does what no honest one does, at a row of 13; where it is honest, it claims a time far back.

use std::hint::black_box;

use crate::bindings::exports::tidemill::operator::watermark::Observed;
use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Table, Values};
use crate::bindings::tidemill::operator::log;
use crate::hostile::{endless, failure};

const BAD: i64 = 13;
const FAR: u32 = 1_000_000;
/// The last microsecond of the year 9999.
const LAST: i64 = 253_402_300_799_999_999;

pub fn create(how: &str) -> Table {
    match how {
        "create-loops" => endless(),
        "create-panics" => panic!("no state today"),
        _ => {}
    }
    let mut state = state(0, &[]);
    match how {
        "create-columns" => drop(state.columns.pop()),
        "create-rows" => state.rows = u32::MAX,
        "create-null" => state.columns[0].valid = Some(vec![0]),
        _ => {}
    }
    state
}

/// Serves a call as `how` says.
pub fn observe(how: &str, rows: &Batch, before: &Table) -> Result<Observed, String> {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let Values::Words(seen) = &before.columns[0].values else {
        unreachable!()
    };
    let bad = n.iter().position(|&n| n == BAD);
    if bad.is_some() {
        act(how)?;
    }
    let mut observed = Observed {
        watermarks: vec![i64::MIN; n.len()],
        state: state(seen[0] + n.len() as i64, &[]),
        failures: Vec::new(),
        clean: false,
    };
    if let Some(bad) = bad {
        spoil(how, bad, &mut observed);
    }
    Ok(observed)
}

/// What does not come back, or not well.
fn act(how: &str) -> Result<(), String> {
    match how {
        "loops" => endless(),
        "panics" => panic!("13 is no time"),
        "memory" => drop(black_box(vec![1u8; 1 << 30])),
        "logs" => loop {
            log::write(2, "and another line");
        },
        "refuses" => return Err("no watermarks today".into()),
        _ => {}
    }
    Ok(())
}

/// Makes an outcome what it must not be, or only just may.
fn spoil(how: &str, bad: usize, observed: &mut Observed) {
    match how {
        "few" => drop(observed.watermarks.pop()),
        "more" => observed.watermarks.push(0),
        "beyond" => observed.watermarks[bad] = LAST + 1,
        "last-of-i64" => observed.watermarks[bad] = i64::MAX,
        "end-of-time" => observed.watermarks[bad..].fill(LAST),
        "falls" => observed.watermarks[bad..].fill(-1_000_000),
        "state-rows" => observed.state.rows = u32::MAX,
        "state-none" => observed.state.rows = 0,
        "state-columns" => drop(observed.state.columns.pop()),
        "state-layout" => observed.state.columns.swap(0, 1),
        "state-80mb" => observed.state = state(0, &black_box(vec![1; 80 << 20])),
        "failure-far" => observed.failures.push(failure(FAR, 0)),
        "severity" => observed.failures.push(failure(bad as u32, 9)),
        "fatal" => observed.failures.push(failure(bad as u32, 1)),
        "fail-10m" => observed.failures = vec![failure(bad as u32, 0); 10_000_000],
        "clean-lies" => {
            observed.state = state(0, &[]);
            observed.state.columns.clear();
            observed.clean = true;
            observed.failures.push(failure(bad as u32, 0));
        }
        _ => {}
    }
}

fn state(seen: i64, blob: &[u8]) -> Table {
    let arena = Arena {
        offsets: vec![0, blob.len() as u32],
        bytes: blob.to_vec(),
    };
    let column = |values| Column {
        values,
        valid: None,
    };
    Table {
        rows: 1,
        columns: vec![
            column(Values::Words(vec![seen])),
            column(Values::Arena(arena)),
        ],
    }
}

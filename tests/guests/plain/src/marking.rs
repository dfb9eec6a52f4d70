//! A watermark that is the largest number so far, and says nothing for even rows. A row of 13 fails where it has changed two
//! fields of the state first, and a row after such a one fails too, if and only if it sees that.

use crate::bindings::exports::tidemill::operator::watermark::Observed;
use crate::bindings::tidemill::operator::columns::{Batch, Column, Table, Values};
use crate::bindings::tidemill::operator::outcome::Failure;

const BAD: i64 = 13;
/// What a failing row leaves behind in the state.
const SPOILED: i64 = 1_000_000_000;

pub fn create(how: &str) -> Table {
    if how == "create-trap" {
        panic!("no state today");
    }
    table(0, 0)
}

pub fn observe(how: &str, rows: &Batch, state: &Table) -> Observed {
    let [largest, seen] = [0, 1].map(|at| match &state.columns[at].values {
        Values::Words(words) => words[0],
        _ => unreachable!(),
    });
    let (mut largest, mut seen) = (largest, seen);
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let (mut watermarks, mut failures) = (Vec::new(), Vec::new());
    for (row, &n) in n.iter().enumerate() {
        let sees_trace = largest >= SPOILED;
        seen += 1;
        largest = largest.max(n);
        if sees_trace || n == BAD {
            largest += SPOILED;
            let code = if sees_trace {
                "saw-a-trace"
            } else {
                "thirteen"
            };
            match how {
                "trap" => panic!("{code}"),
                _ => failures.push(Failure {
                    row: row as u32,
                    severity: 0,
                    code: code.into(),
                    message: format!("n is {n}"),
                }),
            }
        }
        watermarks.push(if n % 2 == 0 { i64::MIN } else { largest });
    }
    match how {
        "short" => drop(watermarks.pop()),
        "beyond" => watermarks.fill(i64::MAX),
        _ => {}
    }
    Observed {
        watermarks,
        state: table(largest, seen),
        failures,
        clean: false,
    }
}

fn table(largest: i64, seen: i64) -> Table {
    let columns = [largest, seen].map(|word| Column {
        values: Values::Words(vec![word]),
        valid: None,
    });
    Table {
        rows: 1,
        columns: columns.into(),
    }
}

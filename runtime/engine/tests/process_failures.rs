//! One row of a process function fails, or one timer: in each way in which a call can, at the beginning, in the middle and at
//! the end of what it is called with. State, timers and output are as if it had never been, which what comes after it shows
//! (`docs/semantics.md`; the harness of the SDK says what comes).

#[path = "support/keyed.rs"]
mod keyed;
mod support;

use keyed::{Told, expected, pipeline, same, shown};
use support::input::{self, Row};
use support::{Bench, HOLDERS, How, totals};

const BREAKING: [&str; 4] = ["return", "trap", "deadline", "memory"];

/// All rows in one call, in several, and on two workers.
const HOWS: [How; 3] = [
    How {
        batch_rows: 4096,
        workers: 1,
    },
    How {
        batch_rows: 4,
        workers: 1,
    },
    How {
        batch_rows: 4096,
        workers: 2,
    },
];

const FROM: i64 = 1_000_000;

const TOLD: Told = Told {
    function: "busy",
    ahead: 500,
    breaking: "no",
    out_of_orderness: 0,
};

/// Runs the rows, of which one fails, or one timer. Rows and timers that have failed are counted apart.
fn check(told: Told, rows: Vec<Row>, (failed_rows, failed_timers): (u64, u64), about: &str) {
    let bench = Bench::new(&pipeline(&told));
    let expected = expected(&told, &rows);
    input::write(&bench, &[rows]);
    let on = |holder| HOWS.map(|how| (how, holder));
    for (how, holder) in HOLDERS.into_iter().flat_map(on) {
        let about = format!("{about}, {how:?}, {holder:?}, {told:?}");
        bench.hold_in(holder);
        let summary = bench.run(how);
        same(
            &shown(&bench.read("out").by_key(&["key"])),
            &expected,
            &about,
        );
        let counted = totals(&summary, "busy");
        let counts = (counted.failed, counted.failed_results);
        assert_eq!(counts, (failed_rows, failed_timers), "{about}");
        let letters = bench.read("failed").len() as u64;
        assert_eq!(letters, failed_rows + failed_timers, "{about}");
    }
}

/// A row of a key; `value` decides what it does with state and timers.
fn row(key: &str, at: i64, value: i64) -> Row {
    Row {
        id: value % 3,
        value,
        ..Row::new(key, at)
    }
}

/// Nine rows of three keys, then a row of each by which everything that stands there is seen, then the same after all timers.
fn nine_and_more() -> Vec<Row> {
    let keys = ["a", "b", "c"];
    let some = |rows: i64, from: i64| {
        let value = move |i| from % 1000 + 5 * i + 3;
        (0..rows).map(move |i| row(keys[i as usize % 3], from + i, value(i)))
    };
    let far = row("z", FROM + 5000, 1);
    let all = some(9, FROM).chain(some(3, FROM + 100)).chain([far]);
    all.chain(some(3, FROM + 6000)).collect()
}

#[test]
fn one_row_fails() {
    for function in ["busy", "keeping"] {
        for breaking in BREAKING {
            for at in [0, 4, 8] {
                let mut rows = nine_and_more();
                rows[at].bad = true;
                let told = Told {
                    function,
                    breaking,
                    ..TOLD
                };
                check(told, rows, (1, 0), &format!("row {at} fails"));
            }
        }
    }
}

/// Of two rows of a key that fail the first counts: what the second saw was never there.
#[test]
fn rows_of_one_key_fail_one_after_the_other() {
    for breaking in BREAKING {
        let mut rows = nine_and_more();
        for at in [0, 3, 6] {
            rows[at].bad = true;
        }
        let told = Told { breaking, ..TOLD };
        check(told, rows, (3, 0), "all rows of a key fail");
    }
}

/// Nine keys with a timer each, all at one time. One of them has so many rows that its timer fails, after it has changed its
/// state and set two timers.
#[test]
fn one_timer_fails() {
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    for breaking in BREAKING {
        let many = match breaking {
            "deadline" | "memory" => 177,
            _ => 17,
        };
        for at in [0, 4, 8] {
            let rows_of = |(i, key): (usize, &&'static str)| {
                let count = if i == at { many } else { 1 };
                std::iter::repeat_n(row(key, FROM, 7), count)
            };
            let mut rows: Vec<Row> = keys.iter().enumerate().flat_map(rows_of).collect();
            rows.push(row("z", FROM + 3000, 1));
            rows.extend(keys.map(|key| row(key, FROM + 3001, 8)));
            let told = Told { breaking, ..TOLD };
            check(told, rows, (0, 1), &format!("timer {at} fails"));
        }
    }
}

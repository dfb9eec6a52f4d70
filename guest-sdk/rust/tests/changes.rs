//! Functions that take rows that delete, through the calls that the host makes, on this machine.

use tidemill::native::{Batch, Column, Output as Outcome, Table, Values, configure, describe};
use tidemill::prelude::*;
use tidemill::{Function, Harness};

#[derive(Record)]
struct Payment {
    #[record(change)]
    change: Change,
    amount: i64,
}

#[derive(Record, Debug, PartialEq)]
struct Moved {
    amount: i64,
    #[record(change)]
    change: Change,
}

/// What stands on the other side: what was taken back is there, and the other way round.
#[derive(Config)]
struct Opposite {}

#[transform]
impl Opposite {
    fn map(&self, payment: Payment) -> Moved {
        let change = match payment.change {
            Change::Delete => Change::Insert,
            Change::UpdateBefore => Change::UpdateAfter,
            Change::UpdateAfter => Change::UpdateBefore,
            Change::Insert => Change::Delete,
        };
        let amount = -payment.amount;
        Moved { amount, change }
    }
}

#[derive(Record, Default)]
struct Total {
    amount: i64,
}

#[derive(Config)]
struct Standing {}

#[aggregate]
impl Standing {
    fn add(&self, total: &mut Total, payment: Payment) {
        total.amount += match payment.change.adds() {
            true => payment.amount,
            false => -payment.amount,
        };
    }

    fn merge(&self, total: &mut Total, other: Total) {
        total.amount += other.amount;
    }

    fn finish(&self, _window: Window, total: &Total) -> Total {
        Total {
            amount: total.amount,
        }
    }
}

#[derive(Config)]
struct Story {}

#[window]
impl Story {
    fn apply(&self, _window: Window, payments: &[Payment]) -> Total {
        let gone = payments.iter().filter(|p| p.change == Change::Delete);
        Total {
            amount: gone.map(|p| p.amount).sum(),
        }
    }
}

#[derive(State)]
struct Last {
    amount: Value<i64>,
}

/// The last amount of a key, as a table.
#[derive(Config)]
struct Newest {}

#[process]
impl Newest {
    fn on_row(&self, payment: Payment, last: &mut Last, out: &mut Output<Moved>) {
        let before = last.amount.get().copied();
        if let Some(amount) = before {
            let change = match payment.change {
                Change::Delete => Change::Delete,
                _ => Change::UpdateBefore,
            };
            out.push(Moved { amount, change });
        }
        if payment.change == Change::Delete {
            last.amount.delete();
            return;
        }
        last.amount.set(payment.amount);
        let change = before.map_or(Change::Insert, |_| Change::UpdateAfter);
        let amount = payment.amount;
        out.push(Moved { amount, change });
    }
}

fn payments(amounts: &[i64], changes: Option<&[u8]>) -> Batch {
    Batch {
        rows: amounts.len() as u32,
        times: vec![0; amounts.len()],
        stamps: None,
        changes: changes.map(<[u8]>::to_vec),
        columns: vec![integers(amounts)],
    }
}

fn integers(values: &[i64]) -> Column {
    Column {
        values: Values::Words(values.to_vec()),
        valid: None,
    }
}

fn changes(output: &Outcome) -> Option<&[u8]> {
    output.emitted[0].changes.as_deref()
}

#[test]
fn a_row_that_is_asked_is_declared() {
    let declared = r#""input":[{"name":"amount","type":"integer"}],"changes":true,"#;
    for json in [
        describe::<Opposite>(),
        describe::<Standing>(),
        describe::<Story>(),
        describe::<Newest>(),
    ] {
        assert!(json.contains(declared), "{json}");
    }
    let output = r#""output":{"new":[{"name":"amount","type":"integer"}]}"#;
    assert!(describe::<Opposite>().contains(output));
}

#[test]
fn rows_show_what_they_do_and_outputs_say_it() {
    let opposite: Opposite = configure("{}").unwrap();
    let all = payments(&[1, 2, 3, 4], Some(&[0, 1, 2, 3]));
    assert_eq!(
        changes(&opposite.apply(&all).unwrap()),
        Some(&[3, 2, 1, 0][..])
    );
    let inserts = payments(&[1, 2], None);
    assert_eq!(
        changes(&opposite.apply(&inserts).unwrap()),
        Some(&[3, 3][..])
    );
    let short = payments(&[1, 2], Some(&[0]));
    let refused = opposite.apply(&short).unwrap_err();
    assert!(refused.contains("fewer changes than rows"), "{refused}");
}

#[test]
fn an_aggregate_takes_rows_back() {
    let standing: Box<dyn Function> = Box::new(configure::<Standing>("{}").unwrap());
    let rows = payments(&[10, 4, 7, 4], Some(&[0, 1, 2, 3]));
    let none = standing.create().unwrap();
    let done = standing.accumulate(&rows, &[0; 4], &none, &[]).unwrap();
    let Table { rows: 1, columns } = &done.accs else {
        panic!("{:?}", done.accs)
    };
    assert!(matches!(&columns[0].values, Values::Words(sums) if sums[..] == [9]));
}

#[test]
fn a_process_function_keeps_a_table() {
    let mut harness = Harness::new(Newest {});
    let row = |amount, change| Payment { amount, change };
    harness.row("a", row(5, Change::Insert));
    harness.row("a", row(7, Change::Insert));
    harness.row("b", row(1, Change::Delete));
    harness.row("a", row(0, Change::Delete));
    let moved = |amount, change| Moved { amount, change };
    let expected = [
        moved(5, Change::Insert),
        moved(5, Change::UpdateBefore),
        moved(7, Change::UpdateAfter),
        moved(7, Change::Delete),
    ];
    assert_eq!(harness.rows::<Moved>(), expected);
}

/// What was pushed can be read in a unit test.
#[test]
fn an_output_shows_what_was_pushed() {
    let mut out = Output::<Moved>::default();
    let moved = |change| Moved { amount: 1, change };
    out.push(moved(Change::Delete));
    out.push(moved(Change::Insert));
    assert_eq!(
        out.rows::<Moved>(),
        [moved(Change::Delete), moved(Change::Insert)]
    );
}

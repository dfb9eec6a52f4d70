//! Aggregates through the calls that the host makes, on this machine.

use tidemill::Function;
use tidemill::native::{
    Arena, Batch, Column, Firings, Produced, Table, Values, configure, describe,
};
use tidemill::prelude::*;

#[derive(Record)]
struct Payment<'a> {
    account: &'a str,
    amount: Option<f64>,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record, Default)]
struct Spent {
    total: f64,
    last: String,
    last_at: Option<Timestamp>,
}

#[derive(Record)]
struct Key<'a> {
    #[record(name = "type")]
    kind: &'a str,
}

#[derive(Record)]
struct Alert<'a> {
    text: String,
    last: &'a str,
}

/// Adds up what is spent.
///
/// A second paragraph.
#[derive(Config)]
struct Velocity {
    limit: f64,
}

#[aggregate]
impl Velocity {
    fn add(&self, spent: &mut Spent, payment: Payment) -> Result<(), Failure> {
        spent.last = payment.account.to_owned();
        spent.last_at = spent.last_at.max(Some(payment.at));
        let none = || Failure::invalid("no-amount", format!("account {}", payment.account));
        spent.total += payment.amount.ok_or_else(none)?;
        Ok(())
    }

    fn merge(&self, spent: &mut Spent, other: Spent) {
        spent.total += other.total;
        spent.last = other.last;
        spent.last_at = spent.last_at.max(other.last_at);
    }

    fn finish<'a>(&self, key: Key<'_>, window: Window, spent: &'a Spent) -> Option<Alert<'a>> {
        let text = format!("{} {} {:?}", key.kind, spent.total, window.firing);
        (spent.total > self.limit).then_some(Alert {
            text,
            last: &spent.last,
        })
    }
}

fn texts(texts: &[&str]) -> Column {
    let mut arena = Arena {
        offsets: vec![0],
        bytes: Vec::new(),
    };
    for text in texts {
        arena.bytes.extend(text.bytes());
        arena.offsets.push(arena.bytes.len() as u32);
    }
    Column {
        values: Values::Arena(arena),
        valid: None,
    }
}

/// Payments: the account, and the amount if there is one. Row i is at i microseconds.
fn payments(rows: &[(&str, Option<f64>)]) -> Batch {
    let accounts: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let amounts = rows.iter().map(|row| row.1.unwrap_or(0.0)).collect();
    let valid = rows.iter().map(|row| u8::from(row.1.is_some())).collect();
    let amounts = Column {
        values: Values::Floats(amounts),
        valid: Some(valid),
    };
    let times = (0..rows.len() as i64).collect();
    let columns = vec![texts(&accounts), amounts];
    Batch {
        rows: rows.len() as u32,
        times,
        stamps: None,
        changes: None,
        columns,
    }
}

fn totals(table: &Table) -> &[f64] {
    match &table.columns[0].values {
        Values::Floats(totals) => totals,
        other => panic!("not floats: {other:?}"),
    }
}

/// One accumulator of no rows per group.
fn accumulators(velocity: &dyn Function, groups: usize) -> Table {
    let (one, none) = (velocity.create().unwrap(), payments(&[]));
    let all = velocity.merge(&one, &one, &[0]).unwrap().accs;
    assert_eq!((all.rows, none.rows), (1, 0));
    let totals = Column {
        values: Values::Floats(vec![0.0; groups]),
        valid: None,
    };
    let at = Column {
        values: Values::Words(vec![0; groups]),
        valid: Some(vec![0; groups]),
    };
    Table {
        rows: groups as u32,
        columns: vec![totals, texts(&vec![""; groups]), at],
    }
}

/// Behind the trait, since methods of the type itself have the same names.
fn velocity() -> Box<dyn Function> {
    Box::new(configure::<Velocity>(r#"{"limit": 5}"#).unwrap())
}

#[test]
fn describes_itself() {
    let expected = concat!(
        r#"{"interface":"0.1.0","sdk":"tidemill-rust 0.1.0","functions":[{"name":"velocity","#,
        r#""kind":"aggregate","doc":"Adds up what is spent.","#,
        r#""input":[{"name":"account","type":"text"},{"name":"amount","type":"float?"}],"#,
        r#""key":[{"name":"type","type":"text"}],"#,
        r#""accumulator":[{"name":"total","type":"float"},{"name":"last","type":"text"},"#,
        r#"{"name":"last_at","type":"time?"}],"#,
        r#""output":{"new":[{"name":"text","type":"text"},{"name":"last","type":"text"}]},"#,
        r#""config":[{"name":"limit","type":"float"}]}]}"#,
    );
    assert_eq!(describe::<Velocity>(), expected);
}

#[test]
fn the_default_is_the_accumulator_of_no_rows() {
    let empty = velocity().create().unwrap();
    assert_eq!((empty.rows, totals(&empty)), (1, &[0.0][..]));
    assert_eq!(empty.columns[2].valid, Some(vec![0]));
}

/// The first, a middle, the last row of a group, and all of them: (bad rows, totals, totals at the
/// marks).
#[test]
fn a_failed_row_leaves_no_trace() {
    let cases: [(&[usize], [f64; 2], [f64; 3]); 5] = [
        (&[], [22.0, 8.0], [2.0, 6.0, 8.0]),
        (&[0], [20.0, 8.0], [0.0, 4.0, 8.0]),
        (&[2], [18.0, 8.0], [2.0, 2.0, 8.0]),
        (&[4, 5], [6.0, 2.0], [2.0, 6.0, 2.0]),
        (&[0, 1, 2, 4, 5], [0.0, 0.0], [0.0, 0.0, 0.0]),
    ];
    for (bad, expected, expected_marked) in cases {
        let amount = [2.0, 2.0, 4.0, 0.0, 16.0, 6.0];
        let rows: Vec<_> = (0..6)
            .map(|row| ("a", (!bad.contains(&row)).then_some(amount[row])))
            .collect();
        let groups = [0, 1, 0, 1, 0, 1];
        let (velocity, rows) = (velocity(), payments(&rows));
        let accs = accumulators(&*velocity, 2);
        let done = velocity
            .accumulate(&rows, &groups, &accs, &[0, 2, 5])
            .unwrap();
        assert_eq!(totals(&done.accs), expected, "bad rows {bad:?}");
        assert_eq!(totals(&done.marked), expected_marked, "bad rows {bad:?}");
        assert!(done.clean);
        let failed: Vec<usize> = done
            .failures
            .iter()
            .map(|failure| failure.row as usize)
            .collect();
        assert_eq!(failed, bad);
        assert!(
            done.failures
                .iter()
                .all(|failure| failure.code == "no-amount")
        );
    }
}

#[test]
fn batching_changes_nothing() {
    let velocity = velocity();
    let rows: Vec<_> = (0..20)
        .map(|row| ("b", (row % 7 != 3).then_some(0.1 * f64::from(row))))
        .collect();
    let at_once = accumulators(&*velocity, 1);
    let at_once = velocity
        .accumulate(&payments(&rows), &[0; 20], &at_once, &[])
        .unwrap()
        .accs;
    let mut accs = accumulators(&*velocity, 1);
    for row in rows {
        accs = velocity
            .accumulate(&payments(&[row]), &[0], &accs, &[0])
            .unwrap()
            .marked;
    }
    assert_eq!(totals(&accs), totals(&at_once));
}

#[test]
fn results_name_their_firing_and_borrow_from_the_accumulator() {
    let velocity = velocity();
    let rows = payments(&[("a", Some(1.0)), ("b", Some(6.0)), ("c", Some(7.0))]);
    let accs = accumulators(&*velocity, 3);
    let accs = velocity
        .accumulate(&rows, &[0, 1, 2], &accs, &[])
        .unwrap()
        .accs;
    let keys = Table {
        rows: 3,
        columns: vec![texts(&["x", "y", "z"])],
    };
    let firings = Firings {
        starts: vec![0; 3],
        ends: vec![10; 3],
        moments: vec![0, 1, 2],
        numbers: vec![1; 3],
        last: vec![0; 3],
    };
    let output = velocity.finish(&keys, &firings, &accs).unwrap();
    let [emitted] = &output.emitted[..] else {
        panic!("{output:?}")
    };
    assert_eq!((emitted.target, &emitted.origins[..]), (0, &[1, 2][..]));
    assert!(emitted.times.is_none());
    let made = emitted.columns.iter().map(|column| match column {
        Produced::Made(Column {
            values: Values::Arena(arena),
            ..
        }) => arena.bytes.as_slice(),
        other => panic!("not made: {other:?}"),
    });
    assert_eq!(
        made.collect::<Vec<_>>(),
        [&b"y 6 OnTimez 7 Correction"[..], b"bc"]
    );
}

#[test]
fn refuses_what_does_not_fit() {
    let velocity = velocity();
    assert!(
        velocity
            .apply(&payments(&[]))
            .unwrap_err()
            .contains("apply")
    );
    let (mut rows, accs) = (payments(&[("a", None)]), accumulators(&*velocity, 1));
    rows.columns.swap(0, 1);
    let refused = velocity.accumulate(&rows, &[0], &accs, &[]).unwrap_err();
    assert!(refused.contains("type text at index 0"), "{refused}");
    let refused = velocity
        .accumulate(&payments(&[("a", None)]), &[1], &accs, &[])
        .unwrap_err();
    assert!(refused.contains("group"), "{refused}");
}

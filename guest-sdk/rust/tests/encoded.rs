//! `#[record(encoded)]`: any serde type of an accumulator as bytes.
#![cfg(feature = "encoded")]

use std::collections::BTreeMap;

use tidemill::Function;
use tidemill::native::{Batch, Column, Values, configure, describe};
use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Record, Default)]
struct Seen {
    #[record(encoded)]
    by_value: BTreeMap<i64, u32>,
}

#[derive(Record)]
struct Distinct {
    values: i64,
}

#[derive(Config)]
struct Count {}

#[aggregate(combinable)]
impl Count {
    fn add(&self, seen: &mut Seen, row: Row) -> Result<(), Failure> {
        *seen.by_value.entry(row.value).or_default() += 1;
        match row.value {
            0.. => Ok(()),
            _ => Err(Failure::invalid("negative", "a value below zero")),
        }
    }

    fn merge(&self, seen: &mut Seen, other: Seen) {
        for (value, times) in other.by_value {
            *seen.by_value.entry(value).or_default() += times;
        }
    }

    fn finish(&self, _window: Window, seen: &Seen) -> Distinct {
        Distinct {
            values: seen.by_value.len() as i64,
        }
    }
}

#[test]
fn survives_being_kept_by_the_host() {
    let count: Box<dyn Function> = Box::new(configure::<Count>("{}").unwrap());
    let values = Column {
        values: Values::Words(vec![3, 3, -1, 5]),
        valid: None,
    };
    let rows = Batch {
        rows: 4,
        times: vec![0; 4],
        stamps: None,
        changes: None,
        columns: vec![values],
    };
    let empty = count.create().unwrap();
    let first = count.accumulate(&rows, &[0; 4], &empty, &[]).unwrap();
    assert_eq!(first.failures.len(), 1);
    let merged = count.merge(&first.accs, &first.accs, &[0]).unwrap().accs;
    let Values::Arena(arena) = &merged.columns[0].values else {
        panic!("{merged:?}")
    };
    // The version, two entries: 3 (zigzag 6) seen four times, 5 (zigzag 10) twice.
    assert_eq!(arena.bytes, [1, 2, 6, 4, 10, 2]);
    let json = describe::<Count>();
    assert!(
        json.contains(r#""accumulator":[{"name":"by_value","type":"bytes"}]"#),
        "{json}"
    );
    assert!(json.contains(r#""combinable":true"#), "{json}");
}

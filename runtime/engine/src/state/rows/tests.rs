//! Rows come out as they went in, whatever was stored and released meanwhile, and memory follows what is needed.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use tidemill_rows::RowTimes;

use super::*;

/// Rows whose values are told from the first number.
fn batch(first: i64, rows: usize, changes: bool) -> Batch {
    let numbers: Vec<i64> = (first..first + rows as i64).collect();
    let texts: Vec<Option<String>> = numbers.iter().map(|n| text(*n)).collect();
    let schema = Schema::new(vec![
        Field::new("unused", DataType::Int64, false),
        Field::new("text", DataType::Utf8, true),
        Field::new("number", DataType::Int64, false),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![0; rows])),
        Arc::new(StringArray::from(texts)),
        Arc::new(Int64Array::from(numbers.clone())),
    ];
    Batch {
        columns: RecordBatch::try_new(Arc::new(schema), columns).unwrap(),
        times: RowTimes {
            times: numbers.clone().into(),
            stamps: numbers.iter().map(|n| n - 7).collect(),
            w: None,
        },
        changes: changes.then(|| numbers.iter().map(|n| (n % 4) as u8).collect()),
        origin: None,
    }
}

fn text(number: i64) -> Option<String> {
    (number % 5 != 0).then(|| "x".repeat(number as usize % 11))
}

/// What happens: rows are stored, each under so many numbers, some numbers being passed over; or some are released.
#[derive(Clone, Debug)]
enum Step {
    Store {
        rows: usize,
        each: u64,
        skip: u64,
        changes: bool,
    },
    Release {
        one_in: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let store = (1usize..40, 1u64..3, 0u64..5, prop::bool::weighted(0.2));
    prop_oneof![
        3 => store.prop_map(|(rows, each, skip, changes)| Step::Store { rows, each, skip, changes }),
        2 => (1usize..4).prop_map(|one_in| Step::Release { one_in }),
    ]
}

/// A number, and the value and change of its row.
type Known = (RowId, i64, u8);

fn check(store: &RowStore, known: &[Known]) {
    if known.is_empty() {
        assert!(store.segments.is_empty());
        assert_eq!(store.bytes(), 0);
        return;
    }
    let named: Vec<&Known> = known.iter().rev().chain(known).collect();
    let rows = store.gather(named.iter().map(|known| &known.0));
    let texts = rows.columns[0]
        .as_any()
        .downcast_ref::<StringArray>()
        .unwrap();
    let numbers = rows.columns[1]
        .as_any()
        .downcast_ref::<Int64Array>()
        .unwrap();
    for (i, &&(_, value, change)) in named.iter().enumerate() {
        assert_eq!(numbers.value(i), value);
        let found = texts.is_valid(i).then(|| texts.value(i).to_owned());
        assert_eq!(found, text(value));
        assert_eq!((rows.times[i], rows.stamps[i]), (value, value - 7));
        assert_eq!(
            rows.changes.as_ref().map_or(0, |changes| changes[i]),
            change
        );
    }
    assert_eq!(
        store.bytes(),
        store.segments.values().map(Segment::bytes).sum::<usize>()
    );
    for segment in store.segments.values() {
        let needed = segment
            .places
            .iter()
            .filter(|place| place.holds > 0)
            .count();
        assert_eq!(segment.needed, needed);
        assert!(segment.ids.len() < SMALL || needed * 2 > segment.ids.len());
    }
}

proptest! {
    #[test]
    fn rows_come_out_as_they_went_in(steps in prop::collection::vec(step(), 1..60)) {
        let mut store = RowStore::new(vec![1, 2], usize::MAX);
        let (mut known, mut value, mut id): (Vec<Known>, i64, RowId) = (vec![], 0, 0);
        for step in steps {
            match step {
                Step::Store { rows, each, skip, changes } => {
                    let batch = batch(value, rows, changes);
                    let mut stored = Vec::new();
                    id += skip;
                    for row in 0..rows {
                        for _ in 0..each {
                            id += 1;
                            stored.push((row as u32, id));
                            let value = value + row as i64;
                            known.push((id, value, if changes { (value % 4) as u8 } else { 0 }));
                        }
                    }
                    value += rows as i64;
                    store.store(&batch, &stored).unwrap();
                }
                Step::Release { one_in } => {
                    let all: Vec<RowId> = known.iter().map(|known| known.0).collect();
                    store.hold(&all);
                    store.release(&all);
                    let mut gone = Vec::new();
                    let mut n = 0;
                    known.retain(|known| {
                        n += 1;
                        if n % one_in == 0 {
                            gone.push(known.0);
                        }
                        n % one_in != 0
                    });
                    // In any order.
                    gone.reverse();
                    store.release(&gone);
                }
            }
            check(&store, &known);
        }
    }
}

#[test]
fn small_batches_become_few_segments() {
    let mut store = RowStore::new(vec![2], usize::MAX);
    for i in 0..3000 {
        store
            .store(&batch(i, 1, false), &[(0, i as RowId + 1)])
            .unwrap();
    }
    assert!(
        store.segments.len() < 20,
        "{} segments",
        store.segments.len()
    );
    let bytes = store.bytes();
    // One row in a hundred is left: so is about a hundredth of the memory.
    let gone: Vec<RowId> = (1..=3000).filter(|id| id % 100 != 0).collect();
    store.release(&gone);
    assert!(
        store.bytes() * 20 < bytes,
        "{} of {bytes} bytes",
        store.bytes()
    );
}

#[test]
fn rows_beyond_the_limit_are_refused() {
    let mut store = RowStore::new(vec![2], 20_000);
    store
        .store(
            &batch(0, 100, false),
            &(0..100).map(|i| (i, u64::from(i))).collect::<Vec<_>>(),
        )
        .unwrap();
    let full = store.store(
        &batch(100, 900, false),
        &(0..900)
            .map(|i| (i, u64::from(i) + 100))
            .collect::<Vec<_>>(),
    );
    let full = full.unwrap_err();
    assert_eq!(full.limit, 20_000);
    assert!(full.bytes > full.limit);
}

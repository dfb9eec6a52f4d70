//! Process functions: what a call is given and gives, rows that fail or stop it, and returns that are wrong.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use support::{plain, settings};
use tidemill_wasm::{
    Column, Held, KeysIn, Process, Processed, Produced, Reason, RowsIn, Table, TimersIn, Values,
};

/// Rows (key, n) for keys of which some have a sum.
struct Given {
    keys: Vec<u32>,
    n: Vec<i64>,
    held: BTreeMap<u32, i64>,
}

/// What came of them.
#[derive(Debug, PartialEq)]
struct Came {
    sums: BTreeMap<u32, i64>,
    given: Vec<(u32, i64)>,
    failed: Vec<u32>,
    touched: Vec<u32>,
}

impl Given {
    fn of(rows: &[(u32, i64)], held: &[(u32, i64)]) -> Self {
        Self {
            keys: rows.iter().map(|row| row.0).collect(),
            n: rows.iter().map(|row| row.1).collect(),
            held: held.iter().copied().collect(),
        }
    }

    /// Many rows of few keys, one in so many of them bad.
    fn many(bad: usize) -> Self {
        let row = |i: usize| {
            let n = if i % bad == bad - 1 {
                13
            } else {
                (i % 7) as i64
            };
            ((i % 5) as u32, n)
        };
        Self::of(
            &(0..400).map(row).collect::<Vec<_>>(),
            &[(1, 100), (4, 400)],
        )
    }

    /// Keys in order of first appearance.
    fn order(&self) -> Vec<u32> {
        let mut order = Vec::new();
        for &key in &self.keys {
            if !order.contains(&key) {
                order.push(key);
            }
        }
        order
    }

    fn values(&self) -> Vec<Held> {
        let order = self.order();
        let there: Vec<i64> = order
            .iter()
            .filter_map(|key| self.held.get(key).copied())
            .collect();
        let present = order
            .iter()
            .map(|key| u8::from(self.held.contains_key(key)));
        vec![Held {
            present: present.collect(),
            entries: Table {
                rows: there.len() as u32,
                columns: vec![Column {
                    values: Values::Words(there),
                    valid: None,
                }],
            },
        }]
    }

    fn call(&self, process: &mut Process) -> Processed {
        let order = self.order();
        let times: Vec<i64> = (0..self.n.len() as i64).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(self.n.clone()))];
        let rows = RowsIn {
            len: self.n.len(),
            times: &times,
            stamps: None,
            changes: None,
            columns: &columns,
        };
        let place = |key: &u32| order.iter().position(|other| other == key).expect("a key") as u32;
        let groups: Vec<u32> = self.keys.iter().map(place).collect();
        let keys = KeysIn {
            count: order.len(),
            columns: &[],
            values: &self.values(),
        };
        process
            .on_rows(&rows, &groups, &keys)
            .expect("the call is served")
    }

    fn came(&self, how: &str) -> Came {
        let mut process = process(how);
        let processed = self.call(&mut process);
        came(&self.order(), &self.held, &processed)
    }

    /// What should come: rows of 13 leave no trace.
    fn expected(&self) -> Came {
        let (mut sums, mut last) = (self.held.clone(), BTreeMap::new());
        let (mut given, mut failed) = (Vec::new(), Vec::new());
        for (row, (&key, &n)) in (0..).zip(self.keys.iter().zip(&self.n)) {
            if n == 13 {
                failed.push(row);
                continue;
            }
            let sum = sums.entry(key).or_default();
            *sum += n;
            given.push((row, *sum));
            last.insert(key, row);
        }
        let order = self.order();
        let last_of = |key: &u32| last.get(key).copied().unwrap_or(u32::MAX);
        let touched = order.iter().map(last_of);
        Came {
            touched: touched.collect(),
            sums,
            given,
            failed,
        }
    }
}

fn process(how: &str) -> Process {
    let module = plain();
    let settings = settings(&module, "keeping", how);
    module.process(settings).expect("it is made ready")
}

fn came(order: &[u32], held: &BTreeMap<u32, i64>, processed: &Processed) -> Came {
    let kept = &processed.values[0];
    let mut sums = held.clone();
    let mut entries = match kept.entries.columns.first().map(|column| &column.values) {
        Some(Values::Words(words)) => words.iter(),
        _ => [].iter(),
    };
    for (key, change) in order.iter().zip(&kept.changes) {
        if change & 1 == 1 {
            sums.insert(*key, *entries.next().expect("an entry for each put"));
        }
    }
    let mut given = Vec::new();
    for emitted in &processed.emitted {
        let Produced::Made(sums) = &emitted.columns[0] else {
            panic!("sums are made");
        };
        let sums = sums.as_primitive::<Int64Type>().values();
        given.extend(emitted.origins.iter().copied().zip(sums.iter().copied()));
    }
    Came {
        sums,
        given,
        failed: processed.failed.iter().map(|failed| failed.row).collect(),
        touched: kept.touched.clone(),
    }
}

#[test]
fn rows_change_what_is_held_for_their_keys() {
    let given = Given::of(&[(9, 1), (3, 2), (9, 3), (4, 5)], &[(3, 10)]);
    assert_eq!(given.came("well"), given.expected());
}

#[test]
fn failed_rows_leave_no_trace_however_they_fail() {
    for bad in [1, 2, 3, 7, 50, 400] {
        let given = Given::many(bad);
        for how in ["trap", "unclean"] {
            assert_eq!(given.came(how), given.expected(), "one in {bad}, {how}");
        }
    }
    for at in [0, 1, 2] {
        let mut rows = vec![(1, 1), (2, 2), (1, 3)];
        rows[at].1 = 13;
        let given = Given::of(&rows, &[]);
        assert_eq!(given.came("trap"), given.expected(), "row {at}");
    }
}

#[test]
fn timers_fail_alone() {
    let mut process = process("trap");
    let times = [11, 12, 13, 14];
    let values = [Held {
        present: vec![1, 0, 1, 1],
        entries: Table {
            rows: 3,
            columns: vec![Column {
                values: Values::Words(vec![1, 3, 4]),
                valid: None,
            }],
        },
    }];
    let keys = KeysIn {
        count: 4,
        columns: &[],
        values: &values,
    };
    let timers = TimersIn {
        names: &[0; 4],
        times: &times,
        ended: false,
    };
    let processed = process
        .on_timers(timers, &keys)
        .expect("the call is served");
    let held = BTreeMap::from([(0, 1), (2, 3), (3, 4)]);
    let came = came(&[0, 1, 2, 3], &held, &processed);
    assert_eq!(came.failed, [2]);
    assert_eq!(came.given, [(0, 2), (1, 0), (3, 8)]);
    assert_eq!(came.sums, BTreeMap::from([(0, 2), (1, 0), (2, 3), (3, 8)]));
    assert_eq!(processed.failed[0].reason, Reason::Panic);
}

#[test]
fn returns_that_are_wrong_are_not_believed() {
    let cases = [
        ("few-changes", "slot sum: changes has 0 entries, expected 1"),
        ("change-9", "slot sum: change 9, expected 0 to 3"),
        ("more-entries", "slot sum: entries: 2 rows, expected 1"),
        ("no-touched", "slot sum: touched has 0 entries, expected 1"),
        (
            "touched-none",
            "slot sum: touched names row 4294967295 for key 0",
        ),
        (
            "touched-beyond",
            "slot sum: touched names row 10000 for key 0",
        ),
        (
            "timer-name",
            "timers: name 1 is out of range: declared are 1",
        ),
        (
            "timer-time",
            "timers: the time of change 0 is 9223372036854775807 us",
        ),
        (
            "timer-row",
            "timers: row 10000 is out of range: the call had 1",
        ),
        ("timer-change", "timers: change 3, expected 0 to 2"),
        ("timer-lengths", "timers: times has 1 entries, expected 0"),
        ("no-values", "0 slots of kind value, declared are 1"),
    ];
    for (how, why) in cases {
        let given = Given::of(&[(1, 1), (1, 2)], &[(1, 5)]);
        let processed = given.call(&mut process(how));
        assert_eq!(processed.failed.len(), 2, "{how}");
        let failed = &processed.failed[0];
        assert_eq!(failed.reason, Reason::Returned, "{how}");
        assert!(failed.message.contains(why), "{how}: {}", failed.message);
        assert_eq!(processed.values[0].changes, [0], "{how} changes nothing");
    }
}

#[test]
fn a_failed_row_cannot_change_what_it_says_is_clean() {
    let given = Given::of(&[(1, 13)], &[]);
    let processed = given.call(&mut process("unclean-said-clean"));
    let message = &processed.failed[0].message;
    assert!(
        message.contains("makes a change although it failed"),
        "{message}"
    );
}

#[test]
fn rows_go_on_and_timers_have_none_to_go_on() {
    let given = Given::of(&[(1, 1), (2, 2)], &[]);
    assert_eq!(given.call(&mut process("pass")).emitted[1].origins, [0, 1]);
    let values = [Held {
        present: vec![0],
        entries: Table {
            rows: 0,
            columns: Vec::new(),
        },
    }];
    let keys = KeysIn {
        count: 1,
        columns: &[],
        values: &values,
    };
    let timers = TimersIn {
        names: &[0],
        times: &[5],
        ended: true,
    };
    let processed = process("pass")
        .on_timers(timers, &keys)
        .expect("the call is served");
    let message = &processed.failed[0].message;
    assert!(message.contains("has no row that could go on"), "{message}");
}

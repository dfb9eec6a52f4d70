//! Firings that see very many stored rows: their plans are cut, and that shows nowhere.

use tidemill_core::time;
use tidemill_core::window::{Keep, Triggers, WindowKind, WindowSpec};

use crate::aggregate::{Acc, Aggregate};
use crate::machine::{Fired, Machine, TestRow};

const ROWS: i64 = 1500;

fn rows() -> Vec<TestRow> {
    let row = |i| TestRow {
        key: "k".to_owned(),
        time: i,
        value: 1,
        stamp: time::MIN,
        w: time::MIN,
    };
    (0..ROWS).map(row).collect()
}

/// How many rows each firing saw, and how many plans there were.
fn run(spec: WindowSpec, batch: usize) -> (Vec<Fired>, usize) {
    let mut machine = Machine::new(spec, Aggregate::Count);
    let mut fired = Vec::new();
    for batch in rows().chunks(batch) {
        fired.extend(machine.take(batch, &[]).fired);
    }
    fired.extend(machine.advance(time::MAX).fired);
    machine.check_empty();
    (fired, machine.plans)
}

fn check(spec: WindowSpec, least_plans: usize) {
    let (expected, _) = run(spec, 1);
    let (fired, plans) = run(spec, 4096);
    assert_eq!(fired, expected);
    assert!(plans >= least_plans, "{plans} plans");
    let counted = |fired: &Fired| match &fired.value {
        Acc::Number(rows) => *rows,
        other => panic!("{other:?} is no count"),
    };
    let seen: i64 = fired.iter().map(counted).sum();
    assert!(seen > 1 << 20, "{seen} rows are not many");
}

#[test]
fn between_rows() {
    let spec = WindowSpec {
        triggers: Triggers {
            each_row: true,
            ..Triggers::AT_END
        },
        stored: Some(Keep::All),
        ..WindowSpec::new(WindowKind::Global)
    };
    // One for the first rows, one for the rest, one for the end.
    check(spec, 3);
}

#[test]
fn in_an_advance() {
    let hop = WindowKind::Hop {
        size: 2 * ROWS,
        step: 2,
        offset: 0,
    };
    let stored = Some(Keep::All);
    check(
        WindowSpec {
            stored,
            ..WindowSpec::new(hop)
        },
        3,
    );
}

#[test]
fn in_an_advance_with_ticks() {
    let hop = WindowKind::Hop {
        size: 2 * ROWS,
        step: 2,
        offset: 0,
    };
    let spec = WindowSpec {
        triggers: Triggers {
            every: Some(1000),
            ..Triggers::AT_END
        },
        stored: Some(Keep::All),
        ..WindowSpec::new(hop)
    };
    check(spec, 3);
}

//! State that is larger than memory: what comes out is what comes out where all of it is in memory.

#[path = "support/keyed.rs"]
mod keyed;
mod support;

use keyed::{Told, expected, pipeline, same, shown};
use support::input::{self, Row, Shape};
use support::{Bench, Holder, How};
use tidemill_engine::plan::StatePlan;
use tidemill_engine::{EngineError, Summary};

const SHAPE: Shape = Shape {
    seed: 31,
    rows: 30_000,
    splits: 1,
    keys: 9_000,
    from: 1_000_000,
    step: 4,
    disorder: 2500,
    bad: 900,
};

/// Timers are set further ahead than keys stay in memory.
const TOLD: Told = Told {
    function: "busy",
    ahead: 30_000,
    breaking: "return",
    out_of_orderness: 300,
};

/// A run with so much memory.
fn run(bench: &Bench, how: How, memory: usize) -> Result<Summary, EngineError> {
    let mut plan = bench.plan(how.workers);
    let StatePlan::RocksDb(state) = &mut plan.state else {
        panic!("the bench says what holds state");
    };
    state.memory = memory;
    tidemill_engine::start(&plan, &how.options())?.wait()
}

fn check(told: Told, shape: Shape, memory: usize) {
    let rows = shape.of_this_run().make();
    let bench = Bench::new(&pipeline(&told));
    bench.hold_in(Holder::RocksDb(usize::MAX));
    input::write(&bench, &rows);
    let expected = expected(&told, &rows[0]);
    for how in [How::new(256, 1), How::new(64, 2)] {
        run(&bench, how, memory).expect("a good end");
        let came = shown(&bench.read("out").by_key(&["key"]));
        same(&came, &expected, &format!("{how:?}, {told:?}"));
    }
}

#[test]
fn values_and_timers() {
    check(TOLD, SHAPE, 2 << 20);
}

#[test]
fn lists_and_maps() {
    let told = Told {
        function: "keeping",
        ..TOLD
    };
    check(told, SHAPE, 8 << 20);
}

#[test]
fn values_that_stay() {
    let told = Told {
        function: "lasting",
        ..TOLD
    };
    check(told, SHAPE, 2 << 20);
}

/// A row of each of so many keys, whose timers are due at one time; then, if that is asked for, rows by which it has passed.
fn due_together(keys: usize, passes: bool) -> Vec<Row> {
    let at = 1_000_000;
    let row = |n: usize| Row {
        id: n as i64,
        value: 3,
        ..Row::new(&format!("k{}", n * 7919 % keys), at)
    };
    let mut rows: Vec<Row> = (0..keys).map(row).collect();
    if passes {
        rows.extend((0..2).map(|_| Row::new("k0", at + 1_000_000)));
    }
    rows
}

#[test]
fn timers_of_more_keys_than_have_room_are_due_at_once() {
    // Each timer sets one that is due already, which comes behind those of all other keys.
    let bench = Bench::new(&pipeline(&TOLD));
    for passes in [true, false] {
        input::write(&bench, &[due_together(20_000, passes)]);
        bench.hold_in(Holder::Memory);
        let plan = bench.plan(1);
        let all = tidemill_engine::start(&plan, &How::new(256, 1).options());
        all.expect("a run").wait().expect("a good end");
        let expected = bench.read("out");
        bench.hold_in(Holder::RocksDb(usize::MAX));
        run(&bench, How::new(256, 1), 2 << 20).expect("a good end");
        let came = bench.read("out");
        // A row, its timer, and what that sets, unless the input has ended.
        assert!(expected.0.len() >= if passes { 60_000 } else { 40_000 });
        let differ = came.0.iter().zip(&expected.0).find(|(a, b)| a != b);
        assert_eq!(differ, None, "passes: {passes}");
        assert_eq!(came.0.len(), expected.0.len(), "passes: {passes}");
    }
}

#[test]
fn one_batch_may_need_too_much() {
    let bench = Bench::new(&pipeline(&TOLD));
    bench.hold_in(Holder::RocksDb(usize::MAX));
    input::write(&bench, &SHAPE.make());
    let error = run(&bench, How::new(4096, 1), 64 << 10).expect_err("it does not fit");
    let said = error.to_string();
    assert!(said.contains("than `memory` of [state] leaves"), "{said}");
    assert!(!error.may_pass());
}

//! State that is larger than memory: what comes out is what comes out where all of it is in memory.

#[path = "support/keyed.rs"]
mod keyed;
mod support;

use keyed::{Told, expected, pipeline, same, shown};
use support::input::{self, Shape};
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
fn one_batch_may_need_too_much() {
    let bench = Bench::new(&pipeline(&TOLD));
    bench.hold_in(Holder::RocksDb(usize::MAX));
    input::write(&bench, &SHAPE.make());
    let error = run(&bench, How::new(4096, 1), 64 << 10).expect_err("it does not fit");
    let said = error.to_string();
    assert!(said.contains("than `memory` of [state] leaves"), "{said}");
    assert!(!error.may_pass());
}

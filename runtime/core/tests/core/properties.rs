//! Properties: agreement with the model; independence from batches, from when W is told, from rows that fail.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidemill_core::clock::{SourceClock, SourceConfig, Strategy as Watermarks, WhenIdle};
use tidemill_core::time;
use tidemill_core::window::{Counters, Mode, WindowKind, WindowSpec};

use crate::aggregate::{Acc, Aggregate};
use crate::machine::{Came, Fired, Machine, TestRow};
use crate::model;

/// Rows of one case, in arrival order, of up to three splits.
#[derive(Clone, Debug)]
struct Input {
    spec: WindowSpec,
    rows: Vec<TestRow>,
    fails: Vec<bool>,
    /// After which rows the operator is told W, if its batch ends there.
    told: Vec<bool>,
    /// The source's watermark after its last row.
    end: i64,
}

/// What came of a case, in a form that batches do not change.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    fired: BTreeMap<String, Vec<Fired>>,
    late: Vec<usize>,
    counters: Counters,
}

fn kind() -> impl Strategy<Value = WindowKind> {
    prop_oneof![
        (1i64..12, -9i64..9).prop_map(|(size, offset)| WindowKind::Tumble { size, offset }),
        (1i64..24, 1i64..9, -9i64..9).prop_map(|(size, step, offset)| WindowKind::Hop {
            size,
            step,
            offset
        }),
        (1i64..6, 1i64..6, -9i64..9).prop_map(|(n, step, offset)| WindowKind::Cumulate {
            size: n * step,
            step,
            offset
        }),
        (1i64..9).prop_map(|gap| WindowKind::Session { gap }),
    ]
}

fn spec() -> impl Strategy<Value = WindowSpec> {
    let lateness = prop_oneof![Just(0), 0i64..20];
    let mode = prop_oneof![Just(Mode::Accumulating), Just(Mode::Discarding)];
    (kind(), lateness, mode).prop_map(|(kind, lateness, mode)| WindowSpec {
        kind,
        lateness,
        mode,
    })
}

/// Rows as a source with real splits and a real strategy delivers them: mostly ahead, some far behind.
fn input() -> impl Strategy<Value = Input> {
    let moves = prop_oneof![6 => 0i64..4, 2 => -6i64..0, 1 => -30i64..0, 1 => 10i64..40];
    let row = (
        0u8..4,
        moves,
        -50i64..50,
        0usize..3,
        prop::bool::weighted(0.1),
        any::<bool>(),
    );
    (
        spec(),
        0i64..6,
        1usize..4,
        prop::collection::vec(row, 0..90),
    )
        .prop_map(|(spec, tolerance, splits, rows)| {
            let config = SourceConfig {
                strategy: Watermarks::OutOfOrderness(tolerance),
                idle_timeout: None,
                when_idle: WhenIdle::Hold,
                bounded: true,
            };
            let mut clock = SourceClock::new(config, splits);
            let (mut stamps, mut w, mut at) = (vec![], vec![], [0; 3]);
            let mut input = Input {
                spec,
                rows: vec![],
                fails: vec![],
                told: vec![],
                end: 0,
            };
            for (key, by, value, split, fails, told) in rows {
                let split = split % splits;
                at[split] = at[split].max(0) + by;
                let time = at[split];
                clock.accept(split, &[time], &mut stamps, &mut w);
                at[split] = at[split].max(time - by.min(0));
                let (stamp, w) = (*stamps.last().unwrap(), *w.last().unwrap());
                let key = ["a", "b", "bb", ""][usize::from(key)].to_owned();
                input.rows.push(TestRow {
                    key,
                    time,
                    value,
                    stamp,
                    w,
                });
                input.fails.push(fails);
                input.told.push(told);
            }
            (0..splits).for_each(|split| clock.finish(split));
            input.end = clock.watermark();
            input
        })
}

/// Runs a case in batches of a size. Between batches W is told where the case says so.
fn run(input: &Input, batch: usize, aggregate: Aggregate) -> Outcome {
    let mut machine = Machine::new(input.spec, aggregate);
    let mut outcome = Outcome::default();
    for from in (0..input.rows.len()).step_by(batch) {
        let to = (from + batch).min(input.rows.len());
        let came = machine.take(&input.rows[from..to], &input.fails[from..to]);
        outcome.add(came, from);
        if input.told[to - 1] {
            outcome.add(machine.advance(input.rows[to - 1].w), from);
        }
    }
    outcome.add(machine.advance(input.end), 0);
    outcome.add(machine.advance(time::MAX), 0);
    machine.check_empty();
    outcome.counters = machine.counters;
    outcome
}

impl Outcome {
    fn add(&mut self, came: Came, from: usize) {
        for fired in came.fired {
            self.fired.entry(fired.key.clone()).or_default().push(fired);
        }
        self.late
            .extend(came.late.into_iter().map(|row| from + row));
    }
}

fn without_failed(input: &Input) -> Input {
    let kept = |index: &usize| !input.fails[*index];
    let kept: Vec<usize> = (0..input.rows.len()).filter(kept).collect();
    Input {
        rows: kept
            .iter()
            .map(|index| input.rows[*index].clone())
            .collect(),
        told: kept.iter().map(|index| input.told[*index]).collect(),
        fails: vec![false; kept.len()],
        ..input.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    /// Any batch size gives the same, corrections, numbers and stamps included; sums of floats to the bit.
    #[test]
    fn batches_do_not_show(input in input()) {
        let expected = run(&input, 1, Aggregate::FloatSum);
        for batch in [7, 64, 4096] {
            prop_assert_eq!(&run(&input, batch, Aggregate::FloatSum), &expected);
        }
        let lists = run(&input, 1, Aggregate::List);
        prop_assert_eq!(&run(&input, 7, Aggregate::List), &lists);
    }

    /// When the operator is told W changes nothing but the order between keys.
    #[test]
    fn steps_of_w_do_not_show(input in input()) {
        let expected = run(&input, 5, Aggregate::FloatSum);
        for told in [true, false] {
            let told = vec![told; input.rows.len()];
            prop_assert_eq!(&run(&Input { told, ..input.clone() }, 5, Aggregate::FloatSum), &expected);
        }
    }

    /// Rows that fail leave no trace.
    #[test]
    fn failed_rows_never_were(input in input(), batch in 1usize..20) {
        let mut outcome = run(&input, batch, Aggregate::FloatSum);
        let expected = run(&without_failed(&input), batch, Aggregate::FloatSum);
        let mut number = 0;
        let numbers: Vec<usize> = input.fails.iter().map(|failed| {
            number += usize::from(!failed);
            number.saturating_sub(1)
        }).collect();
        // Of rows that fail if they are taken, late ones never get so far.
        outcome.late.retain(|row| !input.fails[*row]);
        outcome.late.iter_mut().for_each(|row| *row = numbers[*row]);
        prop_assert_eq!(&outcome.fired, &expected.fired);
        prop_assert_eq!(&outcome.late, &expected.late);
    }

    /// The operator does what recomputing everything gives.
    #[test]
    fn agrees_with_the_model(input in input()) {
        let input = Input { fails: vec![false; input.rows.len()], ..input };
        let outcome = run(&input, 7, Aggregate::List);
        let mut late = vec![];
        for key in ["a", "b", "bb", ""] {
            let rows: Vec<(usize, TestRow)> =
                input.rows.iter().cloned().enumerate().filter(|(_, row)| row.key == key).collect();
            let model = model::run(&input.spec, key, &rows, input.end);
            let fired = outcome.fired.get(key).into_iter().flatten();
            let came: Vec<model::Modelled> = fired.map(|fired| {
                let Acc::List(mut values) = fired.value.clone() else { panic!("a list") };
                values.sort_unstable();
                model::Modelled { key: fired.key.clone(), firing: fired.firing, values }
            }).collect();
            prop_assert_eq!(&came, &model.fired, "key {:?}", key);
            late.extend(model.late);
        }
        late.sort_unstable();
        prop_assert_eq!(&outcome.late, &late);
    }
}

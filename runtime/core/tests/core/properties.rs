//! Properties: agreement with the model; independence from batches, from when W is told, from rows that fail.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidemill_core::clock::{SourceClock, SourceConfig, Strategy as Watermarks, WhenIdle};
use tidemill_core::time;
use tidemill_core::window::{Counters, Keep, Mode, Triggers, WindowKind, WindowSpec};

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
    /// What the clock says after each row: batches end where it has moved on.
    clock: Vec<i64>,
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
        Just(WindowKind::Global),
        (1i64..20).prop_map(|range| WindowKind::Slide { range }),
        (1u32..6).prop_map(|count| WindowKind::Rows { count }),
    ]
}

fn spec() -> impl Strategy<Value = WindowSpec> {
    let lateness = prop_oneof![Just(0), 0i64..20];
    let mode = prop_oneof![
        Just(Mode::Accumulating),
        Just(Mode::Discarding),
        Just(Mode::Retract)
    ];
    let stored = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Keep::All)),
        1 => (1u32..5).prop_map(|count| Some(Keep::Newest(count))),
        1 => (0i64..9).prop_map(|d| Some(Keep::Within(d))),
    ];
    (kind(), lateness, mode, triggers(), stored).prop_map(
        |(kind, lateness, mode, triggers, stored)| match kind {
            WindowKind::Slide { .. } => WindowSpec {
                stored,
                ..WindowSpec::new(kind)
            },
            _ => WindowSpec {
                kind,
                lateness,
                mode,
                triggers,
                stored,
            },
        },
    )
}

fn triggers() -> impl Strategy<Value = Triggers> {
    let some = (
        prop::option::of(1i64..9),
        prop::option::weighted(0.2, 1i64..4),
        prop::option::of(1u32..5),
        prop::bool::weighted(0.2),
        any::<bool>(),
    );
    let some = some.prop_map(
        |(every, every_of_clock, every_rows, each_row, only)| Triggers {
            // Nothing at all would ever fire.
            every_rows: every_rows.or(only.then_some(3)),
            every: every.filter(|_| !each_row),
            every_of_clock,
            each_row,
            only,
        },
    );
    prop_oneof![2 => Just(Triggers::AT_END), 3 => some]
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
        prop::bool::weighted(0.1),
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
                clock: vec![],
                end: 0,
            };
            for (key, by, value, split, fails, told, ticks) in rows {
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
                let now = input.clock.last().copied().unwrap_or(0);
                input.clock.push(now + i64::from(ticks));
            }
            (0..splits).for_each(|split| clock.finish(split));
            input.end = clock.watermark();
            input
        })
}

/// Runs a case in batches of a size. Between batches W is told where the case says so.
fn run(input: &Input, batch: usize, aggregate: Aggregate) -> Outcome {
    run_with_stops(input, batch, aggregate, |_| {})
}

/// Runs a case so, and does something whenever W has been told.
fn run_with_stops(
    input: &Input,
    batch: usize,
    aggregate: Aggregate,
    stop: impl Fn(&mut Machine),
) -> Outcome {
    let mut machine = Machine::new(input.spec, aggregate);
    let mut outcome = Outcome::default();
    let (mut from, mut w) = (0, time::MIN);
    machine.clock(0);
    while from < input.rows.len() {
        let batch = batch.min(input.rows.len() - from);
        let ticks = |to: &usize| input.ticks_after(*to - 1);
        let to = (from + 1..from + batch).find(ticks).unwrap_or(from + batch);
        let came = machine.take(&input.rows[from..to], &input.fails[from..to]);
        outcome.add(came, from);
        w = input.rows[from..to]
            .iter()
            .map(|row| row.w)
            .fold(w, i64::max);
        if ticks(&to) {
            outcome.add(machine.advance(w), from);
            outcome.add(machine.clock(input.clock[to - 1]), from);
        }
        if input.told[to - 1] {
            outcome.add(machine.advance(w), from);
            stop(&mut machine);
        }
        from = to;
    }
    outcome.add(machine.advance(input.end), 0);
    outcome.add(machine.advance(time::MAX), 0);
    machine.check_empty();
    outcome.counters = machine.counters;
    outcome
}

impl Input {
    /// Whether the clock moves on after a row.
    fn ticks_after(&self, row: usize) -> bool {
        let before = row.checked_sub(1).map_or(0, |before| self.clock[before]);
        self.clock[row] > before
    }

    /// What happens to a key, in order.
    fn events(&self, key: &str) -> Vec<model::Event> {
        let (mut events, mut w, mut tick) = (vec![], time::MIN, 0);
        let every = self.spec.triggers.every_of_clock.unwrap_or(i64::MAX);
        for (index, row) in self.rows.iter().enumerate() {
            w = w.max(row.w);
            if row.key == key {
                let row = TestRow { w, ..row.clone() };
                events.push(model::Event::Row(index, row));
            }
            if self.clock[index].div_euclid(every) > tick {
                tick = self.clock[index].div_euclid(every);
                events.push(model::Event::Clock(w));
            }
        }
        events
    }
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
        clock: kept.iter().map(|index| input.clock[*index]).collect(),
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

    /// Whoever stops when W has been told, and goes on from what was saved, gives the same.
    #[test]
    fn restarts_do_not_show(input in input(), batch in 1usize..20) {
        let expected = run(&input, batch, Aggregate::FloatSum);
        let restarted = run_with_stops(&input, batch, Aggregate::FloatSum, Machine::restart);
        prop_assert_eq!(&restarted, &expected);
    }

    /// Rows that fail leave no trace.
    #[test]
    fn failed_rows_never_were(input in input(), batch in 1usize..20) {
        // A row that is not there moves the ticks of the clock.
        let input = Input { clock: vec![0; input.rows.len()], ..input };
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
        let (mut late, mut never_sent) = (vec![], 0);
        for key in ["a", "b", "bb", ""] {
            let model = model::run(&input.spec, key, &input.events(key), input.end);
            let fired = outcome.fired.get(key).into_iter().flatten();
            let came: Vec<model::Modelled> = fired.map(|fired| {
                let Acc::List(mut values) = fired.value.clone() else { panic!("a list") };
                if input.spec.stored.is_none() {
                    values.sort_unstable();
                }
                let (key, change, firing) = (fired.key.clone(), fired.change, fired.firing);
                model::Modelled { key, change, firing, values }
            }).collect();
            prop_assert_eq!(&came, &model.fired, "key {:?}", key);
            late.extend(model.late);
            never_sent += model.never_sent;
        }
        late.sort_unstable();
        prop_assert_eq!(&outcome.late, &late);
        prop_assert_eq!(outcome.counters.never_sent, never_sent);
    }
}

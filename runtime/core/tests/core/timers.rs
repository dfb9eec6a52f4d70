//! Timers and times to live, against models that keep everything in one list.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidemill_core::process::{Lives, Setter, Timers, expired};

/// What is done, to which key.
#[derive(Clone, Debug)]
enum Step {
    Set(u32, i64, u32),
    Delete(u32, i64, u32),
    Clear(u32, u32),
    /// Sets, and takes all of it back.
    Undo(u32, i64, u32),
    /// Takes the first timer of a key.
    Take(u32),
    /// Fires everything due by then.
    Advance(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (key, time, name) = (0u32..5, 0i64..40, 0u32..3);
    let timer = || (key.clone(), time.clone(), name.clone());
    let step = prop_oneof![
        4 => timer().prop_map(|(key, time, name)| Step::Set(key, time, name)),
        1 => timer().prop_map(|(key, time, name)| Step::Delete(key, time, name)),
        1 => (key.clone(), name.clone()).prop_map(|(key, name)| Step::Clear(key, name)),
        1 => timer().prop_map(|(key, time, name)| Step::Undo(key, time, name)),
        1 => key.clone().prop_map(Step::Take),
        1 => time.clone().prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 0..200)
}

/// Timers as (time, key, name).
type Model = BTreeSet<(i64, u32, u32)>;

/// The first timer of a key in order of time and name.
fn first(model: &Model, key: u32) -> Option<(i64, u32)> {
    let of_key = model.iter().filter(|timer| timer.1 == key);
    of_key.map(|timer| (timer.0, timer.2)).min()
}

/// Fires everything due, in waves, in steps of about so many keys; gives what fired by key, and checks that each step is done
/// with all up to its time.
fn fire(timers: &mut Timers, until: i64, most: usize) -> BTreeSet<(i64, u32, u32)> {
    let (mut fired, mut keys, mut before) = (BTreeSet::new(), Vec::new(), i64::MIN);
    loop {
        let reached = timers.due(until, most, &mut keys);
        assert_eq!(
            keys.iter().collect::<BTreeSet<_>>().len(),
            keys.len(),
            "{keys:?}"
        );
        for &key in &keys {
            while timers
                .earliest(key)
                .is_some_and(|timer| timer.time <= reached)
            {
                let timer = timers.take(key).expect("it was there");
                assert!(timer.time > before, "{timer:?} comes after {before}");
                fired.insert((timer.time, key, timer.name));
            }
            timers.arm(key);
        }
        before = reached;
        if reached == until {
            return fired;
        }
    }
}

proptest! {
    #[test]
    fn timers_fire_when_a_list_says_so(steps in steps(), most in 1usize..4) {
        let (mut timers, mut model, mut w) = (Timers::default(), Model::new(), i64::MIN);
        for step in steps {
            match step {
                Step::Set(key, time, name) => {
                    timers.set(key, (time, name), Setter::row(0, w));
                    model.insert((time, key, name));
                }
                Step::Delete(key, time, name) => {
                    timers.delete(key, (time, name));
                    model.remove(&(time, key, name));
                }
                Step::Clear(key, name) => {
                    timers.clear(key, name);
                    model.retain(|timer| (timer.1, timer.2) != (key, name));
                }
                Step::Undo(key, time, name) => {
                    let saved = timers.save(key);
                    timers.set(key, (time, name), Setter::row(0, w));
                    timers.clear(key, 0);
                    timers.restore(key, saved);
                }
                Step::Take(key) => {
                    let taken = timers.take(key).map(|timer| (timer.time, timer.name));
                    prop_assert_eq!(taken, first(&model, key));
                    if let Some((time, name)) = taken {
                        model.remove(&(time, key, name));
                    }
                }
                Step::Advance(until) => {
                    w = w.max(until);
                    let due: Model = model.iter().copied().filter(|timer| timer.0 <= w).collect();
                    prop_assert_eq!(fire(&mut timers, w, most), due.clone());
                    model.retain(|timer| !due.contains(timer));
                }
            }
            prop_assert_eq!(timers.len(), model.len());
            for key in 0..5 {
                let earliest = timers.earliest(key).map(|timer| (timer.time, timer.name));
                prop_assert_eq!(earliest, first(&model, key));
            }
            let earliest = model.first().map_or(i64::MAX, |timer| timer.0);
            prop_assert!(timers.first() <= earliest, "nothing is due before {}", timers.first());
        }
    }

    /// Rows share a call exactly as long as nothing expires that any of them may see.
    #[test]
    fn a_call_is_cut_where_something_expires(
        given in prop::option::of(0i64..50),
        rows in prop::collection::vec((0i64..60, 0i64..8), 1..20),
        ttl in 1i64..30,
    ) {
        let mut lives = Lives::default();
        let mut seen: Vec<i64> = given.into_iter().collect();
        if let Some(clock) = given {
            lives.given(clock, ttl);
        }
        let mut w = 0;
        for (time, step) in rows {
            w += step;
            let any = seen.iter().any(|&clock| expired(clock, ttl, w));
            prop_assert_eq!(lives.cut_before(time, w, ttl), any);
            if any {
                return Ok(());
            }
            seen.push(time);
        }
    }
}

#[test]
fn what_is_due_already_fires_right_after_what_set_it() {
    let mut timers = Timers::default();
    timers.set(0, (5, 0), Setter::row(3, 20));
    timers.set(0, (30, 0), Setter::row(3, 20));
    timers.set(0, (5, 0), Setter::row(4, 25));
    let overdue = timers.take(0).expect("two are set");
    assert_eq!((overdue.time, overdue.fires, overdue.row), (5, 21, 3));
    timers.set(0, (7, 0), Setter::timer(&overdue));
    let next = timers.take(0).expect("two are set");
    assert_eq!((next.time, next.fires, next.row), (7, 21, 3));
    let later = timers.take(0).expect("one is set");
    assert_eq!((later.time, later.fires), (30, 30));
    assert!(timers.is_empty() && timers.take(0).is_none());
}

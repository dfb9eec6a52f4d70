//! Tables of what splits are doing: idle, finished, paused, and back again.

use proptest::prelude::*;
use tidemill_core::clock::{
    Held, SourceClock, SourceConfig, SplitState, Strategy as Watermarks, WhenIdle,
};
use tidemill_core::time::{MAX, MIN};

const LIVE: SourceConfig = SourceConfig {
    strategy: Watermarks::Monotonic,
    idle_timeout: Some(60),
    when_idle: WhenIdle::Hold,
    bounded: false,
};

/// Lets a split deliver rows; their stamps, and W at each.
fn deliver(clock: &mut SourceClock, split: usize, times: &[i64]) -> Vec<(i64, i64)> {
    let (mut stamps, mut w) = (vec![], vec![]);
    clock.accept(split, times, &mut stamps, &mut w);
    stamps.into_iter().zip(w).collect()
}

/// Asks a split that has nothing at these moments.
fn ask(clock: &mut SourceClock, split: usize, moments: &[i64]) {
    moments.iter().for_each(|&now| clock.silent(split, now));
}

/// Watermarks 6: given up after more than the idle-timeout; counts again once it has caught up.
#[test]
fn idle_splits_return() {
    let mut clock = SourceClock::new(LIVE, 2);
    deliver(&mut clock, 0, &[10]);
    deliver(&mut clock, 1, &[10]);
    ask(&mut clock, 1, &[1000]);
    deliver(&mut clock, 0, &[100]);
    ask(&mut clock, 1, &[1060]);
    assert_eq!((clock.state(1), clock.watermark()), (SplitState::Active, 9));
    assert_eq!((clock.held(), clock.idle_at(1)), (Held::By(1), Some(1060)));
    ask(&mut clock, 1, &[1061]);
    assert_eq!((clock.state(1), clock.watermark()), (SplitState::Idle, 99));
    assert_eq!((clock.held(), clock.idle_at(1)), (Held::By(0), None));
    // Back: its rows are behind, and it holds nothing back until it has reached 99.
    assert_eq!(deliver(&mut clock, 1, &[50]), [(9, 99)]);
    assert_eq!(clock.state(1), SplitState::Active);
    deliver(&mut clock, 0, &[120]);
    assert_eq!(clock.watermark(), 119);
    assert_eq!(deliver(&mut clock, 1, &[121, 122]), [(49, 119), (120, 119)]);
    deliver(&mut clock, 0, &[200]);
    assert_eq!(clock.watermark(), 121, "it counts again");
}

/// Only who is asked and has nothing is silent, and a row ends the silence, be it a bad one.
#[test]
fn silence_is_having_nothing_when_asked() {
    let mut clock = SourceClock::new(LIVE, 3);
    ask(&mut clock, 0, &[0, 60]);
    clock.heard(0);
    ask(&mut clock, 0, &[61, 121]);
    assert_eq!(clock.state(0), SplitState::Active, "silent since 61");
    ask(&mut clock, 0, &[122]);
    assert_eq!(clock.state(0), SplitState::Idle);
    ask(&mut clock, 1, &[1_000_000]);
    assert_eq!(
        clock.state(1),
        SplitState::Active,
        "asked for the first time"
    );
    clock.tick(1_000_000);
    assert_eq!(clock.state(2), SplitState::Active, "never asked");
    clock.heard(0);
    assert_eq!(clock.state(0), SplitState::Active, "it delivers again");
}

#[test]
fn time_that_could_not_deliver_is_not_silence() {
    let mut clock = SourceClock::new(LIVE, 1);
    ask(&mut clock, 0, &[0]);
    clock.not_deliverable(0, 10, 40);
    ask(&mut clock, 0, &[90]);
    assert_eq!(clock.state(0), SplitState::Active);
    clock.not_deliverable(0, 90, 1000);
    ask(&mut clock, 0, &[1000]);
    assert_eq!(clock.state(0), SplitState::Active);
    ask(&mut clock, 0, &[1001]);
    assert_eq!(clock.state(0), SplitState::Idle);
}

#[test]
fn none_never_gives_a_split_up() {
    for config in [
        SourceConfig {
            idle_timeout: None,
            ..LIVE
        },
        SourceConfig {
            bounded: true,
            ..LIVE
        },
    ] {
        let mut clock = SourceClock::new(config, 1);
        ask(&mut clock, 0, &[0, 1_000_000]);
        let state = (clock.state(0), clock.idle_at(0));
        assert_eq!(state, (SplitState::Active, None), "{config:?}");
    }
}

#[test]
fn all_idle() {
    for (when_idle, watermark) in [(WhenIdle::Hold, 99), (WhenIdle::Advance, 99 + 500)] {
        let mut clock = SourceClock::new(SourceConfig { when_idle, ..LIVE }, 2);
        deliver(&mut clock, 0, &[100]);
        deliver(&mut clock, 1, &[30]);
        (0..2).for_each(|split| ask(&mut clock, split, &[0]));
        assert_eq!((clock.watermark(), clock.is_idle()), (29, false));
        (0..2).for_each(|split| ask(&mut clock, split, &[61]));
        clock.tick(61);
        assert_eq!((clock.watermark(), clock.is_idle()), (99, true));
        assert_eq!((clock.held(), clock.is_left_out()), (Held::AllIdle, true));
        clock.tick(561);
        assert_eq!(clock.watermark(), watermark, "{when_idle:?}");
        deliver(&mut clock, 1, &[31]);
        assert!(!clock.is_idle());
        assert!(clock.is_left_out(), "it is behind still");
        assert_eq!(clock.held(), Held::CatchingUp(1));
        clock.tick(10_000);
        assert_eq!(clock.watermark(), watermark, "{when_idle:?}: only rises");
        // Idle again: W goes on from where it stood, not from what the splits say.
        ask(&mut clock, 1, &[10_000, 10_061]);
        clock.tick(10_061);
        clock.tick(10_071);
        let risen = if when_idle == WhenIdle::Hold { 0 } else { 10 };
        assert_eq!(clock.watermark(), watermark + risen, "{when_idle:?}");
    }
}

/// Without a row there is nothing from which W could rise.
#[test]
fn idle_without_a_row() {
    let when_idle = WhenIdle::Advance;
    let mut clock = SourceClock::new(SourceConfig { when_idle, ..LIVE }, 1);
    ask(&mut clock, 0, &[0, 61]);
    clock.tick(100);
    assert_eq!((clock.watermark(), clock.is_idle()), (MIN, true));
    assert_eq!(deliver(&mut clock, 0, &[5]), [(MIN, MIN)]);
    assert_eq!((clock.watermark(), clock.is_left_out()), (4, false));
}

#[test]
fn the_four_states_are_four() {
    let mut clock = SourceClock::new(LIVE, 4);
    for (split, time) in [(0, 10), (1, 20), (2, 500), (3, 30)] {
        deliver(&mut clock, split, &[time]);
    }
    clock.finish(0);
    ask(&mut clock, 1, &[0, 61]);
    clock.align(100, MAX);
    let states: Vec<SplitState> = (0..4).map(|split| clock.state(split)).collect();
    let expected = [
        SplitState::Finished,
        SplitState::Idle,
        SplitState::Paused,
        SplitState::Active,
    ];
    assert_eq!(states, expected);
    assert_eq!(
        clock.watermark(),
        29,
        "the active one's: finished and idle are left out"
    );
    clock.finish(3);
    assert_eq!(clock.watermark(), 499, "a paused one counts");
}

/// Watermarks 8: more than max-drift ahead of the slowest is paused, here and elsewhere.
#[test]
fn alignment() {
    let paused = |clock: &SourceClock| -> Vec<bool> {
        let is_paused = |split| clock.state(split) == SplitState::Paused;
        (0..3).map(is_paused).collect()
    };
    let mut clock = SourceClock::new(LIVE, 3);
    clock.align(100, MAX);
    assert_eq!(clock.slowest(), MAX);
    deliver(&mut clock, 0, &[1000]);
    clock.align(100, MAX);
    assert_eq!(
        paused(&clock),
        [false; 3],
        "nobody is behind it but who stands nowhere"
    );
    deliver(&mut clock, 1, &[900]);
    clock.align(100, MAX);
    assert_eq!(paused(&clock), [false; 3], "100 is not more than 100");
    deliver(&mut clock, 0, &[1001]);
    deliver(&mut clock, 2, &[2000]);
    clock.align(100, MAX);
    assert_eq!(paused(&clock), [true, false, true]);
    // Who is paused is not asked; being asked all the same would not make it idle.
    ask(&mut clock, 2, &[0, 1000]);
    assert_eq!(clock.state(2), SplitState::Paused);
    deliver(&mut clock, 1, &[901]);
    clock.align(100, MAX);
    assert_eq!(paused(&clock), [false, false, true]);
    clock.align(100, 850);
    assert_eq!(
        paused(&clock),
        [true, false, true],
        "850 is on another worker"
    );
    ask(&mut clock, 1, &[0, 61]);
    clock.align(100, MAX);
    assert_eq!(
        paused(&clock),
        [false, false, true],
        "who is idle holds up nobody"
    );
    clock.finish(0);
    clock.align(100, MAX);
    assert_eq!(paused(&clock), [false; 3]);
    assert_eq!(clock.held(), Held::By(2));
    clock.finish(1);
    clock.finish(2);
    assert_eq!(clock.held(), Held::Over);
}

/// What happens to a split of a live source.
#[derive(Clone, Debug)]
enum Happens {
    Row(i64),
    Silence,
    End,
}

fn happenings() -> impl proptest::strategy::Strategy<Value = Vec<(usize, Happens)>> {
    let happens = prop_oneof![
        8 => (0i64..200).prop_map(Happens::Row),
        3 => Just(Happens::Silence),
        1 => Just(Happens::End),
    ];
    prop::collection::vec((0usize..3, happens), 0..60)
}

proptest! {
    /// Watermarks 1: a source that goes on from what was saved stamps rows as if it had never stopped.
    #[test]
    fn restarts_do_not_show(happenings in happenings(), stop in 0usize..60) {
        let mut clock = SourceClock::new(LIVE, 3);
        let mut restarted = clock.clone();
        for (i, (split, happens)) in happenings.into_iter().enumerate() {
            if i == stop {
                let splits: Vec<_> = (0..3).map(|split| Some(clock.save(split))).collect();
                restarted = SourceClock::restored(LIVE, &splits, clock.watermark());
            }
            if clock.state(split) == SplitState::Finished {
                continue;
            }
            let now = i as i64 * 100;
            let came = [&mut clock, &mut restarted].map(|clock| {
                match happens {
                    Happens::Row(time) => return deliver(clock, split, &[time]),
                    // Given up at once: a silence that was going on begins anew after a restart.
                    Happens::Silence => ask(clock, split, &[now, now + 61]),
                    Happens::End => clock.finish(split),
                }
                vec![]
            });
            prop_assert_eq!(&came[0], &came[1]);
            prop_assert_eq!(clock.watermark(), restarted.watermark());
            prop_assert_eq!(clock.is_left_out(), restarted.is_left_out());
        }
    }
}

//! Tables of watermarks: what splits deliver, and what stamps, W at rows and watermarks follow.

use tidemill_core::clock::{
    InputClock, SourceClock, SourceConfig, SplitState, Strategy, WhenIdle, ahead, jumps,
    out_of_range,
};
use tidemill_core::time::{FIRST, LAST, MAX, MIN};

const NEVER_IDLE: SourceConfig = SourceConfig {
    strategy: Strategy::Monotonic,
    idle_timeout: None,
    when_idle: WhenIdle::Hold,
    bounded: false,
};

/// Lets a split deliver rows; their stamps, and W at each.
fn deliver(clock: &mut SourceClock, split: usize, times: &[i64]) -> Vec<(i64, i64)> {
    let (mut stamps, mut w) = (vec![], vec![]);
    clock.accept(split, times, &mut stamps, &mut w);
    stamps.into_iter().zip(w).collect()
}

/// Reads bounded splits to their ends; the times in reading order, with stamp and W.
fn read(strategy: Strategy, splits: &[&[i64]]) -> Vec<(i64, i64, i64)> {
    let config = SourceConfig {
        strategy,
        bounded: true,
        ..NEVER_IDLE
    };
    let mut clock = SourceClock::new(config, splits.len());
    let (mut next, mut rows) = (vec![0; splits.len()], vec![]);
    while let Some(split) = clock.next_split() {
        let rest = &splits[split][next[split]..];
        if rest.is_empty() {
            clock.finish(split);
            continue;
        }
        let (mut stamps, mut w) = (vec![], vec![]);
        let taken = clock.take(split, rest, &mut stamps, &mut w);
        assert_eq!((taken, taken), (stamps.len(), w.len()));
        next[split] += taken;
        rows.extend((0..taken).map(|i| (rest[i], stamps[i], w[i])));
    }
    assert!(clock.is_finished());
    rows
}

#[test]
fn strategies() {
    for (strategy, time, watermark) in [
        (Strategy::OutOfOrderness(0), 100, 99),
        (Strategy::OutOfOrderness(30), 100, 69),
        (Strategy::Monotonic, 100, 99),
        (Strategy::Monotonic, -5, -6),
        (Strategy::Custom, 70, 70),
        (Strategy::Custom, MIN, MIN),
        (Strategy::None, 100, MIN),
    ] {
        assert_eq!(strategy.after(time), watermark, "{strategy:?} after {time}");
    }
}

/// The checked example of two splits: the stamp is the split's, W the minimum.
#[test]
fn stamps_are_of_the_split_and_w_is_of_all() {
    let mut clock = SourceClock::new(NEVER_IDLE, 2);
    assert_eq!(deliver(&mut clock, 0, &[100]), [(MIN, MIN)]);
    assert_eq!(deliver(&mut clock, 1, &[5]), [(MIN, MIN)]);
    assert_eq!(clock.watermark(), 4);
    assert_eq!(deliver(&mut clock, 0, &[20]), [(99, 4)]);
    assert_eq!(deliver(&mut clock, 1, &[200, 201]), [(4, 4), (199, 99)]);
    assert_eq!(clock.watermark(), 99);
}

/// Files that overlap in time are merged, consecutive ones are read one after the other.
#[test]
fn reading_order() {
    let times = |rows: Vec<(i64, i64, i64)>| rows.iter().map(|row| row.0).collect::<Vec<_>>();
    let overlapping: [&[i64]; 2] = [&[1, 3, 5, 20], &[2, 4, 6]];
    assert_eq!(
        times(read(Strategy::Monotonic, &overlapping)),
        [1, 2, 3, 4, 5, 6, 20]
    );
    // Every split counts at MIN until its first row, so one row of the second comes first.
    let consecutive: [&[i64]; 2] = [&[1, 2, 3], &[10, 11]];
    assert_eq!(
        times(read(Strategy::Monotonic, &consecutive)),
        [1, 10, 2, 3, 11]
    );
    assert_eq!(times(read(Strategy::None, &consecutive)), [1, 2, 3, 10, 11]);
    let three: [&[i64]; 3] = [&[5, 5, 9], &[5, 7], &[]];
    let rows = read(Strategy::OutOfOrderness(1), &three);
    let expected = [
        (5, MIN, MIN),
        (5, MIN, MIN),
        (5, 3, 3),
        (9, 3, 3),
        (7, 3, 3),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_run_ends_where_another_split_is_lower() {
    let config = SourceConfig {
        bounded: true,
        ..NEVER_IDLE
    };
    let mut clock = SourceClock::new(config, 2);
    let (mut stamps, mut w) = (vec![], vec![]);
    assert_eq!(clock.take(0, &[10, 11], &mut stamps, &mut w), 1);
    assert_eq!(clock.take(1, &[3, 7, 10, 11, 12], &mut stamps, &mut w), 3);
    assert_eq!(clock.next_split(), Some(0), "both at 9, ties go by name");
    assert_eq!((stamps, w), (vec![MIN, MIN, 2, 6], vec![MIN, MIN, 2, 6]));
}

#[test]
fn finished_splits_are_left_out() {
    let mut clock = SourceClock::new(NEVER_IDLE, 2);
    deliver(&mut clock, 0, &[10]);
    deliver(&mut clock, 1, &[50]);
    clock.finish(0);
    assert_eq!(
        (clock.watermark(), clock.state(0)),
        (49, SplitState::Finished)
    );
    assert!(!clock.is_finished());
    clock.finish(1);
    assert!(clock.is_finished() && !clock.is_idle());
    assert_eq!(clock.watermark(), clock.largest());
}

/// Watermarks 7: a split found later starts at the watermark, counts at once, and its rows up to there are behind.
#[test]
fn splits_found_later() {
    let mut clock = SourceClock::new(NEVER_IDLE, 1);
    deliver(&mut clock, 0, &[100]);
    assert_eq!(clock.add_split(), 1);
    deliver(&mut clock, 0, &[300]);
    assert_eq!(clock.watermark(), 99);
    assert_eq!(deliver(&mut clock, 1, &[50, 200]), [(99, 99), (99, 99)]);
    assert_eq!(clock.watermark(), 199);
}

#[test]
fn inputs() {
    let mut clock = InputClock::new(2);
    clock.set(0, 100);
    assert_eq!(clock.watermark(), MIN);
    clock.set(1, 40);
    assert_eq!(clock.watermark(), 40);
    // By input 0 comes a row whose sender stood at 120, but input 1 has passed on 40 only.
    assert_eq!(clock.w_at_row(0, 120), 40);
    assert_eq!(clock.w_at_row(1, 70), 70);
    assert_eq!(clock.w_at_row(1, 130), 100);
    assert_eq!(clock.w_at_row(1, 10), 40, "never less than the watermark");
    clock.idle(1, 40);
    assert_eq!(clock.watermark(), 100);
    clock.set(1, 60);
    assert_eq!((clock.watermark(), clock.w_at_row(0, 120)), (100, 120));
    clock.set(0, 150);
    assert_eq!(clock.watermark(), 150, "60 does not count");
    clock.set(1, 170);
    clock.set(0, 200);
    assert_eq!(clock.watermark(), 170);
    clock.finish(0);
    assert!(!clock.all_finished());
    clock.idle(1, 170);
    assert!(clock.is_left_out());
    assert_eq!(clock.watermark(), 200, "the largest of theirs");
    clock.finish(1);
    assert!(clock.all_finished() && !clock.is_left_out());
    assert_eq!((clock.largest(), clock.others(0)), (200, MAX));
}

/// What an idle input's clock makes of its watermark counts only where all are idle (Watermarks 6).
#[test]
fn idle_inputs_rise_with_the_clock() {
    let mut clock = InputClock::new(2);
    clock.set(0, 100);
    clock.idle(1, MIN);
    clock.idle(1, 500);
    assert_eq!((clock.watermark(), clock.is_left_out()), (100, false));
    clock.idle(0, 100);
    assert_eq!((clock.watermark(), clock.is_left_out()), (500, true));
    clock.idle(0, 700);
    assert_eq!(clock.watermark(), 700);
    clock.set(1, 600);
    assert!(clock.is_left_out(), "back, but behind");
    assert_eq!(clock.watermark(), 700);
    clock.set(1, 700);
    assert_eq!((clock.watermark(), clock.is_left_out()), (700, false));
}

#[test]
fn bad_times() {
    let mut bad = vec![];
    out_of_range(&[FIRST, FIRST - 1, 0, LAST, LAST + 1], &mut bad);
    assert_eq!(bad, [1, 4]);
    bad.clear();
    ahead(&[10, 111, 110, 500], 100, 10, &mut bad);
    assert_eq!(bad, [1, 3]);
}

/// Rows 2: relative to the largest time of the split, whatever the clock; bad rows move nothing.
#[test]
fn jumps_are_bad() {
    let mut largest = MIN;
    let mut bad = vec![];
    jumps(&[500, 510, 521, 520, 531, 0], &mut largest, 10, &mut bad);
    assert_eq!((bad.as_slice(), largest), (&[2, 4][..], 520));
    bad = vec![0];
    jumps(&[525, 531, 540], &mut largest, 10, &mut bad);
    assert_eq!((bad.as_slice(), largest), (&[0, 1, 2][..], 520));
    bad.clear();
    jumps(&[LAST], &mut largest, MAX, &mut bad);
    assert_eq!((bad.as_slice(), largest), (&[][..], LAST));
}

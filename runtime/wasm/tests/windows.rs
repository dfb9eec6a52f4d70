//! Functions that are given all rows of a window: what they see, and firings that fail.

mod support;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray, UInt32Array};
use support::{Rows, plain, sdk, settings};
use tidemill_wasm::{
    Firing, Firings, Limits, Module, Outcome, Produced, ROWS_PER_WINDOW_CALL, Reason, Settings,
    Window,
};

fn window(module: &Module, how: &str) -> Window {
    module.window(settings(module, "whole", how)).unwrap()
}

/// Firings with these rows; firing i has the key `k<i>` and starts at 100 i.
struct Given {
    keys: Vec<ArrayRef>,
    firings: Firings,
    rows: Rows,
    offsets: Vec<u32>,
}

impl Given {
    fn of(windows: &[&[i64]]) -> Self {
        let names = (0..windows.len()).map(|at| format!("k{at}"));
        let mut offsets = vec![0];
        for rows in windows {
            offsets.push(offsets[offsets.len() - 1] + rows.len() as u32);
        }
        let firing = |at: usize| Firing {
            start: 100 * at as i64,
            end: 100 * at as i64 + 10,
            moment: (at % 3) as u8,
            number: at as u32 + 1,
            last: at.is_multiple_of(2),
        };
        Self {
            keys: vec![Arc::new(StringArray::from_iter_values(names))],
            firings: (0..windows.len()).map(firing).collect(),
            rows: Rows::folding(&windows.concat()),
            offsets,
        }
    }

    fn apply(&self, window: &mut Window) -> Outcome {
        let rows = self.rows.rows_in();
        window
            .apply(&self.keys, &self.firings, &rows, &self.offsets)
            .unwrap()
    }
}

/// What was emitted, a line per result: key, rows in order, window.
fn lines(given: &Given, outcome: &Outcome) -> Vec<String> {
    let Some(emitted) = outcome.emitted.first() else {
        return Vec::new();
    };
    let origins = UInt32Array::from(emitted.origins.clone());
    let column = |at: usize| match &emitted.columns[at] {
        Produced::Made(array) => array.clone(),
        Produced::Input(n) => {
            arrow_select::take::take(&given.keys[*n as usize], &origins, None).unwrap()
        }
    };
    let columns: Vec<ArrayRef> = (0..3).map(column).collect();
    let text = |at: usize, row: usize| columns[at].as_string::<i32>().value(row);
    (0..emitted.origins.len())
        .map(|row| format!("{} {} {}", text(0, row), text(1, row), text(2, row)))
        .collect()
}

fn failed(outcome: &Outcome) -> Vec<u32> {
    outcome.failed.iter().map(|failed| failed.row).collect()
}

#[test]
fn every_row_of_a_firing_is_seen_in_order_with_key_and_window() {
    let given = Given::of(&[&[3, 1, 2], &[], &[7]]);
    for module in [plain(), sdk()] {
        let outcome = given.apply(&mut window(&module, "well"));
        assert_eq!(outcome.emitted[0].origins, [0, 1, 2]);
        let expected = [
            "k0 3,1,2, 0..10 0 1 true",
            "k1  100..110 1 2 false",
            "k2 7, 200..210 2 3 true",
        ];
        assert_eq!(lines(&given, &outcome), expected);
    }
}

#[test]
fn no_firings_are_no_call() {
    let mut window = window(&plain(), "well");
    let outcome = Given::of(&[]).apply(&mut window);
    assert!(outcome.emitted.is_empty() && window.take_notes().calls == 0);
}

#[test]
fn the_firing_that_fails_is_found_and_the_others_are_served() {
    for module in [plain(), sdk()] {
        for how in ["fail", "trap"] {
            for bad in [vec![0], vec![3], vec![6], vec![0, 1, 5]] {
                let mut windows =
                    vec![vec![1, 2], vec![3], vec![4, 5, 6], vec![7], vec![], vec![8]];
                windows.push(vec![9; 5]);
                bad.iter()
                    .for_each(|&at: &u32| windows[at as usize].push(13));
                let slices: Vec<&[i64]> = windows.iter().map(Vec::as_slice).collect();
                let given = Given::of(&slices);
                let outcome = given.apply(&mut window(&module, how));
                assert_eq!(failed(&outcome), bad, "{how}");
                let good: Vec<u32> = (0..7).filter(|at| !bad.contains(at)).collect();
                assert_eq!(outcome.emitted[0].origins, good, "{how}, {bad:?}");
                let whole = Given::of(&slices);
                let all = lines(&whole, &whole.apply(&mut window(&module, "well")));
                let expected: Vec<String> =
                    good.iter().map(|&at| all[at as usize].clone()).collect();
                assert_eq!(lines(&given, &outcome), expected, "{how}, {bad:?}");
            }
        }
    }
}

#[test]
fn one_trapping_firing_costs_few_calls() {
    let mut windows = vec![vec![1i64, 2]; 1000];
    windows[700].push(13);
    let slices: Vec<&[i64]> = windows.iter().map(Vec::as_slice).collect();
    let given = Given::of(&slices);
    let mut window = window(&plain(), "trap");
    let outcome = given.apply(&mut window);
    assert_eq!(failed(&outcome), [700]);
    assert_eq!(outcome.failed[0].reason, Reason::Panic);
    let message = &outcome.failed[0].message;
    assert!(message.ends_with("n is 13"), "{message}");
    let notes = window.take_notes();
    assert!(notes.stopped <= 5 && notes.calls <= 60, "{notes:?}");
}

#[test]
fn a_firing_that_never_ends_meets_the_deadline_alone() {
    let module = plain();
    let limits = Limits {
        deadline: Duration::from_millis(100),
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..settings(&module, "whole", "loop")
    };
    let mut window = module.window(settings).unwrap();
    let outcome = Given::of(&[&[1], &[2, 13], &[3]]).apply(&mut window);
    assert_eq!(outcome.failed[0].reason, Reason::Deadline);
    assert_eq!(
        (failed(&outcome), &outcome.emitted[0].origins[..]),
        (vec![1], &[0, 2][..])
    );
}

#[test]
fn what_comes_back_is_checked() {
    let cases = [
        (
            "times",
            "apply returned a malformed outcome: main output: times are set by the host here, the function \
             must leave them out",
        ),
        (
            "beyond",
            "apply returned a malformed outcome: main output: origin 1 is out of range: the call had 1 rows",
        ),
    ];
    for (how, message) in cases {
        let outcome = Given::of(&[&[1]]).apply(&mut window(&plain(), how));
        assert_eq!(outcome.failed[0].reason, Reason::Returned);
        assert_eq!(outcome.failed[0].message, message);
    }
}

#[test]
fn calls_have_a_bounded_number_of_rows() {
    let half = vec![1i64; ROWS_PER_WINDOW_CALL / 2];
    let more = vec![2i64; ROWS_PER_WINDOW_CALL + 1];
    let given = Given::of(&[&half, &half, &[7], &more, &[8], &[9]]);
    for module in [plain(), sdk()] {
        let mut window = window(&module, "well");
        let outcome = given.apply(&mut window);
        // One half with the firing itself, the other with the seven, the one that is too large, the last two.
        assert!(window.take_notes().calls >= 4);
        assert_eq!(outcome.emitted[0].origins, [0, 1, 2, 3, 4, 5]);
        let lines = lines(&given, &outcome);
        assert_eq!(lines[3].matches("2,").count(), more.len());
        assert_eq!(lines[5], "k5 9, 500..510 2 6 false");
    }
}

#[test]
fn the_size_of_a_call_changes_nothing() {
    let windows: Vec<Vec<i64>> = (0..50).map(|at| (0..at % 7).collect()).collect();
    let slices: Vec<&[i64]> = windows.iter().map(Vec::as_slice).collect();
    let whole = Given::of(&slices);
    let mut window = window(&sdk(), "well");
    let at_once = lines(&whole, &whole.apply(&mut window));
    for (at, expected) in at_once.iter().enumerate() {
        let one = Given {
            keys: whole.keys.iter().map(|key| key.slice(at, 1)).collect(),
            firings: Given::of(&slices[..=at]).firings,
            rows: Rows::folding(slices[at]),
            offsets: vec![0, slices[at].len() as u32],
        };
        let firings: Firings = [Firing {
            start: one.firings.starts[at],
            end: one.firings.ends[at],
            moment: one.firings.moments[at],
            number: one.firings.numbers[at],
            last: one.firings.last[at] != 0,
        }]
        .into_iter()
        .collect();
        let one = Given { firings, ..one };
        assert_eq!(&lines(&one, &one.apply(&mut window))[0], expected);
    }
}

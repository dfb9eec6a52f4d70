//! Functions that say how far event time has come: watermarks, states, bad rows.

mod support;

use support::{Rows, plain, sdk, settings};
use tidemill_wasm::{CallError, Module, Observed, Reason, Table, Values, Watermark};

const NOTHING: i64 = i64::MIN;

fn watermark(module: &Module, how: &str) -> Watermark {
    module.watermark(settings(module, "marking", how)).unwrap()
}

/// The largest number so far, and how many rows.
fn state(table: &Table) -> [i64; 2] {
    [0, 1].map(|at| match &table.columns[at].values {
        Values::Words(words) => words[0],
        other => panic!("words, not {other:?}"),
    })
}

/// All rows of one split in batches of so many.
fn observe(function: &mut Watermark, n: &[i64], batch: usize) -> Observed {
    let mut all = Observed {
        watermarks: Vec::new(),
        state: function.create().unwrap(),
        failed: Vec::new(),
    };
    for rows in n.chunks(batch) {
        let before = all.watermarks.len() as u32;
        let rows = Rows::folding(rows);
        let mut done = function.observe(&rows.rows_in(), &all.state).unwrap();
        done.failed
            .iter_mut()
            .for_each(|failed| failed.row += before);
        all.watermarks.append(&mut done.watermarks);
        all.failed.append(&mut done.failed);
        all.state = done.state;
    }
    all
}

#[test]
fn every_row_has_its_watermark_and_the_state_goes_on() {
    for module in [plain(), sdk()] {
        for batch in [1, 2, 5] {
            let mut function = watermark(&module, "well");
            let done = observe(&mut function, &[1, 7, 2, 5, 9], batch);
            assert_eq!(done.watermarks, [1, 7, NOTHING, 7, 9]);
            assert_eq!(state(&done.state), [9, 5]);
        }
    }
}

#[test]
fn splits_share_a_function_and_nothing_else() {
    for module in [plain(), sdk()] {
        let mut function = watermark(&module, "well");
        let fresh = function.create().unwrap();
        let first = function
            .observe(&Rows::folding(&[99]).rows_in(), &fresh)
            .unwrap();
        let second = function
            .observe(&Rows::folding(&[1]).rows_in(), &fresh)
            .unwrap();
        assert_eq!((first.watermarks[0], second.watermarks[0]), (99, 1));
    }
}

#[test]
fn a_bad_row_moves_nothing_wherever_it_stands() {
    for (guest, module) in [("without", plain()), ("with", sdk())] {
        for how in ["fail", "trap"] {
            for bad in [
                vec![0],
                vec![4],
                vec![8],
                vec![0, 1, 5, 8],
                (0..9).collect(),
            ] {
                for batch in [1, 2, 4, 9] {
                    let case = format!("{guest} the SDK, {how}, bad {bad:?}, batches of {batch}");
                    let mut n = [1i64, 3, 2, 7, 5, 6, 11, 9, 15];
                    bad.iter().for_each(|&row: &u32| n[row as usize] = 13);
                    let mut largest = 0;
                    let expected: Vec<i64> = n
                        .iter()
                        .map(|&n| match n {
                            13 => NOTHING,
                            n => {
                                largest = largest.max(n);
                                if n % 2 == 0 { NOTHING } else { largest }
                            }
                        })
                        .collect();
                    let done = observe(&mut watermark(&module, how), &n, batch);
                    let failed: Vec<u32> = done.failed.iter().map(|failed| failed.row).collect();
                    assert_eq!(failed, bad, "{case}");
                    assert_eq!(done.watermarks, expected, "{case}");
                    let good = 9 - bad.len() as i64;
                    assert_eq!(state(&done.state), [largest, good], "{case}");
                }
            }
        }
    }
}

#[test]
fn one_trapping_row_costs_few_calls() {
    let mut n = vec![1; 1000];
    n[700] = 13;
    let mut function = watermark(&plain(), "trap");
    let state = function.create().unwrap();
    function.take_notes();
    let done = function
        .observe(&Rows::folding(&n).rows_in(), &state)
        .unwrap();
    assert_eq!(done.failed[0].row, 700);
    assert_eq!(done.failed[0].reason, Reason::Panic);
    let notes = function.take_notes();
    assert!(notes.stopped <= 5 && notes.calls <= 70, "{notes:?}");
}

#[test]
fn the_sdk_spares_calls_for_failures_by_value() {
    let mut function = watermark(&sdk(), "fail");
    let state = function.create().unwrap();
    function.take_notes();
    let rows = Rows::folding(&[1, 13, 3, 13]);
    let done = function.observe(&rows.rows_in(), &state).unwrap();
    assert_eq!((done.failed.len(), function.take_notes().calls), (2, 1));
}

#[test]
fn what_comes_back_is_checked() {
    let cases = [
        (
            "short",
            "observe returned a malformed outcome: watermarks has 0 entries, expected 1",
        ),
        (
            "beyond",
            "observe returned a malformed outcome: the watermark after row 0 is 9223372036854775807 us, \
             beyond the year 9999",
        ),
    ];
    for (how, message) in cases {
        let done = observe(&mut watermark(&plain(), how), &[1], 1);
        assert_eq!(done.failed[0].reason, Reason::Returned);
        assert_eq!(done.failed[0].message, message);
        assert_eq!(state(&done.state), [0, 0]);
    }
}

#[test]
fn a_failing_create_is_an_error() {
    let error = watermark(&plain(), "create-trap").create().unwrap_err();
    assert!(matches!(error, CallError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("no state today"), "{error}");
}

//! Hostile functions: each does one thing wrong for the row whose `n` is 13, and only that row fails, named for it.

mod support;

use support::{Rows, plain, settings};
use tidemill_wasm::{CallError, Failed, Limits, Outcome, Produced, Reason, Transform};

const ROWS: i64 = 40;

fn transform(how: &str) -> Transform {
    transform_with(how, Limits::default())
}

fn transform_with(how: &str, limits: Limits) -> Transform {
    let module = plain();
    module
        .transform(tidemill_wasm::Settings {
            limits,
            ..settings(&module, "hostile", how)
        })
        .unwrap()
}

/// Runs 40 rows through the function and checks that exactly row 13 failed and all others came out, in order.
fn only_row_13(function: &mut Transform) -> Failed {
    let rows = Rows::hostile(0..ROWS);
    let Outcome { emitted, failed } = function.apply(&rows.rows_in()).unwrap();
    assert_eq!(
        failed.iter().map(|f| f.row).collect::<Vec<_>>(),
        [13],
        "{failed:?}"
    );
    let main = &emitted[0];
    let all: Vec<u32> = (0..ROWS as u32).filter(|&row| row != 13).collect();
    assert_eq!(main.origins, all);
    assert!(matches!(main.columns[0], Produced::Input(0)));
    let Produced::Made(texts) = &main.columns[1] else {
        panic!("column 1 is made")
    };
    assert_eq!(texts.len(), all.len());
    failed.into_iter().next().unwrap()
}

#[test]
fn each_wrong_return_is_named() {
    let cases = [
        ("bad-length", "column at: values has 2 entries, expected 1"),
        (
            "bad-offsets-short",
            "column t: offsets has 1 entries, expected 2",
        ),
        (
            "bad-offsets-first",
            "column t: the first offset is 1, expected 0",
        ),
        (
            "bad-offsets-last",
            "column t: the last offset is 7, expected the 8 bytes there are",
        ),
        ("bad-utf8", "column t: the text of row 0 is not UTF-8"),
        (
            "bad-bool",
            "column y: values of row 0 is 2, expected 0 or 1",
        ),
        (
            "bad-valid",
            "column at: valid of row 0 is 7, expected 0 or 1",
        ),
        (
            "bad-null",
            "column t: row 0 is null, but the declared type is text (declare text?)",
        ),
        (
            "bad-layout",
            "column t: its layout is words, but type text is laid out as arena",
        ),
        (
            "bad-time",
            "column at: the time of row 0 is 9223372036854775807 us, outside the years 1 to 9999",
        ),
        ("bad-columns", "3 columns, declared are 4"),
        (
            "bad-input",
            "column n: it names input column 9, the call had 3",
        ),
        (
            "bad-input-type",
            "column n: it names input column t of type text?, the declared type is integer",
        ),
        (
            "bad-origins-range",
            "origin 1 is out of range: the call had 1 rows",
        ),
        ("bad-times-length", "times has 0 entries, expected 1"),
        ("bad-changes", "the change of row 0 is 4, expected 0 to 3"),
        (
            "bad-failed-and-emitted",
            "row 0 is emitted although it failed",
        ),
    ];
    for (how, expected) in cases {
        let failed = only_row_13(&mut transform(how));
        assert_eq!(failed.reason, Reason::Returned, "{how}");
        let message = format!("apply returned a malformed outcome: main output: {expected}");
        assert_eq!(failed.message, message, "{how}");
    }
}

#[test]
fn wrong_returns_beside_the_main_output_are_named() {
    let cases = [
        ("bad-target", "target 5: declared are 1 sides"),
        (
            "bad-same-twice",
            "side output odd: origin 0 stands twice, but the output is \"same\"",
        ),
        (
            "bad-failure-row",
            "failure: row 1000000 is out of range: the call had 1",
        ),
        ("bad-severity", "failure: severity 9, expected 0 to 2"),
        (
            "bad-rows",
            "it emits 1048577 rows in one call (limit returned-rows: 1048576)",
        ),
    ];
    for (how, expected) in cases {
        let failed = only_row_13(&mut transform(how));
        assert_eq!(failed.reason, Reason::Returned, "{how}");
        assert_eq!(
            failed.message,
            format!("apply returned a malformed outcome: {expected}")
        );
    }
}

/// These need two rows in a call to be wrong at all, so halving ends with nobody to blame.
#[test]
fn what_is_wrong_between_rows_blames_nobody() {
    for how in ["offsets-descend", "utf8-cut", "origins-descend"] {
        let mut function = transform(how);
        let outcome = function.apply(&Rows::hostile([1, 2]).rows_in()).unwrap();
        let stopped = function.take_notes().stopped;
        match how {
            // Swapping the only two offsets is wrong for a row alone too.
            "offsets-descend" => assert_eq!(outcome.failed.len(), 2, "{how}"),
            "utf8-cut" => assert!(stopped >= 1, "{how}"),
            _ => assert_eq!((outcome.failed.len(), stopped), (0, 1), "{how}"),
        }
    }
}

#[test]
fn a_panic_is_reported_with_its_message_and_backtrace() {
    let failed = only_row_13(&mut transform("trap"));
    assert_eq!(failed.reason, Reason::Panic);
    assert!(
        failed
            .message
            .starts_with("panicked at plain/src/hostile.rs:"),
        "{}",
        failed.message
    );
    assert!(
        failed.message.ends_with("row 13 is not to be had"),
        "{}",
        failed.message
    );
    let backtrace = failed.backtrace.unwrap();
    assert!(
        backtrace.contains("plain_guest::hostile::apply"),
        "{backtrace}"
    );
    assert!(!backtrace.contains("_ZN"), "{backtrace}");
    assert_eq!(failed.log.len(), 1);
}

#[test]
fn a_trap_without_a_message_is_named() {
    let failed = only_row_13(&mut transform("unreachable"));
    assert_eq!(failed.reason, Reason::Trap);
    assert_eq!(
        failed.message,
        "it trapped: wasm trap: wasm `unreachable` instruction executed"
    );
}

#[test]
fn a_trap_on_every_row_fails_every_row() {
    let rows = Rows::hostile(0..ROWS);
    let outcome = transform("trap-all").apply(&rows.rows_in()).unwrap();
    assert_eq!(outcome.failed.len(), ROWS as usize);
    assert!(
        outcome
            .failed
            .iter()
            .enumerate()
            .all(|(at, f)| f.row == at as u32)
    );
    assert!(outcome.emitted.is_empty());
}

#[test]
fn one_trapping_row_costs_few_calls() {
    for rows in [1usize, 2, 64, 1000, 1024] {
        for bad in [0, rows / 2, rows - 1] {
            let mut n = vec![1; rows];
            n[bad] = 13;
            let mut function = transform("trap");
            let outcome = function.apply(&Rows::hostile(n).rows_in()).unwrap();
            assert_eq!(outcome.failed.len(), 1);
            assert_eq!(outcome.failed[0].row as usize, bad);
            let notes = function.take_notes();
            let levels = ((rows as f64).log2() / 4.0).ceil() as u64;
            let text = format!("{notes:?} for row {bad} of {rows}");
            assert!(notes.stopped <= levels + 2, "{text}");
            // One more for the first rows, which go alone as long as nothing is known of the function.
            assert!(notes.calls <= 16 * levels + levels + 3, "{text}");
        }
    }
}

#[test]
fn a_row_alone_is_judged_on_a_fresh_instance() {
    let mut function = transform("trap");
    function.apply(&Rows::hostile([1]).rows_in()).unwrap();
    function.take_notes();
    let outcome = function.apply(&Rows::hostile([13]).rows_in()).unwrap();
    assert_eq!(outcome.failed.len(), 1);
    let notes = function.take_notes();
    assert_eq!(
        (notes.calls, notes.instances),
        (2, 1),
        "once as it came, once fresh"
    );
}

#[test]
fn an_endless_loop_meets_the_deadline() {
    let limits = Limits {
        deadline: std::time::Duration::from_millis(100),
        ..Limits::default()
    };
    let failed = only_row_13(&mut transform_with("loop", limits));
    assert_eq!(failed.reason, Reason::Deadline);
    assert_eq!(
        failed.message,
        "the call took longer than the limit deadline (100ms of CPU time)"
    );
    assert!(
        failed
            .backtrace
            .unwrap()
            .starts_with("plain_guest::hostile::endless")
    );
}

/// The whole search, cut calls and new instances included. In CPU time, so that a busy machine changes nothing.
#[test]
fn a_loop_costs_little_beyond_its_deadline() {
    let deadline = std::time::Duration::from_millis(100);
    let limits = Limits {
        deadline,
        ..Limits::default()
    };
    for known in [false, true] {
        for bad in [0, 15, 16, 1000, 2047] {
            let mut function = transform_with("loop", limits.clone());
            if known {
                (0..8).for_each(|_| drop(function.apply(&Rows::hostile(vec![1; 2048]).rows_in())));
            }
            let mut n = vec![1; 2048];
            n[bad] = 13;
            let before = thread_cpu_ms();
            let outcome = function.apply(&Rows::hostile(n).rows_in()).unwrap();
            let beyond = thread_cpu_ms() - before - 100.0;
            assert_eq!(outcome.failed[0].row as usize, bad);
            assert!(
                beyond < 50.0,
                "row {bad}, known: {known}: {beyond} ms beyond the deadline"
            );
        }
    }
}

fn thread_cpu_ms() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

#[test]
fn endless_recursion_meets_the_stack() {
    let failed = only_row_13(&mut transform("recurse-deep"));
    assert_eq!(failed.reason, Reason::Stack);
    assert_eq!(
        failed.message,
        "its calls go deeper than the limit stack (512KiB)"
    );
    let failed = only_row_13(&mut transform("recurse"));
    assert_eq!(failed.reason, Reason::Stack);
    assert!(
        failed
            .message
            .starts_with("its calls need more than its own stack in linear memory")
    );
}

#[test]
fn a_memory_bomb_meets_the_limit() {
    let failed = only_row_13(&mut transform("memory"));
    assert_eq!(failed.reason, Reason::Memory);
    assert!(
        failed
            .message
            .starts_with("it needs more memory than the limit memory (64MiB): it asked"),
        "{}",
        failed.message
    );
}

#[test]
fn a_huge_output_meets_the_limit() {
    let failed = only_row_13(&mut transform_with(
        "bad-huge",
        Limits {
            memory_bytes: 512 << 20,
            ..Limits::default()
        },
    ));
    assert_eq!(failed.reason, Reason::Returned);
    assert_eq!(
        failed.message,
        "it hands over more than the limit returned (64MiB)"
    );
}

#[test]
fn what_only_a_large_call_does_blames_nobody_and_shrinks_calls() {
    for how in ["memory-batch", "slow-batch"] {
        let limits = Limits {
            deadline: std::time::Duration::from_millis(50),
            ..Limits::default()
        };
        let mut function = transform_with(how, limits);
        let rows = Rows::hostile((0..ROWS).map(|n| n + 100));
        let outcome = function.apply(&rows.rows_in()).unwrap();
        assert!(outcome.failed.is_empty(), "{how}: {:?}", outcome.failed);
        assert_eq!(outcome.emitted[0].origins.len(), ROWS as usize);
        assert!(function.take_notes().stopped > 0, "{how}");
        function.apply(&rows.rows_in()).unwrap();
        assert_eq!(
            function.take_notes().stopped,
            0,
            "{how}: the next calls are small enough"
        );
    }
}

#[test]
fn a_leaking_instance_is_recycled_before_it_fails() {
    let mut function = transform("leak");
    for _ in 0..100 {
        let outcome = function.apply(&Rows::hostile([1]).rows_in()).unwrap();
        assert!(outcome.failed.is_empty());
    }
    let notes = function.take_notes();
    assert!(notes.instances > 5 && notes.instances < 50, "{notes:?}");
    assert_eq!(notes.stopped, 0);
}

#[test]
fn a_failure_by_value_keeps_its_words() {
    let failed = &transform("fail")
        .apply(&Rows::hostile([1, 13]).rows_in())
        .unwrap()
        .failed;
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].row, failed[0].reason), (1, Reason::Invalid));
    assert_eq!(
        (failed[0].code.as_str(), failed[0].message.as_str()),
        ("thirteen", "row has 13")
    );
}

#[test]
fn a_refused_call_is_an_error() {
    let error = transform("refuse")
        .apply(&Rows::hostile([1]).rows_in())
        .unwrap_err();
    assert!(matches!(error, CallError::Refused { .. }));
    let text = "function hostile: the module cannot serve apply: not today";
    assert_eq!(error.to_string(), text);
}

#[test]
fn the_log_of_a_call_is_limited() {
    let mut function = transform("log");
    function.apply(&Rows::hostile([1]).rows_in()).unwrap();
    let log = function.take_log();
    assert_eq!(log[0].text, "line 0");
    let last = &log.last().unwrap().text;
    assert!(
        last.ends_with("more lines were dropped: limit log-bytes"),
        "{last}"
    );
    assert!(log.iter().map(|line| line.text.len()).sum::<usize>() < 80 * 1024);
    assert!(function.take_log().is_empty());
}

#[test]
fn rows_come_back_as_they_went() {
    let rows = Rows::hostile(0..ROWS);
    let outcome = transform("well").apply(&rows.rows_in()).unwrap();
    let Produced::Made(texts) = &outcome.emitted[0].columns[1] else {
        panic!("made")
    };
    let Produced::Made(flags) = &outcome.emitted[0].columns[2] else {
        panic!("made")
    };
    assert_eq!(texts.as_ref(), rows.columns[1].as_ref());
    assert_eq!(flags.as_ref(), rows.columns[2].as_ref());
}

#[test]
fn a_refused_config_stops_the_start() {
    let module = plain();
    let error = module
        .transform(settings(&module, "hostile", "refuse-config"))
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(
        text.ends_with("function hostile: it refuses its config: how must not be refuse-config")
    );
    let error = module
        .transform(settings(&module, "hostile", "trap-config"))
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("configure of function hostile: panicked at"),
        "{error}"
    );
}

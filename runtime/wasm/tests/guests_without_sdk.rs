//! The guests of `wit/guests`, which are written against the bare interface in C and in Python, in the real host.
//!
//! They are built here by `make -C wit/guests`. Where a tool is missing, that says which package has it, and the tests
//! fail.

mod shown;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tidemill_rows::arrow_array::{ArrayRef, Float64Array};
use tidemill_wasm::{
    Aggregate, Column, Firing, Firings, Held, KeysIn, Limits, Module, ModuleError, Processed,
    Reason, RowsIn, Settings, Table, TimersIn, Transform, Values,
};

/// Builds the guests, once in this process, and gives the file of one.
fn guest(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(name)
}

fn build() -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests_without_sdk");
    std::fs::create_dir_all(&out).expect("the folder of guests");
    let lock = File::create(out.join("lock")).expect("the lock of the folder");
    lock.lock()
        .expect("the lock: two runs of this test may meet");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/guests");
    // This test may itself run under `make`, whose flags and variables are none of this one's.
    let made = Command::new("make")
        .arg("--directory")
        .arg(folder)
        .arg(format!("OUT={}", out.display()))
        .env_remove("MAKEFLAGS")
        .env_remove("MAKEOVERRIDES")
        .output()
        .expect("make, of the Debian package make");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "the guests cannot be built:\n{said}");
    out
}

/// A guest, loaded once in this process: compiling the Python interpreter takes a while.
fn module(name: &str) -> Module {
    static LOADED: Mutex<BTreeMap<String, Module>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let load = || {
        shown::host()
            .load(&guest(name), &Limits::default())
            .expect(name)
    };
    loaded.entry(name.to_owned()).or_insert_with(load).clone()
}

fn settings(module: &Module, name: &str, config: &str) -> Settings {
    let (function, _) = module.description().function(name).expect(name);
    let (config, operator) = (config.to_owned(), name.to_owned());
    Settings {
        function,
        config,
        limits: Limits::default(),
        operator,
    }
}

fn large(file: &str) -> Transform {
    let module = module(file);
    let config = "{\"at_least\":100.0}";
    module
        .transform(settings(&module, "large", config))
        .expect("large")
}

fn velocity(file: &str) -> Aggregate {
    let module = module(file);
    let config = "{\"limit\":100.0}";
    module
        .aggregate(settings(&module, "velocity", config))
        .expect("velocity")
}

const TIMES: [i64; 8] = [0; 8];

fn amounts(amounts: &[f64]) -> [ArrayRef; 1] {
    [Arc::new(Float64Array::from(amounts.to_vec()))]
}

fn rows(columns: &[ArrayRef; 1]) -> RowsIn<'_> {
    let len = columns[0].len();
    RowsIn {
        len,
        times: &TIMES[..len],
        stamps: None,
        changes: None,
        columns,
    }
}

fn applied(function: &mut Transform, amounts: &[f64]) -> Vec<String> {
    let columns = self::amounts(amounts);
    shown::outcome(&function.apply(&rows(&columns)).expect("the call is served"))
}

#[test]
fn large_in_c_filters_and_fails_rows_by_value() {
    let mut large = large("large.wasm");
    let expected = [
        "0 from 1: ",
        "0 from 3: ",
        "failed 2 invalid negative-amount: a payment below zero",
    ];
    assert_eq!(applied(&mut large, &[99.5, 100.0, -1.0, 250.0]), expected);
    assert!(applied(&mut large, &[1.0]).is_empty());
    assert!(applied(&mut large, &[]).is_empty());
}

#[test]
fn large_in_python_extends_and_fails_rows_by_value() {
    let mut large = large("payments.wasm");
    let expected = [
        "0 from 1: 10000",
        "0 from 3: 25025",
        "failed 2 invalid negative-amount: a payment of -1.0",
    ];
    assert_eq!(applied(&mut large, &[99.5, 100.0, -1.0, 250.25]), expected);
    assert!(applied(&mut large, &[1.0]).is_empty());
    assert!(applied(&mut large, &[]).is_empty());
}

#[test]
fn a_trap_in_c_fails_its_row_alone() {
    let mut large = large("large.wasm");
    let columns = amounts(&[200.0, f64::NAN, -1.0, 300.0]);
    let outcome = large.apply(&rows(&columns)).expect("the call is served");
    let origins: Vec<u32> = outcome
        .emitted
        .iter()
        .flat_map(|e| e.origins.clone())
        .collect();
    assert_eq!(origins, [0, 3]);
    let [trapped, negative] = outcome.failed.as_slice() else {
        panic!("{:?}", outcome.failed)
    };
    assert_eq!(
        (trapped.row, trapped.reason),
        (1, Reason::Panic),
        "{trapped:?}"
    );
    assert!(
        trapped.message.contains("an amount that is not a number"),
        "{}",
        trapped.message
    );
    let backtrace = trapped.backtrace.as_deref().expect("a backtrace");
    assert!(backtrace.contains("die"), "{backtrace}");
    assert_eq!((negative.row, negative.reason), (2, Reason::Invalid));
}

#[test]
fn an_exception_in_python_fails_its_row_alone() {
    let mut large = large("payments.wasm");
    let columns = amounts(&[200.0, f64::INFINITY, 300.0]);
    let outcome = large.apply(&rows(&columns)).expect("the call is served");
    let origins: Vec<u32> = outcome
        .emitted
        .iter()
        .flat_map(|e| e.origins.clone())
        .collect();
    assert_eq!(origins, [0, 2]);
    let [trapped] = outcome.failed.as_slice() else {
        panic!("{:?}", outcome.failed)
    };
    assert_eq!(
        (trapped.row, trapped.reason),
        (1, Reason::Trap),
        "{trapped:?}"
    );
    let logged = trapped
        .log
        .iter()
        .any(|line| line.text.contains("OverflowError"));
    assert!(logged, "the traceback is in the log: {:?}", trapped.log);
}

#[test]
fn a_configuration_is_refused_in_python() {
    let module = module("payments.wasm");
    match module.transform(settings(&module, "large", "{\"at_least\":-1.0}")) {
        Err(ModuleError::Config { message, .. }) => {
            assert_eq!(message, "an amount below zero makes no sense here");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was accepted"),
    }
}

/// Totals and payments of a table of accumulators.
fn spent(table: &Table) -> Vec<(f64, i64)> {
    let [totals, payments] = table.columns.as_slice() else {
        panic!("two columns: {table:?}")
    };
    let (Values::Floats(totals), Values::Words(payments)) = (&totals.values, &payments.values)
    else {
        panic!("a float and an integer: {table:?}")
    };
    totals
        .iter()
        .copied()
        .zip(payments.iter().copied())
        .collect()
}

/// Several accumulators of no rows.
fn empty(aggregate: &mut Aggregate, rows: usize) -> Table {
    let one = aggregate.create().expect("the accumulator of no rows");
    assert_eq!(spent(&one), [(0.0, 0)]);
    one.gather(&vec![0; rows])
}

const FILES: [&str; 2] = ["velocity.wasm", "payments.wasm"];

#[test]
fn velocity_accumulates_and_shows_what_is_marked() {
    for file in FILES {
        let mut velocity = velocity(file);
        let start = empty(&mut velocity, 2);
        let columns = amounts(&[1.0, 10.0, 2.0, 20.0, 4.0]);
        let done = velocity
            .accumulate(
                &rows(&columns),
                &[0, 1, 0, 1, 0],
                &start,
                &[0, 2, 3],
                &[0, 1],
            )
            .expect(file);
        assert_eq!(spent(&done.accs), [(7.0, 3), (30.0, 2)], "{file}");
        assert_eq!(
            spent(&done.marked),
            [(1.0, 1), (3.0, 2), (30.0, 2)],
            "{file}"
        );
        assert!(done.failed.is_empty(), "{file}: {:?}", done.failed);

        let more = velocity.accumulate(&rows(&amounts(&[0.5])), &[0], &done.accs, &[], &[0, 1]);
        let more = more.expect(file);
        assert_eq!(spent(&more.accs), [(7.5, 4), (30.0, 2)], "{file}");
        assert!(spent(&more.marked).is_empty(), "{file}");
    }
}

#[test]
fn velocity_merges_in_order() {
    for file in FILES {
        let mut velocity = velocity(file);
        let start = empty(&mut velocity, 2);
        let columns = amounts(&[1.0, 10.0]);
        let accs = velocity
            .accumulate(&rows(&columns), &[0, 1], &start, &[], &[0, 1])
            .expect(file)
            .accs;
        let merged = velocity.merge(&accs, &accs, &[1, 1]).expect(file);
        assert_eq!(spent(&merged.accs), [(1.0, 1), (21.0, 3)], "{file}");
        assert!(spent(&merged.marked).is_empty(), "{file}");
    }
}

#[test]
fn velocity_says_what_is_above_the_limit() {
    let firing = Firing {
        start: 0,
        end: 1,
        moment: 1,
        number: 1,
        last: true,
    };
    for file in FILES {
        let mut velocity = velocity(file);
        let start = empty(&mut velocity, 3);
        let columns = amounts(&[150.0, 100.0, 60.0, 60.0]);
        let accs = velocity
            .accumulate(&rows(&columns), &[0, 1, 2, 2], &start, &[], &[0, 1, 2])
            .expect(file)
            .accs;
        let outcome = velocity
            .finish(&[], &Firings::from_iter([firing; 3]), &accs)
            .expect(file);
        let expected = ["0 from 0: 150.0 1", "0 from 2: 120.0 2"];
        assert_eq!(shown::outcome(&outcome), expected, "{file}");
    }
}

#[test]
fn velocity_in_python_fails_rows_by_value_and_leaves_no_trace() {
    let mut velocity = velocity("payments.wasm");
    let start = empty(&mut velocity, 2);
    let columns = amounts(&[1.0, -5.0, 10.0]);
    let done = velocity
        .accumulate(&rows(&columns), &[0, 0, 1], &start, &[], &[0, 1])
        .expect("the call is served");
    let failed: Vec<String> = done.failed.iter().map(shown::failed).collect();
    assert_eq!(
        failed,
        ["failed 1 invalid negative-amount: a payment of -5.0"]
    );
    assert!(done.clean);
    assert_eq!(spent(&done.accs), [(1.0, 1), (10.0, 1)]);
}

#[test]
fn median_in_python_sees_all_rows_of_each_window() {
    let module = module("payments.wasm");
    let mut median = module
        .window(settings(&module, "median", "{}"))
        .expect("median");
    let columns = amounts(&[3.0, 1.0, 2.0, 10.0, 8.0, 7.0]);
    let firing = Firing {
        start: 0,
        end: 1,
        moment: 1,
        number: 1,
        last: true,
    };
    let firings = Firings::from_iter([firing; 3]);
    let offsets = [0, 3, 4, 6];
    let outcome = median
        .apply(&[], &firings, &rows(&columns), &offsets)
        .expect("the call is served");
    let expected = ["0 from 0: 2.0", "0 from 1: 10.0", "0 from 2: 8.0"];
    assert_eq!(shown::outcome(&outcome), expected);
    // No median of nothing: an exception that nobody catches fails its firing alone.
    let outcome = median
        .apply(&[], &firings, &rows(&columns), &[0, 3, 3, 6])
        .expect("the call is served");
    assert_eq!(outcome.emitted[0].origins, [0, 2]);
    assert!(
        outcome.failed[0]
            .log
            .iter()
            .any(|line| line.text.contains("IndexError"))
    );
}

#[test]
fn settled_in_python_moves_time_where_rows_say_so() {
    let module = module("payments.wasm");
    let mut settled = module
        .watermark(settings(&module, "settled", "{}"))
        .expect("settled");
    let state = settled.create().expect("a state");
    let columns = amounts(&[3.0, 0.0, -1.0, 0.0]);
    let given = RowsIn {
        times: &[10, 20, 30, 40],
        ..rows(&columns)
    };
    let done = settled.observe(&given, &state).expect("the call is served");
    assert_eq!(done.watermarks, [i64::MIN, 20, i64::MIN, 40]);
    let failed: Vec<String> = done.failed.iter().map(shown::failed).collect();
    assert_eq!(
        failed,
        ["failed 2 invalid negative-amount: a payment of -1.0"]
    );
    let Values::Words(settlements) = &done.state.columns[0].values else {
        panic!("words")
    };
    assert_eq!(settlements, &[2]);
}

/// Totals of two keys: what is held for them, if anything.
fn held(totals: [Option<f64>; 2]) -> Held {
    let there: Vec<f64> = totals.iter().flatten().copied().collect();
    Held {
        present: totals
            .iter()
            .map(|total| u8::from(total.is_some()))
            .collect(),
        entries: Table {
            rows: there.len() as u32,
            columns: vec![Column {
                values: Values::Floats(there),
                valid: None,
            }],
        },
    }
}

fn totals(processed: &Processed) -> (&[u8], &[f64]) {
    let kept = &processed.values[0];
    let Values::Floats(totals) = &kept.entries.columns[0].values else {
        panic!("floats")
    };
    (&kept.changes, totals)
}

#[test]
fn running_in_python_keeps_state_and_sets_timers() {
    const HOUR: i64 = 3_600_000_000;
    let module = module("payments.wasm");
    let mut running = module
        .process(settings(&module, "running", "{}"))
        .expect("running");
    let columns = amounts(&[3.0, 5.0, -1.0, 0.5]);
    let given = RowsIn {
        times: &[10, 20, 30, 40],
        ..rows(&columns)
    };
    let keys = |values| KeysIn {
        count: 2,
        columns: &[],
        values,
    };
    let values = [held([None, Some(100.0)])];
    let done = running.on_rows(&given, &[0, 1, 1, 1], &keys(&values));
    let done = done.expect("the call is served");
    assert_eq!(totals(&done), (&[1, 1][..], &[3.0, 105.5][..]));
    assert_eq!(done.emitted[0].origins, [0, 1, 3]);
    let failed: Vec<String> = done.failed.iter().map(shown::failed).collect();
    assert_eq!(
        failed,
        ["failed 2 invalid negative-amount: a payment of -1.0"]
    );
    assert_eq!(done.timers.rows, [0, 0, 1, 1, 3, 3]);
    assert_eq!(done.timers.changes, [2, 0, 2, 0, 2, 0]);
    assert_eq!(
        done.timers.times,
        [0, 10 + HOUR, 0, 20 + HOUR, 0, 40 + HOUR]
    );
    let due = TimersIn {
        names: &[0, 0],
        times: &[10 + HOUR, 40 + HOUR],
        ended: false,
    };
    let values = [held([None, Some(105.5)])];
    let done = running
        .on_timers(due, &keys(&values))
        .expect("the call is served");
    assert_eq!(totals(&done), (&[0, 2][..], &[][..]));
    assert_eq!(done.emitted[0].origins, [1]);
}

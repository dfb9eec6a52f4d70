//! Modules that were compiled long ago still run: everything of the interfaces `aggregate` and `window`, in modules that are
//! kept as they were compiled (`wit/README.md`, "Fixtures").
//!
//! Each is there twice, from Rust and from C, and both do the same, which `describe.json` beside their sources says.

mod shown;

use std::path::Path;
use std::sync::Arc;

use tidemill_rows::arrow_array::{ArrayRef, Int64Array, StringArray};
use tidemill_rows::json;
use tidemill_wasm::{
    Accumulated, Aggregate, CallError, Firing, Firings, Kind, Limits, Module, Outcome, Reason,
    RowsIn, Settings, Table, Window, table_to_arrow,
};

const AGGREGATES: [&str; 2] = ["rust-aggregate", "c-aggregate"];
const WINDOWS: [&str; 2] = ["rust-window", "c-window"];
const NEVER: i64 = i64::MIN;

fn module(name: &str) -> Module {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../wit/fixtures/0.1.0"
    ));
    shown::host()
        .load(
            &folder.join(name).with_extension("wasm"),
            &Limits::default(),
        )
        .expect(name)
}

fn settings(function: usize) -> Settings {
    Settings {
        function,
        config: "{}".to_owned(),
        limits: Limits::default(),
        operator: "fixture".to_owned(),
    }
}

/// Every aggregate, with what makes lines of its accumulators.
fn each_aggregate(check: impl Fn(&str, &mut Aggregate, &dyn Fn(&Table) -> Vec<String>)) {
    for name in AGGREGATES {
        let module = module(name);
        let fields = &module.description().functions[0].accumulator;
        let lines = |table: &Table| -> Vec<String> {
            let columns = table_to_arrow(table, fields).expect(name);
            let value = |row: usize| move |column: &ArrayRef| json::value(column, row);
            (0..table.rows as usize)
                .map(|row| columns.iter().map(value(row)).collect::<Vec<_>>().join(" "))
                .collect()
        };
        check(
            name,
            &mut module.aggregate(settings(0)).expect(name),
            &lines,
        );
    }
}

fn each_window(check: impl Fn(&str, &mut Window)) {
    for name in WINDOWS {
        check(name, &mut module(name).window(settings(0)).expect(name));
    }
}

/// Rows of `n` and `t`, a second apart from one second on, stamped with nothing before them.
struct Rows {
    columns: [ArrayRef; 2],
    times: Vec<i64>,
    stamps: Vec<i64>,
}

impl Rows {
    fn of(rows: &[(i64, Option<&str>)]) -> Self {
        let numbers: Int64Array = rows.iter().map(|row| Some(row.0)).collect();
        let texts: StringArray = rows.iter().map(|row| row.1).collect();
        Self {
            columns: [Arc::new(numbers), Arc::new(texts)],
            times: (1..=rows.len() as i64).map(|at| at * 1_000_000).collect(),
            stamps: vec![NEVER; rows.len()],
        }
    }

    fn numbers(numbers: &[i64]) -> Self {
        Self::of(&numbers.iter().map(|&n| (n, None)).collect::<Vec<_>>())
    }

    fn given(&self) -> RowsIn<'_> {
        RowsIn {
            len: self.times.len(),
            times: &self.times,
            stamps: Some(&self.stamps),
            changes: None,
            columns: &self.columns,
        }
    }
}

/// Adds rows to one group of no rows.
fn fold(fold: &mut Aggregate, numbers: &[i64]) -> Accumulated {
    let empty = fold.create().expect("an accumulator");
    let rows = Rows::numbers(numbers);
    let groups = vec![0; numbers.len()];
    fold.accumulate(&rows.given(), &groups, &empty, &[], &[0])
        .expect("the call is served")
}

fn keys(keys: &[(&str, Option<i64>)]) -> [ArrayRef; 2] {
    let texts: StringArray = keys.iter().map(|key| Some(key.0)).collect();
    let numbers: Int64Array = keys.iter().map(|key| key.1).collect();
    [Arc::new(texts), Arc::new(numbers)]
}

/// An early firing, one on time, a correction that is the last, and one of a window without bounds.
fn firings() -> Firings {
    let firing = |start, end, moment, number, last| Firing {
        start,
        end,
        moment,
        number,
        last,
    };
    [
        firing(-10, 10, 0, 1, false),
        firing(0, 20, 1, 2, false),
        firing(10, 30, 2, 4_000_000_000, true),
        firing(i64::MIN, i64::MAX, 1, 1, true),
    ]
    .into_iter()
    .collect()
}

fn failures(outcome: &[tidemill_wasm::Failed]) -> Vec<String> {
    outcome.iter().map(shown::failed).collect()
}

const SEVERITIES: [&str; 3] = [
    "failed 0 invalid bad-input: severity 0",
    "failed 1 fatal broken: severity 1",
    "failed 2 retry not-now: severity 2",
];

fn is_the_hard_one(failed: &[tidemill_wasm::Failed], row: u32, name: &str) {
    let [failed] = failed else {
        panic!("{name}: {failed:?}")
    };
    assert_eq!((failed.row, failed.reason), (row, Reason::Panic), "{name}");
    assert!(
        failed.message.contains("13 is too hard"),
        "{name}: {failed:?}"
    );
}

fn refused<T: std::fmt::Debug>(result: Result<T, CallError>, name: &str) {
    match result {
        Err(CallError::Refused { message, .. }) => assert_eq!(message, "14 is refused", "{name}"),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn they_describe_themselves() {
    for (names, kind) in [(AGGREGATES, Kind::Aggregate), (WINDOWS, Kind::Window)] {
        for name in names {
            let module = module(name);
            let [function] = &module.description().functions[..] else {
                panic!("{name}")
            };
            assert_eq!(function.kind, kind, "{name}");
            assert_eq!((function.key.len(), function.sides.len()), (2, 1), "{name}");
            assert!(function.stamps && function.changes, "{name}");
            let columns = if kind == Kind::Aggregate { 12 } else { 0 };
            assert_eq!(function.accumulator.len(), columns, "{name}");
        }
    }
}

#[test]
fn accumulators_hold_every_type_and_marks_show_them_after_their_rows() {
    let first = "false 0 0.0 \"\" \"\" \"1970-01-01T00:00:00Z\" null null null null null null";
    let after_0 =
        "true 1 0.5 \"1,\" \"AQ==\" \"1970-01-01T00:00:01Z\" null null null null null null";
    let after_1 = "false 2003 1001.5 \"1,2,\" \"AQI=\" \"1970-01-01T00:00:02Z\" \
                   false 2003 1001.5 \"1,2,é\" \"AQI=\" \"1970-01-01T00:00:02Z\"";
    let after_2 = "true 3003 1501.5 \"3,\" \"Aw==\" \"1970-01-01T00:00:07Z\" \
                   true 3003 1501.5 \"3,\" \"Aw==\" \"1970-01-01T00:00:07Z\"";
    let after_3 = "true -2 -1.0 \"1,2,-2005,\" \"AQIr\" \"1970-01-01T00:00:04Z\" \
                   false 2003 1001.5 \"1,2,é\" \"AQI=\" \"1970-01-01T00:00:02Z\"";
    each_aggregate(|name, fold, lines| {
        let empty = fold.create().expect(name);
        assert_eq!(lines(&empty), [first], "{name}");
        let mut rows = Rows::of(&[(1, None), (2, Some("é")), (3, Some("")), (-2005, None)]);
        rows.stamps[2] = 7_000_000;
        let given = RowsIn {
            changes: Some(&[0, 2, 3, 0]),
            ..rows.given()
        };
        let accs = empty.gather(&[0, 0]);
        let done = fold
            .accumulate(&given, &[0, 0, 1, 0], &accs, &[0, 1, 2], &[0, 1])
            .expect(name);
        assert_eq!(lines(&done.accs), [after_3, after_2], "{name}");
        assert_eq!(lines(&done.marked), [after_0, after_1, after_2], "{name}");
        assert!(done.clean && done.failed.is_empty(), "{name}");
    });
}

#[test]
fn rows_fail_with_and_without_a_trace() {
    each_aggregate(|name, fold, lines| {
        let done = self::fold(fold, &[-1, -2, -3, 5]);
        assert_eq!(failures(&done.failed), SEVERITIES, "{name}");
        assert!(done.clean, "{name}");
        assert!(lines(&done.accs)[0].starts_with("true 5 2.5"), "{name}");
        let done = self::fold(fold, &[5, -4, 6]);
        assert_eq!(
            failures(&done.failed),
            ["failed 1 invalid too-late: severity 3"],
            "{name}"
        );
        assert!(!done.clean, "{name}: the failed row left a trace");
        let done = self::fold(fold, &[5, 13, 6]);
        is_the_hard_one(&done.failed, 1, name);
        let empty = fold.create().expect(name);
        let rows = Rows::numbers(&[1, 14]);
        refused(
            fold.accumulate(&rows.given(), &[0, 0], &empty, &[], &[0]),
            name,
        );
    });
}

#[test]
fn accumulators_merge_in_order() {
    each_aggregate(|name, fold, lines| {
        let empty = fold.create().expect(name);
        let mut one = |rows: &[(i64, Option<&str>)]| {
            let rows = Rows::of(rows);
            let groups = vec![0; rows.times.len()];
            let done = fold.accumulate(&rows.given(), &groups, &empty, &[], &[0]);
            done.expect(name).accs
        };
        let others = [
            one(&[(1, Some("a"))]),
            one(&[(2, Some("b"))]),
            one(&[(3, None)]),
            one(&[(-14, None)]),
        ];
        let others = Table::concat(&others.iter().collect::<Vec<_>>());
        let into = empty.gather(&[0, 0]);
        let done = fold.merge(&into, &others, &[0, 0, 0, 1]).expect(name);
        let expected = [
            "true 6 3.0 \"1,2,3,\" \"AQID\" \"1970-01-01T00:00:01Z\" \
             true 2 1.0 \"2,b\" \"Ag==\" \"1970-01-01T00:00:01Z\"",
            "true -14 -7.0 \"-14,\" \"8g==\" \"1970-01-01T00:00:01Z\" null null null null null null",
        ];
        assert_eq!(lines(&done.accs), expected, "{name}");
        assert_eq!(done.marked.rows, 0, "{name}");
    });
}

#[test]
fn a_merge_fails_for_one_accumulator() {
    each_aggregate(|name, fold, _| {
        // Sums of -1, 13 and 14, made of rows that ask for nothing.
        let sums = [[20, -21], [20, -7], [20, -6]].map(|rows| self::fold(fold, &rows).accs);
        let [bad, hard, refusing] = &sums;
        let good = self::fold(fold, &[7]).accs;
        let into = fold.create().expect(name);
        let others = Table::concat(&[&good, bad, &good]);
        let done = fold.merge(&into, &others, &[0, 0, 0]).expect(name);
        assert_eq!(
            failures(&done.failed),
            ["failed 1 invalid bad-input: severity 0"],
            "{name}"
        );
        let others = Table::concat(&[&good, hard]);
        let done = fold
            .merge(&into.gather(&[0, 0]), &others, &[0, 1])
            .expect(name);
        is_the_hard_one(&done.failed, 1, name);
        refused(fold.merge(&into, refusing, &[0]), name);
    });
}

#[test]
fn finish_is_told_of_firings_and_keys() {
    let expected = [
        "0 from 0: input(0) input(1) \"-10..10 early 1\" 5 null",
        "0 from 1: input(0) input(1) \"0..20 on-time 2\" 100 null",
        "0 from 3: input(0) input(1) \"begin..end on-time 1 last\" 250 \"1970-01-01T00:00:01Z\"",
        "1 from 1: 100",
        "1 from 3: 250",
        "failed 2 invalid bad-input: severity 0",
    ];
    each_aggregate(|name, fold, _| {
        let [five, hundred, bad] = [&[5][..], &[100], &[20, -21]].map(|n| self::fold(fold, n).accs);
        let empty = fold.create().expect(name);
        let rows = Rows::of(&[(250, Some("x"))]);
        let large = fold.accumulate(&rows.given(), &[0], &empty, &[], &[0]);
        let large = large.expect(name).accs;
        let accs = Table::concat(&[&five, &hundred, &bad, &large]);
        let keys = keys(&[("a", Some(1)), ("b", None), ("c", Some(3)), ("d", None)]);
        let outcome = fold.finish(&keys, &firings(), &accs).expect(name);
        assert_eq!(shown::outcome(&outcome), expected, "{name}");
    });
}

#[test]
fn finish_fails_for_one_firing() {
    each_aggregate(|name, fold, _| {
        let [good, hard, refusing] =
            [&[5][..], &[20, -7], &[20, -6]].map(|n| self::fold(fold, n).accs);
        let two = || firings_named(&[0, 1]);
        let keys = keys(&[("a", None), ("b", None)]);
        let accs = Table::concat(&[&good, &hard]);
        let outcome = fold.finish(&keys, &two(), &accs).expect(name);
        is_the_hard_one(&outcome.failed, 1, name);
        assert_eq!(outcome.emitted[0].origins, [0], "{name}");
        let accs = Table::concat(&[&good, &refusing]);
        refused(fold.finish(&keys, &two(), &accs), name);
        let logged = self::fold(fold, &[15]);
        assert!(logged.failed.is_empty(), "{name}");
        let log = fold.take_log();
        assert_eq!(
            log.last().map(|line| line.text.as_str()),
            Some("15 is logged"),
            "{name}"
        );
    });
}

fn firings_named(named: &[usize]) -> Firings {
    let all = firings();
    let firing = |&at: &usize| Firing {
        start: all.starts[at],
        end: all.ends[at],
        moment: all.moments[at],
        number: all.numbers[at],
        last: all.last[at] != 0,
    };
    named.iter().map(firing).collect()
}

/// Windows of these numbers, a key each.
fn apply(window: &mut Window, windows: &[&[i64]]) -> Result<Outcome, CallError> {
    let rows = Rows::numbers(&windows.concat());
    let mut offsets = vec![0];
    for numbers in windows {
        offsets.push(offsets[offsets.len() - 1] + numbers.len() as u32);
    }
    let keys = keys(&vec![("k", None); windows.len()]);
    let firings = firings_named(&vec![1; windows.len()]);
    window.apply(&keys, &firings, &rows.given(), &offsets)
}

#[test]
fn windows_are_told_of_firings_keys_and_all_of_their_rows() {
    let expected = [
        "0 from 0: input(0) input(1) \"-10..10 early 1\" \"1@1000000;2@2000000>1500000/1 é;\" \
         \"1970-01-01T00:00:02Z\"",
        "0 from 2: input(0) input(1) \"10..30 correction 4000000000 last\" \"3@3000000/3 ;\" \
         \"1970-01-01T00:00:03Z\"",
        "0 from 3: input(0) input(1) \"begin..end on-time 1 last\" \"-9@4000000 x;\" \
         \"1970-01-01T00:00:04Z\"",
        "1 from 1: input(0)",
    ];
    each_window(|name, window| {
        let mut rows = Rows::of(&[(1, None), (2, Some("é")), (3, Some("")), (-9, Some("x"))]);
        rows.stamps[1] = 1_500_000;
        let given = RowsIn {
            changes: Some(&[0, 1, 3, 0]),
            ..rows.given()
        };
        let keys = keys(&[("a", Some(1)), ("b", None), ("c", Some(3)), ("d", None)]);
        let outcome = window
            .apply(&keys, &firings(), &given, &[0, 2, 2, 3, 4])
            .expect(name);
        assert_eq!(shown::outcome(&outcome), expected, "{name}");
    });
}

#[test]
fn a_window_fails_alone() {
    each_window(|name, window| {
        let outcome = apply(window, &[&[1, -1], &[-2], &[4, -3, 5], &[6]]).expect(name);
        assert_eq!(failures(&outcome.failed), SEVERITIES, "{name}");
        assert_eq!(outcome.emitted[0].origins, [3], "{name}");
        let outcome = apply(window, &[&[1], &[2, 13], &[], &[15]]).expect(name);
        is_the_hard_one(&outcome.failed, 1, name);
        assert_eq!(outcome.emitted[0].origins, [0, 3], "{name}");
        assert_eq!(outcome.emitted[1].origins, [2], "{name}");
        let log = window.take_log();
        assert_eq!(
            log.last().map(|line| line.text.as_str()),
            Some("15 is logged"),
            "{name}"
        );
        refused(apply(window, &[&[1], &[14]]), name);
    });
}

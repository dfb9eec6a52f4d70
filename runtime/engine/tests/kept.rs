//! Windows that store rows: functions of kind window, and `keep`. What they see is told from what functions make of it that
//! see the same rows otherwise: sums of whole windows are those of an aggregate, kept rows are the last of all rows.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::input::{self, COLUMNS, Shape};
use support::{Bench, How};

/// Windows, as they stand in the file without `keep`.
const WINDOWS: [(&str, &str); 16] = [
    ("tumble", r#"tumble = "1000us", lateness = "700us""#),
    (
        "tumble-sent",
        r#"tumble = "900us", offset = "-330us", lateness = "900us", mode = "discarding""#,
    ),
    (
        "hop",
        r#"hop = "900us", step = "300us", offset = "50us", lateness = "500us""#,
    ),
    (
        "hop-sent",
        r#"hop = "700us", step = "200us", lateness = "800us", mode = "discarding""#,
    ),
    (
        "hop-back",
        r#"hop = "900us", step = "300us", lateness = "300us", trigger = ["at-end", { every-rows = 2 }], mode = "retract""#,
    ),
    (
        "gaps",
        r#"hop = "300us", step = "700us", lateness = "100us""#,
    ),
    (
        "cumulate",
        r#"cumulate = "1200us", step = "300us", lateness = "400us""#,
    ),
    (
        "cumulate-ticks",
        r#"cumulate = "1200us", step = "400us", trigger = ["at-end", { every = "150us" }]"#,
    ),
    ("session", r#"session = "200us", lateness = "400us""#),
    (
        "session-back",
        r#"session = "200us", lateness = "300us", trigger = ["at-end", "on-each-row"], mode = "retract""#,
    ),
    (
        "session-ticks",
        r#"session = "300us", trigger = ["at-end", { every = "150us" }], mode = "discarding""#,
    ),
    (
        "global",
        r#"global = true, trigger = ["at-end", { every = "700us" }]"#,
    ),
    (
        "global-counted",
        r#"global = true, trigger = [{ every-rows = 3 }], mode = "discarding""#,
    ),
    ("rows", r#"rows = 7"#),
    (
        "rows-each",
        r#"rows = 7, trigger = ["at-end", "on-each-row"], mode = "retract""#,
    ),
    ("slide", r#"slide = "1000us""#),
];

const SHAPE: Shape = Shape {
    seed: 1,
    rows: 300,
    splits: 1,
    keys: 4,
    from: 1_000_000,
    step: 40,
    disorder: 4000,
    bad: 0,
};

/// As many rows as there are.
const ALL: &str = "newest = 4294967295";

/// An operator's name by its window's, with its `keep` and its function.
const OPERATORS: [(&str, &str, &str); 6] = [
    ("sum", "", "sum"),
    ("members", "", "members"),
    ("kept-sum", ALL, "sum"),
    ("newest", "newest = 3", "members"),
    ("within", "within = \"150us\"", "members"),
    ("newest-sum", "newest = 3", "sum"),
];

fn pipeline() -> String {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\nout-of-orderness = \"150us\"\n{COLUMNS}\n"
    );
    for (name, window) in WINDOWS {
        for (which, keep, function) in OPERATORS {
            let keep = match (name, keep) {
                // A window of seven rows never has more than seven.
                ("rows" | "rows-each", ALL) => ", keep = { newest = 6 }".to_owned(),
                (_, "") => String::new(),
                (_, keep) => format!(", keep = {{ {keep} }}"),
            };
            text += &format!(
                "[operators.{name}-{which}]\ninput = \"rows\"\nkey = \"key\"\nfunction = \"kinds/{function}\"\n\
                 window = {{ {window}{keep} }}\n\
                 [sinks.{name}-{which}-out]\ninput = \"{name}-{which}\"\nfile = \"{name}-{which}.jsonl\"\n\
                 [sinks.{name}-{which}-late]\ninput = \"{name}-{which}.late\"\nfile = \"{name}-{which}-late.jsonl\"\n"
            );
        }
    }
    text
}

/// A result: all columns but those named, and the rows that its function saw, if it lists them.
type Result = (Value, Vec<(i64, i64)>);

fn results(bench: &Bench, name: &str, without: &[&str]) -> BTreeMap<String, Vec<Result>> {
    let mut by_key: BTreeMap<String, Vec<Result>> = BTreeMap::new();
    for mut row in bench.read(name).values() {
        let listed = row["members"].as_str().map(members).unwrap_or_default();
        let columns = row.as_object_mut().expect("a row");
        columns.retain(|column, _| column != "members" && !without.contains(&column.as_str()));
        let key = columns["key"].to_string();
        by_key.entry(key).or_default().push((row, listed));
    }
    by_key
}

/// `value@time value@time` taken apart.
fn members(text: &str) -> Vec<(i64, i64)> {
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let member = |one: &str| {
        let (value, at) = one.split_once('@').expect("value and time");
        (number(value), number(at))
    };
    text.split(' ').map(member).collect()
}

fn sum(members: &[(i64, i64)]) -> i64 {
    members.iter().map(|(value, _)| value).sum()
}

/// Whether rows stand in order of event time, ties in order of arrival: values rise in the input's order.
fn is_in_order(members: &[(i64, i64)]) -> bool {
    members.is_sorted_by_key(|&(value, at)| (at, value))
}

fn check(shape: Shape, how: How) {
    let shape = shape.of_this_run();
    let bench = Bench::new(&pipeline());
    input::write(&bench, &shape.make());
    bench.run(how);
    let mut dropped = 0;
    for (name, _) in WINDOWS {
        let of = |which: &str| format!("{name}-{which}");
        let about = format!("{name}, {how:?}, {shape:?}");
        let late = |which: &str| bench.read(&format!("{}-late", of(which))).sorted();
        let sums = results(&bench, &of("sum"), &[]);
        assert!(!sums.is_empty(), "{about}");
        let whole = results(&bench, &of("members"), &[]);
        let rows = |all: &BTreeMap<String, Vec<Result>>| -> BTreeMap<String, Vec<Value>> {
            let only = |(key, rows): (&String, &Vec<Result>)| {
                (
                    key.clone(),
                    rows.iter().map(|(row, _)| row.clone()).collect(),
                )
            };
            all.iter().map(only).collect()
        };
        assert_eq!(rows(&whole), rows(&sums), "{about}");
        if !name.starts_with("rows") {
            let kept = results(&bench, &of("kept-sum"), &[]);
            assert_eq!(rows(&kept), rows(&sums), "{about}");
        }
        for which in ["members", "kept-sum", "newest", "within", "newest-sum"] {
            assert_eq!(late(which), late("sum"), "{about}");
        }
        dropped += kept_are_the_last(&bench, (name, shape.splits), &about);
    }
    assert!(dropped > 0, "everything is kept: {how:?}, {shape:?}");
}

/// What is kept are the last of all rows of the same firing. How many are not.
fn kept_are_the_last(bench: &Bench, (name, splits): (&str, usize), about: &str) -> usize {
    let sums = ["sum", "rows"];
    let read = |which: &str| results(bench, &format!("{name}-{which}"), &sums);
    let (whole, newest, within) = (read("members"), read("newest"), read("within"));
    let newest_sums = results(bench, &format!("{name}-newest-sum"), &[]);
    let mut dropped = 0;
    for (key, whole) in &whole {
        assert_eq!(whole.len(), newest[key].len(), "key {key}; {about}");
        assert_eq!(whole.len(), within[key].len(), "key {key}; {about}");
        for (i, (row, all)) in whole.iter().enumerate() {
            assert!(splits > 1 || is_in_order(all), "{all:?}; {about}");
            let last = &all[all.len().saturating_sub(3)..];
            assert_eq!(newest[key][i], (row.clone(), last.to_vec()), "{about}");
            let largest = all.iter().map(|(_, at)| *at).max().expect("a row");
            let late = |&&(_, at): &&(i64, i64)| at >= largest - 150;
            let near: Vec<(i64, i64)> = all.iter().filter(late).copied().collect();
            dropped += 2 * all.len() - last.len() - near.len();
            assert_eq!(within[key][i], (row.clone(), near), "{about}");
            assert_eq!(newest_sums[key][i].0["sum"], sum(last), "{about}");
        }
    }
    dropped
}

#[test]
fn one_worker() {
    for (seed, batch) in [(1, 1), (2, 7), (3, 64), (4, 4096)] {
        check(Shape { seed, ..SHAPE }, How::new(batch, 1));
    }
}

#[test]
fn two_workers() {
    for (seed, batch) in [(5, 1), (6, 4096)] {
        let shape = Shape {
            seed,
            keys: 30,
            ..SHAPE
        };
        check(shape, How::new(batch, 2));
    }
}

/// Sums of the same rows are the same for several splits too, where one worker decides their order.
#[test]
fn several_splits() {
    let shape = Shape {
        seed: 7,
        splits: 3,
        ..SHAPE
    };
    check(shape, How::new(64, 1));
}

//! Results, firings and late rows are those that `docs/semantics.md` says: compared with a naive model of windows.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::input::{self, Row, Shape};
use support::model::{self, Expected, Result};
use support::spec::Spec;
use support::{Bench, How, Rows};

const SPECS: &[Spec] = &[
    Spec::tumble(1000),
    Spec::tumble(700).offset(-130).lateness(500),
    Spec::tumble(500).lateness(5000).discarding(),
    Spec::hop(1000, 300),
    Spec::hop(900, 300).lateness(400).offset(77),
    Spec::hop(1000, 150).lateness(900).discarding(),
    Spec::hop(300, 700),
    Spec::hop(250, 400).lateness(300).offset(10),
    Spec::hop(1500, 10),
    Spec::session(150),
    Spec::session(100).lateness(500),
    Spec::session(130).lateness(900).discarding(),
    Spec::session(2000),
];

const SHAPE: Shape = Shape {
    seed: 0,
    rows: 250,
    splits: 1,
    keys: 3,
    from: -3000,
    step: 35,
    disorder: 3000,
    bad: 0,
};

#[test]
fn few_keys() {
    for seed in 0..4 {
        check(Shape { seed, ..SHAPE }, 100 * seed as i64, How::new(64, 1));
    }
}

#[test]
fn many_keys_on_two_workers() {
    for seed in 10..13 {
        let shape = Shape {
            seed,
            keys: 40,
            ..SHAPE
        };
        check(shape, 60, How::new(17, 2));
    }
}

#[test]
fn row_by_row() {
    for seed in 20..22 {
        check(Shape { seed, ..SHAPE }, 250, How::new(1, 1));
    }
}

#[test]
fn times_that_meet_bounds() {
    for seed in 30..33 {
        let shape = Shape {
            seed,
            keys: 1,
            step: 10,
            disorder: 300,
            ..SHAPE
        };
        // Watermarks then stand right at bounds, and one before them.
        let out_of_orderness = [0, 9, 10][seed as usize % 3];
        check(shape, out_of_orderness, How::new(4096, 1));
    }
}

fn check(shape: Shape, out_of_orderness: i64, how: How) {
    let shape = shape.of_this_run();
    let rows = &shape.make()[0];
    let bench = Bench::new(&pipeline(out_of_orderness));
    input::write(&bench, std::slice::from_ref(rows));
    bench.run(how);
    for (n, spec) in SPECS.iter().enumerate() {
        for keyed in [true, false] {
            let name = name(n, keyed);
            let expected = model::run(*spec, (rows, out_of_orderness), keyed, |_| true);
            let about = format!(
                "{spec:?}, keyed: {keyed}, {shape:?}, {out_of_orderness} us out of order, {how:?}"
            );
            assert!(!expected.results.is_empty(), "nothing is expected: {about}");
            compare(&expected, (&bench, &name), &about);
        }
    }
}

fn name(n: usize, keyed: bool) -> String {
    format!("{}-{n}", if keyed { "keyed" } else { "all" })
}

fn pipeline(out_of_orderness: i64) -> String {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\nout-of-orderness = \"{out_of_orderness}us\"\n{}",
        input::COLUMNS
    );
    for (n, spec) in SPECS.iter().enumerate() {
        for keyed in [true, false] {
            let (name, window) = (name(n, keyed), spec.toml());
            let key = if keyed { "key = \"key\"" } else { "" };
            text += &format!(
                "\n[operators.{name}]\ninput = \"rows\"\nfunction = \"kinds/sum\"\nwindow = {window}\n{key}\n\
                 [sinks.{name}-out]\ninput = \"{name}\"\nfile = \"{name}.jsonl\"\n\
                 [sinks.{name}-late]\ninput = \"{name}.late\"\nfile = \"{name}-late.jsonl\"\n"
            );
        }
    }
    text
}

fn compare(expected: &Expected, (bench, name): (&Bench, &str), about: &str) {
    let mut wanted: BTreeMap<Option<String>, Vec<Result>> = BTreeMap::new();
    for result in &expected.results {
        let of_key = wanted.entry(result.key.clone()).or_default();
        of_key.push(result.clone());
    }
    let mut found: BTreeMap<Option<String>, Vec<Result>> = BTreeMap::new();
    for result in results(&bench.read(name)) {
        found.entry(result.key.clone()).or_default().push(result);
    }
    for key in wanted.keys().chain(found.keys()) {
        let (wanted, found) = (wanted.get(key), found.get(key));
        assert_eq!(found, wanted, "key {key:?}: found, wanted; {about}");
    }
    let late = |key: &Option<String>, rows: &[(Option<String>, i64)]| -> Vec<i64> {
        let of_key = rows.iter().filter(|(other, _)| other == key);
        of_key.map(|(_, value)| *value).collect()
    };
    let wanted: Vec<(Option<String>, i64)> = expected.late.iter().map(key_and_value).collect();
    let found: Vec<(Option<String>, i64)> = (bench.read(&format!("{name}-late")).values().iter())
        .map(|row| (text(&row["key"]), integer(row, "value")))
        .collect();
    for (key, _) in wanted.iter().chain(&found) {
        let (found, wanted) = (late(key, &found), late(key, &wanted));
        assert_eq!(
            found, wanted,
            "late rows of key {key:?}: found, wanted; {about}"
        );
    }
}

fn key_and_value(row: &Row) -> (Option<String>, i64) {
    (row.key.clone(), row.value)
}

fn results(rows: &Rows) -> Vec<Result> {
    let result = |row: &Value| Result {
        key: row.get("key").and_then(text),
        start: time(row, "window_start"),
        end: time(row, "window_end"),
        firing: match row["firing"].as_str() {
            Some("on-time") => "on-time",
            Some("correction") => "correction",
            other => panic!("no firing: {other:?}"),
        },
        number: integer(row, "firing_number"),
        last: row["firing_last"].as_bool().expect("a bool"),
        sum: integer(row, "sum"),
        rows: integer(row, "rows"),
    };
    rows.values().iter().map(result).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn integer(row: &Value, column: &str) -> i64 {
    row[column].as_i64().expect("an integer")
}

fn time(row: &Value, column: &str) -> i64 {
    let text = row[column].as_str().expect("a time");
    let time: jiff::Timestamp = text.parse().expect("a time");
    time.as_microsecond()
}

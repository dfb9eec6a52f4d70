//! Rows of hot keys that are added up before they cross: results, late rows and failures are those of a run in which every
//! row crosses alone.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::input::{self, Shape};
use support::{Bench, How, Rows, totals};
use tidemill_engine::Totals;

/// A key in three has nearly all rows, and rows are as far out of order as windows are long.
const SHAPE: Shape = Shape {
    seed: 1,
    rows: 4000,
    splits: 1,
    keys: 1,
    from: -20_000,
    step: 4,
    disorder: 900,
    bad: 40,
};

/// (name, window, function): those of which rows are combined.
const COMBINED: &[(&str, &str, &str)] = &[
    ("tumble", "tumble = \"1ms\"", "sum"),
    (
        "tumble-late",
        "tumble = \"1ms\", lateness = \"600us\"",
        "sum",
    ),
    ("hop", "hop = \"1ms\", step = \"300us\"", "sum"),
    (
        "cumulate",
        "cumulate = \"1200us\", step = \"300us\", lateness = \"400us\"",
        "sum",
    ),
    (
        "hop-late",
        "hop = \"900us\", step = \"300us\", lateness = \"500us\"",
        "count",
    ),
    ("gaps", "hop = \"500us\", step = \"700us\"", "count"),
    (
        "picky",
        "tumble = \"2ms\", lateness = \"100us\"",
        "picky-sum",
    ),
];

/// Those of which none are.
const ALONE: &[(&str, &str, &str)] = &[
    ("sessions", "session = \"200us\"", "sum"),
    (
        "each-row",
        "tumble = \"1ms\", trigger = [\"at-end\", \"on-each-row\"]",
        "sum",
    ),
    ("counted", "rows = 7", "count"),
    (
        "retract",
        "tumble = \"1ms\", lateness = \"500us\", mode = \"retract\"",
        "sum",
    ),
    (
        "discarding",
        "tumble = \"1ms\", lateness = \"500us\", mode = \"discarding\"",
        "sum",
    ),
    ("floats", "tumble = \"1ms\"", "sum-floats"),
];

fn pipeline(combine: bool, keyed: bool) -> String {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\nout-of-orderness = \"250us\"\n{}\n",
        input::COLUMNS
    );
    for (name, window, function) in COMBINED.iter().chain(ALONE) {
        let key = if keyed { "key = \"key\"\n" } else { "" };
        let rename = if *function == "sum-floats" {
            "rename = { value = \"real\" }\n"
        } else {
            ""
        };
        text += &format!(
            "[operators.{name}]\ninput = \"rows\"\n{key}{rename}window = {{ {window} }}\ncombine = {combine}\n\
             function = \"kinds/{function}\"\non-failure = \"dead-letter\"\n"
        );
        for port in ["", ".late", ".failed"] {
            text += &format!(
                "[sinks.to-{name}{}]\ninput = \"{name}{port}\"\nfile = \"{name}{port}.jsonl\"\n",
                port.replace('.', "-port-")
            );
        }
    }
    text
}

/// What a run gives, by sink, in an order of its own, and the counters of each operator.
struct Ran {
    rows: BTreeMap<String, Vec<String>>,
    totals: Vec<Totals>,
}

fn run(text: &str, shape: Shape, how: How) -> Ran {
    let bench = Bench::new(text);
    input::write(&bench, &shape.make());
    let summary = bench.run(how);
    let mut rows = BTreeMap::new();
    let mut counted = Vec::new();
    for (name, ..) in COMBINED.iter().chain(ALONE) {
        counted.push(totals(&summary, name).clone());
        let results = bench.read(name);
        let results = match shape.splits {
            1 => results.sorted(),
            _ => last_of_each_window(&results),
        };
        rows.insert((*name).to_owned(), results);
        for port in ["late", "failed"] {
            let sink = format!("{name}.{port}");
            rows.insert(sink.clone(), bench.read(&sink).sorted());
        }
    }
    Ran {
        rows,
        totals: counted,
    }
}

/// Where several splits are read side by side, how often a window is corrected is input, and what its firings show.
fn last_of_each_window(results: &Rows) -> Vec<String> {
    let mut last: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for mut result in results.values() {
        let number = result["firing_number"].as_i64().expect("a number");
        let window = format!("{} {}", result["key"], result["window_end"]);
        for column in ["firing", "firing_number", "firing_last"] {
            result[column] = Value::Null;
        }
        let known = last.entry(window).or_default();
        if number > known.0 {
            *known = (number, result.to_string());
        }
    }
    last.into_values().map(|(_, result)| result).collect()
}

fn hows() -> impl Iterator<Item = How> {
    let sizes = [7, 64, 4096];
    [2, 3]
        .into_iter()
        .flat_map(move |workers| sizes.map(|size| How::new(size, workers)))
}

/// The names of the operators of which rows were combined.
fn check(shape: Shape, keyed: bool) -> BTreeSet<String> {
    let shape = shape.of_this_run();
    let alone = run(&pipeline(false, keyed), shape, How::new(1, 1));
    let mut combined = BTreeSet::new();
    for how in hows() {
        let ran = run(&pipeline(true, keyed), shape, how);
        for (sink, was) in &alone.rows {
            let free = shape.splits > 1 && free(sink);
            let is = &ran.rows[sink];
            assert!(free || was == is, "{sink} differs with {how:?} {shape:?}");
        }
        for (was, is) in alone.totals.iter().zip(&ran.totals) {
            let name = &is.name;
            assert!(is.partials * 8 <= is.combined, "{name}: {is:?}");
            if is.combined > 0 {
                combined.insert(name.clone());
            }
            let of = |t: &Totals| (t.rows_in, t.in_gaps, t.failed);
            assert_eq!(of(was), of(is), "{name} with {how:?}");
            let of = |t: &Totals| (t.late, t.behind, t.windows_missed, t.rows_out);
            if shape.splits == 1 {
                assert_eq!(of(was), of(is), "{name} with {how:?}");
            }
        }
    }
    assert!(alone.totals.iter().all(|totals| totals.combined == 0));
    assert!(alone.totals.iter().any(|totals| totals.late > 0));
    assert!(alone.totals.iter().any(|totals| totals.failed > 0));
    combined
}

/// All that may be combined were, in one of these, and nothing else.
fn check_all(shapes: impl Iterator<Item = Shape>, keyed: bool) {
    let combined: BTreeSet<String> = shapes.flat_map(|shape| check(shape, keyed)).collect();
    let expected = COMBINED.iter().map(|(name, ..)| (*name).to_owned());
    assert_eq!(combined, expected.collect());
}

/// What the order between splits decides: sessions, what a correction shows alone, the last bits of floats.
fn free(sink: &str) -> bool {
    ALONE
        .iter()
        .any(|(name, ..)| sink.split('.').next() == Some(name))
}

#[test]
fn one_split() {
    // Of so many keys some cross, whoever reads the only split.
    let shape = |(seed, keys)| Shape {
        seed,
        keys,
        ..SHAPE
    };
    check_all([(1, 3), (2, 6)].into_iter().map(shape), true);
}

#[test]
fn several_splits() {
    let shape = |splits| Shape {
        seed: 3,
        splits,
        ..SHAPE
    };
    check_all([2, 4].into_iter().map(shape), true);
}

#[test]
fn without_a_key_all_rows_are_of_one() {
    // Whoever reads the only split may be the worker of the only key.
    let shape = Shape {
        seed: 4,
        splits: 3,
        ..SHAPE
    };
    check_all(std::iter::once(shape), false);
}

#[test]
fn the_busiest_keys_are_known_in_the_end() {
    let shape = Shape { keys: 2, ..SHAPE };
    let of = |how| {
        let ran = run(&pipeline(true, true), shape, how);
        ran.totals[0].busiest.clone()
    };
    let busiest = of(How::new(64, 1));
    assert_eq!(busiest.len(), 4, "{busiest:?}");
    let rows: u64 = busiest.iter().map(|key| key.rows).sum();
    assert!((3600..=4400).contains(&rows), "{busiest:?}");
    assert!(busiest.iter().any(|key| key.key == r#"{"key":null}"#));
    for how in hows() {
        let is = of(how);
        let rows: u64 = is.iter().map(|key| key.rows).sum();
        assert!((3600..=4400).contains(&rows), "{how:?}: {is:?}");
    }
}

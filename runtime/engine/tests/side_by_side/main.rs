//! Triggers, modes and what windows keep, where several workers read several splits side by side: held against a model that
//! knows nothing of the order between splits. That order is input (`docs/semantics.md`, Independence), so only what it does
//! not decide is compared: which rows are late, which rows a window has in the end, and how results follow each other.
//! Operators behind others are left out, since the order in which their input is made shows in them.

mod cases;
mod expected;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::input::{self, Row, Shape};
use support::{Bench, How, totals};

use cases::{CASES, Case, Promise, SESSIONS, Window};
use expected::{Expected, Group};

const SHAPE: Shape = Shape {
    seed: 0,
    rows: 300,
    splits: 3,
    keys: 4,
    from: 1_000_000,
    step: 40,
    disorder: 2500,
    bad: 0,
};

#[test]
fn of_rows_out_of_order() {
    for (seed, splits, out_of_orderness) in [(1, 2, 150), (2, 3, 150), (3, 4, 0), (4, 3, 900)] {
        let shape = Shape {
            seed,
            splits,
            ..SHAPE
        };
        check(shape, out_of_orderness, &[CASES]);
    }
}

#[test]
fn of_rows_that_are_never_behind() {
    for (seed, splits) in [(11, 2), (12, 4)] {
        let shape = Shape {
            seed,
            splits,
            disorder: 400,
            ..SHAPE
        };
        check(shape, 1000, &[CASES, SESSIONS]);
    }
}

#[test]
fn of_few_rows_of_many_keys() {
    let shape = Shape {
        seed: 21,
        rows: 40,
        splits: 4,
        keys: 30,
        ..SHAPE
    };
    check(shape, 100, &[CASES]);
}

fn check(shape: Shape, out_of_orderness: i64, cases: &[&[Case]]) {
    let shape = shape.of_this_run();
    let splits = unlike(shape.make());
    let bench = Bench::new(&pipeline(out_of_orderness, cases));
    input::write(&bench, &splits);
    for how in [
        How::new(64, 1),
        How::new(1, 2),
        How::new(7, 2),
        How::new(4096, 3),
    ] {
        let summary = bench.run(how);
        for case in cases.iter().copied().flatten() {
            let expected = Expected::of(case, &splits, out_of_orderness);
            let about = format!(
                "{}, {how:?}, {shape:?}, {out_of_orderness} us out of order",
                case.name
            );
            let late: BTreeSet<i64> = bench
                .read(&format!("{}-late", case.name))
                .integers("value")
                .into_iter()
                .collect();
            assert_eq!(late, expected.late, "late rows: {about}");
            assert_eq!(
                totals(&summary, case.name).late as usize,
                late.len(),
                "{about}"
            );
            for function in ["sum", "members"] {
                let results = results(&bench, &format!("{}-{function}", case.name), case);
                compare(case, &results, &expected, &format!("{function}: {about}"));
            }
        }
    }
}

/// Rows of different times and values, so that ties, of which the order between splits decides, are none.
fn unlike(mut splits: Vec<Vec<Row>>) -> Vec<Vec<Row>> {
    let mut times = BTreeSet::new();
    for (value, row) in (1..).zip(splits.iter_mut().flatten()) {
        while !times.insert(row.at) {
            row.at += 1;
        }
        row.value = value;
    }
    splits
}

fn pipeline(out_of_orderness: i64, cases: &[&[Case]]) -> String {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\nout-of-orderness = \"{out_of_orderness}us\"\n{}",
        input::COLUMNS
    );
    for case in cases.iter().copied().flatten() {
        let name = case.name;
        for (operator, function) in [
            (name.to_owned(), "sum"),
            (format!("{name}-whole"), "members"),
        ] {
            text += &format!(
                "\n[operators.{operator}]\ninput = \"rows\"\nkey = \"key\"\nfunction = \"kinds/{function}\"\n\
                 window = {}\n[sinks.{operator}-out]\ninput = \"{operator}\"\nfile = \"{name}-{function}.jsonl\"\n",
                case.toml()
            );
        }
        text += &format!(
            "[sinks.{name}-late]\ninput = \"{name}.late\"\nfile = \"{name}-late.jsonl\"\n"
        );
    }
    text
}

/// Results by key and window, in order.
fn results(bench: &Bench, sink: &str, case: &Case) -> BTreeMap<Group, Vec<Value>> {
    let mut results: BTreeMap<Group, Vec<Value>> = BTreeMap::new();
    for result in bench.read(sink).values() {
        let time = |column: &str| -> i64 {
            let time: jiff::Timestamp = result[column]
                .as_str()
                .expect("a time")
                .parse()
                .expect("a time");
            time.as_microsecond()
        };
        let (start, end) = match case.window.is_one() {
            true => (0, i64::MAX),
            false => (time("window_start"), time("window_end")),
        };
        let key = result["key"].as_str().map(str::to_owned);
        results.entry((key, start, end)).or_default().push(result);
    }
    results
}

/// Rows, their sum, and a list of them where the function makes one.
type Content = (i64, i64, Option<String>);

/// A result without what says how often its window has fired.
fn content(result: &Value) -> Content {
    let integer = |column: &str| result[column].as_i64().expect("an integer");
    let members = result.get("members").and_then(Value::as_str);
    (integer("rows"), integer("sum"), members.map(str::to_owned))
}

/// The same of rows.
fn content_of(rows: &[Row], with_members: bool) -> Content {
    let member = |row: &Row| format!("{}@{}", row.value, row.at);
    let members = || rows.iter().map(member).collect::<Vec<_>>().join(" ");
    let sum = rows.iter().map(|row| row.value).sum();
    (rows.len() as i64, sum, with_members.then(members))
}

fn compare(case: &Case, found: &BTreeMap<Group, Vec<Value>>, expected: &Expected, about: &str) {
    if matches!(case.promise, Promise::Net) {
        return compare_net(found, expected, about);
    }
    let none = Vec::new();
    let may_be_silent = matches!(case.promise, Promise::Order | Promise::Whole(_));
    for group in found.keys().chain(expected.rows.keys()) {
        let rows = expected.rows.get(group);
        let rows = rows.unwrap_or_else(|| panic!("{group:?} has no row: {about}"));
        let results = found.get(group).unwrap_or(&none);
        assert!(
            may_be_silent || !results.is_empty(),
            "{group:?} has no result: {about}"
        );
        if let Err(why) = holds(case, results, rows) {
            panic!("{group:?}: {why}: {about}\nof {rows:#?}\ncame {results:#?}");
        }
    }
}

/// What is left when what was taken back is taken away: a session that grows is taken back with the bounds that it had.
fn compare_net(found: &BTreeMap<Group, Vec<Value>>, expected: &Expected, about: &str) {
    let mut left: BTreeMap<(&Group, Content), i64> = BTreeMap::new();
    let mut with_members = false;
    for (group, result) in found
        .iter()
        .flat_map(|(g, rs)| rs.iter().map(move |r| (g, r)))
    {
        let content = content(result);
        with_members |= content.2.is_some();
        let many = match result["change"].as_str().expect("a change") {
            "insert" | "update-after" => 1,
            _ => -1,
        };
        *left.entry((group, content)).or_default() += many;
    }
    left.retain(|_, many| *many != 0);
    let rows = expected.rows.iter();
    let all = rows.map(|(group, rows)| ((group, content_of(rows, with_members)), 1));
    assert_eq!(
        left,
        all.collect(),
        "what is left, what is expected: {about}"
    );
}

/// Whether a promise was kept.
fn holds(case: &Case, results: &[Value], rows: &[Row]) -> Result<(), String> {
    let contents: Vec<_> = results.iter().map(content).collect();
    let with_members = contents.iter().any(|(_, _, members)| members.is_some());
    let all = content_of(rows, with_members);
    let together = contents
        .iter()
        .fold((0, 0), |(n, sum), content| (n + content.0, sum + content.1));
    let is = |good: bool, why: &str| {
        if good {
            Ok(())
        } else {
            Err(format!("{why}: {contents:?}, not {all:?}"))
        }
    };
    match case.promise {
        Promise::Last => is(
            contents.last() == Some(&all),
            "the last result is not of all rows",
        )?,
        Promise::Together => is(
            together == (all.0, all.1),
            "the results are not of all rows",
        )?,
        Promise::Net => unreachable!("it is compared as a whole"),
        Promise::EachRow => {
            let counts: Vec<i64> = contents.iter().map(|content| content.0).collect();
            is(
                counts == (1..=rows.len() as i64).collect::<Vec<_>>(),
                "not a result for each row",
            )?;
            is(
                contents.last() == Some(&all),
                "the last result is not of all rows",
            )?;
        }
        Promise::Whole(each) => {
            is(
                contents.iter().all(|content| content.0 == each as i64),
                "other numbers of rows",
            )?;
            is(
                contents.len() == rows.len() / each,
                "another number of results",
            )?;
        }
        Promise::Order => is(
            contents.iter().all(|content| content.0 <= all.0),
            "more rows than there are",
        )?,
    }
    if let Window::Rows(most) = case.window {
        let (last, before) = contents.split_last().expect("a key has a row");
        let full = before.iter().all(|content| content.0 == most as i64);
        return is(
            full && last.0 <= most as i64,
            "windows of other numbers of rows",
        );
    }
    in_order(results)
}

/// Firings are numbered from 1, and early ones come before the one at the end, that before corrections.
fn in_order(results: &[Value]) -> Result<(), String> {
    let numbers = results
        .iter()
        .map(|result| result["firing_number"].as_i64());
    let place = |result: &Value| {
        ["early", "on-time", "correction"]
            .iter()
            .position(|m| result["firing"] == *m)
    };
    let places: Vec<_> = results.iter().map(place).collect();
    let at_end = places.iter().filter(|place| **place == Some(1)).count();
    if !numbers.eq((1..).map(Some).take(results.len())) {
        return Err("firings are not numbered from 1".to_owned());
    }
    match places.is_sorted() && at_end <= 1 {
        true => Ok(()),
        false => Err("firings are not in order".to_owned()),
    }
}

//! What may not change a result: the size of batches, the number of workers, where batches are cut (`docs/semantics.md`,
//! Independence). Every kind of window and operator reads the same made-up input; sequences are compared to the bit where
//! one split, or one worker, decides the order, and by the rule for several splits elsewhere. `TIDEMILL_SEED=1000` makes
//! other input.

mod support;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use support::input::{self, Random, Shape};
use support::stations::{Rule, Watched, pipeline};
use support::{Bench, ByKey, How, Rows, parse};

/// Rows are at most so far out of order that windows of a millisecond miss many of them.
const OUT_OF_ORDERNESS: i64 = 150;

const SHAPE: Shape = Shape {
    seed: 1,
    rows: 300,
    splits: 1,
    keys: 4,
    from: 1_000_000,
    step: 40,
    disorder: 4000,
    bad: 9,
};

fn hows() -> Vec<How> {
    let batches = [1, 7, 64, 4096];
    let both = batches.map(|batch| [How::new(batch, 1), How::new(batch, 2)]);
    let mut hows: Vec<How> = both.into_iter().flatten().collect();
    hows.push(How::new(5, 3));
    hows
}

#[test]
fn one_split_few_keys() {
    check(SHAPE, OUT_OF_ORDERNESS);
}

#[test]
fn one_split_many_keys_around_the_epoch() {
    let shape = Shape {
        seed: 2,
        keys: 60,
        from: -4000,
        ..SHAPE
    };
    check(shape, OUT_OF_ORDERNESS);
}

#[test]
fn one_split_in_which_almost_everything_is_behind() {
    let shape = Shape {
        seed: 3,
        keys: 2,
        step: 3,
        disorder: 20_000,
        ..SHAPE
    };
    check(shape, 0);
}

#[test]
fn several_splits() {
    for (seed, splits) in [(4, 2), (5, 3), (6, 4)] {
        let shape = Shape {
            seed,
            splits,
            ..SHAPE
        };
        check(shape, OUT_OF_ORDERNESS);
    }
}

/// No row is ever behind, so the order between splits shows nowhere but in the last bits of floats.
#[test]
fn several_splits_in_order() {
    for (seed, splits) in [(7, 2), (8, 4)] {
        let shape = Shape {
            seed,
            splits,
            disorder: 600,
            ..SHAPE
        };
        check(shape, 2000);
    }
}

#[test]
fn more_splits_than_rows() {
    let shape = Shape {
        seed: 9,
        splits: 4,
        rows: 5,
        ..SHAPE
    };
    check(shape, 10);
}

/// More keys are due at a time than one plan holds, while rows of the same batch fire and correct windows too.
#[test]
fn more_keys_than_one_plan_holds() {
    let shape = Shape {
        seed: 10,
        rows: 9000,
        keys: 4000,
        step: 8,
        disorder: 40_000,
        ..SHAPE
    };
    check_only(&["wide", "behind-wide"], shape, OUT_OF_ORDERNESS);
}

/// All outputs of a run.
type Outputs = BTreeMap<String, Rows>;

fn check(shape: Shape, out_of_orderness: i64) {
    check_only(&[], shape, out_of_orderness);
}

/// Of all operators, if none is named.
fn check_only(only: &[&str], shape: Shape, out_of_orderness: i64) {
    let shape = shape.of_this_run();
    let (text, watched) = pipeline(out_of_orderness, only);
    let bench = Bench::new(&text);
    write(&bench, shape);
    let run = |how| -> Outputs {
        bench.run(how);
        let read = |one: &Watched| (one.sink.clone(), bench.read(&one.sink));
        watched.iter().map(read).collect()
    };
    let first = run(How::new(1, 1));
    let given: usize = first.values().map(Rows::len).sum();
    assert!(given > shape.rows, "{shape:?} gives {given} rows");
    let in_order = out_of_orderness > 2 * shape.disorder;
    for how in hows().into_iter().skip(1) {
        let outputs = run(how);
        for one in &watched {
            let (was, is) = (&first[&one.sink], &outputs[&one.sink]);
            let rule = match (shape.splits > 1, how.workers > 1) {
                (_, false) => Rule::Sequence,
                (true, true) if one.ordered || one.free && !in_order => continue,
                (false, true) if !one.rekeyed => Rule::Sequence,
                (_, true) => one.beside,
            };
            if let Some(difference) = differ(one, rule, was, is) {
                let sink = &one.sink;
                panic!("{sink} differs with {how:?} by {rule:?}: {difference}\n{shape:?}");
            }
        }
    }
}

/// The splits, with lines between the rows that cannot be read.
fn write(bench: &Bench, shape: Shape) {
    let mut random = Random(shape.seed ^ 0xbad);
    for (n, rows) in shape.make().iter().enumerate() {
        let mut text = String::new();
        for line in input::lines(rows).lines() {
            text += line;
            text += match random.below(30) {
                0 => "\nno row\n",
                1 => "\n{\"key\":\"k\",\"at\":null}\n",
                _ => "\n",
            };
        }
        bench.write(&format!("in-{n}.jsonl"), &text);
    }
}

/// The first difference, if there is one.
fn differ(one: &Watched, rule: Rule, was: &Rows, is: &Rows) -> Option<String> {
    match rule {
        Rule::Sequence => first_difference(&was.by_key(&one.key), &is.by_key(&one.key)),
        Rule::Set => {
            let all = |rows: &Rows| ByKey::from([("all".to_owned(), rows.sorted())]);
            first_difference(&all(was), &all(is))
        }
        Rule::Final { discarding, floats } => {
            let last = |rows: &Rows| finals(rows, &one.key, discarding, floats);
            first_difference(&last(was), &last(is))
        }
    }
}

fn first_difference(was: &ByKey, is: &ByKey) -> Option<String> {
    let keys = was.keys().chain(is.keys());
    let none = Vec::new();
    for key in keys {
        let (was, is) = (was.get(key).unwrap_or(&none), is.get(key).unwrap_or(&none));
        if was != is {
            let at = was.iter().zip(is).take_while(|(a, b)| a == b).count();
            let of = |lines: &[String]| lines[at..].iter().take(3).cloned().collect::<Vec<_>>();
            let (was, is) = (of(was).join("\n  "), of(is).join("\n  "));
            return Some(format!(
                "key {key}, row {at}:\n  {was}\ninstead, now:\n  {is}"
            ));
        }
    }
    None
}

/// What a function that does not look at the order makes of all rows of a key and window.
fn finals(rows: &Rows, key: &[&str], discarding: bool, floats: bool) -> ByKey {
    let mut finals: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut window = key.to_vec();
    window.extend(["window_start", "window_end"]);
    for (window, results) in rows.by_key(&window) {
        let entry = finals.entry(window).or_default();
        for result in results {
            let Value::Object(mut result) = parse(&result) else {
                panic!("{result} is no row");
            };
            result.retain(|name, _| match name.as_str() {
                "firing" | "firing_number" | "firing_last" => key.contains(&name.as_str()),
                "sum" => !floats,
                _ => true,
            });
            if discarding {
                for column in ["sum", "rows"] {
                    let of = |row: &Map<String, Value>| row.get(column).and_then(Value::as_i64);
                    if let Some(more) = of(&result) {
                        result.insert(column.into(), (of(entry).unwrap_or(0) + more).into());
                    }
                }
            }
            *entry = result;
        }
    }
    let text = |(window, result)| (window, vec![Value::Object(result).to_string()]);
    finals.into_iter().map(text).collect()
}

//! What goes wrong where windows store rows: firings that fail, rows that cannot be added, more rows than may be held.

mod support;

use serde_json::{Value, json};
use support::input::{self, COLUMNS, Row};
use support::{Bench, How, totals};
use tidemill_engine::EngineError;

const HOWS: [How; 3] = [
    How {
        batch_rows: 1,
        workers: 1,
    },
    How {
        batch_rows: 4096,
        workers: 1,
    },
    How {
        batch_rows: 3,
        workers: 2,
    },
];

fn bench(operator: &str, window: &str) -> Bench {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\nout-of-orderness = \"1ms\"\n{COLUMNS}\n\
         [operators.one]\ninput = \"rows\"\nkey = \"key\"\nwindow = {{ {window} }}\n{operator}\n\
         [sinks.one]\ninput = \"one\"\nfile = \"one.jsonl\"\n"
    )
    .replace("[sinks.one]", "[sinks.to-one]");
    if operator.contains("dead-letter") {
        text += "[sinks.failed]\ninput = \"one.failed\"\nfile = \"one.failed.jsonl\"\n";
    }
    let bench = Bench::new(&text);
    input::write(&bench, &[rows()]);
    bench
}

/// Nine rows of a good key and of one whose third row, at 300, is marked.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = (1..=9)
        .flat_map(|n| ["bad", "good"].map(|key| Row::new(key, 100 * n)))
        .collect();
    rows[4].bad = true;
    rows
}

/// The values of a column of a key's results.
fn of_key(bench: &Bench, key: &str, column: &str) -> Vec<i64> {
    let rows = bench.read("one").by_key(&["key"])[&format!("{key:?}")].clone();
    support::Rows(rows).integers(column)
}

fn letters(bench: &Bench) -> Vec<(Value, Value)> {
    let letters = bench.read("one.failed").values().into_iter();
    let with_row = |letter: Value| {
        let row = support::parse(letter["row"].as_str().expect("a row"));
        (letter, row)
    };
    letters.map(with_row).collect()
}

#[test]
fn a_firing_that_fails_is_sent_with_its_rows() {
    for (config, reason) in [("fails = true", "invalid"), ("panics = true", "panic")] {
        let operator = format!(
            "function = \"kinds/members\"\nconfig = {{ {config} }}\non-failure = \"dead-letter\""
        );
        let bench = bench(&operator, "hop = \"400us\", step = \"200us\"");
        for how in HOWS {
            let summary = bench.run(how);
            let about = format!("{config}, {how:?}");
            assert_eq!(
                of_key(&bench, "good", "rows"),
                [1, 3, 4, 4, 4, 2],
                "{about}"
            );
            assert_eq!(of_key(&bench, "bad", "rows"), [1, 4, 4, 2], "{about}");
            let letters = letters(&bench);
            let starts = ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.0002Z"];
            assert_eq!(letters.len(), 2, "{about}");
            for ((letter, row), start) in letters.iter().zip(starts) {
                assert_eq!(letter["reason"], reason, "{about}");
                let message = letter["message"].as_str().expect("a message");
                assert!(message.contains("value 300 is marked as bad"), "{message}");
                assert_eq!(row["key"], json!({"key": "bad"}));
                assert_eq!(row["window_start"], start, "{about}");
                let marked = row["rows"].as_array().expect("rows").iter();
                let marked: Vec<&Value> = marked.filter(|row| row["row"]["bad"] == true).collect();
                let wanted = json!({
                    "time": "1970-01-01T00:00:00.0003Z",
                    "row": {"value": 300, "bad": true},
                });
                assert_eq!(marked, [&wanted], "{about}");
                assert_eq!(row.get("rows_left_out"), None);
            }
            let one = totals(&summary, "one");
            assert_eq!((one.failed, one.failed_results), (0, 2), "{about}");
        }
    }
}

#[test]
fn a_letter_holds_only_so_many_rows() {
    let operator =
        "function = \"kinds/members\"\nconfig = { fails = true }\non-failure = \"dead-letter\"";
    let bench = bench(operator, "global = true");
    let mut rows: Vec<Row> = (1..=5000).map(|at| Row::new("bad", at)).collect();
    rows[3].bad = true;
    input::write(&bench, &[rows]);
    bench.run(How::new(64, 1));
    let (_, row) = letters(&bench).remove(0);
    let shown = row["rows"].as_array().expect("rows").len() as u64;
    assert!((100..4000).contains(&shown), "{shown}");
    assert_eq!(row["rows_left_out"], 5000 - shown);
}

#[test]
fn the_policy_of_the_operator_decides() {
    let members = |policy: &str| {
        format!(
            "function = \"kinds/members\"\nconfig = {{ fails = true }}\non-failure = {policy:?}"
        )
    };
    let window = "tumble = \"400us\"";
    for how in HOWS {
        let skipping = bench(&members("skip"), window);
        let summary = skipping.run(how);
        assert_eq!(totals(&summary, "one").failed_results, 1);
        assert_eq!(of_key(&skipping, "bad", "rows"), [4, 2]);
        let EngineError::Row(stopped) = bench(&members("fail"), window).fail(how) else {
            panic!("a failed firing stops the run");
        };
        assert_eq!(stopped.row.reason, "invalid");
        let row = support::parse(stopped.row.row.as_deref().expect("a firing"));
        assert_eq!(row["rows"].as_array().map(Vec::len), Some(3));
    }
}

#[test]
fn a_row_that_cannot_be_added_was_never_there() {
    for function in ["fail-after-change", "trap-after-change"] {
        let operator = format!("function = \"kinds/{function}\"\non-failure = \"dead-letter\"");
        let bench = bench(
            &operator,
            "hop = \"400us\", step = \"200us\", keep = { newest = 2 }",
        );
        for how in HOWS {
            let summary = bench.run(how);
            let about = format!("{function}, {how:?}");
            assert_eq!(
                of_key(&bench, "good", "sum"),
                [100, 500, 900, 1300, 1700, 1700]
            );
            // Without the row at 300, the newest two are those at 100 and 200.
            assert_eq!(
                of_key(&bench, "bad", "sum"),
                [100, 300, 900, 1300, 1700, 1700]
            );
            let letters = letters(&bench);
            assert_eq!(letters.len(), 1, "{about}");
            assert_eq!(letters[0].1["value"], 300, "{about}");
            assert!(letters[0].0["position"].is_u64(), "{about}");
            let one = totals(&summary, "one");
            assert_eq!((one.failed, one.failed_results), (1, 0), "{about}");
        }
    }
}

#[test]
fn a_row_that_only_others_make_fail_costs_the_firing_its_result() {
    let operator =
        "function = \"kinds/crowded\"\nconfig = { most = 3 }\non-failure = \"dead-letter\"";
    let bench = bench(
        operator,
        "hop = \"400us\", step = \"200us\", keep = { within = \"350us\" }",
    );
    for how in HOWS {
        bench.run(how);
        assert_eq!(of_key(&bench, "good", "sum"), [100, 600, 1700], "{how:?}");
        assert_eq!(of_key(&bench, "bad", "sum"), [100, 600, 1700], "{how:?}");
        let letters = letters(&bench);
        assert_eq!(letters.len(), 6, "{how:?}");
        assert!(letters.iter().all(|(letter, row)| {
            letter["message"] == "crowded: 3 rows are enough" && row["accumulator"] == json!([0, 0])
        }));
    }
}

#[test]
fn results_of_kept_rows_can_fail() {
    let operator = "function = \"kinds/fail-finish\"\non-failure = \"dead-letter\"";
    let bench = bench(operator, "tumble = \"400us\", keep = { newest = 2 }");
    for how in HOWS {
        bench.run(how);
        assert_eq!(of_key(&bench, "bad", "sum"), [1300, 1700], "{how:?}");
        let letters = letters(&bench);
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].1["accumulator"], json!([500, true]));
    }
}

#[test]
fn more_rows_than_may_be_held_stop_the_run() {
    for function in ["members", "sum"] {
        let keep = if function == "sum" {
            ", keep = { newest = 10_000 }"
        } else {
            ""
        };
        let operator = format!("function = \"kinds/{function}\"\nrows-limit = \"100kB\"");
        let bench = bench(&operator, &format!("global = true{keep}"));
        bench.run(How::new(64, 1));
        let rows: Vec<Row> = (1..=5000).map(|at| Row::new("k", at)).collect();
        input::write(&bench, &[rows]);
        let error = bench.fail(How::new(64, 1)).to_string();
        assert!(
            error.starts_with("operator one: the rows of its open windows take more memory on one worker than `rows-limit` allows"),
            "{error}"
        );
        assert!(error.ends_with("of 100000 bytes"), "{error}");
    }
}

/// Rows of windows that have gone take no memory: far more go through than are held.
#[test]
fn rows_of_closed_windows_are_let_go() {
    for window in [
        "tumble = \"100us\"",
        "hop = \"100us\", step = \"50us\", mode = \"retract\", lateness = \"50us\"",
        "session = \"90us\", lateness = \"50us\", mode = \"retract\"",
        "slide = \"100us\"",
        "rows = 9, trigger = [\"at-end\", \"on-each-row\"], mode = \"retract\"",
        "global = true, keep = { newest = 5 }, trigger = [\"on-each-row\"], mode = \"retract\"",
        "global = true, keep = { within = \"70us\" }, trigger = [{ every-rows = 7 }]",
    ] {
        let operator = "function = \"kinds/members\"\nrows-limit = \"160kB\"";
        let bench = bench(operator, window);
        // Ten rows that are close to each other, then nothing for a while.
        let at = |n: i64| n * 10 + n / 10 * 100;
        let rows: Vec<Row> = (1..=20_000)
            .map(|n| Row::new(["a", "b"][n as usize % 2], at(n)))
            .collect();
        input::write(&bench, &[rows]);
        let text = std::fs::read_to_string(bench.path("in-0.jsonl")).expect("the input");
        assert!(text.len() > 10 * 160_000);
        for how in [How::new(64, 1), How::new(7, 2)] {
            bench.run(how);
        }
    }
}

//! Policies for rows that fail: what `<name>.failed` says of them, what stops the pipeline, and what else fails: null
//! keys, event times that are none, `merge` and `finish`.

mod support;

use serde_json::{Value, json};
use support::input::{self, Row};
use support::spec::Spec;
use support::{Bench, How, NOW, totals};
use tidemill_engine::{EngineError, FailedRow};

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

/// One source, one operator, and a sink for each output.
fn bench(source: &str, operator: &str, outputs: &[&str]) -> Bench {
    let columns = input::COLUMNS.replace(
        "epoch-us\" }",
        "epoch-us\" }\nmaybe = { type = \"time?\", format = \"epoch-us\" }",
    );
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nout-of-orderness = \"1ms\"\n{source}\n{columns}\n"
    );
    if !operator.is_empty() {
        text += &format!("[operators.one]\ninput = \"rows\"\n{operator}\n");
    }
    for output in outputs {
        let name = output.replace('.', "-port-");
        text += &format!("[sinks.to-{name}]\ninput = \"{output}\"\nfile = \"{output}.jsonl\"\n");
    }
    Bench::new(&text)
}

const EVENT_TIME: &str = "event-time = \"at\"";

fn windowed(spec: Spec, function: &str, more: &str) -> String {
    let spec = spec.toml();
    format!("function = \"kinds/{function}\"\nkey = \"key\"\nwindow = {spec}\n{more}\n")
}

fn row_error(error: EngineError) -> FailedRow {
    match error {
        EngineError::Row(stopped) => {
            assert_eq!(stopped.threshold, None);
            stopped.row
        }
        other => panic!("{other}"),
    }
}

/// Rows of which the third and the last are marked as bad.
fn two_bad() -> Vec<Row> {
    let mut rows: Vec<Row> = (1..=9).map(|at| Row::new("k", 100 * at)).collect();
    rows[2].bad = true;
    rows[8].bad = true;
    rows
}

#[test]
fn a_letter_says_which_row_failed_where_and_why() {
    let functions = [
        (
            "function = \"kinds/sift\"\nconfig = { drop = 7 }".to_owned(),
            "sift",
            "invalid",
        ),
        (
            windowed(Spec::tumble(500), "fail-after-change", ""),
            "fail-after-change",
            "invalid",
        ),
        (
            windowed(Spec::session(500), "trap-after-change", ""),
            "trap-after-change",
            "panic",
        ),
    ];
    for (operator, function, reason) in functions {
        let operator = operator + "\non-failure = \"dead-letter\"";
        let bench = bench(EVENT_TIME, &operator, &["one", "one.failed"]);
        let rows = two_bad();
        let text = input::lines(&rows);
        input::write(&bench, std::slice::from_ref(&rows));
        for how in HOWS {
            bench.run(how);
            let letters = bench.read("one.failed").values();
            assert_eq!(letters.len(), 2, "{function} {how:?}");
            for (letter, row) in letters.iter().zip([&rows[2], &rows[8]]) {
                assert_eq!(letter["operator"], "one");
                assert_eq!(letter["function"], function);
                assert_eq!(letter["reason"], reason, "{letter}");
                let message = letter["message"].as_str().expect("a message");
                let named = format!("value {} is marked as bad", row.value);
                assert!(message.contains(&named), "{message}");
                assert_eq!(letter["module_hash"].as_str().expect("a hash").len(), 64);
                assert!(
                    letter["split"]
                        .as_str()
                        .expect("a split")
                        .ends_with("in-0.jsonl")
                );
                let from = letter["position"].as_u64().expect("a position") as usize;
                assert!(text[from..].starts_with(&row.json()), "{letter}");
                let row_json = support::parse(letter["row"].as_str().expect("a row"));
                assert_eq!(
                    (&row_json["value"], &row_json["bad"]),
                    (&json!(row.value), &json!(true))
                );
                assert_eq!(letter["bytes"], Value::Null);
                assert_eq!(letter["time"], row_json["at"]);
            }
        }
    }
}

#[test]
fn a_line_that_cannot_be_read_is_kept_as_bytes() {
    let source = format!("{EVENT_TIME}\non-failure = \"dead-letter\"");
    let bench = bench(&source, "", &["rows", "rows.failed"]);
    let row = input::lines(&[Row::new("k", 1)]);
    bench.write("in-0.jsonl", &format!("{row}{{\"key\":1}}\n{row}no\n"));
    for how in HOWS {
        let summary = bench.run(how);
        assert_eq!(bench.read("rows").len(), 2);
        let letters = bench.read("rows.failed").values();
        let places: Vec<&Value> = letters.iter().map(|letter| &letter["position"]).collect();
        assert_eq!(
            places,
            [&json!(row.len()), &json!(2 * row.len() + 10)],
            "{how:?}"
        );
        assert!(
            letters
                .iter()
                .all(|letter| letter["reason"] == "decode" && letter["row"].is_null())
        );
        // Base64 of {"key":1} and of no.
        assert_eq!(letters[0]["bytes"], "eyJrZXkiOjF9");
        assert_eq!(letters[1]["bytes"], "bm8=");
        assert_eq!(totals(&summary, "rows").failed, 2);
    }
}

#[test]
fn without_a_policy_the_first_failed_row_stops_the_pipeline() {
    let functions = [
        "function = \"kinds/sift\"\nconfig = { drop = 7 }".to_owned(),
        windowed(Spec::tumble(500), "fail-after-change", ""),
        windowed(Spec::session(500), "trap-after-change", ""),
    ];
    for operator in functions {
        let bench = bench(EVENT_TIME, &operator, &["one"]);
        input::write(&bench, &[two_bad()]);
        for how in HOWS {
            let row = row_error(bench.fail(how));
            assert_eq!(
                (row.operator.as_str(), row.line),
                ("one", Some(3)),
                "{operator} {how:?}"
            );
            assert!(
                row.message.contains("value 300 is marked as bad"),
                "{}",
                row.message
            );
            assert!(!bench.path("one.jsonl").exists(), "no output of half a run");
        }
    }
    let bench = bench(EVENT_TIME, "", &["rows"]);
    bench.write("in-0.jsonl", "{}\n");
    let row = row_error(bench.fail(HOWS[0]));
    assert_eq!(
        (row.reason.as_str(), row.line, row.position),
        ("decode", Some(1), Some(0))
    );
}

#[test]
fn a_skipped_row_is_counted() {
    for function in ["fail-after-change", "trap-after-change"] {
        let operator = windowed(Spec::tumble(10_000), function, "on-failure = \"skip\"");
        let bench = bench(EVENT_TIME, &operator, &["one"]);
        input::write(&bench, &[two_bad()]);
        for how in HOWS {
            let summary = bench.run(how);
            assert_eq!(totals(&summary, "one").failed, 2);
            let sum: i64 = 100 * (1..=9).sum::<i64>() - 300 - 900;
            assert_eq!(
                bench.read("one").integers("sum"),
                [sum],
                "{function} {how:?}"
            );
        }
    }
}

#[test]
fn null_keys_are_kept_skipped_or_failed() {
    let null = |at| Row {
        key: None,
        ..Row::new("", at)
    };
    let rows = vec![null(1), Row::new("", 2), null(3), Row::new("k", 4), null(5)];
    for (policy, sums, skipped, failed) in [
        ("keep", vec![2, 4, 9], 0, 0),
        ("skip", vec![2, 4], 3, 0),
        ("fail", vec![2, 4], 0, 3),
    ] {
        let more = format!("null-key = \"{policy}\"\non-failure = \"dead-letter\"");
        let operator = windowed(Spec::tumble(10), "sum", &more);
        let bench = bench(EVENT_TIME, &operator, &["one", "one.failed"]);
        input::write(&bench, std::slice::from_ref(&rows));
        for how in HOWS {
            let summary = bench.run(how);
            let mut found = bench.read("one").integers("sum");
            found.sort_unstable();
            assert_eq!(found, sums, "{policy} {how:?}");
            let one = totals(&summary, "one");
            assert_eq!(
                (one.null_keys, one.failed),
                (skipped, failed),
                "{policy} {how:?}"
            );
            let letters = bench.read("one.failed").values();
            assert_eq!(letters.len() as u64, failed);
            assert!(letters.iter().all(|letter| letter["reason"] == "null-key"));
        }
    }
}

#[test]
fn event_times_that_are_none_make_bad_rows_and_move_no_watermark() {
    let source = "event-time = [\"maybe\"]\nmax-ahead = \"1h\"\non-failure = \"dead-letter\"";
    let operator = windowed(Spec::tumble(1000), "count", "");
    let bench = bench(source, &operator, &["one", "one.late", "rows.failed"]);
    let hour = 3_600_000_000;
    let line = |maybe: &str| {
        let row = Row::new("k", 1).json();
        format!("{},\"maybe\":{maybe}}}\n", row.trim_end_matches('}'))
    };
    let times = [
        "10".to_owned(),
        "null".to_owned(),
        (NOW + hour + 1).to_string(),
        "20".to_owned(),
    ];
    let text: String = times.iter().map(|time| line(time)).collect();
    bench.write(
        "in-0.jsonl",
        &(text + &line(&(NOW + hour).to_string()) + &line("30")),
    );
    for how in HOWS {
        let summary = bench.run(how);
        let counts = bench.read("one").integers("rows");
        assert_eq!(counts, [2, 1], "10 and 20; an hour ahead: {how:?}");
        assert_eq!(
            bench.read("one.late").len(),
            1,
            "only then is 30 late: {how:?}"
        );
        let letters = bench.read("rows.failed").values();
        let messages: Vec<&str> = letters
            .iter()
            .filter_map(|l| l["message"].as_str())
            .collect();
        assert_eq!(messages[0], "its event time is null");
        assert!(messages[1].contains("further ahead of the clock than `max-ahead` allows"));
        assert_eq!(
            (messages.len(), totals(&summary, "rows").failed),
            (2, 2),
            "{how:?}"
        );
        assert!(letters.iter().all(|letter| letter["reason"] == "time"));
    }
}

/// Of two keys, key `bad` has a marked row in the window that starts at 1000 (and, hopping, at 500).
fn tainted() -> Vec<Row> {
    let at = |key: &str, at| Row {
        value: 1,
        ..Row::new(key, at)
    };
    [0, 600, 1100, 1600, 2100, 2600]
        .into_iter()
        .flat_map(|time| [at("good", time), at("bad", time)])
        .map(|row| {
            if row.at == 1100 && row.key.as_deref() == Some("bad") {
                row.bad()
            } else {
                row
            }
        })
        .collect()
}

#[test]
fn a_result_that_fails_is_that_of_its_window_alone() {
    let finish = |panics| format!("config = {{ panics = {panics} }}\n");
    for (function, config, reason) in [
        ("fail-finish", finish(false), "invalid"),
        ("fail-finish", finish(true), "panic"),
        ("fail-merge", String::new(), "invalid"),
    ] {
        let more = config + "on-failure = \"dead-letter\"";
        let operator = windowed(Spec::hop(1000, 500), function, &more);
        let bench = bench(EVENT_TIME, &operator, &["one", "one.failed"]);
        input::write(&bench, &[tainted()]);
        for how in HOWS {
            let summary = bench.run(how);
            let about = format!("{function}, {reason}, {how:?}");
            let sums = |key| {
                let of_key = bench.read("one").by_key(&["key"])[key].clone();
                support::Rows(of_key).integers("sum")
            };
            assert_eq!(sums("\"good\""), [1, 2, 2, 2, 2, 2, 1], "{about}");
            assert_eq!(sums("\"bad\""), [1, 2, 2, 2, 1], "{about}");
            let letters = bench.read("one.failed").values();
            let windows: Vec<Value> = letters
                .iter()
                .map(|letter| support::parse(letter["row"].as_str().expect("a firing")))
                .collect();
            let starts: Vec<&str> = windows
                .iter()
                .filter_map(|w| w["window_start"].as_str())
                .collect();
            assert_eq!(
                starts,
                ["1970-01-01T00:00:00.0005Z", "1970-01-01T00:00:00.001Z"],
                "{about}"
            );
            assert!(
                windows.iter().all(|w| w["key"] == json!({"key": "bad"})),
                "{windows:?}"
            );
            assert!(
                letters.iter().all(|letter| letter["reason"] == reason),
                "{about}"
            );
            let one = totals(&summary, "one");
            assert_eq!(
                (one.failed, one.failed_results, one.rows_out),
                (0, 2, 12),
                "{about}"
            );
        }
    }
}

/// Sessions that cannot merge stay apart: the row on whose behalf they would have merged is the one that fails.
#[test]
fn a_merge_that_fails_is_put_down_to_the_row_that_wanted_it() {
    let operator = windowed(
        Spec::session(100),
        "fail-merge",
        "on-failure = \"dead-letter\"",
    );
    let bench = bench(EVENT_TIME, &operator, &["one", "one.failed"]);
    let rows = [
        Row::new("k", 100).bad(),
        Row::new("k", 300),
        Row::new("k", 200),
        Row::new("k", 350),
        Row::new("other", 300),
        Row::new("other", 100),
        Row::new("other", 200),
    ];
    input::write(&bench, &[rows.to_vec()]);
    for how in HOWS {
        bench.run(how);
        let by_key = bench.read("one").by_key(&["key"]);
        let sums = |key| support::Rows(by_key[key].clone()).integers("sum");
        assert_eq!(
            (sums("\"k\""), sums("\"other\"")),
            (vec![100, 650], vec![600]),
            "{how:?}"
        );
        let letters = bench.read("one.failed").values();
        assert_eq!(letters.len(), 1, "{how:?}");
        let row = support::parse(letters[0]["row"].as_str().expect("a row"));
        assert_eq!(
            (&row["key"], &row["value"]),
            (&json!("k"), &json!(200)),
            "{how:?}"
        );
    }
}

//! `tidemill rerun`.

use serde_json::Value;

use crate::support::{Folder, kinds};

/// Rows through `trapping`, which traps on 13, and through sums that fail where a row is marked as bad.
fn folder() -> Folder {
    let pipeline = format!(
        r#"name = "letters"
[modules.kinds]
file = {:?}
[sources.rows]
files = "rows.jsonl"
event-time = "at"
out-of-orderness = "1s"
[sources.rows.columns]
key = "text"
value = "integer"
bad = "bool"
at = "time"
[operators.look]
input = "rows"
function = "kinds/trapping"
config = {{ at = 13 }}
on-failure = "dead-letter"
[operators.sums]
input = "look"
key = "key"
window = {{ tumble = "1m" }}
function = "kinds/fail-finish"
on-failure = "dead-letter"
[operators.totals]
input = "look"
key = "key"
window = {{ tumble = "1m" }}
function = "kinds/sum"
[sinks.out]
input = ["sums"]
blackhole = {{}}
[sinks.totals-out]
input = "totals"
blackhole = {{}}
[sinks.bad]
input = ["look.failed", "sums.failed"]
file = "bad.jsonl"
format = "json"
"#,
        kinds()
    );
    let rows = "{\"key\":\"a\",\"value\":12,\"bad\":false,\"at\":\"2024-01-01T00:00:00Z\"}\n\
                {\"key\":\"a\",\"value\":13,\"bad\":false,\"at\":\"2024-01-01T00:00:01Z\"}\n\
                {\"key\":\"b\",\"value\":14,\"bad\":true,\"at\":\"2024-01-01T00:00:02Z\"}\n";
    Folder::with(&[("pipeline.toml", &pipeline), ("rows.jsonl", rows)])
}

#[test]
fn dead_letters_fail_again_until_what_was_wrong_is_mended() {
    let folder = folder();
    folder.run(&["run"]).expect(0);
    assert_eq!(folder.read("bad.jsonl").lines().count(), 2);
    let ended = folder.run(&["rerun", "--letters", "bad.jsonl"]).expect(1);
    for text in [
        "bad.jsonl:1: look (trapping) fails again",
        "before:      panic: ",
        "read from:   rows.jsonl, position ",
        "row:         {\"key\":\"a\",\"value\":13,",
        "now:         panic: ",
        "the value is 13",
        "logged:      info: looking at 13",
        "took:        ",
        " of memory",
        "Trapping",
        "bad.jsonl:2: sums (fail-finish) fails again",
        "now:         invalid: tainted: a sum of 14",
        "2 rows: 0 succeed now, 2 fail",
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
    let mended = ["--set", "operators.look.config.at=14", "--format", "json"];
    let ended = folder
        .run(
            &[
                &["rerun", "--letters", "bad.jsonl", "--line", "1"],
                &mended[..],
            ]
            .concat(),
        )
        .expect(0);
    let event: Value = serde_json::from_str(&ended.out).expect("one line of JSON");
    assert_eq!(event["failed"], false);
    assert_eq!(event["given"][0]["output"], "look");
    assert_eq!(event["given"][0]["row"]["value"], 13);
    assert!(event["memory_bytes"].as_u64() > Some(65_536), "{event}");
}

#[test]
fn a_row_goes_into_a_fresh_accumulator_or_the_one_given() {
    let folder = folder();
    let row = "{\"key\":\"a\",\"value\":5,\"bad\":false,\"at\":\"2024-01-01T00:00:30Z\"}";
    let time = "2024-01-01T00:00:30Z";
    let args = [
        "rerun",
        "--operator",
        "totals",
        "--row",
        row,
        "--time",
        time,
    ];
    let ended = folder.run(&args).expect(0);
    for text in [
        "the row: totals (sum) succeeds",
        "gives:       totals {\"key\":\"a\",\"window_start\":\"2024-01-01T00:00:00Z\"",
        "\"sum\":5,\"rows\":1}",
        "accumulator: {\"sum\":5,\"rows\":1}",
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
    let given = [&args[..], &["--accumulator", "{\"sum\":100,\"rows\":7}"]].concat();
    let ended = folder.run(&given).expect(0);
    assert!(
        ended.out.contains("accumulator: {\"sum\":105,\"rows\":8}"),
        "{}",
        ended.out
    );
}

#[test]
fn what_cannot_be_given_again_is_said() {
    let folder = folder();
    let row = "{\"key\":\"a\",\"value\":\"many\",\"bad\":false,\"at\":\"2024-01-01T00:00:30Z\"}";
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["--operator", "total", "--row", row],
            &["no operator total", "look, sums, totals"],
        ),
        (
            &["--operator", "totals", "--row", row],
            &["column `value`", "hint:"],
        ),
        (
            &[
                "--operator",
                "totals",
                "--row",
                row,
                "--accumulator",
                "{\"sum\":1}",
            ],
            &["no accumulator of sum", "`rows`", "hint:"],
        ),
        (&["--letters", "none.jsonl"], &["cannot read none.jsonl"]),
        (
            &["--letters", "rows.jsonl"],
            &["rows.jsonl:1: this is no dead letter", "hint:"],
        ),
        (
            &["--letters", "empty.jsonl", "--line", "3"],
            &["has no row in line 3"],
        ),
    ];
    folder.write("empty.jsonl", "");
    let of_source =
        "{\"operator\":\"rows\",\"reason\":\"decode\",\"message\":\"no JSON\",\"row\":null}";
    folder.write("source.jsonl", of_source);
    let ended = folder.run(&["rerun", "--letters", "source.jsonl", "--line", "1"]);
    ended
        .expect(2)
        .says(&["rows failed in no function: no JSON", "hint:"]);
    let ended = folder.run(&["rerun", "--letters", "source.jsonl"]);
    ended
        .expect(0)
        .says(&["passed over: source.jsonl:1: rows failed in no function"]);
    for (args, texts) in cases {
        let ended = folder.run(&[&["rerun"], args].concat());
        ended.expect(2).says(texts);
    }
    folder.run(&["rerun"]).expect(2);
}

/// Windows of which one has a row of 13, and a source whose watermark takes no such row either.
fn whole() -> Folder {
    let pipeline = format!(
        r#"name = "whole"
[modules.kinds]
file = {:?}
[sources.rows]
files = "rows.jsonl"
event-time = "at"
out-of-orderness = "1s"
[sources.rows.columns]
key = "text"
value = "integer"
at = "time"
[sources.marked]
files = "rows.jsonl"
event-time = "at"
watermark = {{ function = "kinds/punctuated" }}
on-failure = "dead-letter"
columns = {{ key = "text", value = "integer", at = "time" }}
[operators.lists]
input = "rows"
key = "key"
window = {{ tumble = "1m" }}
function = "kinds/list"
on-failure = "dead-letter"
[sinks.out]
input = ["lists"]
blackhole = {{}}
[sinks.marked-out]
input = "marked"
blackhole = {{}}
[sinks.bad]
input = ["lists.failed", "marked.failed"]
file = "bad.jsonl"
format = "json"
"#,
        kinds()
    );
    let row = |(key, value, second): (&str, u64, u64)| {
        format!(
            "{{\"key\":\"{key}\",\"value\":{value},\"at\":\"2024-01-01T00:00:{second:02}Z\"}}\n"
        )
    };
    let rows: String = [("a", 12, 9), ("a", 13, 4), ("b", 14, 5)].map(row).concat();
    Folder::with(&[("pipeline.toml", &pipeline), ("rows.jsonl", &rows)])
}

#[test]
fn firings_are_given_again_with_their_rows_and_rows_to_watermarks() {
    let folder = whole();
    folder.run(&["run", "--workers", "1"]).expect(0);
    let ended = folder.run(&["rerun", "--letters", "bad.jsonl"]).expect(1);
    for text in [
        "lists (list) fails again",
        "before:      invalid: thirteen: a window with 13",
        "now:         invalid: thirteen: a window with 13",
        "marked (punctuated) fails again",
        "now:         invalid: thirteen: no row is 13",
        "2 rows: 0 succeed now, 2 fail",
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
    // The same firing with another number in place of 13.
    let letters = folder.read("bad.jsonl");
    let letter = letters.lines().find(|line| line.contains("window_start"));
    let mended = letter
        .expect("a firing")
        .replace("\\\"value\\\":13", "\\\"value\\\":21");
    folder.write("mended.jsonl", &mended);
    let ended = folder
        .run(&["rerun", "--letters", "mended.jsonl"])
        .expect(0);
    assert!(
        ended.out.contains("\"values\":\"21 12\",\"rows\":2"),
        "{}",
        ended.out
    );
    let cut = mended.replace("}]}", "}],\\\"rows_left_out\\\":7}");
    folder.write("cut.jsonl", &cut);
    let ended = folder.run(&["rerun", "--letters", "cut.jsonl"]);
    ended.expect(2).says(&["7 of its rows are not in it"]);
}

#[test]
fn a_row_goes_to_a_window_or_a_watermark() {
    let folder = whole();
    let row = "{\"key\":\"a\",\"value\":0,\"at\":\"2024-01-01T00:00:30Z\"}";
    let args = |operator| {
        let time = "2024-01-01T00:00:30Z";
        [
            "rerun",
            "--operator",
            operator,
            "--row",
            row,
            "--time",
            time,
        ]
    };
    let ended = folder.run(&args("lists")).expect(0);
    for text in [
        "lists (list) succeeds",
        "\"values\":\"0\",\"rows\":1",
        "took:        ",
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
    let ended = folder.run(&args("marked")).expect(0);
    let said = "gives:       marked {\"watermark\":\"2024-01-01T00:00:30Z\"}";
    assert!(ended.out.contains(said), "{}", ended.out);
}

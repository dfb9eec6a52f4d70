//! `tidemill state`: what operators keep, as typed rows.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use crate::support::{Folder, kinds};

const PIPELINE: &str = r#"
name = "seen"
[checkpoints]
[modules.kinds]
file = "KINDS"
[sources.rows]
files = "in/*.jsonl"
event-time = "at"
out-of-orderness = "0s"
[sources.rows.columns]
account = "text"
city = "text?"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[operators.sum]
input = "rows"
key = ["account", "city"]
window = { tumble = "10s", lateness = "5s" }
function = "kinds/sum"
[operators.hop]
input = "rows"
key = "account"
window = { hop = "10s", step = "5s" }
function = "kinds/count"
[operators.newest]
input = "rows"
window = { session = "1h", keep = { newest = 2 } }
function = "kinds/sum"
[sinks.out]
input = "sum"
blackhole = {}
[sinks.hops]
input = "hop"
blackhole = {}
[sinks.latest]
input = "newest"
blackhole = {}
"#;

fn add(folder: &Folder, rows: &[(&str, Option<&str>, i64, i64)]) {
    fs::create_dir_all(folder.path().join("in")).expect("a folder");
    let path = folder.path().join("in/a.jsonl");
    let file = fs::File::options().create(true).append(true).open(path);
    let mut file = file.expect("the file is opened");
    for (account, city, value, at) in rows {
        let row = json!({ "account": account, "city": city, "value": value, "at": at });
        writeln!(file, "{row}").expect("the file is written");
    }
}

/// A pipeline with two checkpoints: after four rows, and after one more.
fn story() -> Folder {
    let folder = Folder::with(&[("pipeline.toml", &PIPELINE.replace("KINDS", kinds()))]);
    let rows = [
        ("a", Some("Ulm"), 1, 1000),
        ("a", None, 2, 3000),
        ("b", Some("Ulm"), 3, 6000),
        ("a", Some("Ulm"), 4, 11_000),
    ];
    add(&folder, &rows);
    folder
        .run(&["run", "--at-end", "keep", "--workers", "2"])
        .expect(0);
    add(&folder, &[("b", Some("Ulm"), 5, 12_000)]);
    folder
        .run(&["run", "--at-end", "keep", "--workers", "1"])
        .expect(0);
    folder
}

fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    text.lines().map(line).collect()
}

#[test]
fn state_is_listed_got_and_dumped() {
    let folder = story();
    let ended = folder.run(&["state", "list"]).expect(0);
    assert!(
        ended
            .err
            .contains("state of pipeline seen at checkpoint 4, made "),
        "{}",
        ended.err
    );
    for texts in [
        ["operator", "keys", "entries", "watermark"],
        [
            "sum",
            "account: text, city: text?",
            "3",
            "1970-01-01T00:00:11.999999Z",
        ],
        ["hop", "account: text", "tumble", "rows: integer"],
        ["newest", "session", "rows of value: integer", ""],
    ] {
        let line = ended.out.lines().find(|line| line.starts_with(texts[0]));
        let line = line.unwrap_or_else(|| panic!("no {} in {}", texts[0], ended.out));
        let all = texts.iter().filter(|text| **text != "tumble");
        all.for_each(|text| assert!(line.contains(text), "no {text:?} in {line}"));
    }

    let got = folder
        .run(&[
            "state",
            "get",
            "sum",
            r#"{"account":"a","city":"Ulm"}"#,
            "--format",
            "json",
        ])
        .expect(0);
    let window = |start: &str, end: &str, fired: u64, sum: i64, rows: i64| {
        json!({
            "operator": "sum", "key": { "account": "a", "city": "Ulm" },
            "window_start": start, "window_end": end, "fired": fired,
            "accumulator": { "sum": sum, "rows": rows },
        })
    };
    let (zero, ten, twenty) = (
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:10Z",
        "1970-01-01T00:00:20Z",
    );
    assert_eq!(
        lines(&got.out),
        [window(zero, ten, 1, 1, 1), window(ten, twenty, 0, 4, 1)]
    );
    let got = folder
        .run(&["state", "get", "sum", r#"{"city":null}"#])
        .expect(0);
    for text in ["account", "window_start", "sum", "Z"] {
        assert!(got.out.contains(text), "no {text} in {}", got.out);
    }
    assert_eq!(got.out.lines().count(), 2, "{}", got.out);
    // One column: its value is enough.
    let got = folder
        .run(&["state", "get", "hop", "b", "--format", "json"])
        .expect(0);
    let panes: Vec<String> = lines(&got.out)
        .iter()
        .map(|e| e["pane_start"].to_string())
        .collect();
    assert_eq!(
        panes,
        [
            format!("\"{}\"", "1970-01-01T00:00:05Z"),
            format!("\"{ten}\"")
        ],
        "{}",
        got.out
    );

    let dumped = lines(&folder.run(&["state", "dump"]).expect(0).out);
    let of = |operator: &str| -> Vec<&Value> {
        let all = dumped.iter();
        all.filter(|entry| entry["operator"] == operator).collect()
    };
    assert_eq!((of("sum").len(), of("hop").len()), (5, 3), "{dumped:?}");
    // The unkeyed session, and the two rows that it keeps.
    let rows: Vec<&Value> = of("newest")
        .into_iter()
        .filter(|entry| entry.get("row").is_some())
        .collect();
    assert_eq!((of("newest").len(), rows.len()), (3, 2), "{dumped:?}");
    assert_eq!(rows[1]["row"], json!({ "value": 5 }));
    assert_eq!(rows[1]["key"], json!({}));
    let only = folder
        .run(&["state", "dump", "sum", "--key", r#"{"account":"b"}"#])
        .expect(0);
    assert_eq!(lines(&only.out).len(), 2);
}

#[test]
fn two_moments_are_compared() {
    let folder = story();
    let ended = folder
        .run(&["state", "diff", "2", "--operator", "sum"])
        .expect(0);
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
    assert!(
        ended
            .out
            .starts_with(r#"+ {"operator":"sum","key":{"account":"b","city":"Ulm"}"#),
        "{}",
        ended.out
    );
    assert!(
        ended.err.contains("0 of 4 entries gone, 0 changed, 1 new"),
        "{}",
        ended.err
    );
    let ended = folder
        .run(&[
            "state",
            "diff",
            "2",
            "4",
            "--operator",
            "newest",
            "--format",
            "json",
        ])
        .expect(0);
    let changes: Vec<Value> = lines(&ended.out)
        .iter()
        .map(|one| one["change"].clone())
        .collect();
    assert!(
        changes.contains(&json!("gone")) && changes.contains(&json!("new")),
        "{}",
        ended.out
    );
    let same = folder.run(&["state", "diff", "4", "4"]).expect(0);
    assert_eq!(same.out, "");
}

#[test]
fn mistakes_are_met_with_what_there_is() {
    let folder = story();
    let cases: &[(&[&str], i32, &[&str])] = &[
        (
            &["get", "sun", "{}"],
            2,
            &["holds no operator sun", "hint: did you mean sum?"],
        ),
        (
            &["get", "sum", "a"],
            2,
            &[
                "no key of operator sum: a",
                "hint: its key is account: text, city: text?",
            ],
        ),
        (
            &["get", "sum", r#"{"town":"Ulm"}"#],
            2,
            &[
                "the key of operator sum has no column town",
                "written as {\"account\":",
            ],
        ),
        (
            &["get", "hop", "zoe"],
            1,
            &[
                "operator hop keeps nothing for the key zoe",
                r#"such as {"account":"a"}"#,
            ],
        ),
        (&["list", "--at", "99"], 2, &["has no checkpoint 99 in"]),
        (&["list", "--now"], 1, &["pipeline seen does not run"]),
        (
            &["diff", "2", "nowhere"],
            2,
            &["no savepoint of pipeline seen in "],
        ),
    ];
    for (args, code, says) in cases {
        let args: Vec<&str> = std::iter::once("state")
            .chain(args.iter().copied())
            .collect();
        folder.run(&args).expect(*code).says(says);
    }
    fs::remove_dir_all(folder.path().join("checkpoints")).expect("the location");
    folder.run(&["state", "list"]).expect(1).says(&[
        "pipeline seen has no checkpoints in",
        "hint: state is read from a checkpoint",
    ]);
}

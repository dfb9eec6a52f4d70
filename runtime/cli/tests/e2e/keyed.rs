//! What process operators keep: going on with it after the function was changed, and as typed rows.

use std::fs::File;
use std::io::Write;

use serde_json::{Value, json};

use crate::support::{Folder, kinds};

const PIPELINE: &str = r#"
name = "keyed"
[checkpoints]
keep = 9
[modules.kinds]
file = "KINDS"
[sources.rows]
files = "in/*.jsonl"
event-time = "at"
out-of-orderness = "0s"
[sources.rows.columns]
key = "text"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[operators.one]
input = "rows"
key = "key"
function = "kinds/tally"
[sinks.out]
input = "one"
folder = "out"
"#;

const TALLY: &str = "function = \"kinds/tally\"";

/// A pipeline file after edits, each a text and what takes its place.
fn edited(edits: &[(&str, &str)]) -> String {
    let text = PIPELINE.replace("KINDS", kinds());
    edits.iter().fold(text, |text, (was, is)| {
        assert!(text.contains(was), "no {was:?} in {text}");
        text.replace(was, is)
    })
}

/// Adds a row per second, of keys `a` and `b` in turn.
fn add(folder: &Folder, seconds: std::ops::Range<u64>) {
    std::fs::create_dir_all(folder.path().join("in")).expect("a folder");
    let path = folder.path().join("in/a.jsonl");
    let file = File::options().create(true).append(true).open(path);
    let mut file = file.expect("the file is opened");
    for second in seconds {
        let key = ["a", "b"][(second % 2) as usize];
        let row = json!({ "key": key, "value": second / 2 + 1, "at": second * 1000 });
        writeln!(file, "{row}").expect("the file is written");
    }
}

/// A pipeline that has read the values 1, 2 and 3 of each key.
fn begun(edits: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(&[("pipeline.toml", &edited(edits))]);
    add(&folder, 0..6);
    folder
        .run(&["run", "--at-end", "keep", "--workers", "2"])
        .expect(0);
    folder
}

/// What was said of key `a`.
fn told(folder: &Folder) -> Vec<String> {
    let mut told = Vec::new();
    let parts = std::fs::read_dir(folder.path().join("out"));
    for part in parts.into_iter().flatten() {
        let path = part.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.starts_with('.') {
            let text = std::fs::read_to_string(path).expect("a part");
            let rows = lines(&text).into_iter().filter(|row| row["key"] == "a");
            told.extend(rows.map(|row| row["what"].as_str().expect("text").to_owned()));
        }
    }
    told
}

fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    text.lines().map(line).collect()
}

/// The function of the first run; edits before the second; what may be dropped; what is said of a key then, or why nothing
/// starts.
type Case<'a> = (
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a [&'a str],
    Result<&'a str, &'a [&'a str]>,
);

#[test]
fn slots_and_timers_that_fit_go_on_and_the_rest_is_refused() {
    let more: &[(&str, &str)] = &[(TALLY, "function = \"kinds/tally-more\"")];
    let less: &[(&str, &str)] = &[(TALLY, "function = \"kinds/tally-less\"")];
    let cases: &[Case<'_>] = &[
        (
            "tally",
            &[],
            &[],
            Ok("silent 5 15 [1, 2, 3, 4, 5] [(0, 6), (1, 9)]"),
        ),
        // Slots, timers and columns in another order, integers that are floats now, and some that are new.
        (
            "tally",
            more,
            &[],
            Ok("silent 5 15.0 Some(5) [1.0, 2.0, 3.0, 2.0, 2.5] [(0, 2.0, None), (1, 4.0, None)]"),
        ),
        (
            "tally",
            less,
            &[],
            Err(&[
                "operator one: slot `values` is gone, and may hold something: `--allow-dropped-state one.values` lets it go",
                "operator one: slot `by_value` is gone",
                "operator one: timer `silent` is gone, and may hold something: `--allow-dropped-state one.silent`",
                "operator one: timer `some_day` is gone",
            ]),
        ),
        (
            "tally",
            less,
            &["one.values", "one.by_value", "one.silent", "one.some_day"],
            Ok("5 15"),
        ),
        ("tally", less, &["one"], Ok("2 9")),
        // And back: what floats hold is not cut, what nobody has named is not dropped.
        (
            "tally-more",
            &[],
            &[],
            Err(&[
                "operator one: column `sum` of slot `total` was float and is integer now",
                "operator one: column `most` of slot `total` is gone, and holds something",
                "operator one: slot `last` is gone",
                "operator one: timer `early` is gone",
            ]),
        ),
        (
            "tally",
            &[("key = \"key\"", "key = \"value\"")],
            &[],
            Err(&["operator one: its key was [\"key: text\"] and is [\"value: integer\"] now"]),
        ),
        (
            "tally",
            &[(
                TALLY,
                "function = \"kinds/sum\"\nwindow = { tumble = \"10s\" }",
            )],
            &[],
            Err(&["operator one: it keeps state of another kind now"]),
        ),
    ];
    for (before, after, drop, expected) in cases {
        let function = format!("function = \"kinds/{before}\"");
        let folder = begun(&[(TALLY, &function)]);
        folder.write("pipeline.toml", &edited(after));
        add(&folder, 6..10);
        let mut args = vec!["run", "--workers", "3"];
        drop.iter()
            .for_each(|name| args.extend(["--allow-dropped-state", name]));
        let ended = folder.run(&args);
        match expected {
            Ok(expected) => {
                ended.expect(0);
                let told = told(&folder);
                let last = told.last().map(String::as_str);
                assert_eq!(last, Some(*expected), "{before} {after:?}: {told:?}");
            }
            Err(reasons) => {
                ended.expect(2).says(reasons).says(&["nothing was started"]);
            }
        }
    }
}

#[test]
fn integers_that_no_float_is_equal_to_are_not_rounded() {
    let folder = Folder::with(&[("pipeline.toml", &edited(&[]))]);
    folder.write(
        "in/a.jsonl",
        "{\"key\":\"a\",\"value\":9007199254740993,\"at\":0}\n",
    );
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    let more = edited(&[(TALLY, "function = \"kinds/tally-more\"")]);
    folder.write("pipeline.toml", &more);
    folder.run(&["run"]).expect(2).says(&[
        "what it holds of one cannot be taken over: column `",
        "holds 9007199254740993, which no float is equal to",
    ]);
}

#[test]
fn slots_and_timers_are_listed_got_dumped_and_compared() {
    let folder = begun(&[]);
    let listed = folder.run(&["state", "list"]).expect(0).out;
    let line = listed.lines().find(|line| line.starts_with("one"));
    let line = line.unwrap_or_else(|| panic!("no operator in {listed}"));
    // Of each of two keys a value, three values of a list, two of a map, and two timers.
    for text in [
        "process",
        "key: text",
        " 2 ",
        " 16 ",
        "value total of rows: integer, sum: integer",
        "list values of",
        "map by_value of",
        "timer silent",
        "timer some_day",
    ] {
        assert!(line.contains(text), "no {text:?} in {line}");
    }

    let got = folder.run(&["state", "get", "one", "a", "--format", "json"]);
    let got = lines(&got.expect(0).out);
    let of = |more: Value| {
        let mut entry = json!({ "operator": "one", "key": { "key": "a" } });
        let fields = more.as_object().expect("fields").clone();
        entry.as_object_mut().expect("an object").extend(fields);
        entry
    };
    let expected = [
        json!({ "slot": "total", "row": { "rows": 3, "sum": 6 } }),
        json!({ "slot": "values", "number": 0, "row": { "value": 1 } }),
        json!({ "slot": "values", "number": 1, "row": { "value": 2 } }),
        json!({ "slot": "values", "number": 2, "row": { "value": 3 } }),
        json!({ "slot": "by_value", "sub_key": { "value": 0 }, "row": { "rows": 1, "sum": 2 } }),
        json!({ "slot": "by_value", "sub_key": { "value": 1 }, "row": { "rows": 2, "sum": 4 } }),
        json!({ "timer": "silent", "at": "1970-01-01T00:00:14Z" }),
        json!({ "timer": "some_day", "at": "2100-01-01T00:00:00Z" }),
    ];
    let mut got: Vec<String> = got.iter().map(Value::to_string).collect();
    let mut expected: Vec<String> = expected.map(|one| of(one).to_string()).into();
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
    let dumped = lines(&folder.run(&["state", "dump"]).expect(0).out);
    assert_eq!(dumped.len(), 16);

    // One row more: a value, a list and a map of its key are others, and the timer has moved.
    add(&folder, 6..7);
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    let ended = folder.run(&["state", "diff", "2"]).expect(0);
    assert!(
        ended.err.contains("1 of 16 entries gone, 2 changed, 2 new"),
        "{}\n{}",
        ended.err,
        ended.out
    );
    for text in [
        r#""timer":"silent","at":"1970-01-01T00:00:14Z""#,
        r#""timer":"silent","at":"1970-01-01T00:00:16Z""#,
        r#""slot":"values","number":3,"row":{"value":4}"#,
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
    assert!(!ended.out.contains(r#"{"key":"b"}"#), "{}", ended.out);
}

//! `tidemill check`, and what every command says of a pipeline file that is wrong.

use crate::support::{Ended, Folder, kinds};

/// A pipeline with one transform and one aggregate.
fn pipeline() -> String {
    format!(
        r#"name = "sums"

[modules.kinds]
file = "{}"

[sources.rows]
files = "rows.jsonl"
event-time = "at"
out-of-orderness = "1s"

[sources.rows.columns]
key = "text"
value = "integer"
bad = "bool"
at = "time"

[operators.whole]
input = "rows"
function = "kinds/trapping"
config = {{ at = -1 }}

[operators.sums]
input = "whole"
key = "key"
window = {{ hop = "10s", step = "5s" }}
function = "kinds/trap-after-change"

[sinks.out]
input = "sums"
stdout = {{}}
format = "json"
"#,
        kinds()
    )
}

const ROW: &str = "{\"key\":\"a\",\"value\":1,\"bad\":false,\"at\":\"2024-01-01T00:00:01Z\"}\n";

/// Checks the pipeline with one piece of its text replaced.
fn with(from: &str, to: &str) -> Ended {
    let text = pipeline();
    assert!(
        from.is_empty() || text.contains(from),
        "{from} is not in the pipeline"
    );
    let text = if from.is_empty() {
        text
    } else {
        text.replace(from, to)
    };
    let folder = Folder::with(&[("pipeline.toml", &text), ("rows.jsonl", ROW)]);
    folder.run(&["check", "--workers", "2", "--explain"])
}

#[test]
fn what_is_well_says_what_was_looked_at_and_the_plan() {
    let ended = with("", "").expect(0);
    for text in [
        "pipeline.toml: nothing is wrong",
        "1 source, 2 operators, 1 sink; 2 workers",
        "it may compute and log, nothing else",
        "source rows: 1 file",
        "pipeline sums: 2 workers, 128 key groups",
        "from rows: chained",
        "from whole: exchange by key group of (key)",
        "key (key)",
        "hop 10s every 5s",
    ] {
        assert!(ended.out.contains(text), "no {text:?} in:\n{}", ended.out);
    }
    assert_eq!(ended.err, "", "nothing to warn of");
}

#[test]
fn the_plan_names_what_windows_keep() {
    let cases = [
        (
            "step = \"5s\" }",
            "step = \"5s\", keep = { newest = 3 } }",
            "keeps the newest 3 rows of a window, in at most 1024 MiB per worker",
        ),
        (
            "step = \"5s\" }",
            "step = \"5s\", keep = { within = \"2s\" } }\nrows-limit = \"64MiB\"",
            "keeps a window's rows of the last 2s before its newest, in at most 64 MiB per worker",
        ),
        (
            "kinds/trap-after-change",
            "kinds/list",
            "keeps every row of a window, in at most 1024 MiB per worker",
        ),
    ];
    for (from, to, kept) in cases {
        let ended = with(from, to).expect(0);
        assert!(ended.out.contains(kept), "no {kept:?} in:\n{}", ended.out);
    }
}

/// Where a text stands in a pipeline file, as messages say it.
fn place(pipeline: &str, text: &str) -> String {
    let at = pipeline.find(text).expect("the text is in the file");
    format!(
        "pipeline.toml:{}:",
        pipeline[..at].matches('\n').count() + 1
    )
}

#[test]
fn mistakes_show_the_line_and_what_to_do() {
    // What is replaced, by what, and what is said; the line is that of the replacement.
    let cases: &[(&str, &str, &[&str])] = &[
        ("\"10s\"", "\"10 s\"", &["expected a duration", "\"10s\""]),
        (
            "key = \"key\"",
            "key = \"kay\"",
            &["kay", "did you mean key?"],
        ),
        (
            "kinds/trapping",
            "kinds/traping",
            &["did you mean trapping?"],
        ),
        ("{ at = -1 }", "{ at = 1.5 }", &["must be integer"]),
        (
            "{ at = -1 }",
            "{ att = -1 }",
            &["unknown config field", "att"],
        ),
        ("input = \"sums\"", "input = \"sum\"", &["did you mean"]),
    ];
    for (from, to, texts) in cases {
        let place = place(&pipeline().replace(from, to), to);
        with(from, to).expect(2).says(&[&place]).says(texts);
    }
}

#[test]
fn mistakes_that_show_elsewhere_name_both_sides() {
    let ended = with("value = \"integer\"", "value = \"text\"").expect(2);
    ended.says(&[
        &place(&pipeline(), "kinds/trapping"),
        "expected integer, found text",
    ]);
    with("rows.jsonl", "rose.jsonl")
        .expect(2)
        .says(&["pipeline.toml:7:", "rose.jsonl"]);
    with("kinds.wasm", "kin.wasm")
        .expect(2)
        .says(&["pipeline.toml:4:", "does not exist"]);
}

#[test]
fn several_mistakes_are_shown_at_once() {
    let text = pipeline()
        .replace("kinds/trapping", "kinds/nothing")
        .replace("kinds/trap-after-change", "kinds/nobody");
    let folder = Folder::with(&[("pipeline.toml", &text), ("rows.jsonl", ROW)]);
    let (one, other) = (place(&text, "kinds/nothing"), place(&text, "kinds/nobody"));
    folder
        .run(&["check"])
        .expect(2)
        .says(&[&one, &other, "2 errors"]);
}

#[test]
fn run_refuses_what_check_refuses() {
    let text = pipeline().replace("kinds/trapping", "kinds/traping");
    let place = place(&text, "kinds/traping");
    let folder = Folder::with(&[("pipeline.toml", &text), ("rows.jsonl", ROW)]);
    let ended = folder.run(&["run"]).expect(2).says(&[&place]);
    assert_eq!(ended.out, "");
    let ended = folder.run(&["run", "--format", "json"]).expect(2);
    let event: serde_json::Value = serde_json::from_str(&ended.err).expect("one line of JSON");
    assert_eq!(event["event"], "error");
    assert_eq!(format!("pipeline.toml:{}:", event["line"]), place);
}

#[test]
fn the_command_line_is_checked_too() {
    let folder = Folder::new();
    folder.run(&["chekc"]).expect(2).says(&["check"]);
    folder
        .run(&["run", "--workers", "0"])
        .expect(2)
        .says(&["1..=1024"]);
    folder
        .run(&["run", "--set", "workers"])
        .expect(2)
        .says(&["key=value"]);
    folder
        .run(&["run", "absent.toml"])
        .expect(2)
        .says(&["absent.toml", "pipeline file"]);
    let version = folder.run(&["--version"]).expect(0);
    assert_eq!(
        version.out.trim(),
        concat!("tidemill ", env!("CARGO_PKG_VERSION"))
    );
    let help = folder.run(&["run", "--help"]).expect(0);
    assert!(help.out.contains("Exit codes:"), "{}", help.out);
}

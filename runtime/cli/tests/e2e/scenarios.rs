//! `tidemill test`: what passes, what differs, what is wrong, and how each is told.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, Folder, kinds, root};

/// Sums per key and minute, of rows that `look` lets through.
fn pipeline() -> String {
    format!(
        r#"name = "kinds"
[modules.kinds]
file = {:?}
[sources.rows]
files = "no-such-file.jsonl"
event-time = "at"
out-of-orderness = "10s"
on-failure = "skip"
[sources.rows.columns]
key = "text"
value = "integer"
at = "time"
[operators.look]
input = "rows"
function = "kinds/trapping"
config = {{ at = 13 }}
on-failure = "skip"
[operators.sums]
input = "look"
key = "key"
window = {{ tumble = "1m" }}
function = "kinds/sum"
[sinks.out]
input = "sums"
stdout = {{}}
"#,
        kinds()
    )
}

/// A folder with that pipeline and these files.
fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(files);
    folder.write("kinds.toml", &pipeline());
    folder
}

const SUMS: &str = r#"# Sums of a minute.
pipeline kinds.toml
show sums, sums.late

rows rows
{"key":"b","value":1,"at":"2024-01-01T00:00:10Z"}
{"key":"a","value":2,"at":"2024-01-01T00:00:20Z"}
{"key":"a","value":3,"at":"2024-01-01T00:00:30Z"}
----

watermark 2024-01-01T00:00:59.999999Z
----
sums {"key":"a","window_start":"2024-01-01T00:00:00Z","window_end":"2024-01-01T00:01:00Z","firing":"on-time","firing_number":1,"firing_last":true,"sum":5,"rows":2}
sums {"key":"b","window_start":"2024-01-01T00:00:00Z","window_end":"2024-01-01T00:01:00Z","firing":"on-time","firing_number":1,"firing_last":true,"sum":1,"rows":1}

rows rows
{"key":"a","value":4,"at":"2024-01-01T00:00:40Z"}
----
sums.late {"key":"a","value":4,"at":"2024-01-01T00:00:40Z"}
"#;

#[test]
fn what_comes_out_as_it_should_passes_on_any_number_of_workers() {
    let workers = |n: &str| SUMS.replace("show ", &format!("workers {n}\nshow "));
    let spaced = SUMS.replace(
        "{\"key\":\"b\",\"window_start\"",
        "{ \"key\" : \"b\", \"window_start\"",
    );
    let folder = folder(&[
        ("one.scenario", SUMS),
        (
            "tests/two.scenario",
            &workers("2").replace("kinds.toml", "../kinds.toml"),
        ),
        ("three.scenario", &workers("3")),
        ("spaced.scenario", &spaced),
        ("target/other.scenario", "not looked at"),
    ]);
    let ended = folder.run(&["test"]).expect(0);
    for file in ["one", "tests/two", "three", "spaced"] {
        assert!(
            ended.out.contains(&format!("ok       {file}.scenario")),
            "{}",
            ended.out
        );
    }
    assert!(
        ended.out.ends_with("4 scenarios: 4 passed\n"),
        "{}",
        ended.out
    );
    let ended = folder.run(&["test", "--filter", "two", "."]).expect(0);
    assert!(
        ended.out.ends_with("1 scenario: 1 passed\n"),
        "{}",
        ended.out
    );
}

#[test]
fn a_difference_shows_its_lines_and_update_writes_what_came() {
    let wrong = SUMS.replace("\"sum\":5", "\"sum\":6");
    let folder = folder(&[("sums.scenario", &wrong)]);
    let ended = folder.run(&["test", "--junit", "report.xml"]).expect(1);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines[0], "FAILED   sums.scenario");
    assert_eq!(
        lines[2],
        "sums.scenario:13: watermark 2024-01-01T00:00:59.999999Z"
    );
    let starts = |start: &str, end: &str| {
        let found = lines
            .iter()
            .any(|line| line.starts_with(start) && line.ends_with(end));
        assert!(found, "{start} … {end} in {}", ended.out);
    };
    starts("  - sums {\"key\":\"a\"", "\"sum\":6,\"rows\":2}");
    starts("  + sums {\"key\":\"a\"", "\"sum\":5,\"rows\":2}");
    starts("    sums {\"key\":\"b\"", "\"sum\":1,\"rows\":1}");
    starts("hint: --update", "");
    let report = folder.read("report.xml");
    assert!(
        report.contains("tests=\"1\" failures=\"1\" errors=\"0\""),
        "{report}"
    );
    assert!(report.contains("&quot;sum&quot;:6"), "{report}");

    let ended = folder.run(&["test", "--format", "json"]).expect(1);
    let event: Value =
        serde_json::from_str(ended.out.lines().next().expect("a line")).expect("JSON");
    assert_eq!(event["outcome"], "failed");
    assert_eq!(event["differences"][0]["line"], 11);

    folder.run(&["test", "--update", "sums.scenario"]).expect(0);
    assert_eq!(folder.read("sums.scenario"), SUMS);
    folder.run(&["test"]).expect(0);
}

#[test]
fn failures_are_shown_also_where_they_are_skipped() {
    let folder = folder(&[(
        "skip.scenario",
        r#"pipeline kinds.toml
show rows.failed, look.failed

rows rows
{"key":"a","value":13,"at":"2024-01-01T00:00:00Z"}
{"key":"a","value":"many","at":"2024-01-01T00:00:00Z"}
{"key":"a"
----
"#,
    )]);
    folder.run(&["test", "--update"]).expect(0);
    let text = folder.read("skip.scenario");
    let came: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "----")
        .skip(1)
        .collect();
    assert_eq!(came.len(), 3, "{text}");
    assert!(
        came[0].starts_with("look.failed {\"reason\":\"panic\",\"message\":"),
        "{text}"
    );
    assert!(
        came[0].contains("\"row\":{\"key\":\"a\",\"value\":13,"),
        "{text}"
    );
    assert!(
        came[1].starts_with("rows.failed {\"reason\":\"decode\""),
        "{text}"
    );
    assert!(
        came[2].ends_with("\"line\":\"{\\\"key\\\":\\\"a\\\"\"}"),
        "{text}"
    );
}

#[test]
fn a_row_that_stops_the_pipeline_stops_the_scenario() {
    let folder = folder(&[(
        "stop.scenario",
        r#"pipeline kinds.toml
set operators.look.on-failure=fail

rows rows
{"key":"a","value":1,"at":"2024-01-01T00:00:00Z"}
{"key":"a","value":13,"at":"2024-01-01T00:00:00Z"}
{"key":"a","value":2,"at":"2024-01-01T00:00:00Z"}
----

end
----
"#,
    )]);
    folder.run(&["test", "--update"]).expect(0);
    let text = folder.read("stop.scenario");
    let came: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "----")
        .skip(1)
        .collect();
    assert!(
        came[0].starts_with("look {\"key\":\"a\",\"value\":1,"),
        "{text}"
    );
    assert!(
        came[1].starts_with("failed look {\"reason\":\"panic\""),
        "{text}"
    );
    assert_eq!(came[2..], ["", "end", "----", "stopped"], "{text}");
}

/// The scenarios of `tests/scenarios/engine`, with one, two and three workers. `UPDATE=1` writes what comes out.
#[test]
fn the_engine_does_what_its_scenarios_say() {
    let cases = root().join("tests/scenarios/engine");
    for workers in 1..=3 {
        let folder = Folder::new();
        fs::copy(kinds(), folder.path().join("kinds.wasm")).expect("the module is copied");
        let mut names = Vec::new();
        for entry in fs::read_dir(&cases).expect("the cases") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("a case");
            folder.write(&name, &with_workers(&text, workers));
            names.extend(name.ends_with(".scenario").then_some(name));
        }
        if std::env::var_os("UPDATE").is_some() && workers == 1 {
            folder.run(&["test", "--update"]).expect(0);
            for name in &names {
                let text = folder.read(name).replacen("workers 1\n", "", 1);
                fs::write(cases.join(name), text).expect("what came is written");
            }
        }
        let ended = folder.run(&["test"]);
        assert_eq!(
            ended.code, 0,
            "with {workers} workers:\n{}{}",
            ended.out, ended.err
        );
    }
}

/// A scenario on so many workers; a pipeline file as it is.
fn with_workers(text: &str, workers: usize) -> String {
    match text.split_once(".toml\n") {
        Some((head, rest)) if head.contains("\npipeline ") => {
            format!("{head}.toml\nworkers {workers}\n{rest}")
        }
        _ => text.to_owned(),
    }
}

#[test]
fn an_advance_of_many_keys_shows_all_of_them() {
    const KEYS: usize = 6_000;
    let row =
        |key| format!("{{\"key\":\"{key:05}\",\"value\":1,\"at\":\"2024-01-01T00:00:10Z\"}}\n");
    let rows: String = (0..KEYS).map(row).collect();
    let head = "pipeline kinds.toml\nshow sums\nworkers 2\n";
    let text = format!("{head}\nrows rows\n{rows}----\n\nwatermark 2024-01-01T00:01:00Z\n----\n");
    let folder = folder(&[("many.scenario", &text)]);
    folder.run(&["test", "--update"]).expect(0);
    let text = folder.read("many.scenario");
    let came: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("sums "))
        .collect();
    assert_eq!(came.len(), KEYS);
    assert!(came.is_sorted(), "keys stand in their order");
}

#[test]
fn there_must_be_a_scenario() {
    let folder = folder(&[("a.scenario", SUMS)]);
    folder
        .run(&["test", "--filter", "nothing"])
        .expect(2)
        .says(&["hint:"]);
    folder
        .run(&["test", "b.scenario"])
        .expect(2)
        .says(&["no such file: b.scenario"]);
    Folder::new()
        .run(&["test"])
        .expect(2)
        .says(&["there is no scenario", "hint:"]);
}

/// Every file of `tests/scenarios/wrong` against the message beside it. `UPDATE=1` writes the messages anew.
#[test]
fn every_mistake_is_met_with_its_message() {
    let cases = root().join("tests/scenarios/wrong");
    let deletes = root().join("tests/scenarios/engine/deletes.toml");
    let deletes = fs::read_to_string(deletes).expect("a pipeline");
    let deletes = deletes.replace("\"kinds.wasm\"", &format!("{:?}", kinds()));
    let folder = folder(&[("deletes.toml", &deletes)]);
    let mut count = 0;
    for entry in fs::read_dir(&cases).expect("the cases") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "scenario")
        {
            let name = path.file_name().expect("a name").to_string_lossy();
            folder.write(&name, &fs::read_to_string(&path).expect("a case"));
            count += 1;
        }
    }
    assert!(count >= 25, "only {count} cases");
    let ended = folder.run(&["test", "--format", "json"]).expect(2);
    let different = compare(&cases, &ended, count);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

fn compare(cases: &Path, ended: &Ended, count: usize) -> Vec<String> {
    let update = std::env::var_os("UPDATE").is_some();
    let mut different = Vec::new();
    let mut seen = 0;
    for line in ended.out.lines() {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        let Some(file) = event["file"].as_str() else {
            assert_eq!(event["broken"], count);
            continue;
        };
        seen += 1;
        let found = format!("{}\n", event["message"].as_str().unwrap_or("it passed"));
        let beside = cases.join(file).with_extension("err");
        if update {
            fs::write(&beside, &found).expect("the message is written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            different.push(format!("== {file}\nexpected:\n{expected}\nfound:\n{found}"));
        }
    }
    assert_eq!(seen, count);
    different
}

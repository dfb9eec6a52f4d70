//! Rows that fail: what is told of them, and what the policies do.

use crate::support::{Ended, Folder, kinds, sorted};

/// Rows of which every value goes through `trapping`, which traps on 13.
fn pipeline(policy: &str, more: &str) -> String {
    format!(
        r#"name = "traps"
[sources.rows]
files = "rows.jsonl"
on-failure = "skip"
columns = {{ value = "integer" }}
[operators.look]
input = "rows"
function = "{}/trapping"
config = {{ at = 13 }}
{policy}
[sinks.out]
input = "look"
stdout = {{}}
format = "json"
{more}
"#,
        kinds()
    )
}

/// Runs it on the values 1 to 40, and a line that is no row.
fn run(policy: &str, more: &str) -> (Folder, Ended) {
    let mut rows: String = (1..=40).map(|n| format!("{{\"value\":{n}}}\n")).collect();
    rows.push_str("{\"value\":\n");
    let folder = Folder::with(&[
        ("pipeline.toml", &pipeline(policy, more)),
        ("rows.jsonl", &rows),
    ]);
    let ended = folder.run(&["run"]);
    (folder, ended)
}

/// The values but 13.
fn others() -> Vec<String> {
    sorted(
        &(1..=40)
            .filter(|&n| n != 13)
            .map(|n| format!("{{\"value\":{n}}}\n"))
            .collect::<String>(),
    )
}

#[test]
fn a_row_that_traps_is_shown_with_all_that_is_known() {
    let (_, ended) = run("", "");
    ended.expect(1).says(&[
        "error: operator look: a row failed",
        "function:  trapping",
        "kinds.wasm (sha256 ",
        "rows.jsonl:13 (byte 147)",
        "row:       {\"value\":13}",
        "looking at 13",
        "the value is 13",
        "src/failing.rs",
        "backtrace of the module:",
        "Trapping",
        "hint: [operators.look] on-failure = \"skip\"",
    ]);
}

#[test]
fn skip_drops_the_row_and_counts_it() {
    let (_, ended) = run("on-failure = \"skip\"", "");
    let ended = ended.expect(0).says(&[
        "look: 40 rows in = 39 out + 0 filtered + 1 failed",
        "rows: 41 rows in = 40 out + 0 filtered + 1 failed",
    ]);
    assert_eq!(ended.rows(), others());
}

#[test]
fn dead_letters_say_what_where_and_why() {
    let sink = "[sinks.bad]\ninput = \"look.failed\"\nfile = \"bad.jsonl\"\nformat = \"json\"";
    let (folder, ended) = run("on-failure = \"dead-letter\"", sink);
    assert_eq!(ended.expect(0).rows(), others());
    let letters = folder.read("bad.jsonl");
    let letter: serde_json::Value = serde_json::from_str(letters.trim()).expect("one letter");
    assert_eq!(letter["operator"], "look");
    assert_eq!(letter["function"], "trapping");
    assert_eq!(letter["row"], "{\"value\":13}");
    assert_eq!(letter["position"], 147);
    assert_eq!(letter["module_hash"].as_str().map(str::len), Some(64));
}

#[test]
fn a_threshold_turns_skipping_into_failing() {
    let (_, ended) = run("on-failure = \"skip\"\nfailures = { most = 0 }", "");
    ended.expect(1).says(&[
        "1 rows failed, more than its threshold of 0",
        "{\"value\":13}",
    ]);
}

#[test]
fn a_line_that_is_no_row_is_shown_with_its_place() {
    let text = pipeline("on-failure = \"skip\"", "").replacen("on-failure = \"skip\"\n", "", 1);
    let rows = "{\"value\":1}\n{\"value\":\"x\"}\n";
    let folder = Folder::with(&[("pipeline.toml", &text), ("rows.jsonl", rows)]);
    folder.run(&["run"]).expect(1).says(&[
        "error: source rows: a row failed: decode",
        "rows.jsonl:2 (byte 12)",
        "bytes:     {\"value\":\"x\"}",
        "hint: [sources.rows] on-failure",
    ]);
}

#[test]
fn a_failed_row_leaves_no_trace_in_state() {
    let text = format!(
        r#"name = "sums"
[sources.rows]
files = "rows.jsonl"
event-time = "at"
out-of-orderness = "1s"
columns = {{ key = "text", value = "integer", bad = "bool", at = {{ type = "time", format = "epoch-s" }} }}
[operators.sums]
input = "rows"
key = "key"
window = {{ tumble = "1h" }}
function = "{}/trap-after-change"
on-failure = "skip"
[sinks.out]
input = "sums"
stdout = {{}}
format = "json"
"#,
        kinds()
    );
    let rows: String = (0..60)
        .map(|n| {
            let (key, bad) = (["a", "b", "c"][n % 3], n % 17 == 5);
            format!("{{\"key\":\"{key}\",\"value\":{n},\"bad\":{bad},\"at\":{n}}}\n")
        })
        .collect();
    let sum = |key: usize| {
        (0..60)
            .filter(|n| n % 3 == key && n % 17 != 5)
            .sum::<usize>()
    };
    let folder = Folder::with(&[("pipeline.toml", &text), ("rows.jsonl", &rows)]);
    for workers in ["1", "2"] {
        let ended = folder.run(&["run", "--workers", workers]).expect(0);
        let rows = ended.rows();
        assert_eq!(rows.len(), 3, "{rows:?}");
        for (row, key) in rows.iter().zip(0..) {
            let sum = sum(key);
            assert!(
                row.contains(&format!("\"sum\":{sum},\"text\":\"{sum}\"")),
                "{row}, not {sum}"
            );
        }
        let ended = ended.says(&["sums"]);
        assert!(
            ended
                .err
                .lines()
                .any(|line| line.contains("sums") && line.contains(" 4 "))
        );
    }
}

//! `tidemill bench`.

use serde_json::Value;

use crate::support::Folder;

const PIPELINE: &str = r#"
name = "made-up"
[sources.rows]
datagen = { rows = 10_000 }
columns = { n = { type = "integer", min = 0, max = 9 } }
[sinks.out]
input = "rows"
stdout = {}
format = "json"
"#;

#[test]
fn rows_are_counted_and_not_written() {
    let folder = Folder::with(&[("pipeline.toml", PIPELINE)]);
    let ended = folder
        .run(&["bench", "--runs", "3", "--format", "json"])
        .expect(0);
    let figures: Value = serde_json::from_str(&ended.out).expect("nothing but JSON");
    let runs = figures["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|run| run["rows"] == 10_000), "{figures}");
    assert!(figures["rows_per_cpu_s"].as_f64() > Some(1.0), "{figures}");
}

#[test]
fn what_has_no_end_is_refused() {
    let folder = Folder::with(&[(
        "pipeline.toml",
        &PIPELINE.replace("{ rows = 10_000 }", "{}"),
    )]);
    folder
        .run(&["bench"])
        .expect(2)
        .says(&["source rows has no end", "hint: "]);
}

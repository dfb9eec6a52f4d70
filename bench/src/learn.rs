//! The pipeline of `learn`, whose entry of eleven numbers per key makes state as large as that of users; and its rows.

use std::fmt::Write as _;

/// The pipeline, with this source and these sections.
pub fn pipeline(source: &str, sections: &str) -> String {
    PIPELINE
        .replace("SOURCE", source)
        .replace("SECTIONS", sections)
}

const PIPELINE: &str = r#"
name = "many-keys"

SECTIONS

[sources.rows]
SOURCE
format = "json"
event-time = "at"

[sources.rows.columns]
key = "integer"
value = "float"
at = { type = "time", format = "epoch-us" }

[operators.learn]
input = "rows"
key = "key"
function = "functions.wasm/learn"
state-limit = "8GiB"

[sinks.out]
input = "learn"
stdout = {}
format = "json"
"#;

/// What a key and its entry are, in bytes.
pub const DATA: f64 = (8 + 11 * 8) as f64;

/// Appends a row that the function learns from.
pub fn row(number: u64, lines: &mut String) {
    let key = key(number);
    // Writing to a text cannot fail.
    let _ = writeln!(lines, "{{\"key\":{key},\"value\":0.5,\"at\":1}}");
}

/// A row that asks what is known of a key: the answer comes when all rows before it are done.
pub fn question(number: u64) -> String {
    format!("{{\"key\":{},\"value\":-1,\"at\":1}}\n", key(number))
}

/// Keys lie apart, as those of users do.
fn key(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1
}

//! Modules that are hostile in `describe`.

use crate::case::Case;
use crate::wat::{DESCRIBE, Wat, words};

fn describe(text: impl Into<String>) -> Vec<u8> {
    Wat {
        describe: text.into(),
        memory: "128",
        ..Wat::default()
    }
    .bytes()
}

fn describing(body: &str) -> Vec<u8> {
    Wat {
        describing: body.to_owned(),
        ..Wat::default()
    }
    .bytes()
}

/// Data over what stands in memory otherwise.
fn with_data(extra: impl Into<String>) -> Vec<u8> {
    Wat {
        extra: extra.into(),
        ..Wat::default()
    }
    .bytes()
}

/// `describe` with this in the list of functions.
fn function(fields: &str) -> String {
    DESCRIBE.replace(r#""kind": "transform""#, fields)
}

/// Hostile in `describe`.
pub fn cases() -> Vec<Case> {
    let mut cases = texts();
    cases.extend(contents());
    cases
}

/// The text itself is not to be had, or no text.
fn texts() -> Vec<Case> {
    vec![
        Case::bytes("loop-in-describe", || {
            describing("(loop (br 0)) unreachable")
        }),
        Case::bytes("trap-in-describe", || describing("unreachable")),
        Case::bytes("describe-of-100-megabytes", || {
            let place = words(&[0x10000, 100 << 20]);
            with_data(format!("(data (i32.const 8) \"{place}\")"))
        }),
        Case::bytes("describe-of-60-megabytes", || {
            let place = words(&[0x10000, 60 << 20]);
            Wat {
                extra: format!("(data (i32.const 8) \"{place}\")"),
                memory: "1000",
                ..Wat::default()
            }
            .bytes()
        }),
        Case::bytes("describe-of-a-megabyte", || {
            describe(DESCRIBE.to_owned() + &" ".repeat(1 << 20))
        }),
        Case::bytes("describe-out-of-bounds", || describing("i32.const -8")),
        Case::bytes("describe-not-utf-8", || {
            with_data("(data (i32.const 16) \"\\ff\")")
        }),
        Case::bytes("describe-not-json", || describe("functions: f")),
        Case::bytes("describe-of-10000-levels", || describe("[".repeat(10_000))),
    ]
}

/// What the text says is not to be had.
fn contents() -> Vec<Case> {
    vec![
        Case::bytes("describe-of-another-version", || {
            describe(DESCRIBE.replace("0.1.0", "9.9.9"))
        }),
        Case::bytes("describe-without-functions", || {
            describe(r#"{"interface": "0.1.0", "functions": []}"#)
        }),
        Case::bytes("describe-of-2000-functions", || {
            let one = |n| format!(r#"{{"name": "f{n}", "kind": "transform"}}"#);
            let all: Vec<String> = (0..2000).map(one).collect();
            describe(format!(
                r#"{{"interface": "0.1.0", "functions": [{}]}}"#,
                all.join(",")
            ))
        }),
        Case::bytes("describe-of-two-of-a-name", || {
            let one = r#"{"name": "f", "kind": "transform"}"#;
            describe(format!(
                r#"{{"interface": "0.1.0", "functions": [{one}, {one}]}}"#
            ))
        }),
        Case::bytes("describe-of-5000-columns", || {
            let one = |n| format!(r#"{{"name": "c{n}", "type": "text"}}"#);
            let all: Vec<String> = (0..5000).map(one).collect();
            let input = all.join(",");
            describe(function(&format!(
                r#""kind": "transform", "input": [{input}]"#
            )))
        }),
        Case::bytes("describe-of-an-unknown-kind", || {
            describe(function(r#""kind": "oracle""#))
        }),
        Case::bytes("describe-of-an-unknown-type", || {
            describe(function(
                r#""kind": "transform", "input": [{"name": "n", "type": "quaternion"}]"#,
            ))
        }),
        Case::bytes("describe-with-a-hidden-name", || {
            describe(function(
                "\"kind\": \"transform\", \"output\": {\"extended\": [{\"name\": \"a\\u202eb\", \"type\": \"text\"}]}",
            ))
        }),
        Case::bytes("describe-with-a-name-of-100-kilobytes", || {
            let name = "n".repeat(100_000);
            describe(function(&format!(
                r#""kind": "transform", "output": {{"extended": [{{"name": "{name}", "type": "text"}}]}}"#
            )))
        }),
        Case::bytes("describe-of-the-hosts-side", || {
            describe(function(
                r#""kind": "transform", "sides": [{"name": "failed", "output": "same"}]"#,
            ))
        }),
        Case::bytes("describe-of-a-column-twice", || {
            describe(function(
                r#""kind": "transform", "output": {"extended": [{"name": "n", "type": "text"}]}"#,
            ))
        }),
        Case::bytes("describe-of-an-aggregate-that-is-none", || {
            describe(function(
                r#""kind": "aggregate", "accumulator": [], "output": {"new": []}"#,
            ))
        }),
    ]
}

//! `tidemill check --pure`.

use crate::support::{Ended, Folder, kinds};

/// A pipeline of one operator, keyed if it is an aggregate.
fn check(function: &str, keyed: bool, rows: &str, args: &[&str]) -> Ended {
    let window = match keyed {
        true => "key = \"key\"\nwindow = { tumble = \"1h\" }",
        false => "",
    };
    let pipeline = format!(
        r#"name = "pure"
[sources.rows]
files = "rows.jsonl"
event-time = "at"
out-of-orderness = "1s"
[sources.rows.columns]
key = "text"
value = "{}"
at = "time"
[operators.tried]
input = "rows"
function = "{}/{function}"
{window}
[sinks.out]
input = "tried"
blackhole = {{}}
"#,
        if function.contains("float") {
            "float"
        } else {
            "integer"
        },
        kinds()
    );
    let folder = Folder::with(&[("pipeline.toml", &pipeline), ("rows.jsonl", rows)]);
    folder.run(&[&["check", "--pure"], args].concat())
}

/// Rows of three keys.
fn rows() -> String {
    let row = |n: u64| {
        let key = ["a", "b", "c"][n as usize % 3];
        format!("{{\"key\":\"{key}\",\"value\":{n},\"at\":\"2024-01-01T00:00:{n:02}Z\"}}\n")
    };
    (1..40).map(row).collect()
}

#[test]
fn functions_that_depend_on_their_arguments_alone_are_pure() {
    for (function, keyed) in [
        ("count", true),
        ("sum", true),
        ("sum-floats", true),
        ("list", true),
    ] {
        let rows = match function {
            "sum-floats" => rows().replace(",\"at\"", ".1,\"at\""),
            _ => rows(),
        };
        let ended = check(function, keyed, &rows, &[]).expect(0);
        let said = format!("tried ({function}): pure, as far as 39 rows show");
        assert!(ended.out.contains(&said), "{}", ended.out);
        let ended = check(function, keyed, &rows, &["--made-up-rows", "--rows", "50"]).expect(0);
        assert!(
            ended.out.contains("rows: rows were made up"),
            "{}",
            ended.out
        );
        assert!(
            ended.out.contains("as far as 50 rows show"),
            "{}",
            ended.out
        );
    }
}

#[test]
fn what_an_instance_keeps_is_found() {
    let cases = [
        (
            "numbering",
            false,
            "called again on the same instance",
            "row (0)",
            "row (39)",
        ),
        (
            "add-before",
            true,
            "called again on the same instance",
            "{\"sum\":",
            "{\"sum\":",
        ),
        (
            "count-results",
            true,
            "finishes again on the same instance",
            "row (13)",
            "row (16)",
        ),
        (
            "count-windows",
            true,
            "called again on the same instance",
            "row (13000)",
            "row (13006)",
        ),
    ];
    for (function, keyed, when, first, then) in cases {
        let ended = check(function, keyed, &rows(), &[]).expect(1);
        for text in [
            format!("tried ({function} of "),
            format!("{when}, it gives something else"),
            format!("first:  {first}"),
            format!("then:   {then}"),
            "\"key\":\"b\",\"value\":1,".to_owned(),
        ] {
            assert!(ended.out.contains(&text), "no {text} in {}", ended.out);
        }
        ended.says(&["not pure: tried", "hint:"]);
    }
}

#[test]
fn the_first_row_at_which_it_shows_is_named() {
    // With the keys in another order the second row no longer comes behind one of 5, but behind nothing.
    let row = |key: &str, value: u64| {
        format!("{{\"key\":\"{key}\",\"value\":{value},\"at\":\"2024-01-01T00:00:00Z\"}}\n")
    };
    let rows = [("a", 5), ("b", 0), ("b", 3), ("a", 1), ("b", 0)];
    let rows: String = rows.iter().map(|(key, value)| row(key, *value)).collect();
    let ended = check("add-before", true, &rows, &[]).expect(1);
    for text in [
        "called with the keys in another order, it gives something else",
        "row:    {\"key\":\"b\",\"value\":0,",
        "first:  {\"sum\":5,\"rows\":1}",
        "then:   {\"sum\":0,\"rows\":1}",
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
}

#[test]
fn what_only_claims_to_be_combinable_is_found() {
    let floats = rows().replace(",\"at\"", ".1,\"at\"");
    let ended = check("sum-floats-anyhow", true, &floats, &[]).expect(1);
    let said = "says that it is combinable, and merges";
    assert!(ended.out.contains(said), "{}", ended.out);
}

/// A pipeline whose source's watermarks this function makes.
fn check_watermark(function: &str) -> Ended {
    let pipeline = format!(
        r#"name = "pure"
[sources.rows]
files = "rows.jsonl"
event-time = "at"
watermark = {{ function = "{}/{function}" }}
[sources.rows.columns]
key = "text"
value = "integer"
at = "time"
[operators.sums]
input = "rows"
window = {{ tumble = "1h" }}
function = "{}/sum"
[sinks.out]
input = "sums"
blackhole = {{}}
"#,
        kinds(),
        kinds()
    );
    let folder = Folder::with(&[("pipeline.toml", &pipeline), ("rows.jsonl", &rows())]);
    folder.run(&["check", "--pure"])
}

#[test]
fn watermarks_are_compared_too() {
    let ended = check_watermark("punctuated").expect(0);
    let said = "rows (punctuated): pure, as far as 38 rows show";
    assert!(ended.out.contains(said), "{}", ended.out);
    let ended = check_watermark("latest-ever").expect(1);
    for text in [
        "rows (latest-ever of ",
        "called again on the same instance, it gives something else",
        "first:  2024-01-01T00:00:00.999999Z",
        "then:   2024-01-01T00:00:39Z",
    ] {
        assert!(ended.out.contains(text), "no {text} in {}", ended.out);
    }
    ended.says(&["not pure: rows", "hint:"]);
}

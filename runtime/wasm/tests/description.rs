//! The text of `describe`: what is read, and what is refused with which words; the rendering of `config`.

use serde_json::{Map, Value, json};
use tidemill_wasm::{Description, Kind, Output};

/// A description with one function, given as its fields beside the name.
fn parse(function: Value) -> Result<Description, String> {
    let mut object = json!({"name": "f", "kind": "transform"});
    for (field, value) in function.as_object().unwrap() {
        object[field] = value.clone();
    }
    Description::parse(&json!({"interface": "0.1.0", "functions": [object]}).to_string())
}

fn refused(function: Value) -> String {
    parse(function).unwrap_err()
}

#[test]
fn defaults_are_the_documented_ones() {
    let described = parse(json!({})).unwrap();
    let function = &described.functions[0];
    assert_eq!(
        (function.kind, &function.output),
        (Kind::Transform, &Output::Same)
    );
    assert!(function.input.is_empty() && function.sides.is_empty() && function.config.is_empty());
    assert!(!function.stamps && !function.changes && !function.combinable);
}

#[test]
fn everything_is_read() {
    let text = json!({
        "interface": "0.1.0", "sdk": "test",
        "functions": [{
            "name": "velocity", "kind": "aggregate", "doc": "Too fast.",
            "input": [{"name": "amount", "type": "float?"}], "stamps": true, "changes": true,
            "key": [{"name": "account", "type": "text"}],
            "accumulator": [{"name": "total", "type": "float"}],
            "output": {"new": [{"name": "total", "type": "float"}]},
            "sides": [{"name": "large", "output": {"new": []}}],
            "config": [{"name": "limit", "type": "float", "default": 1.0}],
            "combinable": true
        }]
    });
    let described = Description::parse(&text.to_string()).unwrap();
    let (_, function) = described.function("velocity").unwrap();
    assert_eq!(described.sdk.as_deref(), Some("test"));
    assert!(function.input[0].is_nullable() && !function.key[0].is_nullable());
    assert!(function.stamps && function.changes && function.combinable);
    assert_eq!(function.sides[0].name, "large");
}

#[test]
fn windows_and_watermarks_are_read() {
    let whole = parse(json!({
        "kind": "window", "input": [{"name": "n", "type": "integer"}],
        "key": [{"name": "k", "type": "text"}], "output": {"new": [{"name": "k", "type": "text"}]}
    }));
    let whole = &whole.unwrap().functions[0];
    assert_eq!((whole.kind, whole.key.len()), (Kind::Window, 1));
    let watermark = parse(json!({
        "kind": "watermark", "input": [{"name": "n", "type": "integer"}],
        "state": [{"name": "largest", "type": "time?"}]
    }));
    let watermark = &watermark.unwrap().functions[0];
    assert_eq!(
        (watermark.kind, watermark.state.len()),
        (Kind::Watermark, 1)
    );
    let stateless = parse(json!({"kind": "watermark"})).unwrap();
    assert!(stateless.functions[0].state.is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let known = "this host knows name, type (a newer SDK needs a newer host)";
    let cases = [
        (
            json!({"input": [{"name": "a", "type": "text", "unit": "s"}]}),
            format!("functions[0](f).input[0](a): unknown field \"unit\": {known}"),
        ),
        (
            json!({"input": [{"name": "a", "type": "decimal"}]}),
            "functions[0](f).input[0](a).type: unknown type \"decimal\": expected one of bool, integer, \
             float, text, bytes, time, with '?' where null may be"
                .into(),
        ),
        (
            json!({"input": [{"name": "a", "type": "text"}, {"name": "a", "type": "time"}]}),
            "functions[0](f).input: two columns are called \"a\"".into(),
        ),
        (
            json!({"kind": "join"}),
            "functions[0](f).kind: unknown kind \"join\": this host serves transform, aggregate, \
             window, process, watermark"
                .into(),
        ),
        (
            json!({"kind": "process", "slots": [{"name": "a", "kind": "heap", "columns": []}]}),
            "functions[0](f).slots[0](a).kind: unknown kind of slot \"heap\": expected value, list or map".into(),
        ),
        (
            json!({"kind": "process", "slots": [{"name": "a", "kind": "list", "columns": [], "most": 0}]}),
            "functions[0](f).slots[0](a).most: expected a number from 1 to 1000000".into(),
        ),
        (
            json!({"kind": "process", "slots": [{"name": "a", "kind": "value", "columns": [], "clock": "event"}]}),
            "functions[0](f).slots[0](a): \"clock\" needs the field \"ttl\"".into(),
        ),
        (
            json!({"kind": "process", "slots": [{"name": "a", "kind": "map", "columns": []}]}),
            "functions[0](f).slots[0](a): field \"key\" is missing".into(),
        ),
        (
            json!({"kind": "process", "timers": [{"name": "t"}, {"name": "t"}]}),
            "functions[0](f).timers: two timers are called \"t\"".into(),
        ),
        (
            json!({"kind": "transform", "timers": []}),
            "functions[0](f): a transform has no field \"timers\"".into(),
        ),
        (
            json!({"name": "Velocity"}),
            "functions[0](Velocity).name: \"Velocity\" is no name: small letters, digits and '-', a \
             letter first, at most 128"
                .into(),
        ),
        (
            json!({"output": "all"}),
            "functions[0](f).output: expected \"same\", {\"extended\": [columns]} or {\"new\": [columns]}"
                .into(),
        ),
        (
            json!({"key": []}),
            "functions[0](f): a transform has no field \"key\"".into(),
        ),
        (
            json!({"kind": "aggregate"}),
            "functions[0](f): an aggregate needs the field \"accumulator\"".into(),
        ),
        (
            json!({"kind": "aggregate", "accumulator": []}),
            "functions[0](f): outputs of an aggregate must be {\"new\": [columns]}".into(),
        ),
        (
            json!({"kind": "aggregate", "accumulator": [], "output": {"new": []}, "state": []}),
            "functions[0](f): an aggregate has no field \"state\"".into(),
        ),
        (
            json!({"kind": "window"}),
            "functions[0](f): outputs of a function of kind window must be {\"new\": [columns]}".into(),
        ),
        (
            json!({"kind": "window", "output": {"new": []}, "accumulator": []}),
            "functions[0](f): a function of kind window has no field \"accumulator\"".into(),
        ),
        (
            json!({"kind": "watermark", "output": {"new": []}}),
            "functions[0](f): a function of kind watermark has no field \"output\"".into(),
        ),
        (
            json!({"kind": "watermark", "state": [{"name": "a", "type": "day"}]}),
            "functions[0](f).state[0](a).type: unknown type \"day\": expected one of bool, integer, float, \
             text, bytes, time, with '?' where null may be"
                .into(),
        ),
        (
            json!({"sides": [{"name": "late", "output": "same"}]}),
            "functions[0](f).sides[0](late): \"late\" is the host's own side output".into(),
        ),
        (
            json!({"config": [{"name": "n", "type": "integer", "default": 1.5}]}),
            "functions[0](f).config[0](n).default: the default is not of type integer".into(),
        ),
        (
            json!({"stamps": 1}),
            "functions[0](f).stamps: expected true or false, found a number".into(),
        ),
    ];
    for (function, expected) in cases {
        assert_eq!(refused(function), expected);
    }
}

#[test]
fn the_whole_text_is_checked() {
    let cases = [
        (
            "nonsense",
            "it is not JSON: expected ident at line 1 column 2",
        ),
        ("[]", "expected an object, found a list"),
        (
            "{\"interface\": \"0.1.0\"}",
            "field \"functions\" is missing",
        ),
        (
            "{\"functions\": []}",
            "functions: the list is empty, a module needs at least one",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Description::parse(text).unwrap_err(), expected);
    }
    let deep = "[".repeat(100_000);
    assert!(
        Description::parse(&deep)
            .unwrap_err()
            .contains("recursion limit exceeded")
    );
}

fn rendered(config: Value, given: Value) -> Result<String, String> {
    let described = parse(json!({"config": config})).unwrap();
    let given: Map<String, Value> = given.as_object().unwrap().clone();
    described.functions[0].config_json(&given)
}

#[test]
fn config_is_rendered_whole() {
    let config = json!([
        {"name": "limit", "type": "float", "default": 1.0},
        {"name": "words", "type": "[text]", "default": []},
        {"name": "note", "type": "text?"},
        {"name": "n", "type": "integer"}
    ]);
    assert_eq!(
        rendered(config.clone(), json!({"n": 3, "limit": 2})).unwrap(),
        r#"{"limit":2.0,"words":[],"note":null,"n":3}"#
    );
    let cases = [
        (json!({}), "config field \"n\" (integer) is missing"),
        (
            json!({"n": 1.5}),
            "config field \"n\" must be integer, it is 1.5",
        ),
        (
            json!({"n": 1, "words": ["a", 1]}),
            "config field \"words\" must be [text], it is [\"a\",1]",
        ),
        (
            json!({"n": 1, "m": 1}),
            "unknown config field \"m\": function f takes limit (float), words ([text]), note (text?), n \
             (integer)",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(rendered(config.clone(), given).unwrap_err(), expected);
    }
}

/// The published schema and the parser know the same fields.
#[test]
fn the_schema_names_the_fields_that_are_read() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../wit/describe.schema.json")).unwrap();
    let named = |place: &Value| -> Vec<String> {
        place["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let read = |error: String| -> Vec<String> {
        let (_, known) = error.split_once("this host knows ").unwrap();
        let (known, _) = known.split_once(" (").unwrap();
        known.split(", ").map(str::to_owned).collect()
    };
    let extra = json!([{"extra": 1}]);
    let cases = [
        (
            named(&schema),
            Description::parse("{\"extra\": 1}").unwrap_err(),
        ),
        (
            named(&schema["$defs"]["function"]),
            refused(json!({"extra": 1})),
        ),
        (
            named(&schema["$defs"]["config-field"]),
            refused(json!({"config": extra})),
        ),
        (
            named(&schema["$defs"]["columns"]["items"]),
            refused(json!({"input": extra})),
        ),
        (
            named(&schema["$defs"]["function"]["properties"]["sides"]["items"]),
            refused(json!({"sides": extra})),
        ),
    ];
    for (named, error) in cases {
        assert_eq!(named, read(error));
    }
}

//! The pipeline file as a JSON schema, for editors: made of the table of keys, with what `docs/pipeline.md` says of each.
//!
//! A schema sees one value at a time, so it refuses less than the reader: names that lead nowhere, keys that exclude each
//! other and everything about modules are left to `tidemill check`. It never refuses what the reader takes, unless a required
//! key is to come from `--set`.

use serde_json::{Map, Value, json};

use crate::keys::{Default, Key, Kind, PIPELINE, SHAPES, Shape};

/// What is said of every key, by hand; a test holds it against the table of keys.
const DOCUMENT: &str = include_str!("../../../docs/pipeline.md");

/// Names of things.
const NAME: &str = "^[a-z][a-z0-9-]*$";

/// A text with an environment variable in it may become anything.
const VARIABLE: &str = r"\$\{";

/// The JSON schema of a pipeline file.
pub fn json_schema() -> Value {
    let definitions: Map<String, Value> = SHAPES
        .iter()
        .map(|shape| (definition(shape), table(shape)))
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Tidemill pipeline",
        "description": "Sources, operators and sinks of a Tidemill pipeline",
        "$ref": reference(&PIPELINE),
        "definitions": definitions,
    })
}

fn definition(shape: &Shape) -> String {
    shape.name.replace(' ', "-")
}

fn reference(shape: &Shape) -> String {
    format!("#/definitions/{}", definition(shape))
}

fn table(shape: &Shape) -> Value {
    let built = || {
        shape
            .keys
            .iter()
            .filter(|key| !matches!(key.kind, Kind::Later))
    };
    let properties: Map<String, Value> = built()
        .map(|key| (key.name.to_owned(), property(shape, key)))
        .collect();
    let required: Vec<&str> = built()
        .filter(|key| matches!(key.default, Default::Required))
        .map(|key| key.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    // Keys of which one must be there say so in their default.
    let choices: Vec<Value> = built()
        .filter(|key| matches!(key.default, Default::Said(words) if words.starts_with("one ") && words.ends_with("must be there")))
        .map(|key| json!({ "required": [key.name] }))
        .collect();
    if !choices.is_empty() {
        schema["oneOf"] = choices.into();
    }
    schema
}

fn property(shape: &Shape, key: &Key) -> Value {
    let mut schema = match key.name {
        "name" => json!({ "type": "string", "pattern": format!("{NAME}|{VARIABLE}") }),
        _ => value(&key.kind),
    };
    if let Some(meaning) = meaning(shape, key) {
        schema["description"] = meaning.into();
    }
    match key.default {
        Default::Value(text) => {
            let default: Option<toml::Table> = format!("x = {text}").parse().ok();
            let default = default.and_then(|table| serde_json::to_value(&table["x"]).ok());
            schema["default"] = default.unwrap_or(Value::Null);
        }
        Default::Required | Default::Said(_) => {}
    }
    schema
}

/// What the document says of a key.
fn meaning(shape: &Shape, key: &Key) -> Option<&'static str> {
    let (_, rest) = DOCUMENT.split_once(&format!("<!-- keys: {} -->", shape.name))?;
    let start = format!("| `{}` |", key.name);
    let row = rest
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .find(|line| line.starts_with(&start))?;
    let cells = row.trim_end().trim_end_matches('|').trim_end();
    Some(cells.rsplit(" | ").next().unwrap_or(cells))
}

/// What a value may be.
fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Text => text(),
        Kind::Texts => either(vec![text(), texts()]),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Whole(min, i64::MAX) => json!({ "type": "integer", "minimum": min }),
        Kind::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Rate => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Kind::Scalar => json!({ "type": "number" }),
        Kind::Duration(_) => pattern(DURATION),
        Kind::DurationOrNone => pattern(&format!("{DURATION}|none")),
        Kind::Offset => pattern(&format!("-?({DURATION})")),
        Kind::Size => pattern("[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)"),
        Kind::Words(words) => one_of(words),
        Kind::Table(shape) => json!({ "$ref": reference(shape) }),
        Kind::ListOf(words, shape) => {
            let item = either(vec![one_of(words), value(&Kind::Table(shape))]);
            json!({ "type": "array", "items": item, "minItems": 1 })
        }
        Kind::TextOr(shape) => either(vec![text(), value(&Kind::Table(shape))]),
        Kind::TextsOr(shape) => either(vec![text(), texts(), value(&Kind::Table(shape))]),
        Kind::Empty => json!({ "type": "object", "maxProperties": 0 }),
        Kind::Named(shape) => named(value(&Kind::Table(shape))),
        Kind::Map => json!({ "type": "object", "additionalProperties": text() }),
        Kind::Columns => columns(),
        Kind::Any => json!({ "type": "object" }),
        Kind::Later => json!(false),
    }
}

/// Units from large to small, each once, at least one.
const DURATION: &str = r"([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?";

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn texts() -> Value {
    json!({ "type": "array", "items": text(), "minItems": 1 })
}

fn pattern(whole: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "pattern": format!("^({whole})$|{VARIABLE}") })
}

fn one_of(words: &[&str]) -> Value {
    either(vec![
        json!({ "type": "string", "enum": words }),
        json!({ "type": "string", "pattern": VARIABLE }),
    ])
}

fn either(schemas: Vec<Value>) -> Value {
    json!({ "anyOf": schemas })
}

fn named(inner: Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": NAME },
        "additionalProperties": inner,
    })
}

/// Columns are types, or tables: of decoded rows with one set of keys, of made-up rows with another.
fn columns() -> Value {
    use crate::keys::{COLUMN, GENERATED};
    let types = match COLUMN.key("type").map(|key| &key.kind) {
        Some(Kind::Words(words)) => words
            .iter()
            .flat_map(|word| [(*word).to_owned(), format!("{word}?")]),
        _ => unreachable!("a column's type is one of some words"),
    };
    let types: Vec<String> = types.collect();
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let table = |shape| {
        let mut table = table(shape);
        table["properties"]["type"] = one_of(&types);
        table
    };
    json!({
        "type": "object",
        "minProperties": 1,
        "additionalProperties": either(vec![one_of(&types), table(&COLUMN), table(&GENERATED)]),
    })
}

//! The JSON schema against the pipelines of the tree: it takes the good ones, and refuses the bad ones that a schema can refuse.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidemill_pipeline::keys::{Kind, SHAPES};
use tidemill_pipeline::schema::json_schema;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The file as JSON, if it is TOML.
fn json(path: &Path) -> Option<Value> {
    let text = String::from_utf8(fs::read(path).ok()?).ok()?;
    let table: toml::Table = text.parse().ok()?;
    serde_json::to_value(table).ok()
}

/// Whether a value is what a schema says, by the keywords that our schema uses; it must use no others. (A crate for all of JSON
/// schema would change the features of crates that everything is built from, so that all of them would be built twice.)
fn valid(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    if let Value::Bool(taken) = schema {
        return if *taken {
            Ok(())
        } else {
            Err("nothing is taken here".to_owned())
        };
    }
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        let good = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "definitions" => true,
            // Beside a reference nothing else says what a value may be.
            "$ref" => {
                let place = wanted.as_str().expect("a place").trim_start_matches('#');
                valid(value, root.pointer(place).expect("a definition"), root)?;
                true
            }
            "type" => is_of(value, wanted.as_str().expect("a type")),
            "enum" => wanted.as_array().expect("values").contains(value),
            "anyOf" => passing(value, wanted, root) > 0,
            "oneOf" => passing(value, wanted, root) == 1,
            "minimum" => value.as_i64().is_none_or(|n| Some(n) >= wanted.as_i64()),
            "maximum" => value.as_i64().is_none_or(|n| Some(n) <= wanted.as_i64()),
            "exclusiveMinimum" => value.as_f64().is_none_or(|n| Some(n) > wanted.as_f64()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= number(wanted)),
            "pattern" => value.as_str().is_none_or(|text| matches(text, wanted)),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= number(wanted)),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    valid(item, wanted, root)?;
                }
                true
            }
            "minProperties" => value
                .as_object()
                .is_none_or(|table| table.len() as u64 >= number(wanted)),
            "maxProperties" => value
                .as_object()
                .is_none_or(|table| table.len() as u64 <= number(wanted)),
            "required" => {
                let mut names = wanted
                    .as_array()
                    .expect("names")
                    .iter()
                    .map(|name| name.as_str().expect("a name"));
                value
                    .as_object()
                    .is_none_or(|table| names.all(|name| table.contains_key(name)))
            }
            "propertyNames" => {
                let pattern = &wanted["pattern"];
                value
                    .as_object()
                    .is_none_or(|table| table.keys().all(|name| matches(name, pattern)))
            }
            "properties" | "additionalProperties" => properties(value, schema, root)?,
            other => panic!("the keyword {other} is not one that this test knows"),
        };
        if !good {
            return Err(format!("{value} against {keyword}: {wanted}"));
        }
    }
    Ok(())
}

fn properties(value: &Value, schema: &Value, root: &Value) -> Result<bool, String> {
    for (name, inner) in value.as_object().into_iter().flatten() {
        let own = schema["properties"].get(name);
        if let Some(schema) = own.or(schema.get("additionalProperties")) {
            valid(inner, schema, root).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(true)
}

fn passing(value: &Value, schemas: &Value, root: &Value) -> usize {
    let schemas = schemas.as_array().expect("schemas").iter();
    schemas
        .filter(|schema| valid(value, schema, root).is_ok())
        .count()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn matches(text: &str, pattern: &Value) -> bool {
    let pattern = regex_lite::Regex::new(pattern.as_str().expect("a pattern"));
    pattern.expect("a regular expression").is_match(text)
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => panic!("the type {name} is not one that this test knows"),
    }
}

fn files(folder: PathBuf, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the tree") {
        let path = entry.expect("an entry").path();
        if path.join("pipeline.toml").exists() {
            files.push(path.join("pipeline.toml"));
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    files
}

#[test]
fn what_runs_is_taken() {
    let schema = json_schema();
    let mut good = files(root().join("examples"), "toml");
    good.extend(files(root().join("bench/pipelines"), "toml"));
    assert!(good.len() >= 8, "{good:?}");
    for path in good {
        let file = json(&path).expect("the pipeline is TOML");
        if let Err(error) = valid(&file, &schema, &schema) {
            panic!("{}: {error}", path.display());
        }
    }
}

/// What the reader says where a schema sees it too: something about one value, one key or one table.
const SEEN: [&str; 8] = [
    " has no key `",
    " is of the wrong type",
    " is not a word for ",
    "is not a table",
    " cannot be a name",
    " names no function",
    " has no `",
    " does not say where its rows",
];

/// Cases of that sort that only several keys together show, or the command line.
const UNSEEN: [&str; 9] = [
    "datagen-settings",
    "generator-in-file",
    "kafka-from-type",
    "window-cumulate-no-step",
    "window-hop-no-step",
    "window-rows-word",
    "window-text",
    "window-trigger-rows-time",
    "window-word",
];

#[test]
fn what_is_wrong_by_itself_is_refused_and_what_is_right_is_taken() {
    let schema = json_schema();
    let (mut refused, mut wrong) = (0, Vec::new());
    for path in files(root().join("tests/pipelines"), "toml") {
        let said = fs::read_to_string(path.with_extension("err")).expect("what is said of it");
        let Some(file) = json(&path) else { continue };
        let found = valid(&file, &schema, &schema);
        refused += usize::from(found.is_err());
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let errors: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("error"))
            .collect();
        let seen = errors
            .iter()
            .any(|line| SEEN.iter().any(|text| line.contains(text)));
        if seen && found.is_ok() && !UNSEEN.contains(&name.as_str()) && !said.contains("--set") {
            wrong.push(format!("{name} is taken: {errors:?}"));
        }
        if let (true, Err(error)) = (errors.is_empty(), found) {
            wrong.push(format!("{name} is refused: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused >= 60, "only {refused} are refused");
}

#[test]
fn every_key_says_what_it_means() {
    let schema = json_schema();
    for shape in SHAPES {
        let properties = &schema["definitions"][shape.name.replace(' ', "-")]["properties"];
        for key in shape
            .keys
            .iter()
            .filter(|key| !matches!(key.kind, Kind::Later))
        {
            let meaning = properties[key.name]["description"]
                .as_str()
                .unwrap_or_default();
            assert!(
                meaning.len() > 4 && !meaning.contains('|'),
                "{}.{}: {meaning:?}",
                shape.name,
                key.name
            );
        }
    }
}

//! The text of `describe`, parsed by hand rather than derived: every error names its place.

use arrow_schema::Field;
use serde_json::Value;
use tidemill_rows::LogicalType;
use tidemill_rows::visible::{is_hidden, visible};

use super::config::config_field;
use super::place::Place;
use super::{Description, Function, Kind, Output, Side, state};

const MOST_FUNCTIONS: usize = 1024;
const MOST_COLUMNS: usize = 1024;
const MOST_SIDES: usize = 64;
const LONGEST_NAME: usize = 128;

pub(super) fn description(text: &str) -> Result<Description, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("it is not JSON: {e}"))?;
    let root = Place::root(&value);
    root.object(&["interface", "sdk", "functions"])?;
    let functions = root.required("functions")?;
    let functions: Vec<Function> = functions
        .list(MOST_FUNCTIONS)?
        .iter()
        .map(function)
        .collect::<Result<_, _>>()?;
    unique("functions", functions.iter().map(|f| f.name.as_str()))?;
    if functions.is_empty() {
        return Err("functions: the list is empty, a module needs at least one".into());
    }
    Ok(Description {
        interface: root.required("interface")?.text()?.to_owned(),
        sdk: optional(&root, "sdk", words)?,
        functions,
    })
}

fn function(place: &Place<'_>) -> Result<Function, String> {
    place.object(&[
        "name",
        "kind",
        "doc",
        "input",
        "stamps",
        "changes",
        "key",
        "accumulator",
        "state",
        "slots",
        "timers",
        "output",
        "sides",
        "config",
        "combinable",
    ])?;
    let kind = kind(&place.required("kind")?)?;
    let read = Function {
        name: kebab(&place.required("name")?)?,
        kind,
        doc: optional(place, "doc", words)?,
        input: optional(place, "input", columns)?.unwrap_or_default(),
        stamps: optional(place, "stamps", Place::flag)?.unwrap_or(false),
        changes: optional(place, "changes", Place::flag)?.unwrap_or(false),
        key: optional(place, "key", columns)?.unwrap_or_default(),
        accumulator: optional(place, "accumulator", columns)?.unwrap_or_default(),
        state: optional(place, "state", columns)?.unwrap_or_default(),
        slots: optional(place, "slots", state::slots)?.unwrap_or_default(),
        timers: optional(place, "timers", state::timers)?.unwrap_or_default(),
        output: optional(place, "output", output)?.unwrap_or(Output::Same),
        sides: optional(place, "sides", sides)?.unwrap_or_default(),
        config: optional(place, "config", config)?.unwrap_or_default(),
        combinable: optional(place, "combinable", Place::flag)?.unwrap_or(false),
    };
    whole(place, &read)?;
    Ok(read)
}

/// What must hold between the fields of a function.
fn whole(place: &Place<'_>, function: &Function) -> Result<(), String> {
    let has = |name: &str| place.field(name).is_some();
    let kind = function.kind;
    if let Some(name) = foreign(kind).iter().copied().find(|name| has(name)) {
        let words = kind.in_words();
        return Err(place.error(format!("{words} has no field {name:?}")));
    }
    if kind == Kind::Aggregate && !has("accumulator") {
        return Err(place.error("an aggregate needs the field \"accumulator\""));
    }
    let of_windows = matches!(kind, Kind::Aggregate | Kind::Window);
    let mut outputs = function
        .sides
        .iter()
        .map(|side| &side.output)
        .chain([&function.output]);
    if of_windows && outputs.any(|output| !matches!(output, Output::New(_))) {
        let words = kind.in_words();
        return Err(place.error(format!("outputs of {words} must be {{\"new\": [columns]}}")));
    }
    Ok(())
}

/// Fields that functions of other kinds have.
fn foreign(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Transform => &[
            "key",
            "accumulator",
            "combinable",
            "state",
            "slots",
            "timers",
        ],
        Kind::Aggregate => &["state", "slots", "timers"],
        Kind::Window => &["accumulator", "combinable", "state", "slots", "timers"],
        Kind::Process => &["accumulator", "combinable", "state"],
        Kind::Watermark => &[
            "key",
            "accumulator",
            "combinable",
            "slots",
            "timers",
            "output",
            "sides",
            "stamps",
            "changes",
        ],
    }
}

/// Words for people.
fn words(place: &Place<'_>) -> Result<String, String> {
    Ok(visible(place.text()?).into_owned())
}

fn kind(place: &Place<'_>) -> Result<Kind, String> {
    let word = place.text()?;
    Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == word)
        .ok_or_else(|| {
            let known = Kind::ALL.map(Kind::name).join(", ");
            place.error(format!("unknown kind {word:?}: this host serves {known}"))
        })
}

fn kebab(place: &Place<'_>) -> Result<String, String> {
    let name = place.text()?;
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    let goes_on = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if starts && goes_on && name.len() <= LONGEST_NAME {
        Ok(name.to_owned())
    } else {
        Err(place.error(format!(
            "{name:?} is no name: small letters, digits and '-', a letter first, at most {LONGEST_NAME}"
        )))
    }
}

/// A list of columns.
pub(super) fn columns(place: &Place<'_>) -> Result<Vec<Field>, String> {
    let fields: Vec<Field> = place
        .list(MOST_COLUMNS)?
        .iter()
        .map(column)
        .collect::<Result<_, _>>()?;
    unique("columns", fields.iter().map(|field| field.name().as_str()))
        .map_err(|e| place.error(e))?;
    Ok(fields)
}

fn column(place: &Place<'_>) -> Result<Field, String> {
    place.object(&["name", "type"])?;
    let name = column_name(&place.required("name")?)?;
    let of = place.required("type")?;
    let word = of.text()?;
    let (base, nullable) = match word.strip_suffix('?') {
        Some(base) => (base, true),
        None => (word, false),
    };
    let ty = LogicalType::from_name(base).ok_or_else(|| {
        let known = LogicalType::ALL.map(LogicalType::name).join(", ");
        of.error(format!(
            "unknown type {word:?}: expected one of {known}, with '?' where null may be"
        ))
    })?;
    Ok(ty.field(name, nullable))
}

/// A name of a column or a config field: not empty, not endless.
pub(super) fn column_name<'a>(place: &Place<'a>) -> Result<&'a str, String> {
    let name = place.text()?;
    let hidden = |c| matches!(c, '\n' | '\t') || is_hidden(c);
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(hidden) {
        return Err(place.error(format!(
            "{name:?} is no name: 1 to {LONGEST_NAME} bytes of text, nothing of it hidden"
        )));
    }
    Ok(name)
}

fn output(place: &Place<'_>) -> Result<Output, String> {
    match place.value {
        Value::String(word) if word == "same" => Ok(Output::Same),
        Value::Object(fields) if fields.len() == 1 => {
            place.object(&["extended", "new"])?;
            match place.field("extended") {
                Some(extended) => columns(&extended).map(Output::Extended),
                None => columns(&place.required("new")?).map(Output::New),
            }
        }
        _ => {
            let one = r#""same", {"extended": [columns]} or {"new": [columns]}"#;
            Err(place.error(format!("expected {one}")))
        }
    }
}

fn sides(place: &Place<'_>) -> Result<Vec<Side>, String> {
    let side = |place: &Place<'_>| {
        place.object(&["name", "output"])?;
        let name = kebab(&place.required("name")?)?;
        if name == "failed" || name == "late" {
            return Err(place.error(format!("{name:?} is the host's own side output")));
        }
        Ok(Side {
            name,
            output: output(&place.required("output")?)?,
        })
    };
    let sides: Vec<Side> = place
        .list(MOST_SIDES)?
        .iter()
        .map(side)
        .collect::<Result<_, _>>()?;
    unique("sides", sides.iter().map(|side| side.name.as_str())).map_err(|e| place.error(e))?;
    Ok(sides)
}

fn config(place: &Place<'_>) -> Result<Vec<super::ConfigField>, String> {
    let fields: Vec<_> = place
        .list(MOST_COLUMNS)?
        .iter()
        .map(config_field)
        .collect::<Result<_, _>>()?;
    unique("fields", fields.iter().map(|f| f.name.as_str())).map_err(|e| place.error(e))?;
    Ok(fields)
}

pub(super) fn optional<'a, T>(
    place: &Place<'a>,
    name: &str,
    read: impl FnOnce(&Place<'a>) -> Result<T, String>,
) -> Result<Option<T>, String> {
    place.field(name).map(|field| read(&field)).transpose()
}

pub(super) fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("two {what} are called {name:?}"));
        }
    }
    Ok(())
}

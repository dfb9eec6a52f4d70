//! `tidemill state get` and `tidemill state dump`: what is kept for one key, or for all.

use anyhow::anyhow;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Map, Value};
use tidemill_engine::checkpoint::view::{Entry, OperatorState};

use super::{AtArgs, KeyFilter, of_name, print};
use crate::args::Format;
use crate::error::Failure;
use crate::talk::Talk;

/// Show what an operator keeps for a key
#[derive(clap::Args, Debug)]
pub struct GetArgs {
    /// The operator
    operator: String,
    /// The key: a JSON object such as {"account":"a"}, or the value of a key of one column
    key: String,
    #[command(flatten)]
    at: AtArgs,
    /// How it is written: a table, or a line of JSON for each entry
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Show everything that operators keep, as lines of JSON
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The operator [default: all]
    operator: Option<String>,
    /// Only keys with these values: a JSON object such as {"account":"a"}, or the value of a key of one column
    #[arg(long, requires = "operator")]
    key: Option<String>,
    #[command(flatten)]
    at: AtArgs,
    /// How it is written: a line of JSON for each entry, or a table for each operator
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

/// Shows one key.
pub(super) fn get(args: &GetArgs) -> Result<(), Failure> {
    let states = args.at.read(&Talk::new(Format::Text, false))?;
    let state = of_name(&states, &args.operator)?;
    let filter = KeyFilter::read(&args.key, state)?;
    let found: Vec<&Entry> = state.entries.iter().filter(|e| filter.takes(e)).collect();
    if found.is_empty() {
        let error = anyhow!(
            "operator {} keeps nothing for the key {}",
            args.operator,
            args.key
        );
        let example = state.entries.first();
        return Err(Failure::from(error).hint(match example {
            Some(entry) => format!(
                "`tidemill state dump {}` shows every key, such as {}",
                args.operator, entry.key
            ),
            None => format!("{} keeps nothing at all there", args.operator),
        }));
    }
    print(&shown(&found, args.format));
    Ok(())
}

/// Shows everything.
pub(super) fn dump(args: &Args) -> Result<(), Failure> {
    let states = args.at.read(&Talk::new(Format::Text, false))?;
    let all: Vec<&OperatorState> = match &args.operator {
        Some(name) => vec![of_name(&states, name)?],
        None => states.iter().collect(),
    };
    for state in all {
        let filter = match &args.key {
            Some(key) => Some(KeyFilter::read(key, state)?),
            None => None,
        };
        let wanted = |entry: &&Entry| filter.as_ref().is_none_or(|filter| filter.takes(entry));
        let entries: Vec<&Entry> = state.entries.iter().filter(wanted).collect();
        print(&shown(&entries, args.format));
    }
    Ok(())
}

/// Entries of one operator.
fn shown(entries: &[&Entry], format: Format) -> String {
    match format {
        Format::Json => entries.iter().map(|entry| entry.json() + "\n").collect(),
        Format::Text => table(entries),
    }
}

/// A column for each field, those of keys, accumulators and rows by their own names.
fn table(entries: &[&Entry]) -> String {
    let rows: Vec<Vec<(String, String)>> = entries.iter().map(|entry| cells(entry)).collect();
    let mut heads: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !heads.contains(&name.as_str()) {
            heads.push(name);
        }
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(&heads);
    for row in &rows {
        let cell = |head: &&str| {
            let found = row.iter().find(|(name, _)| name == head);
            found.map_or(String::new(), |(_, text)| text.clone())
        };
        table.add_row(heads.iter().map(cell));
    }
    let lines = table.trim_fmt();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

fn cells(entry: &Entry) -> Vec<(String, String)> {
    let fields: Map<String, Value> = serde_json::from_str(&entry.json()).unwrap_or_default();
    let mut cells = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Object(inner) => {
                cells.extend(inner.into_iter().map(|(name, v)| (name, text(&v))))
            }
            value => cells.push((name, text(&value))),
        }
    }
    cells
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

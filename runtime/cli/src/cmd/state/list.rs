//! `tidemill state list`: a line for every operator.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tidemill_engine::checkpoint::view::OperatorState;
use tidemill_rows::time_text::rfc3339;

use super::{AtArgs, print};
use crate::args::Format;
use crate::error::Failure;
use crate::figures::count;
use crate::talk::Talk;

/// List operators, and how much they keep
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    at: AtArgs,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Lists operators.
pub(super) fn list(args: &Args) -> Result<(), Failure> {
    let states = args.at.read(&Talk::new(Format::Text, false))?;
    print(&match args.format {
        Format::Text => table(&states),
        Format::Json => {
            let lines = states.iter().map(|state| format!("{}\n", json(state)));
            lines.collect()
        }
    });
    Ok(())
}

fn table(states: &[OperatorState]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "operator",
        "kind",
        "key",
        "keys",
        "entries",
        "watermark",
        "keeps",
    ]);
    for state in states {
        table.add_row([
            state.operator.clone(),
            state.kind.clone(),
            state.key.join(", "),
            count(state.keys as u64),
            count(state.entries.len() as u64),
            watermark(state).unwrap_or_default(),
            state.keeps.clone(),
        ]);
    }
    for column in [3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.trim_fmt();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect()
}

fn watermark(state: &OperatorState) -> Option<String> {
    let known = state.watermark != i64::MIN && state.watermark != i64::MAX;
    known.then(|| rfc3339(state.watermark))
}

fn json(state: &OperatorState) -> Value {
    json!({
        "operator": state.operator, "kind": state.kind, "key": state.key, "keys": state.keys,
        "entries": state.entries.len(), "watermark": watermark(state), "keeps": state.keeps,
    })
}

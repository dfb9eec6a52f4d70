//! `tidemill checkpoint list`: a line for every number.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tidemill_checkpoint::{Checkpoint, Damage, Entry, Kind, What};

use super::{print, sequence};
use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures;

/// List checkpoints, savepoints and starts, the oldest first
///
/// A claim is the start of a process. A checkpoint is prepared when all of it is there, and confirmed when it counts; it is
/// damaged if something that it needs is missing or has another length than it must (`verify` reads everything).
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Lists what stands under every number.
pub(super) fn list(args: &Args) -> Result<(), Failure> {
    let sequence = sequence(&args.pipeline)?;
    let entries = sequence.list()?;
    match args.format {
        Format::Json => {
            let entries: Vec<Value> = entries.iter().map(json).collect();
            print(&format!("{:#}\n", Value::from(entries)));
        }
        Format::Text if entries.is_empty() => {
            print(&format!("no checkpoints in {}\n", sequence.place()));
        }
        Format::Text => print(&table(&entries)),
    }
    Ok(())
}

/// The state of a checkpoint, in one word.
pub(super) fn state(checkpoint: &Checkpoint, damage: &[Damage]) -> &'static str {
    match (damage.is_empty(), checkpoint.confirmed) {
        (false, _) => "damaged",
        (true, true) => "confirmed",
        (true, false) => "prepared",
    }
}

/// Whether it is a checkpoint or a savepoint.
pub fn kind(checkpoint: &Checkpoint) -> &'static str {
    match checkpoint.manifest.contents.kind {
        Kind::Checkpoint => "checkpoint",
        Kind::Savepoint => "savepoint",
    }
}

/// From when it was begun to its manifest.
pub(super) fn took(checkpoint: &Checkpoint) -> Duration {
    let manifest = &checkpoint.manifest;
    let us = manifest.made.0.saturating_sub(manifest.begun.0);
    Duration::from_micros(us.try_into().unwrap_or(0))
}

fn table(entries: &[Entry]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "number",
        "kind",
        "state",
        "made",
        "took",
        "size",
        "new",
        "continues",
        "by",
    ]);
    for entry in entries {
        table.add_row(row(entry));
    }
    for column in [0, 4, 5, 6, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.trim_fmt();
    let lines = lines.lines().map(|line| format!("{}\n", line.trim()));
    let damage = entries
        .iter()
        .flat_map(damage)
        .map(|damage| format!("{damage}\n"));
    lines.chain(damage).collect()
}

fn damage(entry: &Entry) -> &[Damage] {
    match &entry.what {
        What::Checkpoint(_, damage) => damage,
        What::Unreadable(damage) => std::slice::from_ref(damage),
        What::Claim(_) => &[],
    }
}

fn row(entry: &Entry) -> [String; 9] {
    let number = entry.number.to_string();
    let none = String::new;
    match &entry.what {
        What::Claim(claim) => [
            number,
            "claim".to_owned(),
            none(),
            claim.made.to_string(),
            none(),
            none(),
            none(),
            none(),
            format!("{} ({})", claim.incarnation, claim.process),
        ],
        What::Checkpoint(checkpoint, damage) => {
            let manifest = &checkpoint.manifest;
            let (bytes, own) = manifest.bytes();
            [
                number,
                kind(checkpoint).to_owned(),
                state(checkpoint, damage).to_owned(),
                manifest.made.to_string(),
                figures::took(took(checkpoint)),
                figures::bytes(bytes),
                figures::bytes(own),
                manifest.continues.map_or_else(none, |n| n.to_string()),
                manifest.incarnation.to_string(),
            ]
        }
        What::Unreadable(_) => [
            number,
            "unknown".to_owned(),
            "damaged".to_owned(),
            none(),
            none(),
            none(),
            none(),
            none(),
            none(),
        ],
    }
}

fn json(entry: &Entry) -> Value {
    let damage: Vec<String> = damage(entry).iter().map(ToString::to_string).collect();
    match &entry.what {
        What::Claim(claim) => json!({
            "number": entry.number, "kind": "claim", "made": claim.made, "incarnation": claim.incarnation,
            "process": claim.process,
        }),
        What::Checkpoint(checkpoint, missing) => {
            let manifest = &checkpoint.manifest;
            let (bytes, own) = manifest.bytes();
            json!({
                "number": entry.number, "kind": kind(checkpoint), "state": state(checkpoint, missing),
                "made": manifest.made, "took_ms": took(checkpoint).as_millis() as u64,
                "bytes": bytes, "new_bytes": own, "continues": manifest.continues,
                "incarnation": manifest.incarnation, "finished": manifest.contents.finished, "damage": damage,
            })
        }
        What::Unreadable(_) => {
            json!({ "number": entry.number, "state": "damaged", "damage": damage })
        }
    }
}

//! `tidemill checkpoint list`: a line for every number.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tidemill_checkpoint::{Checkpoint, Damage, Entry, Kind, What};

use super::print;
use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::sequences::{self, TaskArgs};
use crate::{figures, load};

/// List checkpoints, savepoints and starts, the oldest first
///
/// A claim is the start of a process. A checkpoint is prepared when all of it is there, and confirmed when it counts; it is
/// damaged if something that it needs is missing or has another length than it must (`verify` reads everything).
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    task: TaskArgs,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Lists what stands under every number.
pub(super) fn list(args: &Args) -> Result<(), Failure> {
    let all = sequences::all(&load::as_far_as_it_goes(&args.pipeline)?, args.task)?;
    let mut entries: Vec<(Option<i32>, Entry)> = Vec::new();
    for found in &all {
        let listed = found.sequence.list()?.into_iter();
        entries.extend(listed.map(|entry| (found.task, entry)));
    }
    match args.format {
        Format::Json => {
            let entries: Vec<Value> = entries.iter().map(json).collect();
            print(&format!("{:#}\n", Value::from(entries)));
        }
        Format::Text if entries.is_empty() => {
            let places: Vec<String> = all.iter().map(|found| found.sequence.place()).collect();
            print(&format!("no checkpoints in {}\n", places.join(", ")));
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

fn table(entries: &[(Option<i32>, Entry)]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let tasks = entries.iter().any(|(task, _)| task.is_some());
    let heading = [
        "number",
        "kind",
        "state",
        "made",
        "took",
        "size",
        "new",
        "continues",
        "by",
    ];
    let first = tasks.then(|| "task".to_owned());
    table.set_header(first.into_iter().chain(heading.map(str::to_owned)));
    for (task, entry) in entries {
        let first = task.map(|task| task.to_string());
        table.add_row(first.into_iter().chain(row(entry)));
    }
    let right = [0, 4, 5, 6, 7].map(|column| column + usize::from(tasks));
    for column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.trim_fmt();
    let lines = lines.lines().map(|line| format!("{}\n", line.trim()));
    let damage = entries
        .iter()
        .flat_map(|(_, entry)| damage(entry))
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

fn json((task, entry): &(Option<i32>, Entry)) -> Value {
    let mut json = json_of(entry);
    if let Some(task) = task {
        json["task"] = (*task).into();
    }
    json
}

fn json_of(entry: &Entry) -> Value {
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

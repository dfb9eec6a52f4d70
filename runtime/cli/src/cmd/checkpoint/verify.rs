//! `tidemill checkpoint verify`: reads everything and checks every checksum.

use anyhow::anyhow;
use serde_json::{Value, json};
use tidemill_checkpoint::{CheckpointError, Damage, Number, Sequence, What};

use super::print;
use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures::{self, counted};
use crate::load;
use crate::sequences::{self, TaskArgs};

/// Read checkpoints whole and check every checksum
///
/// All that there are, or one. If anything is damaged it is named, and the exit code is 1.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    task: TaskArgs,
    /// Only this one, by its number
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What was found of one number.
struct Found {
    task: Option<i32>,
    number: Number,
    files: usize,
    bytes: u64,
    damage: Vec<Damage>,
}

/// Verifies checkpoints.
pub(super) fn verify(args: &Args) -> Result<(), Failure> {
    let mut found = Vec::new();
    let all = sequences::all(&load::as_far_as_it_goes(&args.pipeline)?, args.task)?;
    for of in &all {
        found.extend(find(of, args.number.map(Number))?);
    }
    print(&match args.format {
        Format::Text => found.iter().map(text).collect::<String>(),
        Format::Json => format!("{:#}\n", found.iter().map(json).collect::<Value>()),
    });
    let damaged = found
        .iter()
        .filter(|found| !found.damage.is_empty())
        .count();
    match damaged {
        0 => Ok(()),
        n => {
            let of = counted(found.len() as u64, "checkpoint");
            let places: Vec<String> = all.iter().map(|of| of.sequence.place()).collect();
            let error = anyhow!("{n} of {of} in {} cannot be resumed", places.join(", "));
            Err(Failure::from(error)
                .hint("bring the files back from a backup; the others can be resumed"))
        }
    }
}

/// What there is in a sequence, or of one number.
fn find(of: &sequences::Found, number: Option<Number>) -> Result<Vec<Found>, Failure> {
    let sequence = &of.sequence;
    let mut found = match number {
        Some(number) => vec![one(sequence, number)?.ok_or_else(|| sequence.no_checkpoint(number))?],
        None => all(sequence)?,
    };
    found.iter_mut().for_each(|found| found.task = of.task);
    Ok(found)
}

fn all(sequence: &Sequence) -> Result<Vec<Found>, Failure> {
    let mut all = Vec::new();
    for entry in sequence.list()? {
        if !matches!(entry.what, What::Claim(_)) {
            all.extend(one(sequence, entry.number)?);
        }
    }
    Ok(all)
}

/// Nothing, if there is none of that number.
fn one(sequence: &Sequence, number: Number) -> Result<Option<Found>, Failure> {
    match sequence.verify(number) {
        Ok(verified) => Ok(verified.map(|verified| Found {
            task: None,
            number,
            files: verified.files,
            bytes: verified.bytes,
            damage: verified.damage,
        })),
        Err(CheckpointError::Damaged(damage)) => Ok(Some(Found {
            task: None,
            number,
            files: 0,
            bytes: 0,
            damage: vec![*damage],
        })),
        Err(e) => Err(e.into()),
    }
}

fn text(found: &Found) -> String {
    let files = counted(found.files as u64, "file");
    let bytes = figures::bytes(found.bytes);
    let number = match found.task {
        None => found.number.to_string(),
        Some(task) => format!("task {task}: {}", found.number),
    };
    if found.damage.is_empty() {
        return format!("{number}: whole, {files}, {bytes}\n");
    }
    let damage = found.damage.iter().map(|damage| format!("  {damage}\n"));
    format!("{number}: damaged\n{}", damage.collect::<String>())
}

fn json(found: &Found) -> Value {
    let damage: Vec<String> = found.damage.iter().map(ToString::to_string).collect();
    let mut json = json!({
        "number": found.number, "whole": found.damage.is_empty(), "files": found.files, "bytes": found.bytes,
        "damage": damage,
    });
    if let Some(task) = found.task {
        json["task"] = task.into();
    }
    json
}

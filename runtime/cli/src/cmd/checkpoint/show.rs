//! `tidemill checkpoint show`: what one checkpoint consists of.

use serde_json::json;
use tidemill_checkpoint::{Checkpoint, Damage, Number, Operator};

use super::list::{kind, state, took};
use super::{print, sequence};
use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures::{self, counted};
use crate::sequences::TaskArgs;

/// Show what a checkpoint consists of
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Its number, as `checkpoint list` shows it
    number: u64,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    task: TaskArgs,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Shows a checkpoint.
pub(super) fn show(args: &Args) -> Result<(), Failure> {
    let sequence = sequence(&args.pipeline, args.task)?;
    let number = Number(args.number);
    let checkpoint = sequence
        .checkpoint(number)?
        .ok_or_else(|| sequence.no_checkpoint(number))?;
    let damage = sequence.missing(&checkpoint.manifest)?;
    print(&match args.format {
        Format::Text => text(&checkpoint, &damage),
        Format::Json => {
            let damage: Vec<String> = damage.iter().map(ToString::to_string).collect();
            let shown = json!({
                "state": state(&checkpoint, &[]), "damage": damage, "manifest": checkpoint.manifest,
            });
            format!("{shown:#}\n")
        }
    });
    Ok(())
}

fn text(checkpoint: &Checkpoint, damage: &[Damage]) -> String {
    let manifest = &checkpoint.manifest;
    let contents = &manifest.contents;
    let (bytes, own) = manifest.bytes();
    let size = format!(
        "{}, of which {} are its own",
        figures::bytes(bytes),
        figures::bytes(own)
    );
    let continues = match manifest.continues {
        Some(number) => number.to_string(),
        None => "nothing: the pipeline had begun anew".to_owned(),
    };
    let took = figures::took(took(checkpoint));
    let input = if contents.finished {
        "had ended"
    } else {
        "goes on"
    };
    let head = [
        (kind(checkpoint), manifest.number.to_string()),
        ("state", state(checkpoint, damage).to_owned()),
        (
            "pipeline",
            format!("{} (id {})", manifest.pipeline, manifest.pipeline_id),
        ),
        (
            "made",
            format!("{}, in {took}, by {}", manifest.made, manifest.incarnation),
        ),
        ("continues", continues),
        ("size", size),
        ("input", input.to_owned()),
        (
            "workers",
            format!(
                "{}, {} key groups",
                contents.workers, contents.max_parallelism
            ),
        ),
    ];
    let mut text = String::new();
    for (heading, value) in head {
        text.push_str(&format!("{heading:<11} {value}\n"));
    }
    for (module, hash) in &contents.modules {
        text.push_str(&format!("{:<11} {module} {hash}\n", "module"));
    }
    for (source, at) in &contents.sources {
        text.push_str(&format!("{:<11} {source} {at}\n", "source"));
    }
    for (sink, pending) in &contents.pending {
        text.push_str(&format!("{:<11} {sink} {pending}\n", "pending"));
    }
    for operator in &contents.operators {
        text.push_str(&about(operator));
    }
    for damage in damage {
        text.push_str(&format!("\n{damage}\n"));
    }
    text
}

fn about(operator: &Operator) -> String {
    let bytes = operator.parts.iter().map(|part| part.bytes).sum();
    let files = counted(operator.parts.len() as u64, "file");
    let mut text = format!(
        "\n{} {}: {files}, {}\n",
        operator.kind,
        operator.name,
        figures::bytes(bytes)
    );
    for part in &operator.parts {
        let groups = match part.key_groups {
            Some((first, last)) => format!(", key groups {first} to {last}"),
            None => String::new(),
        };
        let form = format!("{:?}", part.form).to_lowercase();
        let size = figures::bytes(part.bytes);
        text.push_str(&format!(
            "  {} {form} of {}: {size}{groups}\n",
            part.file, part.label
        ));
    }
    text
}

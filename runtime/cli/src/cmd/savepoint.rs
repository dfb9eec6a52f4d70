//! `tidemill savepoint`: a savepoint of a running pipeline.
//!
//! The process that runs it is asked through the location of its checkpoints (`desk.rs`), and answers there.

mod asking;

use std::io::Write;
use std::time::Duration;

use tidemill_checkpoint::{Kind, Life, Wish};

use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures::{bytes, counted, took};
use crate::load;
use crate::sequences::TaskArgs;
use crate::talk::Talk;

pub use self::asking::{Asking, SOON, Taken, ended};

/// Take a savepoint of a running pipeline
///
/// A savepoint is a checkpoint that a person has asked for: it is kept until a person deletes it. The pipeline goes on.
/// Standard output has what `run --from` takes: of a pipeline that several processes share, the savepoints of all its tasks.
/// The process is found by the claim that it has made in the location of its checkpoints, whether that is a folder or a bucket;
/// a pipeline that makes no checkpoints cannot be asked.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill savepoint
  tidemill savepoint fraud.toml --to s3://bucket/saves
  tidemill run fraud.toml --from $(tidemill stop fraud.toml)")]
pub struct Args {
    #[command(flatten)]
    ask: AskArgs,
}

/// Whom to ask, and what to do with the answer.
#[derive(clap::Args, Debug)]
pub struct AskArgs {
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    /// Copy it to another location too, whole: a folder, or a bucket and a prefix in it
    #[arg(long, value_name = "LOCATION")]
    to: Option<String>,
    /// How many seconds to wait for it
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    wait: u64,
}

impl AskArgs {
    /// Whoever runs this pipeline, with patience.
    pub fn of(pipeline: PipelineArgs, task: TaskArgs) -> Self {
        Self {
            pipeline,
            task,
            to: None,
            wait: 600,
        }
    }

    /// How long to wait.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

/// Takes a savepoint.
pub fn savepoint(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let taken = ask(&args.ask, Wish::Savepoint, &talk)?;
    deliver(&args.ask, &taken, &talk)
}

/// Asks the process that runs a pipeline for something, or those that run its tasks, and waits for the answers.
///
/// # Errors
/// If none runs, or it has not been done.
pub fn ask(args: &AskArgs, wish: Wish, talk: &Talk) -> Result<Vec<Taken>, Failure> {
    let pipeline = load::as_far_as_it_goes(&args.pipeline)?;
    let asking = Asking::of(&pipeline, args.task, args.patience())?;
    match asking.ask(wish, talk)? {
        taken if taken.is_empty() => Err(asking.nobody()?),
        taken => Ok(taken),
    }
}

/// Copies savepoints if that is wanted, and says what they are called.
///
/// # Errors
/// If one cannot be copied.
pub fn deliver(args: &AskArgs, taken: &[Taken], talk: &Talk) -> Result<(), Failure> {
    let mut told = Vec::new();
    for taken in taken {
        if let Some(address) = &args.to {
            let to = taken.place.sequence(address)?;
            let life = Life::of_this_process()?;
            taken.sequence.copy(taken.number, &to, &life)?;
        }
        told.push(tell(taken)?);
    }
    let numbers: Vec<String> = taken.iter().map(Taken::taken_as).collect();
    let numbers = numbers.join(",");
    let name = match &args.to {
        None => numbers,
        Some(address) => format!("{address}@{numbers}"),
    };
    if let Some(last) = told.last_mut() {
        last.push_str(&format!("; `tidemill run --from {name}` goes on from it"));
        told.iter().for_each(|line| talk.note(line));
        // Nobody may listen any more: nothing is lost.
        let _ = std::io::stdout().write_all(format!("{name}\n").as_bytes());
    }
    Ok(())
}

/// What a savepoint consists of.
fn tell(taken: &Taken) -> Result<String, Failure> {
    let (number, sequence) = (taken.number, &taken.sequence);
    let checkpoint = sequence
        .checkpoint(number)?
        .ok_or_else(|| sequence.no_checkpoint(number))?;
    let manifest = &checkpoint.manifest;
    let word = match manifest.contents.kind {
        Kind::Savepoint => "savepoint",
        Kind::Checkpoint => "checkpoint",
    };
    let of_task = match taken.task {
        None => String::new(),
        Some(task) => format!(" of task {task}"),
    };
    let how = match &taken.by {
        Some(_) => took(taken.after),
        None => "no process ran it".to_owned(),
    };
    Ok(format!(
        "{word} {number}{of_task} of pipeline {}: {}, {}, {how}",
        sequence.pipeline(),
        counted(manifest.parts().count() as u64, "file"),
        bytes(manifest.bytes().0),
    ))
}

//! `tidemill savepoint`: a savepoint of a running pipeline.
//!
//! The process that runs it is asked through the location of its checkpoints (`desk.rs`), and answers there.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tidemill_checkpoint::{Asked, Life, Newest, Number, Outcome, Sequence, Wish};

use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures::{bytes, counted, took};
use crate::load;
use crate::recovery::choose::Place;
use crate::sequences::{self, Found, TaskArgs};
use crate::talk::Talk;

/// Take a savepoint of a running pipeline
///
/// A savepoint is a checkpoint that a person has asked for: it is kept until a person deletes it. The pipeline goes on.
/// Standard output has what `run --from` takes. The process is found by the claim that it has made in the location of its
/// checkpoints, whether that is a folder or a bucket; a pipeline that makes no checkpoints cannot be asked.
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
    pipeline: PipelineArgs,
    #[command(flatten)]
    task: TaskArgs,
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
}

/// How often an answer is looked for at most.
const SOON: Duration = Duration::from_millis(20);

/// Takes a savepoint.
pub fn savepoint(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let taken = ask(&args.ask, Wish::Savepoint)?;
    taken
        .iter()
        .try_for_each(|taken| deliver(&args.ask, taken, &talk))
}

/// A savepoint that was asked for and has happened.
pub struct Taken {
    /// Of which task, where it is one's.
    pub task: Option<i32>,
    /// Where it lies.
    pub sequence: Sequence,
    /// Its number.
    pub number: Number,
    /// How long it took.
    pub after: Duration,
    until: Instant,
    place: Place,
    /// Who took it.
    pub by: Newest,
}

/// A request to one process that was put.
struct Put {
    found: Found,
    by: Newest,
    asked: Asked,
}

/// Asks the process that runs a pipeline for something, or those that run its tasks, and waits for the answers.
///
/// # Errors
/// If none runs, or it has not been done.
pub fn ask(args: &AskArgs, wish: Wish) -> Result<Vec<Taken>, Failure> {
    let pipeline = load::as_far_as_it_goes(&args.pipeline)?;
    let began = Instant::now();
    let until = began + Duration::from_secs(args.wait);
    let (mut put, mut not_running) = (Vec::new(), None);
    for found in sequences::all(&pipeline, args.task)? {
        match running(&found.sequence)? {
            Ok(by) => {
                let asked = found
                    .sequence
                    .ask(by.incarnation, wish, &Life::of_this_process()?)?;
                put.push(Put { found, by, asked });
            }
            Err(failure) => not_running = Some(failure),
        }
    }
    if let Some(failure) = not_running.filter(|_| put.is_empty()) {
        return Err(failure);
    }
    let mut all = Vec::new();
    for Put { found, by, asked } in put {
        let answer = wait(&found.sequence, &asked, (&by, until));
        asked.withdraw();
        all.push(Taken {
            task: found.task,
            number: answer?,
            sequence: found.sequence,
            after: began.elapsed(),
            until,
            place: found.place,
            by,
        });
    }
    Ok(all)
}

/// Who runs a pipeline or a task, as far as can be known; or why nobody can be asked.
fn running(sequence: &Sequence) -> Result<Result<Newest, Failure>, Failure> {
    let newest = sequence.newest()?;
    let Some(newest) = newest.filter(|newest| newest.runs != Some(false)) else {
        let error = anyhow!(
            "pipeline {} does not run: nobody holds the lock of {}",
            sequence.pipeline(),
            sequence.place()
        );
        return Ok(Err(Failure::from(error).hint(
            match sequence.newest_checkpoint()? {
                Some(newest) => format!(
                    "its newest checkpoint is {0}: `tidemill run --from {0}` goes on from it",
                    newest.number()
                ),
                None => "`tidemill run` begins it".to_owned(),
            },
        )));
    };
    Ok(Ok(newest))
}

fn wait(
    sequence: &Sequence,
    asked: &Asked,
    (by, until): (&Newest, Instant),
) -> Result<Number, Failure> {
    // Looking may cost something where nobody can be seen to run.
    let pause = match by.runs {
        Some(_) => SOON,
        None => Duration::from_secs(1),
    };
    loop {
        // Looked at before the answer, which comes before the end.
        let gone = by.runs.is_some() && sequence.is_locked()? == Some(false);
        match asked.answer()? {
            Some(Outcome::Done(number)) => return Ok(number),
            Some(Outcome::Refused(why)) => {
                return Err(anyhow!("there is no savepoint: {why}").into());
            }
            None if gone => {
                let error = anyhow!("{} has ended without an answer", by.process);
                return Err(Failure::from(error)
                    .hint("`tidemill checkpoint list` shows whether there is a savepoint"));
            }
            None if Instant::now() > until => {
                let error = anyhow!("{} has not answered in time", by.process);
                return Err(Failure::from(error).hint(match by.runs {
                    Some(_) => "it holds the lock, and is busy or stopped; `--wait` waits longer",
                    None => "nobody can know whether it still runs; `--wait` waits longer",
                }));
            }
            None => std::thread::sleep(pause),
        }
    }
}

/// Copies a savepoint if that is wanted, and says what it is called.
///
/// # Errors
/// If it cannot be copied.
pub fn deliver(args: &AskArgs, taken: &Taken, talk: &Talk) -> Result<(), Failure> {
    let (number, sequence) = (taken.number, &taken.sequence);
    let name = match &args.to {
        None => number.to_string(),
        Some(address) => {
            let to = taken.place.sequence(address)?;
            sequence.copy(number, &to, &Life::of_this_process()?)?;
            format!("{address}@{number}")
        }
    };
    let checkpoint = sequence
        .checkpoint(number)?
        .ok_or_else(|| sequence.no_checkpoint(number))?;
    let files = checkpoint.manifest.parts().count() as u64;
    let about = format!(
        "{}, {}, {}",
        counted(files, "file"),
        bytes(checkpoint.manifest.bytes().0),
        took(taken.after)
    );
    let pipeline = sequence.pipeline();
    let (note, line) = match taken.task {
        None => (
            format!(
                "savepoint {number} of pipeline {pipeline}: {about}; `tidemill run --from {name}` goes on from it"
            ),
            name,
        ),
        Some(task) => (
            format!("savepoint {number} of task {task} of pipeline {pipeline}: {about}"),
            format!("{task} {name}"),
        ),
    };
    talk.note(note);
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
    Ok(())
}

impl Taken {
    /// Waits until the process has ended that has taken it. Whether it has; nobody knows where there are no locks.
    ///
    /// # Errors
    /// If the lock cannot be looked at.
    pub fn ended(&self) -> Result<Option<bool>, Failure> {
        loop {
            match self.sequence.is_locked()? {
                Some(true) if Instant::now() < self.until => std::thread::sleep(SOON),
                locked => return Ok(locked.map(|locked| !locked)),
            }
        }
    }
}

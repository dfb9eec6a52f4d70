//! What a run with checkpoints goes on from: claims the pipeline, finds its newest checkpoint, and decides, or says what a
//! person has to decide.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;
use tidemill_checkpoint::{Checkpoint, Claim, Found, Life, Number, OnLock, Recovery, Sequence};
use tidemill_connectors::{Guarantee, Missing, SourceSpec};
use tidemill_engine::checkpoint::location::{self, InLocation};
use tidemill_engine::checkpoint::{Pace, Restored, Told, schemas};
use tidemill_engine::plan::StationKind;
use tidemill_engine::{Checkpoints, Plan, Writer};
use tidemill_pipeline::Pipeline;

use crate::cmd::checkpoint;
use crate::error::Failure;
use crate::talk::Talk;

/// How a run begins.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct RecoveryArgs {
    /// Start anew, although there are checkpoints: everything is read again, and what was published is published again
    #[arg(long, conflicts_with = "from")]
    pub fresh: bool,
    /// Go on from this checkpoint instead of the newest
    #[arg(long, value_name = "NUMBER")]
    pub from: Option<u64>,
    /// Accept that output is published again which later checkpoints have published
    #[arg(long, requires = "from")]
    pub allow_duplicates: bool,
    /// Go on although another process holds the lock of the checkpoints: it was stopped, or hangs, and will not be needed
    #[arg(long)]
    pub take_over: bool,
}

/// How checkpoints are taken, as the pipeline file says.
pub struct Wanted {
    sequence: Sequence,
    pace: Pace,
    keep: usize,
}

impl Wanted {
    /// What a pipeline says; nothing if it takes none.
    ///
    /// # Errors
    /// If the location is none.
    pub fn of(pipeline: &Pipeline) -> Result<Option<Self>, Failure> {
        let Some(wanted) = &pipeline.checkpoints else {
            return Ok(None);
        };
        let location = checkpoint::location(pipeline)?;
        Ok(Some(Self {
            sequence: location.pipeline(&pipeline.name.value)?,
            pace: Pace {
                interval: wanted.interval,
                min_pause: wanted.min_pause,
                timeout: wanted.timeout,
                tolerated_failures: wanted.tolerated_failures,
            },
            keep: wanted.keep,
        }))
    }
}

/// How a run begins.
pub enum Start {
    /// It runs.
    Run(Box<Checkpoints>),
    /// There is nothing to do: everything has been read, and published.
    Finished(u64),
}

/// Claims the pipeline and decides what it goes on from.
///
/// # Errors
/// If another process runs it, or nothing can be gone on from without a person's decision.
pub fn start(
    wanted: Wanted,
    plan: &Plan,
    args: &RecoveryArgs,
    talk: &Talk,
) -> Result<Start, Failure> {
    ends(plan, talk)?;
    let on_lock = if args.take_over {
        OnLock::TakeOver
    } else {
        OnLock::Refuse
    };
    let mut claim = wanted.sequence.claim(&Life::of_this_process()?, on_lock)?;
    let found = claim.recovery()?;
    for number in &found.never_happened {
        talk.note(format!(
            "checkpoint {number} was begun and never completed: it never happened"
        ));
    }
    let from = choose(&claim, found, plan, args, talk)?;
    claim.resume(from.as_ref());
    let restored = match &from {
        Some(checkpoint) => Some(restored(&wanted.sequence, checkpoint, plan)?),
        None => None,
    };
    let incarnation = claim.incarnation().to_string();
    let writer = Writer {
        pipeline: claim.pipeline_id().to_owned(),
        incarnation: incarnation.replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
        missing: match args.from {
            Some(_) => Missing::LeaveOut,
            None => Missing::Refuse,
        },
    };
    if let (Some(checkpoint), Some(restored)) = (&from, &restored) {
        let number = checkpoint.number().0;
        if checkpoint.manifest.contents.finished && args.from.is_none() {
            if location::has_new_input(plan, restored)? {
                return Err(closed(number));
            }
            location::publish(plan, restored, &writer)?;
            return Ok(Start::Finished(number));
        }
        talk.note(format!("going on from checkpoint {number}"));
    }
    let talk = talk.clone();
    Ok(Start::Run(Box::new(Checkpoints {
        store: Box::new(InLocation::new(claim, wanted.keep, plan)),
        pace: wanted.pace,
        writer,
        restored,
        told: Box::new(move |told| tell(&told, &talk)),
    })))
}

/// The checkpoint to go on from; nothing for a fresh start.
fn choose(
    claim: &Claim,
    found: Found,
    plan: &Plan,
    args: &RecoveryArgs,
    talk: &Talk,
) -> Result<Option<Checkpoint>, Failure> {
    if args.fresh {
        if found.recovery != Recovery::Fresh {
            talk.note("starting anew: what was published before is published again");
        }
        return Ok(None);
    }
    if let Some(number) = args.from {
        return of_number(claim.sequence(), Number(number), plan, args).map(Some);
    }
    match found.recovery {
        Recovery::Fresh => Ok(None),
        Recovery::Resume(checkpoint) => Ok(Some(*checkpoint)),
        Recovery::Damaged {
            number,
            damage,
            before,
        } => {
            let damage: Vec<String> = damage.iter().map(|d| format!("\n  {d}")).collect();
            let damage = damage.concat();
            let earlier = before.map(|checkpoint| *checkpoint);
            if publishes(plan) {
                let hint = match &earlier {
                    Some(before) => format!(
                        "it has published output: `--from {} --allow-duplicates` goes back before it, and publishes again what \
                         came after that one",
                        before.number()
                    ),
                    None => "it has published output; no earlier checkpoint is whole: `--fresh` reads everything again"
                        .to_owned(),
                };
                let error = anyhow!("checkpoint {number} is damaged:{damage}");
                return Err(Failure::from(error).hint(hint));
            }
            let instead = match &earlier {
                Some(before) => format!("checkpoint {} is used instead", before.number()),
                None => "everything is read again".to_owned(),
            };
            talk.note(format!(
                "checkpoint {number} is damaged, {instead}:{damage}"
            ));
            Ok(earlier)
        }
    }
}

/// A checkpoint that a person asks for.
fn of_number(
    sequence: &Sequence,
    number: Number,
    plan: &Plan,
    args: &RecoveryArgs,
) -> Result<Checkpoint, Failure> {
    let Some(checkpoint) = sequence.checkpoint(number)? else {
        return Err(sequence.no_checkpoint(number).into());
    };
    let mut later = sequence.numbers()?.into_iter().filter(|n| *n > number);
    let newer = later.any(|n| {
        let later = sequence.checkpoint(n).ok().flatten();
        later.is_some_and(|later| later.confirmed)
    });
    if newer && publishes(plan) && !args.allow_duplicates {
        let error = anyhow!("what came after checkpoint {number} would be published again");
        return Err(Failure::wrong(error)
            .hint("`--allow-duplicates` says that this is wanted; without `--from` the newest checkpoint is gone on from"));
    }
    Ok(checkpoint)
}

fn restored(
    sequence: &Sequence,
    checkpoint: &Checkpoint,
    plan: &Plan,
) -> Result<Restored, Failure> {
    let differences = schemas::differences(plan, &checkpoint.manifest);
    if !differences.is_empty() {
        let all: Vec<String> = differences.iter().map(|d| format!("\n  {d}")).collect();
        let number = checkpoint.number();
        let error = anyhow!(
            "the pipeline cannot go on from checkpoint {number}, nothing was started:{}",
            all.concat()
        );
        return Err(Failure::wrong(error).hint(
            "undo the change, give the pipeline another name, or start anew with `--fresh`",
        ));
    }
    Ok(location::read(sequence, &checkpoint.manifest)?)
}

/// What sources and sinks must be where checkpoints are taken.
fn ends(plan: &Plan, talk: &Talk) -> Result<(), Failure> {
    let live = |kind: &StationKind| matches!(kind, StationKind::Source(s) if !s.spec.bounded());
    let live = plan.stations.iter().find(|station| live(&station.kind));
    for station in &plan.stations {
        match &station.kind {
            StationKind::Sink(sink) if sink.spec.needs_an_end() => {
                if let Some(source) = live {
                    let error = anyhow!(
                        "sink {} writes one file, whole at the end, and source {} has none",
                        station.name,
                        source.name
                    );
                    let hint = "`folder = \"…\"` publishes parts, each with a checkpoint";
                    return Err(Failure::wrong(error).hint(hint));
                }
            }
            StationKind::Source(source) if matches!(source.spec, SourceSpec::Stdin(_)) => {
                talk.note(format!(
                    "source {} reads standard input, which gives nothing twice: after a crash what it had read is lost",
                    station.name
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn closed(number: u64) -> Failure {
    let error = anyhow!(
        "there is new input, but everything had been read when checkpoint {number} was taken, and all windows were closed"
    );
    Failure::from(error).hint("`--fresh` reads everything again, and publishes it again")
}

/// Whether the pipeline publishes output with its checkpoints.
fn publishes(plan: &Plan) -> bool {
    plan.stations.iter().any(|station| match &station.kind {
        StationKind::Sink(sink) => sink.spec.guarantee() == Guarantee::ExactlyOnce,
        _ => false,
    })
}

fn tell(told: &Told, talk: &Talk) {
    let ms = |time: &Duration| time.as_secs_f64() * 1e3;
    match told {
        Told::Taken {
            number,
            took,
            stall,
        } if talk.is_json() && !talk.is_quiet() => talk.event(&json!({
            "event": "checkpoint", "number": number, "took_ms": ms(took), "stall_ms": ms(stall),
        })),
        Told::Taken {
            number,
            took,
            stall,
        } if talk.has_watcher() => talk.note(format!(
            "checkpoint {number}: {:.0} ms, rows waited {:.1} ms",
            ms(took),
            ms(stall)
        )),
        Told::Taken { .. } => {}
        Told::Failed { number, why } => {
            talk.note(format!("checkpoint {number} has not happened: {why}"));
        }
        Told::NotCleaned { name, why } => talk.note(format!(
            "sink {name}: files that an earlier run left could not be removed: {why}"
        )),
    }
}

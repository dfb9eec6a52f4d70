//! What tasks go on from by a person's order: `--from` and `--fresh` of a pipeline that several processes share.
//!
//! The process that is told so gives the order before a task begins (`cmd/run/instances/order.rs`). From then on it holds for
//! whoever begins a task, whatever that one was told, until the task has a checkpoint that has grown from it.

use anyhow::anyhow;
use tidemill_checkpoint::{Claim, Number, Origin, Sequence};
use tidemill_engine::checkpoint::kafka::{KafkaPart, Recorded};

use super::RecoveryArgs;
use super::choose::From;
use crate::error::Failure;

/// An order that a task has not carried out.
pub struct Ordered {
    /// The order's number.
    pub number: Number,
    /// How the task begins.
    pub args: RecoveryArgs,
}

/// What is ordered of the task that is claimed, and not done.
///
/// # Errors
/// If that cannot be known.
pub fn of_claim(
    (pipeline, claim): (&Sequence, &Claim),
    kafka: &KafkaPart,
    args: &RecoveryArgs,
) -> Result<Option<Ordered>, Failure> {
    let task = claim.sequence();
    let Some(partition) = task.partition() else {
        return Ok(None);
    };
    let Some(restore) = pipeline.restore_of(partition)? else {
        return Ok(None);
    };
    if let Some(since) = task.restored(restore.number)?
        && (has_gone_on(task, since)? || was_committed(claim, kafka, since)?)
    {
        return Ok(None);
    }
    Ok(restore.tasks.get(&partition).map(|origin| Ordered {
        number: restore.number,
        args: RecoveryArgs {
            fresh: *origin == Origin::Nothing,
            from: from(origin),
            allow_duplicates: restore.allow_duplicates,
            allow_dropped_state: restore.allow_dropped_state.clone(),
            ..args.clone()
        },
    }))
}

/// Whether a task is yet to carry out what is ordered of it, as far as can be seen without a claim.
///
/// # Errors
/// If that cannot be known.
pub fn is_open(pipeline: &Sequence, number: i32) -> Result<bool, Failure> {
    let task = pipeline.task(number);
    let Some(restore) = pipeline.restore_of(number)? else {
        return Ok(false);
    };
    Ok(match task.restored(restore.number)? {
        Some(since) => !has_gone_on(&task, since)?,
        None => true,
    })
}

/// What a task goes on from, as the command line would say it.
pub fn from(origin: &Origin) -> Option<From> {
    match origin {
        Origin::Nothing => None,
        Origin::Own(number) => Some(From::Number(number.0)),
        Origin::Elsewhere { location, number } => {
            Some(From::Location(location.clone(), Some(number.0)))
        }
    }
}

/// Whether there is a checkpoint behind the claim that has obeyed first.
fn has_gone_on(task: &Sequence, since: Number) -> Result<bool, Failure> {
    let newest = task.newest_checkpoint()?;
    Ok(newest.is_some_and(|newest| newest.number() > since))
}

/// The same where a transaction decides, of which no note may say yet that it was committed.
fn was_committed(claim: &Claim, kafka: &KafkaPart, since: Number) -> Result<bool, Failure> {
    match kafka.recorded()? {
        None => Ok(false),
        Some(Recorded::Checkpoint(identity)) if identity.pipeline == claim.pipeline_id() => {
            Ok(identity.checkpoint > since.0)
        }
        // The record that was committed with the order is not there any more.
        Some(_) => {
            let task = claim.sequence();
            for number in task.numbers()?.into_iter().filter(|number| *number > since) {
                if task.checkpoint(number)?.is_some() {
                    return Err(in_doubt(task, number));
                }
            }
            Ok(false)
        }
    }
}

fn in_doubt(task: &Sequence, number: Number) -> Failure {
    let error = anyhow!(
        "whether the output of checkpoint {number} was committed, the first of {} behind `--from` or `--fresh`, is not known: the group's \
         offsets are gone, or somebody else's",
        task.place()
    );
    Failure::from(error).hint(
        "look at the end of the output topic, then `--from TASK=N --allow-duplicates` goes on from a checkpoint on purpose \
         (`tidemill checkpoint list`)",
    )
}

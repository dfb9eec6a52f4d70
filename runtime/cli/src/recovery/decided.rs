//! What a run goes on from where a Kafka transaction decides which checkpoint has happened: what was committed names it.

use std::time::Duration;

use anyhow::anyhow;
use tidemill_checkpoint::{Claim, Found, Number, Prepared, Recovery};
use tidemill_connectors::ConnectorError;
use tidemill_connectors::kafka::CommittedOffset;
use tidemill_engine::checkpoint::Restored;
use tidemill_engine::checkpoint::kafka::{Identity, KafkaPart, Recorded};

use super::RecoveryArgs;
use super::choose::Chosen;
use crate::error::Failure;
use crate::talk::Talk;

/// What every way out of a record that cannot be believed begins with.
const WAYS: &str = "`--from N --allow-duplicates` goes on from a checkpoint on purpose (`tidemill checkpoint list`; of one of several tasks: \
                    `--from TASK=N`), `--fresh` begins anew";

/// A broker keeps a group's offsets for seven days unless it is told otherwise: a checkpoint that is younger than this, and of
/// which there is no record, was not committed.
const CERTAIN: Duration = Duration::from_secs(24 * 3600);

/// What the location holds, in the light of what was committed.
///
/// # Errors
/// If that cannot be known, or one contradicts the other: then a person decides.
pub fn recovery(
    claim: &mut Claim,
    kafka: &KafkaPart,
    args: &RecoveryArgs,
    talk: &Talk,
) -> Result<Found, Failure> {
    if kafka.transactions().is_some() && (args.fresh || args.from.is_some()) {
        return Ok(claim.recovery_with(Prepared::NotConfirmed)?);
    }
    let Some(recorded) = kafka.recorded()? else {
        return Ok(claim.recovery()?);
    };
    match recorded {
        Recorded::Nothing => without_record(claim),
        Recorded::Unsettled { group, asked } => unsettled(claim, (&group, asked), talk),
        Recorded::Foreign { group, offset } => Err(foreign(&group, &offset)),
        Recorded::Checkpoint(identity) => with_record(claim, &identity),
    }
}

/// Commits what a person has chosen, so that the next start finds it: a checkpoint of this location, or none. Where that is
/// ordered, the order says what lies elsewhere, and no record of earlier days must.
///
/// # Errors
/// If it was not committed.
pub fn go_back(
    claim: &Claim,
    kafka: &KafkaPart,
    to: Option<(&Chosen, &Restored)>,
) -> Result<(), Failure> {
    let to = match to {
        None => None,
        Some((chosen, restored)) if chosen.is_own() => Some((Some(&chosen.checkpoint), restored)),
        Some((_, restored)) if claim.sequence().partition().is_some() => Some((None, restored)),
        // What lies elsewhere has no number here: the first checkpoint is recorded.
        Some(_) => return Ok(()),
    };
    Ok(kafka.go_back(to, claim.pipeline_id())?)
}

fn with_record(claim: &mut Claim, identity: &Identity) -> Result<Found, Failure> {
    if identity.pipeline != claim.pipeline_id() {
        let error = anyhow!(
            "the group's offsets are of another pipeline with this name: its id is {}, ours {}",
            identity.pipeline,
            claim.pipeline_id()
        );
        return Err(Failure::from(error).hint(
            "two pipelines cannot have one `group`: give this one another, or the `location` where that one's checkpoints lie; \
             `--fresh` begins anew and takes the group over",
        ));
    }
    let number = Number(identity.checkpoint);
    if identity.checkpoint == 0 {
        let mut found = claim.recovery_with(Prepared::NotConfirmed)?;
        found.recovery = Recovery::Fresh;
        return Ok(found);
    }
    let Some(mut checkpoint) = claim.sequence().checkpoint(number)? else {
        return Err(gone(number));
    };
    if checkpoint.crc32c != identity.manifest {
        let error = anyhow!(
            "checkpoint {number} is not the one that was committed with the output: its manifest has checksum {:08x}, and {:08x} was committed",
            checkpoint.crc32c,
            identity.manifest
        );
        return Err(Failure::from(error).hint(WAYS));
    }
    claim.confirm(&mut checkpoint)?;
    let found = claim.recovery_with(Prepared::NotConfirmed)?;
    match newest(&found) {
        Some(newest) if newest > number => {
            let error = anyhow!(
                "the group's offsets say checkpoint {number}, and checkpoint {newest} was committed after it: they were set back"
            );
            Err(Failure::from(error).hint(WAYS))
        }
        _ => Ok(found),
    }
}

/// The newest checkpoint that a note says was committed.
fn newest(found: &Found) -> Option<Number> {
    match &found.recovery {
        Recovery::Fresh => None,
        Recovery::Resume(checkpoint) => Some(checkpoint.number()),
        Recovery::Damaged { number, .. } => Some(*number),
    }
}

/// No offset was ever committed, or the broker has let them go.
fn without_record(claim: &Claim) -> Result<Found, Failure> {
    let found = claim.recovery_with(Prepared::NotConfirmed)?;
    let Some(prepared) = found.only_prepared.first() else {
        return Ok(found);
    };
    let checkpoint = claim.sequence().checkpoint(*prepared)?;
    let young = checkpoint.is_some_and(|checkpoint| claim.age(&checkpoint) < CERTAIN);
    let certain = found.recovery == Recovery::Fresh && young;
    if certain {
        return Ok(found);
    }
    let error = anyhow!(
        "whether the output of checkpoint {prepared} was committed is not known: the group has no offsets any more"
    );
    Err(Failure::from(error).hint(
        "a broker keeps them for seven days (`offsets.retention.minutes`); look at the end of the output topic, then: \
         `--from N --allow-duplicates` goes on from a checkpoint, `--fresh` begins anew",
    ))
}

/// Whoever has taken the transactional id has no transaction that is not over. So the broker has lost what ended one, as Kafka does
/// where it finds no leader for the group's partition just then, and will never say where the group stands (decision 0031). What
/// was committed, notes say, if it was asked for nothing newer; where they do not, nobody can.
fn unsettled(
    claim: &Claim,
    (group, asked): (&str, Option<u64>),
    talk: &Talk,
) -> Result<Found, Failure> {
    let found = claim.recovery_with(Prepared::NotConfirmed)?;
    let what = format!(
        "group {group} holds offsets of a transaction that the broker does not end, so it does not say where the group stands"
    );
    let in_doubt = |number: &Number| asked.is_none_or(|asked| asked >= number.0);
    let in_doubt = found.only_prepared.iter().find(|number| in_doubt(number));
    match (newest(&found), in_doubt) {
        (Some(newest), None) => {
            talk.note(format!(
                "{what}; checkpoint {newest} is the newest that was to be committed, and its note says that it was"
            ));
            Ok(found)
        }
        (_, prepared) => {
            let known = match prepared {
                Some(prepared) => {
                    format!(
                        "whether the output of checkpoint {prepared} was committed is not known"
                    )
                }
                None => "no note says which checkpoint was committed".to_owned(),
            };
            Err(Failure::from(ConnectorError::Kafka {
                text: format!("{what}; {known}"),
                hint: "it may be another process's, and end with its time-out; if it stays so, look at the end of the output topic, \
                       then: `--from N --allow-duplicates` goes on from a checkpoint, `--fresh` begins anew, and both settle it",
                may_pass: true,
            }))
        }
    }
}

fn foreign(group: &str, offset: &CommittedOffset) -> Failure {
    let CommittedOffset {
        topic,
        partition,
        next,
        metadata,
    } = offset;
    let what = match metadata.as_str() {
        "" => "nothing beside it".to_owned(),
        text => format!("{text:?} beside it"),
    };
    let error = anyhow!(
        "group {group} stands at offset {next} of {topic}-{partition} with {what}: somebody else has committed that, or set it by hand"
    );
    Failure::from(error).hint(
        "a pipeline needs a `group` of its own; `--from N --allow-duplicates` goes on from a checkpoint and `--fresh` begins \
         anew, and both write over it",
    )
}

fn gone(number: Number) -> Failure {
    let error =
        anyhow!("checkpoint {number} was committed with the output, and is not in the location");
    Failure::from(error).hint(WAYS)
}

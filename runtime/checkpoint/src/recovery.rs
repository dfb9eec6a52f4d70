//! Which checkpoint a process that starts goes on from.
//!
//! The newest confirmed one. What has no manifest never happened. One that is complete and damaged has published output, so
//! whether to go further back is decided by who knows the sinks: [`Recovery::Damaged`] has both.

use std::collections::BTreeSet;

use crate::claim::Claim;
use crate::damage::{Damage, Why};
use crate::error::CheckpointError;
use crate::names::{Incarnation, MANIFESTS, Number};
use crate::sequence::{Checkpoint, Sequence, Taken};

/// What a location holds for a process that starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Nothing of this pipeline: it begins anew.
    Fresh,
    /// The newest confirmed checkpoint, whose data files are all there and have the right length.
    Resume(Box<Checkpoint>),
    /// The newest one was completed, but is not whole any more.
    Damaged {
        /// Its number.
        number: Number,
        /// Everything that is wrong with it.
        damage: Vec<Damage>,
        /// The newest one before it that is whole, if there is one.
        before: Option<Box<Checkpoint>>,
    },
}

/// What a process that starts has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it goes on from.
    pub recovery: Recovery,
    /// Checkpoints that were begun and have no manifest: they never happened.
    pub never_happened: Vec<Number>,
    /// Checkpoints that are newer than what is resumed, complete, and not confirmed.
    pub only_prepared: Vec<Number>,
}

/// What is known of checkpoints that are prepared and of which no note says that they were confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing: whether the act that decides was done is not known.
    InDoubt,
    /// Who decides has been asked, and has not confirmed them.
    NotConfirmed,
}

/// A checkpoint as far as it could be read.
enum Seen {
    Whole(Box<Checkpoint>),
    Damaged(Option<Box<Checkpoint>>, Vec<Damage>),
    Prepared,
    Claimed,
}

impl Claim {
    /// Which checkpoint to go on from. To be asked after the claim, when no older incarnation can complete another one.
    ///
    /// # Errors
    /// If the location cannot be read, or what lies there leaves open whether a checkpoint has been.
    pub fn recovery(&self) -> Result<Found, CheckpointError> {
        self.recovery_with(Prepared::InDoubt)
    }

    /// As [`Claim::recovery`], for who has asked what decides.
    ///
    /// # Errors
    /// As there.
    pub fn recovery_with(&self, prepared: Prepared) -> Result<Found, CheckpointError> {
        self.sequence.recovery_of(self.incarnation, prepared)
    }
}

impl Sequence {
    /// As [`Claim::recovery`], without a claim: what a process would find that started now.
    ///
    /// # Errors
    /// As there.
    pub fn recovery(&self) -> Result<Found, CheckpointError> {
        let next = self.numbers()?.last().map_or(Number(1), |n| n.next());
        let nobody = Incarnation {
            claim: next,
            token: 0,
        };
        self.recovery_of(nobody, Prepared::InDoubt)
    }

    fn recovery_of(
        &self,
        starting: Incarnation,
        prepared: Prepared,
    ) -> Result<Found, CheckpointError> {
        let mut numbers = self.numbers()?;
        numbers.retain(|number| *number < starting.claim);
        let mut found = Found {
            recovery: Recovery::Fresh,
            never_happened: self.never_happened(&numbers, starting)?,
            only_prepared: Vec::new(),
        };
        for number in numbers.iter().rev() {
            match self.see(*number)? {
                Seen::Claimed => {}
                Seen::Prepared => found.only_prepared.push(*number),
                Seen::Whole(checkpoint) => {
                    found.recovery = Recovery::Resume(checkpoint);
                    return Ok(found);
                }
                Seen::Damaged(checkpoint, damage) => {
                    found.recovery = Recovery::Damaged {
                        number: *number,
                        damage,
                        before: self.whole_before(*number, checkpoint.as_deref())?,
                    };
                    return Ok(found);
                }
            }
        }
        self.check_fresh(&numbers, &found, prepared)?;
        Ok(found)
    }

    /// The newest confirmed and whole checkpoint that this one grew from; by number, if that cannot be read. For a caller that
    /// has found damage while it read data files.
    ///
    /// # Errors
    /// If the location cannot be read.
    pub fn before(&self, number: Number) -> Result<Option<Checkpoint>, CheckpointError> {
        let checkpoint = match self.see(number)? {
            Seen::Whole(checkpoint) | Seen::Damaged(Some(checkpoint), _) => Some(checkpoint),
            _ => None,
        };
        Ok(self
            .whole_before(number, checkpoint.as_deref())?
            .map(|c| *c))
    }

    /// Goes back from number to number. A checkpoint says which one it continues; those between belong to what a person has
    /// gone back behind, or never counted.
    fn whole_before(
        &self,
        number: Number,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<Option<Box<Checkpoint>>, CheckpointError> {
        let continues =
            |checkpoint: &Checkpoint| checkpoint.manifest.continues.unwrap_or(Number(0));
        let mut at_most = checkpoint.map_or(Number(number.0 - 1), continues);
        let numbers = self.numbers()?;
        for number in numbers.into_iter().rev() {
            if number > at_most {
                continue;
            }
            match self.see(number)? {
                Seen::Whole(checkpoint) => return Ok(Some(checkpoint)),
                Seen::Damaged(Some(checkpoint), _) => at_most = continues(&checkpoint),
                Seen::Damaged(None, _) | Seen::Prepared | Seen::Claimed => {}
            }
        }
        Ok(None)
    }

    fn see(&self, number: Number) -> Result<Seen, CheckpointError> {
        let checkpoint = match ok_or_damage(self.taken(number))? {
            Ok(Some(Taken::Claim(_))) => return Ok(Seen::Claimed),
            Ok(Some(Taken::Checkpoint(checkpoint))) => checkpoint,
            Ok(None) => {
                let missing = self.damaged(&number.manifest(), Why::Missing);
                return Ok(Seen::Damaged(None, vec![missing]));
            }
            Err(damage) => return Ok(Seen::Damaged(None, vec![damage])),
        };
        if !checkpoint.confirmed {
            return Ok(Seen::Prepared);
        }
        let damage = self.missing(&checkpoint.manifest)?;
        Ok(match damage.is_empty() {
            true => Seen::Whole(checkpoint),
            false => Seen::Damaged(Some(checkpoint), damage),
        })
    }

    /// Numbers for which older incarnations have written data files, and that nobody has taken.
    fn never_happened(
        &self,
        numbers: &[Number],
        starting: Incarnation,
    ) -> Result<Vec<Number>, CheckpointError> {
        let begun: BTreeSet<Number> = self
            .data_files()?
            .into_iter()
            .filter(|file| file.name.incarnation < starting)
            .map(|file| file.name.number)
            .collect();
        let newest = numbers.last().copied().unwrap_or(Number(0));
        Ok(begun.into_iter().filter(|n| *n > newest).collect())
    }

    /// Whether there has certainly been no checkpoint: retention keeps some, so claims alone, in a row, mean that none was
    /// ever completed.
    fn check_fresh(
        &self,
        numbers: &[Number],
        found: &Found,
        prepared: Prepared,
    ) -> Result<(), CheckpointError> {
        let in_a_row = numbers.iter().zip(1..).all(|(number, n)| number.0 == n);
        let nothing_left_over = !numbers.is_empty() || found.never_happened.is_empty();
        let none_was = found.only_prepared.is_empty() || prepared == Prepared::NotConfirmed;
        if in_a_row && nothing_left_over && none_was {
            return Ok(());
        }
        let what = match found.only_prepared.first() {
            Some(number) => format!(
                "checkpoint {number} is prepared, and whether it was confirmed is not known; no other one is there"
            ),
            None => "there have been checkpoints, and their manifests are gone".to_owned(),
        };
        Err(self.damaged(MANIFESTS, Why::Gone(what)).into())
    }
}

/// Damage as a value, everything else as an error.
fn ok_or_damage<T>(
    result: Result<T, CheckpointError>,
) -> Result<Result<T, Damage>, CheckpointError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(CheckpointError::Damaged(damage)) => Ok(Err(*damage)),
        Err(e) => Err(e),
    }
}

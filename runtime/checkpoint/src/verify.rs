//! Looks at everything that lies there, for people.

use crate::damage::Damage;
use crate::error::CheckpointError;
use crate::names::Number;
use crate::sequence::{Checkpoint, Sequence, Taken};

/// What stands under a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The number.
    pub number: Number,
    /// What stands there, or why that cannot be said.
    pub what: What,
}

/// What can stand under a number.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The beginning of an incarnation.
    Claim(crate::manifest::ClaimNote),
    /// A checkpoint or savepoint, and its data files that are missing or have another length than they must.
    Checkpoint(Box<Checkpoint>, Vec<Damage>),
    /// Something that cannot be read.
    Unreadable(Damage),
}

/// What a checkpoint's data files were found to be, all of them read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The checkpoint's number.
    pub number: Number,
    /// How many files it needs.
    pub files: usize,
    /// How many bytes those are.
    pub bytes: u64,
    /// What is wrong.
    pub damage: Vec<Damage>,
}

impl Sequence {
    /// What stands under every number, from the oldest. Data files are not read.
    ///
    /// # Errors
    /// If the location cannot be read; damage is no error here.
    pub fn list(&self) -> Result<Vec<Entry>, CheckpointError> {
        let mut entries = Vec::new();
        for number in self.numbers()? {
            // What is gone by now was removed by the running pipeline.
            if let Some(what) = self.look(number)? {
                entries.push(Entry { number, what });
            }
        }
        Ok(entries)
    }

    fn look(&self, number: Number) -> Result<Option<What>, CheckpointError> {
        match self.taken(number) {
            Ok(None) => Ok(None),
            Ok(Some(Taken::Claim(claim))) => Ok(Some(What::Claim(claim))),
            Ok(Some(Taken::Checkpoint(checkpoint))) => {
                let damage = self.missing(&checkpoint.manifest)?;
                if damage.is_empty() || self.is_still_there(number)? {
                    return Ok(Some(What::Checkpoint(checkpoint, damage)));
                }
                Ok(None)
            }
            Err(CheckpointError::Damaged(damage)) => Ok(Some(What::Unreadable(*damage))),
            Err(e) => Err(e),
        }
    }

    /// A manifest goes before its files: if it is gone too, it was removed, and nothing is damaged.
    fn is_still_there(&self, number: Number) -> Result<bool, CheckpointError> {
        Ok(self.get(&number.manifest())?.is_some())
    }

    /// Reads all data files of a checkpoint and checks every checksum; nothing if there is none of that number, or it was
    /// removed meanwhile.
    ///
    /// # Errors
    /// If its manifest is damaged, or the location cannot be read; damage of data files is no error here.
    pub fn verify(&self, number: Number) -> Result<Option<Verified>, CheckpointError> {
        let Some(checkpoint) = self.checkpoint(number)? else {
            return Ok(None);
        };
        let mut verified = Verified {
            number,
            files: 0,
            bytes: 0,
            damage: Vec::new(),
        };
        for part in checkpoint.manifest.parts() {
            verified.files += 1;
            verified.bytes += part.bytes;
            match self.read(part) {
                Ok(_) => {}
                Err(CheckpointError::Damaged(damage)) => verified.damage.push(*damage),
                Err(e) => return Err(e),
            }
        }
        let there = verified.damage.is_empty() || self.is_still_there(number)?;
        Ok(there.then_some(verified))
    }

    /// That a person has named a number under which there is no checkpoint.
    pub fn no_checkpoint(&self, number: Number) -> CheckpointError {
        CheckpointError::configuration(
            format!(
                "pipeline {} has no checkpoint {number} in {}",
                self.pipeline,
                self.place()
            ),
            "`tidemill checkpoint list` shows those that there are",
        )
    }
}

//! Looks at everything that lies there, for people.

use crate::damage::{Damage, Why};
use crate::error::CheckpointError;
use crate::manifest::Record;
use crate::names::Number;
use crate::sequence::{Checkpoint, Sequence};

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
        let numbers = self.numbers()?.into_iter();
        numbers
            .map(|number| {
                Ok(Entry {
                    number,
                    what: self.look(number)?,
                })
            })
            .collect()
    }

    fn look(&self, number: Number) -> Result<What, CheckpointError> {
        let looked = match self.record(number) {
            Ok(Some(Record::Claim(claim))) => return Ok(What::Claim(claim)),
            Ok(_) => self.checkpoint(number),
            Err(e) => Err(e),
        };
        match looked {
            Ok(Some(checkpoint)) => {
                let damage = self.missing(&checkpoint.manifest)?;
                Ok(What::Checkpoint(Box::new(checkpoint), damage))
            }
            Ok(None) => Ok(What::Unreadable(
                self.damaged(&number.manifest(), Why::Missing),
            )),
            Err(CheckpointError::Damaged(damage)) => Ok(What::Unreadable(*damage)),
            Err(e) => Err(e),
        }
    }

    /// Reads all data files of a checkpoint and checks every checksum.
    ///
    /// # Errors
    /// If there is no such checkpoint, or the location cannot be read; damage of data files is no error here.
    pub fn verify(&self, number: Number) -> Result<Verified, CheckpointError> {
        let checkpoint = self
            .checkpoint(number)?
            .ok_or_else(|| self.no_checkpoint(number))?;
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
        Ok(verified)
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

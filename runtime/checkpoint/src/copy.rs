//! Copies of savepoints in other locations: whole by themselves, and read there like any other.

use bytes::Bytes;

use crate::damage::Why;
use crate::error::CheckpointError;
use crate::life::Life;
use crate::manifest::DecidedBy;
use crate::names::{Number, PIPELINE};
use crate::own::{Patience, Whose, put_own};
use crate::part::Blocks;
use crate::sequence::{Checkpoint, Sequence};

impl Sequence {
    /// Copies a checkpoint with everything that it needs to the same pipeline's place in another location: every byte is
    /// checked on the way, and the manifest comes last. Doing it twice is harmless.
    ///
    /// # Errors
    /// If there is none of that number, something of it is damaged, or the other place cannot be written or holds something
    /// else.
    pub fn copy(
        &self,
        number: Number,
        to: &Sequence,
        life: &Life,
    ) -> Result<Checkpoint, CheckpointError> {
        let checkpoint = self
            .checkpoint(number)?
            .ok_or_else(|| self.no_checkpoint(number))?;
        self.copy_whole(PIPELINE, to, life)?;
        for part in checkpoint.manifest.parts() {
            let bytes = self.there(&part.file)?;
            Blocks::check(part, bytes.clone()).map_err(|why| self.damaged(&part.file, why))?;
            put(to, life, (&part.file, bytes))?;
        }
        if checkpoint.manifest.contents.decided_by == DecidedBy::Note {
            self.copy_whole(&number.confirmed(), to, life)?;
        }
        self.copy_whole(&number.manifest(), to, life)?;
        Ok(checkpoint)
    }

    /// The newest confirmed checkpoint or savepoint; nothing if there is none.
    ///
    /// # Errors
    /// If the location cannot be read.
    pub fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        for number in self.numbers()?.into_iter().rev() {
            if let Some(checkpoint) = self.checkpoint(number)?
                && checkpoint.confirmed
            {
                return Ok(Some(checkpoint));
            }
        }
        Ok(None)
    }

    fn copy_whole(&self, name: &str, to: &Sequence, life: &Life) -> Result<(), CheckpointError> {
        put(to, life, (name, self.there(name)?))
    }

    fn there(&self, name: &str) -> Result<Bytes, CheckpointError> {
        self.get(name)?
            .ok_or_else(|| self.damaged(name, Why::Missing).into())
    }
}

fn put(to: &Sequence, life: &Life, (name, bytes): (&str, Bytes)) -> Result<(), CheckpointError> {
    match put_own(
        to,
        life.clock.as_ref(),
        (name, &[bytes][..]),
        Patience::SHORT,
    )? {
        Whose::Ours => Ok(()),
        Whose::Other(_) => Err(CheckpointError::configuration(
            format!(
                "{} is there already, and is something else",
                to.place_of(name)
            ),
            "copy to a place where no other pipeline of this name has had checkpoints",
        )),
    }
}

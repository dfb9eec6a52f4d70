//! Savepoints are kept until a person deletes them: this is how.
//!
//! Invariants:
//! 1. Nothing that another manifest names is deleted, nor what a process may be about to name that has begun and has not taken
//!    a checkpoint yet: others name only what their last one names, and what they have put themselves.
//! 2. The manifest goes first. Data files that could not go with it are removed when the pipeline is next begun.

use std::collections::BTreeSet;

use crate::error::CheckpointError;
use crate::life::Life;
use crate::manifest::Kind;
use crate::names::{LOCK, Number};
use crate::own::Patience;
use crate::retention::{Entry, Index};
use crate::sequence::{Checkpoint, Sequence};
use crate::store::Lock;

/// What became of a savepoint's data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// So many were deleted; the others are named by other manifests.
    Files(usize),
    /// They stay until the pipeline is next begun: a process has begun meanwhile, and may go on from them.
    Later,
}

impl Sequence {
    /// Deletes a savepoint.
    ///
    /// # Errors
    /// If there is none of that number, it is what a run goes on from, or it cannot be known what others need.
    pub fn delete_savepoint(
        &self,
        number: Number,
        life: &Life,
    ) -> Result<Deleted, CheckpointError> {
        let checkpoint = self
            .checkpoint(number)?
            .ok_or_else(|| self.no_checkpoint(number))?;
        // While it is held nobody begins who does not take over.
        let lock = self.store.lock(&self.full(LOCK), &life.process)?;
        let nobody_runs = matches!(lock, Lock::Held(_));
        self.check_deletable(&checkpoint, &self.index()?, nobody_runs)?;
        self.delete(&number.manifest(), life)?;
        self.delete(&number.confirmed(), life)?;
        // Looked at again: who begins from now on does not find it any more.
        let index = self.index()?;
        if !nobody_runs && begins(&index) {
            return Ok(Deleted::Later);
        }
        let needed: BTreeSet<&String> = index.values().flat_map(Entry::files).collect();
        let files = checkpoint.manifest.parts().map(|part| &part.file);
        let files: BTreeSet<&String> = files.filter(|file| !needed.contains(file)).collect();
        for file in &files {
            self.delete(file, life)?;
        }
        Ok(Deleted::Files(files.len()))
    }

    fn check_deletable(
        &self,
        checkpoint: &Checkpoint,
        index: &Index,
        nobody_runs: bool,
    ) -> Result<(), CheckpointError> {
        let number = checkpoint.number();
        if checkpoint.manifest.contents.kind == Kind::Checkpoint {
            return Err(CheckpointError::configuration(
                format!("{number} is a checkpoint, not a savepoint"),
                "checkpoints go by themselves: `keep` in `[checkpoints]` says how many stay",
            ));
        }
        // Where nothing was ever begun lie copies: nobody goes on there by itself.
        let begun = index.values().any(|entry| matches!(entry, Entry::Claim(_)));
        let mut later = index.range(number.next()..);
        if begun && !later.any(|(_, entry)| entry.is_confirmed()) {
            return Err(CheckpointError::configuration(
                format!("savepoint {number} is what the next run goes on from"),
                "it can be deleted when there is a later checkpoint",
            ));
        }
        if begins(index) && !nobody_runs {
            return Err(CheckpointError::configuration(
                format!("a process has begun that may have gone on from savepoint {number}"),
                "it can be deleted when that process has taken its first checkpoint, or has ended",
            ));
        }
        Ok(())
    }

    fn delete(&self, name: &str, life: &Life) -> Result<(), CheckpointError> {
        let full = self.full(name);
        Patience::SHORT.until_done(life.clock.as_ref(), || Ok(self.store.delete(&full)?))
    }
}

/// Whether a process has claimed and has not completed a checkpoint since: what it went on from is not known.
fn begins(index: &Index) -> bool {
    matches!(index.values().next_back(), Some(Entry::Claim(_)))
}

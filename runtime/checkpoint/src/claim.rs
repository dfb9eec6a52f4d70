//! What an incarnation may do by its claim: complete checkpoints, confirm them, remove what is not needed.
//!
//! ```text
//!   numbers      5 checkpoint of A    6 claim of B    7 checkpoint of B    8 …
//!   A, stopped meanwhile, wakes up and completes 6: taken by another, so A is fenced
//! ```
//!
//! Invariants:
//! 1. An incarnation completes consecutive numbers, beginning behind its claim. So the number that an older incarnation would
//!    complete next is the one that the claim after it has taken.
//! 2. The newest number is never removed, nor are the newest claims: what is stale when it is put is found taken, or finds
//!    newer numbers afterwards.
//! 3. After a put whose outcome cannot be known nothing more is done: the next incarnation reads what became of it.

mod begin;

use std::sync::Arc;
use std::time::Duration;

use crate::damage::Why;
use crate::draft::Draft;
use crate::error::{CheckpointError, Happened};
use crate::life::Clock;
use crate::manifest::{ConfirmedNote, Contents, DecidedBy, Manifest, Record, Written};
use crate::names::{Incarnation, LOCK, Number};
use crate::own::{Patience, Whose, put_own, put_written};
use crate::retention::{Entry, Index};
use crate::sequence::{Checkpoint, Sequence};
use crate::store::Lock;

/// What to do if another process holds the lock of the location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLock {
    /// Do not start.
    Refuse,
    /// Go on without it: the claim fences the other one.
    TakeOver,
}

/// The right to complete checkpoints, until a later incarnation claims.
#[derive(Debug)]
pub struct Claim {
    pub(crate) sequence: Sequence,
    pub(crate) incarnation: Incarnation,
    pub(crate) clock: Arc<dyn Clock>,
    pipeline_id: String,
    process: String,
    /// Held for as long as anything is done under the claim.
    pub(crate) lock: Arc<Lock>,
    /// The newest number of this incarnation.
    last: Number,
    /// Attempts at the next one.
    attempt: u32,
    /// The checkpoint that the state at hand grew from.
    continues: Option<Number>,
    /// Set when nothing more may be done, and why.
    over: Option<CheckpointError>,
    /// What stands under every number, once retention has read it.
    pub(crate) index: Option<Index>,
}

impl Claim {
    /// The sequence that is claimed.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// Who holds the claim.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The pipeline's id.
    pub fn pipeline_id(&self) -> &str {
        &self.pipeline_id
    }

    /// The checkpoint that the state at hand grew from: what was resumed, then each one completed.
    pub fn continues(&self) -> Option<Number> {
        self.continues
    }

    /// Says that the state at hand is that of a checkpoint, or that it is fresh. What is completed next continues it.
    pub fn resume(&mut self, from: Option<&Checkpoint>) {
        self.continues = from.map(Checkpoint::number);
    }

    /// Begins an attempt at the next checkpoint. One that was begun before and not completed is given up by this: its data
    /// files are orphans, and removed by a later incarnation.
    ///
    /// # Errors
    /// If this incarnation was fenced, or an outcome is unknown.
    pub fn begin(&mut self) -> Result<Draft, CheckpointError> {
        self.check()?;
        self.attempt += 1;
        Ok(Draft {
            sequence: self.sequence.clone(),
            clock: Arc::clone(&self.clock),
            incarnation: self.incarnation,
            number: self.last.next(),
            attempt: self.attempt,
            begun: self.clock.now(),
        })
    }

    /// Completes a checkpoint by putting its manifest. All data files that it names must have been put. With
    /// [`crate::DecidedBy::Manifest`] this is the act that decides: it has happened if this returns.
    ///
    /// # Errors
    /// `Fenced` if a later incarnation has claimed. If the error says that it certainly was not done, another attempt may be
    /// begun; if not, the process must stop: the next incarnation finds out.
    pub fn complete(
        &mut self,
        draft: &Draft,
        contents: Contents,
    ) -> Result<Checkpoint, CheckpointError> {
        self.check()?;
        let number = self.last.next();
        if (draft.incarnation, draft.number, draft.attempt)
            != (self.incarnation, number, self.attempt)
        {
            let what = format!(
                "attempt {} at checkpoint {} was given up",
                draft.attempt, draft.number
            );
            return Err(CheckpointError::Internal(what));
        }
        let manifest = Manifest {
            pipeline: self.sequence.pipeline.clone(),
            pipeline_id: self.pipeline_id.clone(),
            number,
            continues: self.continues,
            incarnation: self.incarnation,
            begun: draft.begun,
            made: self.clock.now(),
            contents,
        };
        let crc32c = self.put_manifest(&manifest).map_err(|e| self.ended(e))?;
        self.last = number;
        self.attempt = 0;
        self.continues = Some(number);
        self.lock_if_free();
        let confirmed = manifest.contents.decided_by == DecidedBy::Manifest;
        let checkpoint = Checkpoint {
            manifest,
            crc32c,
            confirmed,
        };
        self.remember(&checkpoint);
        Ok(checkpoint)
    }

    fn put_manifest(&self, manifest: &Manifest) -> Result<u32, CheckpointError> {
        let (bytes, crc32c) = manifest.encode().map_err(CheckpointError::Internal)?;
        let name = manifest.number.manifest();
        let clock = self.clock.as_ref();
        match put_own(
            &self.sequence,
            clock,
            (&*name, &[bytes.into()][..]),
            Patience::LONG,
        )? {
            Whose::Ours => {}
            Whose::Other(found) => {
                return Err(self.fenced(manifest.number, Record::decode(&found), Happened::No));
            }
        }
        // It may have been claimed behind our manifest, which counts then.
        Patience::LONG
            .until_done(clock, || self.passed(manifest.number))
            .map_err(in_doubt)?;
        Ok(crc32c)
    }

    /// Whether there are newer numbers than this one.
    fn passed(&self, last: Number) -> Result<(), CheckpointError> {
        match self.sequence.numbers()?.last() {
            Some(newest) if *newest > last => {
                let record = self.sequence.record(*newest).ok().flatten();
                Err(self.fenced(*newest, record.ok_or(Why::Missing), Happened::Perhaps))
            }
            _ => Ok(()),
        }
    }

    /// Whether this incarnation is still the newest, as far as anyone can know before acting.
    pub(crate) fn check_newest(&mut self) -> Result<(), CheckpointError> {
        self.check()?;
        self.passed(self.last).map_err(|e| match e.is_fenced() {
            true => self.ended(e),
            false => e,
        })
    }

    /// How long ago a checkpoint was made, by this machine's clock.
    pub fn age(&self, checkpoint: &Checkpoint) -> Duration {
        let micros = self.clock.now().0 - checkpoint.manifest.made.0;
        Duration::from_micros(micros.max(0).unsigned_abs())
    }

    /// Notes that a prepared checkpoint was confirmed. Doing it twice is harmless.
    ///
    /// # Errors
    /// If it could not be noted.
    pub fn confirm(&mut self, checkpoint: &mut Checkpoint) -> Result<(), CheckpointError> {
        if checkpoint.confirmed {
            return Ok(());
        }
        let note = ConfirmedNote {
            pipeline_id: self.pipeline_id.clone(),
            number: checkpoint.number(),
            incarnation: checkpoint.manifest.incarnation,
            manifest_crc32c: checkpoint.crc32c,
            made: self.clock.now(),
        };
        let (name, clock) = (note.number.confirmed(), self.clock.as_ref());
        put_written(&self.sequence, clock, (&name, &note), Patience::LONG)?;
        // If one stood there already, this says whether it is on the same checkpoint.
        let noted = self.sequence.checkpoint(note.number)?;
        checkpoint.confirmed = noted.is_some_and(|noted| noted.confirmed);
        self.remember(checkpoint);
        match checkpoint.confirmed {
            true => Ok(()),
            false => Err(self.sequence.damaged(&name, Why::Missing).into()),
        }
    }

    fn remember(&mut self, checkpoint: &Checkpoint) {
        if let Some(index) = &mut self.index {
            index.insert(checkpoint.number(), Entry::of(checkpoint));
        }
    }

    pub(crate) fn check(&self) -> Result<(), CheckpointError> {
        self.over.clone().map_or(Ok(()), Err)
    }

    /// Remembers what must be the end of this incarnation.
    fn ended(&mut self, error: CheckpointError) -> CheckpointError {
        if error.is_fenced() || !error.certainly_not_done() {
            self.over = Some(error.clone());
        }
        error
    }

    fn fenced(
        &self,
        number: Number,
        found: Result<Record, Why>,
        happened: Happened,
    ) -> CheckpointError {
        fenced(&self.sequence, self.incarnation, (number, found), happened)
    }

    /// A process that has taken over gets the lock as soon as its holder is gone, so that a third one is refused.
    fn lock_if_free(&mut self) {
        if matches!(*self.lock, Lock::Busy(_)) {
            let name = self.sequence.full(LOCK);
            if let Ok(lock @ Lock::Held(_)) = self.sequence.store.lock(&name, &self.process) {
                self.lock = Arc::new(lock);
            }
        }
    }
}

impl Sequence {
    /// Whether a later incarnation has claimed: the error that says so. For one that was stopped or slow and finds its files
    /// gone, this is the reason.
    ///
    /// # Errors
    /// If it cannot be known.
    pub fn taken_over(
        &self,
        ours: Incarnation,
    ) -> Result<Option<CheckpointError>, CheckpointError> {
        let Some(newest) = self.numbers()?.last().copied() else {
            return Ok(None);
        };
        let record = self.record(newest)?;
        let later = record.filter(|record| record.identity().2.claim > ours.claim);
        Ok(later.map(|record| fenced(self, ours, (newest, Ok(record)), Happened::Perhaps)))
    }
}

fn fenced(
    sequence: &Sequence,
    ours: Incarnation,
    (number, found): (Number, Result<Record, Why>),
    happened: Happened,
) -> CheckpointError {
    CheckpointError::Fenced {
        pipeline: sequence.pipeline.clone(),
        ours,
        by: match found {
            Ok(Record::Claim(claim)) => {
                format!(
                    "the claim of incarnation {} ({})",
                    claim.incarnation, claim.process
                )
            }
            Ok(Record::Manifest(manifest, _)) => {
                format!("a checkpoint of incarnation {}", manifest.incarnation)
            }
            Err(_) => "something that cannot be read".to_owned(),
        },
        number,
        happened,
    }
}

/// The manifest is there, and whether a later incarnation is cannot be known.
fn in_doubt(error: CheckpointError) -> CheckpointError {
    if error.is_fenced() {
        return error;
    }
    CheckpointError::Unavailable {
        what: "cannot know whether a later incarnation has claimed".to_owned(),
        error: error.to_string(),
        happened: Happened::Perhaps,
        hint: "see whether the location can be listed; the next start finds out what has happened",
    }
}

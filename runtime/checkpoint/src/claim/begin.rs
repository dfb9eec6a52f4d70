//! How an incarnation begins: the lock, the pipeline's id, and the claim.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Claim, OnLock};
use crate::damage::Why;
use crate::error::CheckpointError;
use crate::life::Life;
use crate::manifest::{ClaimNote, PipelineNote};
use crate::names::{Incarnation, LOCK, Number, PIPELINE, PROBE};
use crate::own::{Patience, Whose, put_written};
use crate::sequence::Sequence;
use crate::store::{Lock, Put};

/// How often a start begins again because others have taken the number that it wanted.
const MOST_CLAIMS: u32 = 100;

impl Sequence {
    /// Begins an incarnation: takes the lock where there is one, and claims the next number. From then on no older
    /// incarnation can complete a checkpoint.
    ///
    /// # Errors
    /// `Locked` if another process holds the lock; otherwise if the location cannot be read and written, or does not refuse
    /// to overwrite. A claim that may have been made all the same harms nobody: the next start goes on behind it.
    pub fn claim(&self, life: &Life, on_lock: OnLock) -> Result<Claim, CheckpointError> {
        let lock = self.lock(life, on_lock)?;
        self.probe()?;
        let pipeline_id = self.make_id(life)?;
        for tried in 0..MOST_CLAIMS {
            // Two that start at once must not go on passing each other.
            let apart = life.token.rotate_left(4 * tried) % 16;
            life.clock
                .pause(Duration::from_millis(u64::from(tried) * apart));
            let number = self.numbers()?.last().map_or(Number(1), |n| n.next());
            let incarnation = Incarnation {
                claim: number,
                token: life.token,
            };
            let note = ClaimNote {
                pipeline: self.pipeline.clone(),
                pipeline_id: pipeline_id.clone(),
                number,
                incarnation,
                process: life.process.clone(),
                made: life.clock.now(),
            };
            if !self.put_claim(life, &note)? {
                continue;
            }
            // The number may have been free only because what stood there was removed after we had read the names.
            if self.numbers()?.last() > Some(&number) {
                continue;
            }
            return Ok(Claim {
                sequence: self.clone(),
                incarnation,
                clock: Arc::clone(&life.clock),
                pipeline_id,
                process: life.process.clone(),
                lock: Arc::new(lock),
                last: number,
                attempt: 0,
                continues: None,
                over: None,
                index: None,
            });
        }
        Err(CheckpointError::configuration(
            format!("{} is claimed again and again by others", self.place()),
            "see who else starts this pipeline: only one process can run it",
        ))
    }

    fn lock(&self, life: &Life, on_lock: OnLock) -> Result<Lock, CheckpointError> {
        match self.store.lock(&self.full(LOCK), &life.process)? {
            Lock::Busy(holder) if on_lock == OnLock::Refuse => Err(CheckpointError::Locked {
                place: self.place_of(LOCK),
                holder,
            }),
            lock => Ok(lock),
        }
    }

    /// A store that overwrites where it should refuse would let two processes run at once: better not to begin.
    fn probe(&self) -> Result<(), CheckpointError> {
        let probe = || {
            self.store
                .put(&self.full(PROBE), &[Bytes::from_static(b"tidemill\n")])
        };
        if probe()? == Put::Created && probe()? == Put::Created {
            return Err(CheckpointError::configuration(
                format!(
                    "{} lets existing objects be overwritten although asked not to",
                    self.place()
                ),
                "checkpoints need a store that honours `If-None-Match: *` when an object is put",
            ));
        }
        Ok(())
    }

    /// The pipeline's id, made if this is its first start here.
    fn make_id(&self, life: &Life) -> Result<String, CheckpointError> {
        if let Some(id) = self.id()? {
            return Ok(id);
        }
        if !self.numbers()?.is_empty() {
            // The id comes before the first number: it may have been made since it was looked for.
            let id = self.id()?;
            return id.ok_or_else(|| self.damaged(PIPELINE, Why::Missing).into());
        }
        let made = life.clock.now();
        let note = PipelineNote {
            pipeline: self.pipeline.clone(),
            pipeline_id: format!("{:016x}{:016x}", life.token, made.0),
            made,
        };
        let clock = life.clock.as_ref();
        put_written(self, clock, (PIPELINE, &note), Patience::LONG)?;
        // Another one may have been first: what stands there counts.
        self.id()?
            .ok_or_else(|| self.damaged(PIPELINE, Why::Missing).into())
    }

    /// Whether the claim is ours.
    fn put_claim(&self, life: &Life, note: &ClaimNote) -> Result<bool, CheckpointError> {
        let name = note.number.manifest();
        let whose = put_written(self, life.clock.as_ref(), (&name, note), Patience::LONG)?;
        Ok(whose == Whose::Ours)
    }
}

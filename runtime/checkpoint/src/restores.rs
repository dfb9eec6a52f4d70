//! What tasks are to go on from by a person's order, where that is not their newest checkpoint.
//!
//! A pipeline that several processes share cannot be told on a command line: whoever runs a task next may be another process.
//! So the order is an object beside the tasks, and each of them notes under which claim it has begun to obey.
//!
//! ```text
//!   restores/000000000001.json               task 0: savepoint 17, task 1: savepoint 9
//!   tasks/0/restored/000000000001.json       obeyed by whoever made claim 18
//!   tasks/0/manifests/…18 claim  …19 checkpoint      there is one behind the claim: done
//! ```
//!
//! Invariants:
//! 1. Of the orders that name a task the newest counts. None is ever changed.
//! 2. No older incarnation completes a checkpoint behind a claim. So a checkpoint behind the first claim that obeyed has grown
//!    from what was ordered; until there is one nothing was published, and whoever begins obeys again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::damage::Why;
use crate::error::CheckpointError;
use crate::life::{Life, Moment};
use crate::manifest::Written;
use crate::names::{Number, RESTORED, RESTORES};
use crate::own::{Patience, Whose, put_written};
use crate::sequence::Sequence;

/// That tasks are to go on from what a person has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Restore {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its number: orders are given one after the other.
    pub number: Number,
    /// By task, what it goes on from.
    pub tasks: BTreeMap<i32, Origin>,
    /// Whether output may be published again.
    pub allow_duplicates: bool,
    /// What need not be kept, by name.
    pub allow_dropped_state: Vec<String>,
    /// What a person knows the process by that was told.
    pub process: String,
    /// When.
    pub made: Moment,
}

/// What a task goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Origin {
    /// Nothing: it begins anew.
    Nothing,
    /// A checkpoint of its own.
    Own(Number),
    /// A checkpoint in another location.
    Elsewhere {
        /// The location's address.
        location: String,
        /// The number there.
        number: Number,
    },
}

/// That a task has begun to obey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Restored {
    pipeline_id: String,
    number: Number,
    claim: Number,
    made: Moment,
}

impl Written for Restore {
    const KIND: &'static str = "restore";
}

impl Written for Restored {
    const KIND: &'static str = "restored";
}

impl Sequence {
    /// The number of the newest order; 0 if there is none.
    ///
    /// # Errors
    /// If the location cannot be read.
    pub fn newest_restore(&self) -> Result<Number, CheckpointError> {
        let numbers = self.numbers_in(RESTORES)?;
        Ok(numbers.last().copied().unwrap_or(Number(0)))
    }

    /// Gives an order. Whether its number was free: otherwise another process has given one.
    ///
    /// # Errors
    /// If it may not have been given.
    pub fn order(&self, restore: &Restore, life: &Life) -> Result<bool, CheckpointError> {
        let name = restore.number.file(RESTORES);
        let whose = put_written(self, life.clock.as_ref(), (&name, restore), Patience::LONG)?;
        Ok(whose == Whose::Ours)
    }

    /// The newest order that names a task; nothing if none does.
    ///
    /// # Errors
    /// If the location cannot be read, or an order is damaged.
    pub fn restore_of(&self, task: i32) -> Result<Option<Restore>, CheckpointError> {
        for number in self.numbers_in(RESTORES)?.into_iter().rev() {
            let name = number.file(RESTORES);
            let bytes = self.get(&name)?;
            let bytes = bytes.ok_or_else(|| self.damaged(&name, Why::Missing))?;
            let (restore, _) = Restore::decode(&bytes).map_err(|why| self.damaged(&name, why))?;
            if (&restore.pipeline, restore.number) != (&self.pipeline, number) {
                let why = Why::Other {
                    expected: format!("order {number} of pipeline {}", self.pipeline),
                    found: format!("order {} of pipeline {}", restore.number, restore.pipeline),
                };
                return Err(self.damaged(&name, why).into());
            }
            if restore.tasks.contains_key(&task) {
                return Ok(Some(restore));
            }
        }
        Ok(None)
    }

    /// The first claim of this task that has obeyed an order; nothing if none has.
    ///
    /// # Errors
    /// If the note cannot be read or is damaged.
    pub fn restored(&self, order: Number) -> Result<Option<Number>, CheckpointError> {
        let name = order.file(RESTORED);
        let Some(bytes) = self.get(&name)? else {
            return Ok(None);
        };
        let (note, _) = Restored::decode(&bytes).map_err(|why| self.damaged(&name, why))?;
        let id = self.id()?.unwrap_or_default();
        match (note.pipeline_id == id, note.number == order) {
            (false, _) => {
                let why = Why::Foreign {
                    expected: id,
                    found: note.pipeline_id,
                };
                Err(self.damaged(&name, why).into())
            }
            (true, false) => {
                let why = Why::Other {
                    expected: format!("a note on order {order}"),
                    found: format!("one on order {}", note.number),
                };
                Err(self.damaged(&name, why).into())
            }
            (true, true) => Ok(Some(note.claim)),
        }
    }
}

impl Claim {
    /// Notes that this task goes on from what was ordered; to be done before its first row. Where an earlier claim has noted
    /// that already, nothing changes.
    ///
    /// # Errors
    /// If it could not be noted.
    pub fn note_restored(&self, order: Number) -> Result<(), CheckpointError> {
        let note = Restored {
            pipeline_id: self.pipeline_id().to_owned(),
            number: order,
            claim: self.incarnation.claim,
            made: self.clock.now(),
        };
        let (name, clock) = (order.file(RESTORED), self.clock.as_ref());
        put_written(&self.sequence, clock, (&name, &note), Patience::LONG)?;
        // Whosever it is, it must be readable, since everything that follows depends on it.
        match self.sequence.restored(order)? {
            Some(_) => Ok(()),
            None => Err(self.sequence.damaged(&name, Why::Missing).into()),
        }
    }
}

//! An attempt at a checkpoint: data files are put for it, by any number of threads, before its manifest is.

use std::sync::Arc;

use crate::damage::Why;
use crate::error::CheckpointError;
use crate::life::{Clock, Moment};
use crate::names::{Incarnation, Number, PartName, is_name};
use crate::own::{Object, Patience, Whose, put_own};
use crate::part::{Content, Part, PartWriter};
use crate::sequence::Sequence;

/// How long a data file is that is not worth a place in caches: shorter ones may soon be read, to be put together.
const LONG_BYTES: u64 = 4 << 20;

/// An attempt at a checkpoint. A clone is the same attempt, for another thread.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(crate) sequence: Sequence,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) incarnation: Incarnation,
    pub(crate) number: Number,
    pub(crate) attempt: u32,
    pub(crate) begun: Moment,
}

impl Draft {
    /// The number that the checkpoint will have.
    pub fn number(&self) -> Number {
        self.number
    }

    /// Which attempt at it this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Begins a data file: `index` tells the files of an operator on a worker apart.
    ///
    /// # Errors
    /// If an operator cannot be called so.
    pub fn part(
        &self,
        operator: &str,
        worker: u32,
        index: u32,
    ) -> Result<PartWriter, CheckpointError> {
        if !is_name(operator) {
            let what = format!("no name of an operator: {operator:?}");
            return Err(CheckpointError::Internal(what));
        }
        Ok(PartWriter::new(PartName {
            incarnation: self.incarnation,
            number: self.number,
            attempt: self.attempt,
            operator: operator.to_owned(),
            worker,
            index,
        }))
    }

    /// Puts a data file; it is durable when this returns.
    ///
    /// # Errors
    /// If it could not be put: the attempt has failed then.
    pub fn put(&self, writer: PartWriter, content: Content) -> Result<Part, CheckpointError> {
        let (part, pieces) = writer.finish(content);
        let name = part.file.as_str();
        // What is written with every checkpoint is read by who goes on from one, if ever.
        let object = match part.bytes >= LONG_BYTES {
            true => Object::past_cache(name, &pieces),
            false => (name, &pieces[..]).into(),
        };
        match put_own(&self.sequence, self.clock.as_ref(), object, Patience::SHORT)? {
            Whose::Ours => Ok(part),
            Whose::Other(_) => {
                let why = Why::Form("another file has this name, which must be unique".to_owned());
                Err(self.sequence.damaged(&part.file, why).into())
            }
        }
    }
}

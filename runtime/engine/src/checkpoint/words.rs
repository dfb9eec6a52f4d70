//! What is said to and by whoever takes checkpoints: how often, what happened, what somebody wants.

use std::sync::mpsc::Sender;
use std::time::Duration;

use tidemill_checkpoint::{Kind, Wish};

/// How often, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the beginning of one checkpoint to that of the next.
    pub interval: Duration,
    /// From the end of one to the beginning of the next at least.
    pub min_pause: Duration,
    /// A checkpoint that takes longer has failed.
    pub timeout: Duration,
    /// So many in a row may fail; one more stops the run.
    pub tolerated_failures: u32,
}

/// What is told of checkpoints while a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// One has happened, and its output is published.
    Taken {
        /// Its number.
        number: u64,
        /// Whether a person has asked for it.
        kind: Kind,
        /// From asking for it until then.
        took: Duration,
        /// How many bytes were written for it, beside its manifest.
        bytes: u64,
        /// The longest time for which a worker took no rows because of it.
        stall: Duration,
    },
    /// One has not happened; the run goes on.
    Failed {
        /// Its number.
        number: u64,
        /// Why.
        why: String,
    },
    /// Checkpoints or data files that nobody needs could not be removed. It is said once.
    NotRemoved {
        /// Why.
        why: String,
    },
    /// What a sink had pending in an earlier life, and nobody needs, could not be removed. It does no harm.
    NotCleaned {
        /// The sink's name.
        name: String,
        /// Why.
        why: String,
    },
}

/// What somebody wants of a running pipeline.
#[derive(Debug)]
pub struct Request {
    /// What.
    pub wish: Wish,
    /// Gets the savepoint's number, or why there is none. If it is dropped the run has ended before.
    pub answer: Sender<Result<u64, String>>,
}

/// What becomes of windows when the input has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// They fire: nothing comes after it.
    #[default]
    Fire,
    /// They stay open, and the next run goes on.
    Keep,
}

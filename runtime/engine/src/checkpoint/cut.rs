//! A cut, on one worker.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidemill_connectors::{Ending, Pending};

use super::kept::{Block, NodeKept, OperatorKept, SourceKept};
use crate::metrics::Counts;

/// Which cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Which cut of this run, from 1.
    pub cut: u64,
    /// The checkpoint's number, which a cut that came to nothing leaves to the next.
    pub number: u64,
    /// What of the output ends with it.
    pub ending: Ending,
    /// The last cut of this run that became a checkpoint, 0 if none has: what changed since that one is new.
    pub kept: u64,
    /// What operators that keep what has changed keep this time.
    pub holds: Holds,
}

/// What a checkpoint holds of an operator that keeps what has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// What has changed since the last one.
    #[default]
    Changes,
    /// What has changed since the last one that held everything, where the operator can tell and it is little; otherwise what
    /// has changed since the last one.
    SinceBase,
    /// Everything.
    Everything,
}

/// What a station keeps on one worker, and what it has counted there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationCut {
    /// What it keeps.
    pub(crate) kept: Kept,
    /// What it has counted.
    pub(crate) counts: Counts,
}

/// What a station keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kept {
    /// A source.
    Source(SourceKept),
    /// An operator or a sink.
    Node(NodeKept),
}

/// Everything that a worker keeps at a cut.
#[derive(Clone, Debug)]
pub struct WorkerCut {
    /// The worker.
    pub worker: usize,
    /// Which cut of this run.
    pub cut: u64,
    /// For how long the worker took no rows because of it.
    pub stall: Duration,
    /// One entry per station, in the order of the plan.
    pub stations: Vec<StationCut>,
}

/// A block of what an operator keeps, saved behind its cut.
#[derive(Clone, Debug)]
pub struct BlockCut {
    /// The worker.
    pub worker: usize,
    /// Which cut of this run.
    pub cut: u64,
    /// Index of the operator's station in the plan.
    pub station: usize,
    /// The block.
    pub block: Block,
}

/// Bytes that no station's cut was written as.
#[derive(Debug, thiserror::Error)]
#[error("these bytes are not what a station keeps: {0}")]
pub struct Undecodable(#[from] postcard::Error);

impl StationCut {
    /// What a sink has pending.
    pub(crate) fn pending(&self) -> Option<&Pending> {
        match &self.kept {
            Kept::Node(NodeKept {
                operator: OperatorKept::Pending(pending),
                ..
            }) => Some(pending),
            _ => None,
        }
    }

    /// Whether blocks hold what has changed since those of the base.
    pub(crate) fn holds_changes_since_base(&self) -> bool {
        match &self.kept {
            Kept::Node(NodeKept {
                operator: OperatorKept::Process(process),
                ..
            }) => process.holds == Holds::SinceBase,
            _ => false,
        }
    }

    /// As bytes: the format that is on disk (`decisions`).
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data in memory")
    }

    /// The inverse.
    ///
    /// # Errors
    /// If the bytes are no cut.
    pub fn decode(bytes: &[u8]) -> Result<Self, Undecodable> {
        Ok(postcard::from_bytes(bytes)?)
    }
}

//! Where checkpoints are kept, as the engine sees it.

use tidemill_checkpoint::Kind;
use tidemill_connectors::Pending;

use super::cut::{BlockCut, Holds, WorkerCut};

/// A cut of all workers.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The checkpoint's number.
    pub number: u64,
    /// Whether it goes by itself or is kept.
    pub kind: Kind,
    /// Whether the input had ended, so that nothing comes after it.
    pub finished: bool,
    /// What each worker keeps.
    pub workers: Vec<WorkerCut>,
}

/// An attempt at a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub number: u64,
    /// What operators that keep what has changed are to keep.
    pub holds: Holds,
}

/// Keeps checkpoints.
pub trait Store: Send {
    /// Begins an attempt at the next checkpoint. One that was begun before and not kept is given up.
    ///
    /// # Errors
    /// If there can be no more of them, or not now.
    fn begin(&mut self) -> Result<Begun, StoreError>;

    /// Takes a block of the attempt at hand; those of an operator on a worker come in order.
    ///
    /// # Errors
    /// If it cannot be written.
    fn block(&mut self, block: BlockCut) -> Result<(), StoreError>;

    /// Makes a checkpoint last, with the blocks that came for it. When it is done the checkpoint has happened, and what it
    /// holds of output is to be published; otherwise it never did. Gives how many bytes were written, the manifest apart.
    ///
    /// # Errors
    /// If it did not happen.
    fn keep(&mut self, cut: &Cut) -> Result<u64, StoreError>;

    /// The output of the checkpoint that was kept last is published; those before it are not needed any more.
    ///
    /// # Errors
    /// If what is not needed cannot be removed.
    fn published(&mut self) -> Result<(), StoreError>;

    /// What a sink has pending in all checkpoints that are kept.
    ///
    /// # Errors
    /// If one of them cannot be read.
    fn pending(&self, sink: &str) -> Result<Vec<Pending>, StoreError>;
}

/// Why a checkpoint did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has taken the pipeline over: this one must stop, and has published nothing since.
    #[error("{text}")]
    Fenced {
        /// Who, and under which number.
        text: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Whether it has happened is not known, or what was written may not last: who goes on finds out.
    #[error("{text}")]
    Unknown {
        /// What happened.
        text: String,
        /// What to do.
        hint: Option<String>,
    },
    /// What lies there is damaged, or is not what it must be: a person must see to it.
    #[error("{text}")]
    Lost {
        /// What happened.
        text: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It has happened, but output that it holds could not be put in its place. Whoever goes on from it tries again.
    #[error("its output could not be published: {text}")]
    Unpublished {
        /// Why.
        text: String,
    },
    /// It certainly has not happened; the next one may.
    #[error("{text}")]
    Unavailable {
        /// Why.
        text: String,
    },
}

impl StoreError {
    /// Whether it may go better when the run goes on from the last checkpoint.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Unpublished { .. } | Self::Unavailable { .. } => true,
            Self::Fenced { .. } | Self::Lost { .. } => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Fenced { hint, .. } | Self::Unknown { hint, .. } | Self::Lost { hint, .. } => {
                hint.as_deref()
            }
            Self::Unpublished { .. } => Some(
                "see to the sink's place, and run the pipeline again: it goes on from this checkpoint",
            ),
            Self::Unavailable { .. } => None,
        }
    }
}

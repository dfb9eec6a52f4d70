//! What can stop a pipeline. The kind says what the reader must do.

use std::fmt;

use tidemill_checkpoint::CheckpointError;
use tidemill_connectors::ConnectorError;
use tidemill_wasm::{CallError, ModuleError};

use crate::checkpoint::StoreError;
use crate::failure::FailedRow;
use crate::state::{FolderError, StateError};

/// Why a run ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A row failed and the policy of its operator is to stop, or its threshold was passed.
    #[error("{0}")]
    Row(Box<StoppedByRow>),
    /// A function refused a call as a whole, or its module could not be made ready: the module must change.
    #[error("operator {operator}: {source}")]
    Guest {
        /// The operator's name.
        operator: String,
        /// What the host says.
        #[source]
        source: CallError,
    },
    /// A module could not be loaded or made ready.
    #[error("operator {operator}: {source}")]
    Module {
        /// The operator's name.
        operator: String,
        /// What the host says.
        #[source]
        source: ModuleError,
    },
    /// An operator's state cannot be held.
    #[error("operator {operator}: {source}")]
    State {
        /// The operator's name.
        operator: String,
        /// Why.
        #[source]
        source: StateError,
    },
    /// State that is not in memory has no place.
    #[error(transparent)]
    StateFolder(#[from] FolderError),
    /// A source or sink cannot go on.
    #[error("{name}: {source}")]
    Connector {
        /// The source's or sink's name.
        name: String,
        /// What happened to it.
        #[source]
        source: ConnectorError,
    },
    /// Windows hold more rows than the limit `rows-limit` allows.
    #[error(
        "operator {operator}: the rows of its open windows take more memory on one worker than `rows-limit` allows: \
         {} of {}", size(*bytes), size(*limit)
    )]
    TooManyRows {
        /// The operator's name.
        operator: String,
        /// How many bytes they would take.
        bytes: usize,
        /// How many they may take.
        limit: usize,
    },
    /// The reader of standard output has gone: nothing is wrong, and nobody is left to talk to.
    #[error("standard output was closed by its reader")]
    OutputClosed,
    /// Checkpoints do not happen, so that what is written could never be published.
    #[error("checkpoint {number}: {source}")]
    Checkpoint {
        /// Its number.
        number: u64,
        /// Why it did not happen.
        #[source]
        source: StoreError,
    },
    /// A checkpoint cannot be read.
    #[error("checkpoint {number}: {source}")]
    Location {
        /// Its number.
        number: u64,
        /// What is wrong.
        #[source]
        source: Box<CheckpointError>,
    },
    /// What a checkpoint holds of a station is not what such a station keeps.
    #[error(
        "checkpoint {number}: what it holds of {station} cannot be read as what {station} keeps now; \
         nothing was started"
    )]
    Unreadable {
        /// The checkpoint's number.
        number: u64,
        /// The name of the source, operator or sink.
        station: String,
    },
    /// What a checkpoint holds has no place in what is kept now.
    #[error(
        "checkpoint {number}: what it holds of {station} cannot be taken over: {what}; nothing was started"
    )]
    Unfit {
        /// The checkpoint's number.
        number: u64,
        /// The name of the source or operator.
        station: String,
        /// What does not fit.
        what: String,
    },
    /// The machine gives no thread for a worker.
    #[error("no thread could be started for a worker: {0}; fewer `workers` need fewer threads")]
    Thread(String),
    /// A defect of Tidemill: a worker panicked.
    #[error(
        "{worker} panicked: {message}; the pipeline was stopped, since half of it must not go on \
         (this is a defect of Tidemill, please report it)"
    )]
    Panic {
        /// Who: a worker by its number, or the checkpoints.
        worker: String,
        /// The panic's message and place.
        message: String,
    },
}

impl EngineError {
    /// Whether it may go better when the run goes on from the last checkpoint: something outside could not be reached, read
    /// or written.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Connector { source, .. } => source.may_pass(),
            Self::Checkpoint { source, .. } => source.may_pass(),
            Self::Location { source, .. } => source.is_transient(),
            Self::State { source, .. } => source.may_pass(),
            _ => false,
        }
    }
}

/// A number of bytes for people.
fn size(bytes: usize) -> String {
    const MIB: usize = 1 << 20;
    if bytes < MIB {
        format!("{bytes} bytes")
    } else {
        format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
    }
}

/// A failed row that stopped the pipeline.
#[derive(Debug)]
pub struct StoppedByRow {
    /// The row and why it failed.
    pub row: FailedRow,
    /// Set where the policy is not `fail`, but too many rows failed.
    pub threshold: Option<String>,
}

impl fmt::Display for StoppedByRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(threshold) = &self.threshold {
            writeln!(f, "{threshold}; the last one:")?;
        }
        write!(f, "{}", self.row)
    }
}

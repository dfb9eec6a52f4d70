//! What goes wrong with checkpoints. The kind says what the reader must do.

use thiserror::Error;

use crate::damage::Damage;
use crate::names::{Incarnation, Number};

/// Why something could not be done with a location or a checkpoint in it.
#[derive(Debug, Clone, Error)]
pub enum CheckpointError {
    /// What was asked for cannot be: the pipeline file, a setting or a command must change.
    #[error("{what}")]
    Configuration {
        /// What is wrong, and with what.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Something is there that is not what it must be.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// The location cannot be reached, read or written.
    #[error("{what}: {error}{}", happened.said())]
    Unavailable {
        /// What was tried, and on what.
        what: String,
        /// What the system or the service said.
        error: String,
        /// Whether what was tried may have been done all the same.
        happened: Happened,
        /// What to do.
        hint: &'static str,
    },
    /// Another process of the pipeline runs on this location and holds its lock.
    #[error("another process runs this pipeline here: {place} is locked by {holder}")]
    Locked {
        /// The file that is locked.
        place: String,
        /// Who says to hold it.
        holder: String,
    },
    /// A later incarnation has taken over: this one must stop, and nothing of it counts any more.
    #[error(
        "incarnation {ours} of pipeline {pipeline} was fenced: {by} stands under number {number}"
    )]
    Fenced {
        /// The pipeline's name.
        pipeline: String,
        /// Who asks.
        ours: Incarnation,
        /// What has been found instead of something of ours.
        by: String,
        /// Under which number.
        number: Number,
        /// Whether what was tried may have been done just before.
        happened: Happened,
    },
    /// A mistake in Tidemill.
    #[error("{0} (this is a mistake in tidemill: please report it)")]
    Internal(String),
}

/// What is known of an effect that has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It certainly was not done, and will not be.
    No,
    /// It may have been done, or may be yet: a request that timed out, say.
    Perhaps,
}

impl Happened {
    fn said(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Perhaps => " (it may have been done all the same)",
        }
    }
}

impl CheckpointError {
    /// What to do about it, on one line.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Configuration { hint, .. } => Some(hint),
            Self::Damaged(damage) => Some(damage.hint()),
            Self::Unavailable { hint, .. } => Some(hint),
            Self::Locked { .. } => Some(
                "stop that process first; if it is stopped or hangs and will not be needed again, \
                 `--take-over` goes on without the lock",
            ),
            Self::Fenced { .. } => {
                Some("two processes run this pipeline: the one that started later goes on")
            }
            Self::Internal(_) => None,
        }
    }

    /// Whether what failed certainly was not done.
    pub fn certainly_not_done(&self) -> bool {
        !matches!(
            self,
            Self::Unavailable {
                happened: Happened::Perhaps,
                ..
            } | Self::Fenced {
                happened: Happened::Perhaps,
                ..
            }
        )
    }

    /// Whether a later incarnation has taken over.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Fenced { .. })
    }

    /// Whether it may go better when tried again later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(crate) fn configuration(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Configuration {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

impl From<Damage> for CheckpointError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

//! What goes wrong outside a single row. The kind says what the reader must do.

use std::path::Path;

use thiserror::Error;

/// Why a source or a sink cannot go on. Bad rows are not errors: they are [`crate::BadRow`].
#[derive(Debug, Error)]
pub enum ConnectorError {
    /// The pipeline file asks for something that cannot be.
    #[error("{0}")]
    Configuration(String),
    /// What was read is not what it must be, beyond one row.
    #[error("{0}")]
    Data(String),
    /// What was to be read on is not what it was when reading stopped.
    #[error("{0}")]
    Changed(String),
    /// What was written is not there any more, or may not be.
    #[error("{0}")]
    Lost(String),
    /// What was written may not last, since the disk has failed. What the last checkpoint holds does.
    #[error("{0}")]
    Unsound(String),
    /// A file or a stream cannot be reached, read or written.
    #[error("{what}: {error}; {hint}")]
    Unavailable {
        /// What was tried, and on what.
        what: String,
        /// What the system said.
        error: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// A Kafka cluster has not done what it was asked, or does not have what it had.
    #[error("{text}")]
    Kafka {
        /// What was tried, where, and what came of it.
        text: String,
        /// What to do.
        hint: &'static str,
        /// Whether it may go better later.
        may_pass: bool,
    },
    /// A schema registry has not answered as one.
    #[error("{text}")]
    Registry {
        /// Which registry, and what came of asking it.
        text: String,
        /// What to do.
        hint: &'static str,
        /// Whether it may go better later.
        may_pass: bool,
    },
    /// Another process has what this one wrote with.
    #[error("{0}")]
    Fenced(String),
    /// Whoever read standard output has gone: the run ends quietly.
    #[error("the reader of standard output has gone")]
    OutputClosed,
    /// A mistake in Tidemill.
    #[error("{0} (this is a mistake in tidemill: please report it)")]
    Internal(String),
}

impl ConnectorError {
    /// Whether the run should end quietly, as after `tidemill run … | head`.
    pub fn is_output_closed(&self) -> bool {
        matches!(self, Self::OutputClosed)
    }

    /// What to do about it, on one line, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unavailable { hint, .. }
            | Self::Kafka { hint, .. }
            | Self::Registry { hint, .. } => Some(hint),
            Self::Changed(_) => {
                Some("put it back as it was, or begin anew without what is kept of this run")
            }
            Self::Fenced(_) => {
                Some("one process of a pipeline runs at a time; the other one goes on")
            }
            Self::Lost(_) => Some("put back what is missing"),
            Self::Unsound(_) => Some("see to the disk; a run goes on from the last checkpoint"),
            _ => None,
        }
    }

    /// Whether it may go better when it is tried again later. What is not there, or may not be touched, stays so until a
    /// person sees to it.
    pub fn may_pass(&self) -> bool {
        use std::io::ErrorKind;
        match self {
            Self::Unavailable { error, .. } => !matches!(
                error.kind(),
                ErrorKind::NotFound
                    | ErrorKind::PermissionDenied
                    | ErrorKind::NotADirectory
                    | ErrorKind::IsADirectory
                    | ErrorKind::AlreadyExists
                    | ErrorKind::InvalidFilename
                    | ErrorKind::InvalidInput
                    | ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::Unsupported
            ),
            Self::Kafka { may_pass, .. } | Self::Registry { may_pass, .. } => *may_pass,
            // A process that woke up late may have taken it: whose turn it is, the checkpoints' location says.
            Self::Unsound(_) | Self::Fenced(_) => true,
            _ => false,
        }
    }

    pub(crate) fn reading(path: &Path, error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let hint = match error.kind() {
            ErrorKind::NotFound => "paths are relative to the pipeline file",
            ErrorKind::NotADirectory => {
                "paths are relative to the pipeline file, and what stands before the last `/` must be a folder"
            }
            ErrorKind::InvalidFilename => "no file can have such a name",
            ErrorKind::PermissionDenied => "the file must be readable for who runs the pipeline",
            _ => "see whether the disk or the mount is in order",
        };
        Self::Unavailable {
            what: format!("cannot read {}", path.display()),
            error,
            hint,
        }
    }

    pub(crate) fn writing(path: &Path, error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let hint = match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                "paths are relative to the pipeline file, and what stands before the last `/` must be a folder"
            }
            ErrorKind::PermissionDenied => "the folder must be writable for who runs the pipeline",
            ErrorKind::StorageFull => "make room, then run again",
            _ => "see whether the disk or the mount is in order",
        };
        Self::Unavailable {
            what: format!("cannot write {}", path.display()),
            error,
            hint,
        }
    }
}

//! What can be wrong with a module as a whole, and with a call that no row is to blame for. A bad row is no error: it
//! is a [`crate::Failed`] in the outcome.

use std::io;
use std::path::PathBuf;

use tidemill_rows::visible::visible_within;

/// The longest text of a module's own, names included, that an error repeats.
const LONGEST: usize = 8 * 1024;

/// A module that cannot be used. Every text says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The file cannot be read.
    #[error("module {file}: it cannot be read: {source}", file = file.display())]
    Unreadable {
        /// The module's file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The module breaks a rule of the interface, or a limit.
    #[error("module {file}: {message}", file = file.display())]
    Refused {
        /// The module's file.
        file: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// `configure` refused the configuration.
    #[error("module {file}, function {function}: it refuses its config: {message}", file = file.display())]
    Config {
        /// The module's file.
        file: PathBuf,
        /// The function's name.
        function: String,
        /// What the function said.
        message: String,
    },
    /// The host's own fault, or the machine's: the cache folder, the compiling child, the engine.
    #[error("{what}: {message}")]
    Host {
        /// What was tried.
        what: String,
        /// What came of it.
        message: String,
    },
}

impl ModuleError {
    pub(crate) fn refused(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::Refused {
            file: file.into(),
            message: visible_within(&message.into(), LONGEST),
        }
    }

    pub(crate) fn config(
        file: impl Into<PathBuf>,
        function: impl Into<String>,
        message: &str,
    ) -> Self {
        Self::Config {
            file: file.into(),
            function: function.into(),
            message: visible_within(message, LONGEST),
        }
    }

    pub(crate) fn host(what: impl Into<String>, message: impl std::fmt::Display) -> Self {
        Self::Host {
            what: what.into(),
            message: message.to_string(),
        }
    }
}

/// A call that cannot be served, whatever the rows. The pipeline stops.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The guest returned the error of a `result<_, string>`: no such function, another kind.
    #[error("function {function}: the module cannot serve {call}: {message}")]
    Refused {
        /// The function's name.
        function: String,
        /// The call: `apply`, `create`, …
        call: &'static str,
        /// What the module said.
        message: String,
    },
    /// A call without rows failed (`create`), so there is nothing to isolate.
    #[error("function {function}: {call} failed: {message}")]
    Failed {
        /// The function's name.
        function: String,
        /// The call.
        call: &'static str,
        /// Why.
        message: String,
    },
    /// The instance cannot be made again.
    #[error(transparent)]
    Module(#[from] ModuleError),
}

impl CallError {
    pub(crate) fn refused(function: &str, call: &'static str, message: &str) -> Self {
        Self::Refused {
            function: function.to_owned(),
            call,
            message: visible_within(message, LONGEST),
        }
    }
}

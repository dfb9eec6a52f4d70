//! Rows that cannot be served, by the function's own word.

use std::fmt;

use crate::bindings::tidemill::operator::outcome;

/// Why a row, an accumulator or a firing cannot be served: the error of every `Result` that a
/// function may return. The rest of the call stands, and the row leaves no trace.
///
/// ```
/// use tidemill::Failure;
///
/// fn cents(amount: f64) -> Result<i64, Failure> {
///     if amount < 0.0 {
///         return Err(Failure::invalid("negative-amount", format!("a payment of {amount}")));
///     }
///     Ok((amount * 100.0).round() as i64)
/// }
///
/// assert_eq!(cents(-1.0).unwrap_err().code(), "negative-amount");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    severity: Severity,
    code: String,
    message: String,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operator's `on-failure` decides: stop, skip or dead-letter.
    Invalid,
    /// The pipeline stops, whatever `on-failure` says.
    Fatal,
    /// Tried again with back-off where the module holds a capability that can be unavailable;
    /// otherwise as `Invalid`.
    Retry,
}

impl Failure {
    /// The row is bad: the operator's `on-failure` decides what follows. `code` is a short stable
    /// word for programs, such as `negative-amount`, `message` a sentence for people.
    #[cold]
    pub fn invalid(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Invalid,
            code: code.into(),
            message: message.into(),
        }
    }

    /// Nothing can go on: the pipeline stops, whatever the operator's `on-failure` says.
    #[cold]
    pub fn fatal(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Fatal,
            code: code.into(),
            message: message.into(),
        }
    }

    /// Something outside is unavailable for now. Without a capability of the module it is taken as
    /// `invalid`.
    #[cold]
    pub fn retry(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Retry,
            code: code.into(),
            message: message.into(),
        }
    }

    /// What follows from it.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The word for programs.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The failure of row `row` of a call.
    #[cold]
    pub(crate) fn of_row(self, row: usize) -> outcome::Failure {
        let severity = match self.severity {
            Severity::Invalid => 0,
            Severity::Fatal => 1,
            Severity::Retry => 2,
        };
        outcome::Failure {
            row: row as u32,
            severity,
            code: self.code,
            message: self.message,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

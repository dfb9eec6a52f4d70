//! Whom failures are put down to: the operator, its function, its module, and the policy for them.

use std::sync::Arc;

use tidemill_wasm::{CallError, Failed, Reason};

use crate::error::EngineError;
use crate::failure::{FailedRow, Policy};
use crate::stored::Halt;

/// One operator's name for reports, and what it does about failed rows.
#[derive(Clone, Debug)]
pub struct Blame {
    /// The operator's or source's name.
    pub operator: String,
    /// The function, where there is one.
    pub function: Option<String>,
    /// The module's file and hash, where there is one.
    pub module: Option<(String, String)>,
    /// What is done about failed rows; shared among workers.
    pub policy: Arc<Policy>,
}

impl Blame {
    /// A failed row that no function is to blame for.
    pub fn row(&self, reason: &str, message: impl Into<String>) -> FailedRow {
        FailedRow {
            operator: self.operator.clone(),
            function: self.function.clone(),
            module: self.module.clone(),
            reason: reason.to_owned(),
            message: message.into(),
            ..FailedRow::default()
        }
    }

    /// A row that failed in a call.
    pub fn failed(&self, failed: Failed) -> FailedRow {
        let returned = matches!(
            failed.reason,
            Reason::Invalid | Reason::Fatal | Reason::Retry
        );
        let mut message = if returned && !failed.code.is_empty() {
            format!("{}: {}", failed.code, failed.message)
        } else {
            failed.message
        };
        // Nothing that a module is granted can be unavailable yet, so there is nothing to wait for.
        let reason = if failed.reason == Reason::Retry {
            message +=
                " (it asks for another try, but has no capability that could be unavailable)";
            Reason::Invalid
        } else {
            failed.reason
        };
        FailedRow {
            backtrace: failed.backtrace,
            log: failed
                .log
                .iter()
                .map(|line| format!("{}: {}", line.level, line.text))
                .collect(),
            fatal: reason == Reason::Fatal,
            ..self.row(reason.name(), message)
        }
    }

    /// A plan that could not be carried out.
    pub fn halt(&self, halt: Halt) -> EngineError {
        match halt {
            Halt::Call(source) => self.call(source),
            Halt::Full(full) => EngineError::TooManyRows {
                operator: self.operator.clone(),
                bytes: full.bytes,
                limit: full.limit,
            },
        }
    }

    /// A call that could not be served at all.
    pub fn call(&self, source: CallError) -> EngineError {
        EngineError::Guest {
            operator: self.operator.clone(),
            source,
        }
    }
}

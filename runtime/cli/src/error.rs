//! Why a command failed: what is told, and the exit code that goes with it.

use std::fmt;

use tidemill_connectors::ConnectorError;
use tidemill_engine::EngineError;
use tidemill_engine::error::StoppedByRow;
use tidemill_pipeline::Report;
use tidemill_wasm::ModuleError;

use crate::exit::Exit;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    cause: Cause,
    hint: Option<String>,
    /// Whether it may go better when it is tried again later.
    may_pass: bool,
    /// Whether another process goes on with what this one did.
    taken_over: bool,
}

/// What is told.
#[derive(Debug)]
pub enum Cause {
    /// What is wrong with the pipeline file, line by line.
    Report(Box<Report>),
    /// What stopped the pipeline.
    Engine(Box<EngineError>),
    /// Anything else.
    Other(anyhow::Error),
}

impl Failure {
    /// Something in the command line, the pipeline file or a module is wrong.
    pub fn wrong(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Wrong,
            cause: Cause::Other(error.into()),
            hint: None,
            may_pass: false,
            taken_over: false,
        }
    }

    /// Something that cannot be unless Tidemill is wrong.
    pub fn defect(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Internal,
            cause: Cause::Other(error.into()),
            hint: None,
            may_pass: false,
            taken_over: false,
        }
    }

    /// The same failure, with what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure of something outside, which may go better when it is tried again later.
    pub fn passing(mut self) -> Self {
        self.may_pass = true;
        self
    }

    /// The same failure, because another process goes on with it.
    pub fn taken_over(mut self) -> Self {
        self.taken_over = true;
        self
    }

    /// Whether another process goes on with what this one did.
    pub fn is_taken_over(&self) -> bool {
        self.taken_over
    }

    /// Whether it may go better when it is tried again later.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What is told.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What to do about it, on one line.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(report) => report.fmt(f),
            // It tells what lies below it by itself.
            Self::Engine(error) => error.fmt(f),
            Self::Other(error) => f.write_str(&chain(error)),
        }
    }
}

/// An error and what lies below it, each said once: many tell what lies below them by themselves.
fn chain(error: &anyhow::Error) -> String {
    let below = error.chain().skip(1).map(ToString::to_string);
    below.fold(error.to_string(), |told, cause| {
        match told.contains(&cause) {
            true => told,
            false => format!("{told}: {cause}"),
        }
    })
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Self {
            exit: Exit::Wrong,
            cause: Cause::Report(Box::new(report)),
            hint: None,
            may_pass: false,
            taken_over: false,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let exit = match &error {
            EngineError::Panic { .. } => Exit::Internal,
            EngineError::Connector {
                source: ConnectorError::Internal(_),
                ..
            } => Exit::Internal,
            EngineError::Connector {
                source: ConnectorError::Configuration(_),
                ..
            } => Exit::Wrong,
            EngineError::Module { .. } | EngineError::Unfit { .. } => Exit::Wrong,
            _ => Exit::Failed,
        };
        let hint = match &error {
            EngineError::Row(row) => row_hint(row),
            EngineError::Checkpoint { source, .. } => source.hint().map(str::to_owned),
            EngineError::Unfit { station, .. } => Some(format!(
                "undo the change, or `--allow-dropped-state {station}` lets go what was kept of it"
            )),
            EngineError::TooManyRows { operator, .. } => Some(format!(
                "[operators.{operator}] `keep` in its window holds fewer rows, shorter windows do too, an aggregate without \
                 `keep` holds none; or raise `rows-limit`"
            )),
            EngineError::State { operator, source } => Some(source.hint(operator)),
            // It has told its hint itself.
            EngineError::Connector {
                source: ConnectorError::Unavailable { .. },
                ..
            } => None,
            EngineError::Connector { source, .. } => source.hint().map(str::to_owned),
            EngineError::StateFolder(error) => Some(error.hint().to_owned()),
            _ => None,
        };
        Self {
            exit,
            may_pass: error.may_pass(),
            taken_over: false,
            cause: Cause::Engine(Box::new(error)),
            hint,
        }
    }
}

fn row_hint(stopped: &StoppedByRow) -> Option<String> {
    let name = &stopped.row.operator;
    let section = if stopped.row.function.is_some() {
        "operators"
    } else {
        "sources"
    };
    if stopped.row.fatal {
        return None;
    }
    Some(match &stopped.threshold {
        Some(_) => {
            format!("[{section}.{name}] failures = {{ most = … }} is how many are put up with")
        }
        None => format!(
            "[{section}.{name}] on-failure = \"skip\" goes on without such rows, \"dead-letter\" \
             sends them to {name}.failed"
        ),
    })
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        let exit = match &error {
            ConnectorError::Internal(_) => Exit::Internal,
            ConnectorError::Configuration(_) => Exit::Wrong,
            _ => Exit::Failed,
        };
        Self {
            exit,
            may_pass: error.may_pass(),
            taken_over: false,
            hint: error.hint().map(str::to_owned),
            cause: Cause::Other(error.into()),
        }
    }
}

impl From<ModuleError> for Failure {
    fn from(error: ModuleError) -> Self {
        Self::wrong(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            exit: Exit::Failed,
            cause: Cause::Other(error),
            hint: None,
            may_pass: false,
            taken_over: false,
        }
    }
}

//! What a sink or an operator takes: the output of a source or an operator, or one of its side outputs.

use std::fmt;

use crate::place::Span;

/// The side output of every source and operator with the rows that failed.
pub const FAILED: &str = "failed";

/// The side output of a windowed operator with the rows that it refused because of their time.
pub const LATE: &str = "late";

/// A reference to an output: `velocity`, `velocity.late`, `velocity.failed`, `velocity.<side output of its function>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// A source or an operator.
    pub name: String,
    /// A side output; absent: the main one.
    pub side: Option<String>,
    /// The whole reference.
    pub span: Span,
}

impl Input {
    /// Whether it is the rows that failed somewhere.
    pub fn is_failed(&self) -> bool {
        self.side.as_deref() == Some(FAILED)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.side {
            Some(side) => write!(f, "{}.{side}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

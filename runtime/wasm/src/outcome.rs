//! What a call came to: rows for the operator's outputs, and the rows that failed.

use arrow_array::ArrayRef;

use crate::log::LogLine;

/// The outcome of a call. Every row is either failed or served as the function said.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Emitted rows, at most one entry per target, targets ascending.
    pub emitted: Vec<Emitted>,
    /// Failed rows, ascending.
    pub failed: Vec<Failed>,
}

/// Rows for one output of the operator.
#[derive(Debug)]
pub struct Emitted {
    /// 0 for the main output, then the side outputs in the order of `describe`.
    pub target: usize,
    /// For each emitted row the index of the row given (of the firing, from `finish` and of windows) that caused it. Ascending.
    pub origins: Vec<u32>,
    /// Event times of the emitted rows; absent: those of their origins.
    pub times: Option<Vec<i64>>,
    /// What each emitted row does to a table; absent: as its origin.
    pub changes: Option<Vec<u8>>,
    /// The declared columns of the output.
    pub columns: Vec<Produced>,
}

/// One column of emitted rows.
#[derive(Clone, Debug)]
pub enum Produced {
    /// Column n of the columns given (of the keys, from `finish` and of windows), to be taken at the origins.
    Input(u32),
    /// An array of the declared logical type, checked, one value per emitted row.
    Made(ArrayRef),
}

/// A row, accumulator or firing that could not be served.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Its index among those given.
    pub row: u32,
    /// Why.
    pub reason: Reason,
    /// A short stable word: the guest's own for failures it returned, else the reason's name.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The guest's own backtrace, one function a line, innermost first. Only where the call trapped.
    pub backtrace: Option<String>,
    /// What the guest logged in the attempt in which the row stood alone. Empty for returned failures.
    pub log: Vec<LogLine>,
}

/// Why a row failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Returned by the function: the operator's policy applies.
    Invalid,
    /// Returned by the function: the pipeline stops, whatever the policy.
    Fatal,
    /// Returned by the function: may succeed later.
    Retry,
    /// The call trapped without a panic message.
    Trap,
    /// The call logged a panic message at level 0, then trapped.
    Panic,
    /// More CPU time than the limit `deadline`.
    Deadline,
    /// More memory than the limit `memory`.
    Memory,
    /// Deeper calls than the limit `stack`, or than the guest's own stack in linear memory.
    Stack,
    /// What the call returned is malformed, or beyond a limit.
    Returned,
}

impl Reason {
    const ALL: [Self; 9] = [
        Self::Invalid,
        Self::Fatal,
        Self::Retry,
        Self::Trap,
        Self::Panic,
        Self::Deadline,
        Self::Memory,
        Self::Stack,
        Self::Returned,
    ];

    /// The reason with this word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The word in the column `reason` of failed rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Fatal => "fatal",
            Self::Retry => "retry",
            Self::Trap => "trap",
            Self::Panic => "panic",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Returned => "returned",
        }
    }
}

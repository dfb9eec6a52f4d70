//! Operators: input, key, window and function.

use crate::model::word::words;
use crate::model::{Config, FailurePolicy, Input, Window};
use crate::place::{Span, Spanned};

words! {
    /// What happens to a row of which a key column is null.
    NullKey {
        /// Null is a key like any other.
        Keep = "keep",
        /// The row is dropped and counted.
        Skip = "skip",
        /// The row is a bad row.
        Fail = "fail",
    }
}

words! {
    /// What time an operator works in.
    Time {
        /// That of its rows.
        Event = "event",
        /// The clock, as it takes rows.
        Processing = "processing",
    }
}

/// An operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Its name.
    pub name: Spanned<String>,
    /// What it takes: a union of equal schemas.
    pub inputs: Vec<Input>,
    /// The columns that rows are keyed by; empty: no key.
    pub key: Vec<Spanned<String>>,
    /// What happens to a row of which a key column is null.
    pub null_key: Spanned<NullKey>,
    /// What time it works in.
    pub time: Spanned<Time>,
    /// Which windows rows are gathered in.
    pub window: Option<Window>,
    /// Whether rows of hot keys may be added up before they cross to the worker of their key.
    pub combine: bool,
    /// How many bytes the rows that windows hold may take on one worker.
    pub rows_limit: u64,
    /// Where that stands, if it does.
    pub rows_limit_span: Option<Span>,
    /// How many bytes the state of keys may take on one worker.
    pub state_limit: u64,
    /// Where that stands, if it does.
    pub state_limit_span: Option<Span>,
    /// What is done with rows.
    pub function: FunctionRef,
    /// Input columns that the function knows by other names.
    pub rename: Vec<Rename>,
    /// What the function is configured with.
    pub config: Option<Config>,
    /// What happens to rows that fail.
    pub failure: FailurePolicy,
}

/// A function of a module.
#[derive(Clone, Debug)]
pub struct FunctionRef {
    /// Index into [`crate::Pipeline::modules`].
    pub module: usize,
    /// The function's name.
    pub name: Spanned<String>,
    /// The whole reference.
    pub span: Span,
}

/// One entry of `rename`.
#[derive(Clone, Debug)]
pub struct Rename {
    /// A column as the function calls it.
    pub column: Spanned<String>,
    /// The input's column.
    pub input: Spanned<String>,
}

//! What happens to rows that fail.

use crate::model::word::words;
use crate::place::Spanned;

words! {
    /// What happens to a row that fails.
    OnFailure {
        /// The pipeline stops and shows the row.
        Fail = "fail",
        /// The row is dropped and counted.
        Skip = "skip",
        /// The row goes to the side output `failed`.
        DeadLetter = "dead-letter",
    }
}

/// A source's or an operator's policy for rows that fail.
#[derive(Clone, Debug)]
pub struct FailurePolicy {
    /// What happens to a row that fails.
    pub action: Spanned<OnFailure>,
    /// Failed rows of one run, all workers together, that are put up with; one more stops the pipeline. Absent: any number.
    pub most: Option<Spanned<u64>>,
}

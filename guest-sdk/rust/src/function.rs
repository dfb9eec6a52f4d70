//! The one trait that every kind of function implements, by `#[transform]` or `#[aggregate]`.

use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::bindings::tidemill::operator::outcome::{Firings, Output as Outcome};

/// A function of a module: what the host calls, in the host's own types. Implemented by
/// [`#[transform]`](macro@crate::transform) or [`#[aggregate]`](macro@crate::aggregate); the calls
/// of other kinds refuse.
///
/// The error of a call says that it cannot be served at all: the pipeline stops.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function",
    label = "not a function",
    note = "put #[transform] or #[aggregate] on an `impl {Self} {{ … }}` block"
)]
pub trait Function: 'static {
    /// Appends what `describe` says of it: a JSON object.
    fn describe(json: &mut String)
    where
        Self: Sized;

    /// Makes it from its configuration, a JSON object.
    ///
    /// # Errors
    /// The configuration does not fit, with the name of the field.
    fn configure(config: &str) -> Result<Self, String>
    where
        Self: Sized;

    /// Takes a batch of rows through a transform.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn apply(&self, rows: &Batch) -> Result<Outcome, String> {
        let _ = rows;
        Err(other_kind("apply"))
    }

    /// The accumulator of no rows at all: one row.
    ///
    /// # Errors
    /// Another kind.
    fn create(&self) -> Result<Table, String> {
        Err(other_kind("create"))
    }

    /// Adds rows to accumulators.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn accumulate(
        &self,
        rows: &Batch,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
    ) -> Result<Accumulated, String> {
        let _ = (rows, groups, accs, marks);
        Err(other_kind("accumulate"))
    }

    /// Merges accumulators.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn merge(&self, into: &Table, others: &Table, groups: &[u32]) -> Result<Accumulated, String> {
        let _ = (into, others, groups);
        Err(other_kind("merge"))
    }

    /// Makes the results of firings.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn finish(&self, keys: &Table, firings: &Firings, accs: &Table) -> Result<Outcome, String> {
        let _ = (keys, firings, accs);
        Err(other_kind("finish"))
    }
}

#[cold]
fn other_kind(call: &str) -> String {
    crate::describe::joined(&[
        "this function is of a kind that does not have the call ",
        call,
    ])
}

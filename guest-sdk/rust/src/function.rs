//! The one trait that every kind of function implements, by `#[transform]`, `#[aggregate]`,
//! `#[window]`, `#[process]` or `#[watermark]`.

use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
use crate::bindings::exports::tidemill::operator::process::{Due, Held, Processed};
use crate::bindings::exports::tidemill::operator::watermark::Observed;
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::bindings::tidemill::operator::outcome::{Firings, Output as Outcome};
use crate::process::{SlotOf, TimerOf};

/// A function of a module: what the host calls, in the host's own types. Implemented by
/// [`#[transform]`](macro@crate::transform), [`#[aggregate]`](macro@crate::aggregate),
/// [`#[window]`](macro@crate::window), [`#[process]`](macro@crate::process) or
/// [`#[watermark]`](macro@crate::watermark); the calls of other kinds refuse.
///
/// The error of a call says that it cannot be served at all: the pipeline stops.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function",
    label = "not a function",
    note = "put #[transform], #[aggregate], #[window], #[process] or #[watermark] on an `impl {Self} {{ … }}` block"
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

    /// The accumulator of no rows at all, or the state of a split before its first row: one row.
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

    /// Makes the results of windows: the rows of firing i are those from `offsets[i]` up to
    /// `offsets[i + 1]`.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn apply_window(
        &self,
        keys: &Table,
        firings: &Firings,
        rows: &Batch,
        offsets: &[u32],
    ) -> Result<Outcome, String> {
        let _ = (keys, firings, rows, offsets);
        Err(other_kind("apply of windows"))
    }

    /// What a process function keeps per key.
    #[doc(hidden)]
    fn parts() -> Parts
    where
        Self: Sized,
    {
        Parts {
            slots: &[],
            timers: &[],
        }
    }

    /// Takes rows of keys, and the state of the keys.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn on_rows(
        &self,
        keys: &Table,
        rows: &Batch,
        groups: &[u32],
        values: &[Held],
    ) -> Result<Processed, String> {
        let _ = (keys, rows, groups, values);
        Err(other_kind("on-rows"))
    }

    /// Fires timers of keys.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn on_timers(&self, keys: &Table, due: &Due, values: &[Held]) -> Result<Processed, String> {
        let _ = (keys, due, values);
        Err(other_kind("on-timers"))
    }

    /// Takes rows of a split and its state.
    ///
    /// # Errors
    /// Another kind, or other columns than declared.
    fn observe(&self, rows: &Batch, state: &Table) -> Result<Observed, String> {
        let _ = (rows, state);
        Err(other_kind("observe"))
    }
}

/// What a process function keeps per key.
#[doc(hidden)]
pub struct Parts {
    /// Its slots.
    pub slots: &'static [SlotOf],
    /// Its timers.
    pub timers: &'static [TimerOf],
}

#[cold]
fn other_kind(call: &str) -> String {
    crate::describe::joined(&[
        "this function is of a kind that does not have the call ",
        call,
    ])
}

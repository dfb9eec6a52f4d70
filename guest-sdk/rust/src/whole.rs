//! Calls of functions of kind window: all rows of each firing at once.
//!
//! The rows of a call are read once, into one list of structs that lives as long as the call; what
//! a method is given is a slice of it, so that results may borrow from rows.

use crate::answer::{Done, Finished};
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::bindings::tidemill::operator::outcome::{Failure, Firings, Output as Outcome};
use crate::output::Output;
use crate::record::{Bare, FromRow};
use crate::window::windows;
use crate::{Failure as Why, Window};

/// The firings of a call, with their rows.
pub struct Fired<'c, R> {
    /// The key columns, a row per firing.
    pub keys: &'c Table,
    /// The firings.
    pub firings: &'c Firings,
    /// The rows of all firings.
    pub rows: &'c [R],
    /// Where the rows of each firing start, and where the last ones end.
    pub offsets: &'c [u32],
}

/// The rows of a batch as structs.
///
/// # Errors
/// The batch does not have the columns of `R`.
pub fn rows<'b, R: FromRow<'b>>(batch: &'b Batch) -> Result<Vec<R>, String> {
    let reader = R::open(batch.into())?;
    // SAFETY: the reader was opened with this many rows.
    Ok((0..batch.rows as usize)
        .map(|row| unsafe { R::read(&reader, row) })
        .collect())
}

/// Makes the results of firings: what `apply` returns.
///
/// # Errors
/// What the host sent does not fit together.
#[inline(always)]
pub fn apply<'c, R, K, T, F>(fired: &Fired<'c, R>, apply: F) -> Result<Outcome, String>
where
    K: FromRow<'c>,
    T: Finished,
    F: Fn(K, Window, &'c [R]) -> T,
{
    each::<R, K, T::Row, _>(fired, |key, window, rows, out| {
        apply(key, window, rows).finished(out)
    })
}

/// Makes the results of firings: what `apply` gives to its output.
///
/// # Errors
/// What the host sent does not fit together.
#[inline(always)]
pub fn apply_out<'c, R, K, T, D, F>(fired: &Fired<'c, R>, apply: F) -> Result<Outcome, String>
where
    K: FromRow<'c>,
    T: Bare,
    D: Done,
    F: Fn(K, Window, &'c [R], &mut Output<T>) -> D,
{
    each::<R, K, T, _>(fired, |key, window, rows, out| {
        apply(key, window, rows, out).done()
    })
}

#[inline(always)]
fn each<'c, R, K, T, F>(fired: &Fired<'c, R>, apply: F) -> Result<Outcome, String>
where
    K: FromRow<'c>,
    T: Bare,
    F: Fn(K, Window, &'c [R], &mut Output<T>) -> Result<(), Why>,
{
    let reader = K::open(fired.keys.into())?;
    let count = fired.keys.rows as usize;
    let offsets = fired.offsets.get(..=count).ok_or_else(misfit)?;
    let windows = windows(fired.firings, count)?;
    let (mut out, mut failures) = (Output::with_rows(count), Vec::<Failure>::new());
    for (firing, (window, bounds)) in windows.zip(offsets.windows(2)).enumerate() {
        let rows = fired.rows.get(bounds[0] as usize..bounds[1] as usize);
        let rows = rows.ok_or_else(misfit)?;
        out.begin(firing);
        // SAFETY: the reader was opened with this many rows.
        let key = unsafe { K::read(&reader, firing) };
        if let Err(failure) = apply(key, window, rows, &mut out) {
            out.undo();
            failures.push(failure.of_row(firing));
        }
    }
    let mut emitted = Vec::new();
    out.emit(0, &mut emitted);
    Ok(Outcome { emitted, failures })
}

#[cold]
fn misfit() -> String {
    "the host sent firings and rows that do not fit together".to_owned()
}

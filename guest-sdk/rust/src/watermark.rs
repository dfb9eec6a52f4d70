//! Calls of functions of kind watermark: rows of a split and its state, row by row.
//!
//! Where the method can fail, the state is copied before each row and put back after a failure, so
//! that a failed row leaves no trace and the outcome is `clean`.

use crate::Timestamp;
use crate::aggregate::{decode, encode};
use crate::answer::Marked;
use crate::bindings::exports::tidemill::operator::watermark::Observed;
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::output::{NoKey, only_inserts};
use crate::record::{Accumulator, FromRow};

/// The state of a function that has none.
pub type NoState = NoKey;

/// Takes each row of the batch, and says how far event time has come after it.
///
/// # Errors
/// The batch does not have the columns of `R`, or the state not those of `S`.
#[inline(always)]
pub fn observe<'b, S, R, M, F>(
    rows: &'b Batch,
    state: &Table,
    observe: F,
) -> Result<Observed, String>
where
    S: Accumulator + Default,
    R: FromRow<'b>,
    M: Marked,
    F: Fn(&mut S, R) -> M,
{
    only_inserts::<R>();
    let reader = R::open(rows.into())?;
    let count = rows.rows as usize;
    let mut state = decode::<S>(state)?
        .pop()
        .ok_or("the host sent no state of the split")?;
    let mut kept = S::default();
    let (mut watermarks, mut failures) = (Vec::with_capacity(count), Vec::new());
    for row in 0..count {
        if M::FALLIBLE {
            kept.copy_from(&state);
        }
        // SAFETY: the reader was opened with this many rows.
        let said = observe(&mut state, unsafe { R::read(&reader, row) }).marked();
        let watermark = said.unwrap_or_else(|failure| {
            std::mem::swap(&mut state, &mut kept);
            failures.push(failure.of_row(row));
            None
        });
        watermarks.push(watermark.unwrap_or(Timestamp::MIN).micros());
    }
    Ok(Observed {
        watermarks,
        state: encode(&[state]),
        failures,
        clean: true,
    })
}

//! Calls of `filter`, `map` and `flat_map`: one loop over the rows of a batch each.
//!
//! The method comes in as a closure, so that it is compiled into the loop. What a row that fails
//! has caused is taken back before the next row.

use crate::answer::{Done, Mapped, Verdict};
use crate::bindings::tidemill::operator::columns::Batch;
use crate::bindings::tidemill::operator::outcome::{Emitted, Output as Outcome};
use crate::output::{Output, Same, Sides, made_by_rows};
use crate::record::{FromRow, Record};

/// Keeps the rows for which `f` says so.
///
/// # Errors
/// The batch does not have the columns of `R`.
#[inline(always)]
pub fn filter<'b, R, S, V, F>(batch: &'b Batch, f: F) -> Result<Outcome, String>
where
    R: FromRow<'b>,
    S: Sides,
    V: Verdict,
    F: Fn(R, &mut S) -> V,
{
    made_by_rows::<R, Same, S>();
    let reader = R::open(batch.into())?;
    let rows = batch.rows as usize;
    let (mut sides, mut failures) = (S::with_rows(rows), Vec::new());
    let mut origins = Vec::with_capacity(rows);
    for row in 0..rows {
        sides.begin(row);
        // SAFETY: the reader was opened with this many rows.
        match f(unsafe { R::read(&reader, row) }, &mut sides).verdict() {
            Ok(true) => origins.push(row as u32),
            Ok(false) => {}
            Err(failure) => {
                sides.undo();
                failures.push(failure.of_row(row));
            }
        }
    }
    let mut emitted = Vec::new();
    if !origins.is_empty() {
        let columns = Vec::new();
        emitted.push(Emitted {
            target: 0,
            origins,
            times: None,
            changes: None,
            columns,
        });
    }
    sides.emit(&mut emitted);
    Ok(Outcome { emitted, failures })
}

/// Makes at most one row of each.
///
/// # Errors
/// The batch does not have the columns of `R`.
#[inline(always)]
pub fn map<'b, R, S, M, F>(batch: &'b Batch, f: F) -> Result<Outcome, String>
where
    R: FromRow<'b>,
    S: Sides,
    M: Mapped,
    F: Fn(R, &mut S) -> M,
{
    each::<R, S, M::Row, _>(batch, |row, out, sides| {
        if let Some(made) = f(row, sides).mapped()? {
            out.push(made);
        }
        Ok(())
    })
}

/// Makes any number of rows of each.
///
/// # Errors
/// The batch does not have the columns of `R`.
#[inline(always)]
pub fn flat_map<'b, R, T, S, D, F>(batch: &'b Batch, f: F) -> Result<Outcome, String>
where
    R: FromRow<'b>,
    T: Record,
    S: Sides,
    D: Done,
    F: Fn(R, &mut Output<T>, &mut S) -> D,
{
    each::<R, S, T, _>(batch, |row, out, sides| f(row, out, sides).done())
}

#[inline(always)]
fn each<'b, R, S, T, F>(batch: &'b Batch, f: F) -> Result<Outcome, String>
where
    R: FromRow<'b>,
    S: Sides,
    T: Record,
    F: Fn(R, &mut Output<T>, &mut S) -> Result<(), crate::Failure>,
{
    made_by_rows::<R, T, S>();
    let reader = R::open(batch.into())?;
    let rows = batch.rows as usize;
    let (mut out, mut sides, mut failures) =
        (Output::with_rows(rows), S::with_rows(rows), Vec::new());
    for row in 0..rows {
        out.begin(row);
        sides.begin(row);
        // SAFETY: the reader was opened with this many rows.
        if let Err(failure) = f(unsafe { R::read(&reader, row) }, &mut out, &mut sides) {
            out.undo();
            sides.undo();
            failures.push(failure.of_row(row));
        }
    }
    let mut emitted = Vec::new();
    out.emit(0, &mut emitted);
    sides.emit(&mut emitted);
    Ok(Outcome { emitted, failures })
}

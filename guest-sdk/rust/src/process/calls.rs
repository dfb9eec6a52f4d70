//! Calls of `on_row` and `on_timer`, a row or a timer at a time.

use super::slot::{At, Changes, Opening, State};
use super::timers::{Fired, Timed, Timers};
use crate::Failure as Why;
use crate::answer::Done;
use crate::bindings::exports::tidemill::operator::process::{Due, Held, Processed};
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::bindings::tidemill::operator::outcome::{Failure, Output as Outcome};
use crate::output::{Output, Sides, made_by_rows};
use crate::record::{FromRow, Record};

/// What rows change and emit.
struct Served<S, T, O: Record, Z> {
    state: S,
    timers: T,
    out: Output<O>,
    sides: Z,
    failures: Vec<Failure>,
    fallible: bool,
}

impl<S: State, T: Timers, O: Record, Z: Sides> Served<S, T, O, Z> {
    fn open(values: &[Held], keys: usize, rows: usize, fallible: bool) -> Result<Self, String> {
        Ok(Self {
            state: S::open(&mut Opening::new(values, keys))?,
            timers: T::open(),
            out: Output::with_rows(rows),
            sides: Z::with_rows(rows),
            failures: Vec::new(),
            fallible,
        })
    }

    #[inline(always)]
    fn serve(
        &mut self,
        (key, row, time): (usize, usize, i64),
        call: impl FnOnce(&mut S, &mut T, &mut Output<O>, &mut Z) -> Result<(), Why>,
    ) {
        self.state.begin(At {
            key,
            row: row as u32,
            time,
            fallible: self.fallible,
        });
        self.timers.begin(row as u32);
        self.out.begin(row);
        self.sides.begin(row);
        let done = call(
            &mut self.state,
            &mut self.timers,
            &mut self.out,
            &mut self.sides,
        );
        if let Err(failure) = done {
            self.state.undo();
            self.timers.undo();
            self.out.undo();
            self.sides.undo();
            self.failures.push(failure.of_row(row));
        }
    }

    fn close(self) -> Processed {
        let mut emitted = Vec::new();
        self.out.emit(0, &mut emitted);
        self.sides.emit(&mut emitted);
        let (mut changes, mut timed) = (Changes::default(), Timed::default());
        self.state.close(&mut changes);
        self.timers.close(&mut timed);
        Processed {
            output: Outcome {
                emitted,
                failures: self.failures,
            },
            values: changes.values,
            lists: changes.lists,
            maps: changes.maps,
            timers: timed.finish(),
            clean: true,
        }
    }
}

/// Takes each row of the batch.
///
/// # Errors
/// The batch does not have the columns of `R`, or what the host sent does not fit together.
#[inline(always)]
pub fn on_rows<'b, R, S, T, O, Z, D, F>(
    rows: &'b Batch,
    groups: &[u32],
    keys: &Table,
    values: &[Held],
    on_row: F,
) -> Result<Processed, String>
where
    R: FromRow<'b>,
    S: State,
    T: Timers,
    O: Record,
    Z: Sides,
    D: Done,
    F: Fn(R, &mut S, &mut T, &mut Output<O>, &mut Z) -> D,
{
    made_by_rows::<R, O, Z>();
    let reader = R::open(rows.into())?;
    let (count, keys) = (rows.rows as usize, keys.rows as usize);
    let (groups, times) = groups
        .get(..count)
        .zip(rows.times.get(..count))
        .filter(|(groups, _)| groups.iter().all(|&group| (group as usize) < keys))
        .ok_or_else(misfit)?;
    let mut served = Served::<S, T, O, Z>::open(values, keys, count, D::FALLIBLE)?;
    for row in 0..count {
        // SAFETY: the reader was opened with this many rows.
        let values = unsafe { R::read(&reader, row) };
        let at = (groups[row] as usize, row, times[row]);
        served.serve(at, |state, timers, out, sides| {
            on_row(values, state, timers, out, sides).done()
        });
    }
    Ok(served.close())
}

/// Fires each timer.
///
/// # Errors
/// What the host sent does not fit together.
#[inline(always)]
pub fn on_timers<'b, K, S, T, O, Z, D, F>(
    keys: &'b Table,
    due: &Due,
    values: &[Held],
    on_timer: F,
) -> Result<Processed, String>
where
    K: FromRow<'b>,
    S: State,
    T: Timers,
    O: Record,
    Z: Sides,
    D: Done,
    F: Fn(K, Fired, &mut S, &mut T, &mut Output<O>, &mut Z) -> D,
{
    let reader = K::open(keys.into())?;
    let count = keys.rows as usize;
    let mut served = Served::<S, T, O, Z>::open(values, count, count, D::FALLIBLE)?;
    for index in 0..count {
        let fired = Fired::of(due, index, T::TIMERS).ok_or_else(misfit)?;
        // SAFETY: the reader was opened with this many rows.
        let key = unsafe { K::read(&reader, index) };
        let at = (index, index, fired.time().micros());
        served.serve(at, |state, timers, out, sides| {
            on_timer(key, fired, state, timers, out, sides).done()
        });
    }
    Ok(served.close())
}

#[cold]
fn misfit() -> String {
    "the host sent rows, keys or timers that do not fit together".to_owned()
}

//! Calls of `add`, `merge` and `finish`.
//!
//! The accumulators of a call are structs for its length: decoded once, however many rows they
//! take, and encoded once. Where a method can fail, its accumulator is copied before each row and
//! put back after a failure, so that a failed row leaves no trace and the outcome is `clean`.

use crate::Window;
use crate::answer::{Done, Finished};
use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
use crate::bindings::tidemill::operator::columns::{Batch, Table};
use crate::bindings::tidemill::operator::outcome::{Failure, Firings, Output as Outcome};
use crate::output::Output;
use crate::record::{Accumulator, FromRow, Record};
use crate::window::windows;

/// The accumulator of no rows at all.
pub fn create<A: Accumulator + Default>() -> Table {
    encode(&[A::default()])
}

/// Adds each row of the batch to the accumulator of its group.
///
/// # Errors
/// The batch does not have the columns of `R`, or what the host sent does not fit together.
#[inline(always)]
pub fn accumulate<'b, A, R, D, F>(
    rows: &'b Batch,
    groups: &[u32],
    accs: &Table,
    marks: &[u32],
    add: F,
) -> Result<Accumulated, String>
where
    A: Accumulator + Default,
    R: FromRow<'b>,
    D: Done,
    F: Fn(&mut A, R) -> D,
{
    let reader = R::open(rows.into())?;
    let count = rows.rows as usize;
    let mut accs = Accs::<A>::decode(accs)?;
    let groups = groups
        .get(..count)
        .ok_or("the host sent fewer groups than rows")?;
    let mut marked = A::with_rows(marks.len());
    let mut start = 0;
    for (index, end) in segments(marks, count) {
        for row in start..end {
            // SAFETY: the reader was opened with `count` rows, and there are as many groups.
            let (group, values) = unsafe { (*groups.get_unchecked(row), R::read(&reader, row)) };
            accs.change(group, row, |acc| add(acc, values))?;
        }
        if index < marks.len() {
            accs.get(groups[end - 1])?.write(&mut marked);
        }
        start = end;
    }
    Ok(accs.finish(table::<A>(marked, marks.len())))
}

/// Cuts `count` rows behind each mark: the index of the mark, and where the rows up to it end. What
/// follows the last mark has an index behind the marks.
fn segments(marks: &[u32], count: usize) -> impl Iterator<Item = (usize, usize)> {
    let ends = marks
        .iter()
        .map(move |&mark| (mark as usize + 1).min(count));
    ends.chain([count]).enumerate()
}

/// Merges each of `others` into the accumulator of its group.
///
/// # Errors
/// What the host sent does not fit together.
#[inline(always)]
pub fn merge<A, D, F>(
    into: &Table,
    others: &Table,
    groups: &[u32],
    merge: F,
) -> Result<Accumulated, String>
where
    A: Accumulator + Default,
    D: Done,
    F: Fn(&mut A, A) -> D,
{
    let mut accs = Accs::<A>::decode(into)?;
    let others = decode::<A>(others)?;
    let groups = groups
        .get(..others.len())
        .ok_or("the host sent fewer groups than others")?;
    for (row, (&group, other)) in groups.iter().zip(others).enumerate() {
        accs.change(group, row, |acc| merge(acc, other))?;
    }
    Ok(accs.finish(table::<A>(A::with_rows(0), 0)))
}

/// Makes the results of firings.
///
/// # Errors
/// What the host sent does not fit together.
#[inline(always)]
pub fn finish<'b, 'c, A, K, T, F>(
    keys: &'b Table,
    firings: &Firings,
    accs: &'c [A],
    finish: F,
) -> Result<Outcome, String>
where
    K: FromRow<'b>,
    T: Finished,
    F: Fn(K, Window, &'c A) -> T,
{
    let reader = K::open(keys.into())?;
    let count = keys.rows as usize;
    if accs.len() != count {
        return Err("the host sent keys and accumulators of different lengths".to_owned());
    }
    let (mut out, mut failures) = (Output::with_rows(count), Vec::new());
    for (row, (window, acc)) in windows(firings, count)?.zip(accs).enumerate() {
        out.begin(row);
        // SAFETY: the reader was opened with this many rows.
        let key = unsafe { K::read(&reader, row) };
        if let Err(failure) = finish(key, window, acc).finished(&mut out) {
            out.undo();
            failures.push(failure.of_row(row));
        }
    }
    let mut emitted = Vec::new();
    out.emit(0, &mut emitted);
    Ok(Outcome { emitted, failures })
}

/// The accumulators of a call, and what failed so far.
struct Accs<A> {
    accs: Vec<A>,
    /// A copy of the accumulator that is being changed, where that can fail.
    kept: A,
    failures: Vec<Failure>,
}

impl<A: Accumulator + Default> Accs<A> {
    fn decode(table: &Table) -> Result<Self, String> {
        Ok(Self {
            accs: decode(table)?,
            kept: A::default(),
            failures: Vec::new(),
        })
    }

    #[inline(always)]
    fn get(&mut self, group: u32) -> Result<&mut A, String> {
        self.accs.get_mut(group as usize).ok_or_else(unknown_group)
    }

    /// Changes the accumulator of a group, or leaves it as it was and notes the failure.
    #[inline(always)]
    fn change<D: Done>(
        &mut self,
        group: u32,
        row: usize,
        change: impl FnOnce(&mut A) -> D,
    ) -> Result<(), String> {
        let acc = self
            .accs
            .get_mut(group as usize)
            .ok_or_else(unknown_group)?;
        if D::FALLIBLE {
            self.kept.copy_from(acc);
        }
        if let Err(failure) = change(acc).done() {
            std::mem::swap(acc, &mut self.kept);
            self.failures.push(failure.of_row(row));
        }
        Ok(())
    }

    fn finish(self, marked: Table) -> Accumulated {
        Accumulated {
            accs: encode(&self.accs),
            marked,
            failures: self.failures,
            clean: true,
        }
    }
}

#[cold]
fn unknown_group() -> String {
    "the host sent a group without an accumulator".to_owned()
}

/// The rows of a table as structs.
///
/// # Errors
/// The table does not have the columns of `A`.
pub fn decode<A: Accumulator>(table: &Table) -> Result<Vec<A>, String> {
    let reader = A::open(table.into())?;
    // SAFETY: the reader was opened with this many rows.
    Ok((0..table.rows as usize)
        .map(|row| unsafe { A::read(&reader, row) })
        .collect())
}

/// Structs as the rows of a table.
pub(crate) fn encode<A: Accumulator>(accs: &[A]) -> Table {
    let mut columns = A::with_rows(accs.len());
    accs.iter().for_each(|acc| acc.write(&mut columns));
    table::<A>(columns, accs.len())
}

fn table<A: Record>(columns: A::Columns, rows: usize) -> Table {
    Table {
        rows: rows as u32,
        columns: A::finish(columns).columns,
    }
}

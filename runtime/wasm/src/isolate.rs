//! Finding the bad row where rows share nothing: transforms, and firings of `finish` and of windows.
//!
//! ```text
//! call(n rows) ── ok ────────────────────────────► outcome
//!     └ stopped ─► 16 calls, of n / 16 rows each   a fresh instance after each stop
//!                     └ stopped, one row ─► alone, fresh instance, whole deadline ─► failed
//! ```
//!
//! Sixteen parts rather than two, since a call that is stopped costs far more than one that is not: it needs a new
//! instance, and if it loops, the time until it is cut. One bad row costs at most log16(n) + 1 stopped calls before the one
//! that blames it, and 16 log16(n) calls that stand. Outcomes of the parts that succeeded are kept and put together in the order of
//! rows. If all parts succeed nobody is to blame: the call was too much for the limits, and the next ones are smaller.

use std::ops::Range;

use arrow_array::{ArrayRef, UInt32Array};

use crate::error::CallError;
use crate::outcome::{Emitted, Failed, Outcome, Produced};
use crate::report::Stopped;
use crate::slot::Slot;

/// A function whose calls can be given in parts.
pub(crate) trait Parts {
    /// The rows of a call.
    type Whole<'a>;
    /// How many rows.
    fn len(whole: &Self::Whole<'_>) -> usize;
    /// How much a range is, in what the pace counts.
    fn weight(whole: &Self::Whole<'_>, range: Range<usize>) -> usize {
        let _ = whole;
        range.len()
    }
    /// How many rows from `start` on are at most so much, and at least one.
    fn fitting(whole: &Self::Whole<'_>, start: usize, most: usize) -> usize {
        most.min(Self::len(whole) - start)
    }
    /// The guest.
    fn slot(&mut self) -> &mut Slot;
    /// One call, with these rows only.
    fn part(
        &mut self,
        whole: &Self::Whole<'_>,
        range: Range<usize>,
    ) -> Result<Result<Outcome, Stopped>, CallError>;
    /// The column that `produced.input` names.
    fn input(whole: &Self::Whole<'_>, n: u32) -> ArrayRef;
    /// A row's time.
    fn time(whole: &Self::Whole<'_>, row: u32) -> i64;
    /// A row's change.
    fn change(whole: &Self::Whole<'_>, row: u32) -> u8;
}

/// In how many parts a call that was stopped is given again.
pub(crate) const PARTS: usize = 16;

/// Gives the call whole, and in parts where that does not work.
pub(crate) fn apply<P: Parts>(
    function: &mut P,
    whole: &P::Whole<'_>,
) -> Result<Outcome, CallError> {
    let rows = P::len(whole);
    if rows == 0 {
        return Ok(Outcome::default());
    }
    let most = function.slot().pace.most_rows();
    let fits = rows > 1 && rows == P::fitting(whole, 0, most);
    if fits && let Ok(outcome) = function.part(whole, 0..rows)? {
        function.slot().pace.grow();
        return Ok(outcome);
    }
    let mut search = Search {
        function,
        whole,
        parts: Vec::new(),
        failed: Vec::new(),
    };
    if fits {
        search.split(0..rows)?;
    } else {
        search.calls(0..rows)?;
    }
    Ok(search.together())
}

struct Search<'s, 'w, P: Parts> {
    function: &'s mut P,
    whole: &'s P::Whole<'w>,
    /// Outcomes that stand, with their first row, in the order of rows.
    parts: Vec<(u32, Outcome)>,
    failed: Vec<Failed>,
}

impl<P: Parts> Search<'_, '_, P> {
    /// Serves rows in calls of as many as the function's pace says.
    fn calls(&mut self, range: Range<usize>) -> Result<(), CallError> {
        let mut start = range.start;
        while start < range.end {
            let most = self.function.slot().pace.most_rows();
            let end = range.end.min(start + P::fitting(self.whole, start, most));
            if self.run(start..end)? {
                self.function.slot().pace.grow();
            }
            start = end;
        }
        Ok(())
    }

    /// Serves a range of rows. Gives whether its first call stood.
    fn run(&mut self, range: Range<usize>) -> Result<bool, CallError> {
        let fresh = self.function.slot().is_fresh();
        match self.function.part(self.whole, range.clone())? {
            Ok(outcome) => {
                self.parts.push((range.start as u32, outcome));
                return Ok(true);
            }
            Err(stopped) if range.len() == 1 && fresh => {
                self.failed.push(stopped.blame(range.start as u32));
            }
            // The next instance is a fresh one: what stops the row now is its own doing.
            Err(_) if range.len() == 1 => {
                self.run(range)?;
            }
            Err(_) => self.split(range)?,
        }
        Ok(false)
    }

    /// Serves a range whose call was stopped. If all parts succeed, it was too large.
    fn split(&mut self, range: Range<usize>) -> Result<(), CallError> {
        let before = self.failed.len();
        let rows = range.len().div_ceil(PARTS);
        let mut heaviest = 0;
        for start in range.clone().step_by(rows) {
            let part = start..range.end.min(start + rows);
            heaviest = heaviest.max(P::weight(self.whole, part.clone()));
            self.run(part)?;
        }
        if self.failed.len() == before {
            self.function.slot().pace.shrink(heaviest);
        }
        Ok(())
    }

    /// All parts as one outcome.
    fn together(mut self) -> Outcome {
        let mut outcome = match self.parts.len() {
            1 if self.failed.is_empty() => return self.parts.remove(0).1,
            _ => Outcome {
                emitted: Vec::new(),
                failed: self.failed,
            },
        };
        let mut emitted: Vec<Emitted> = Vec::new();
        for (start, part) in self.parts {
            let shifted = part.failed.into_iter().map(|f| Failed {
                row: f.row + start,
                ..f
            });
            outcome.failed.extend(shifted);
            for mut entry in part.emitted {
                entry.origins.iter_mut().for_each(|origin| *origin += start);
                emitted.push(entry);
            }
        }
        outcome.failed.sort_by_key(|f| f.row);
        emitted.sort_by_key(|e| e.target);
        for entries in emitted.chunk_by(|a, b| a.target == b.target) {
            outcome.emitted.push(join::<P>(self.whole, entries));
        }
        outcome
    }
}

/// One target's entries, end to end.
fn join<P: Parts>(whole: &P::Whole<'_>, entries: &[Emitted]) -> Emitted {
    let origins: Vec<u32> = entries
        .iter()
        .flat_map(|e| e.origins.iter().copied())
        .collect();
    let times = entries.iter().any(|e| e.times.is_some()).then(|| {
        let own = |e: &Emitted| e.origins.iter().map(|&row| P::time(whole, row)).collect();
        entries
            .iter()
            .flat_map(|e| e.times.clone().unwrap_or_else(|| own(e)))
            .collect()
    });
    let changes = entries.iter().any(|e| e.changes.is_some()).then(|| {
        let own = |e: &Emitted| e.origins.iter().map(|&row| P::change(whole, row)).collect();
        entries
            .iter()
            .flat_map(|e| e.changes.clone().unwrap_or_else(|| own(e)))
            .collect()
    });
    let columns = (0..entries[0].columns.len()).map(|at| join_column::<P>(whole, entries, at));
    Emitted {
        target: entries[0].target,
        columns: columns.collect(),
        origins,
        times,
        changes,
    }
}

fn join_column<P: Parts>(whole: &P::Whole<'_>, entries: &[Emitted], at: usize) -> Produced {
    if let Produced::Input(n) = entries[0].columns[at]
        && entries
            .iter()
            .all(|e| matches!(e.columns[at], Produced::Input(m) if m == n))
    {
        return Produced::Input(n);
    }
    let arrays: Vec<ArrayRef> = entries
        .iter()
        .map(|entry| match &entry.columns[at] {
            Produced::Made(array) => array.clone(),
            Produced::Input(n) => {
                let origins = UInt32Array::from(entry.origins.clone());
                arrow_select::take::take(&P::input(whole, *n), &origins, None)
                    .expect("origins were checked against the rows")
            }
        })
        .collect();
    let arrays: Vec<&dyn arrow_array::Array> = arrays.iter().map(AsRef::as_ref).collect();
    Produced::Made(arrow_select::concat::concat(&arrays).expect("all are of the declared type"))
}

//! A result for each row, over the stored rows of its key in the time before it (Windows 2, `slide`): for functions that are
//! given rows, and where only some rows are kept.
//!
//! Invariants:
//! 1. What waits is later than everything that has fired, since rows at or before W are refused.
//! 2. Of the rows that have fired, only those are stored that a later firing may see.

use std::convert::Infallible;

use super::family::{Cause, Due, Family, NEVER, Out, Row, Window};
use super::saved::{Loading, Save, Saved, Unreadable};
use super::stored::{StoredRow, StoredRows};
use super::{Keep, Moment, Slot};

/// Windows of kind `slide` with stored rows.
#[derive(Debug)]
pub(crate) struct SlideRows {
    range: i64,
    keep: Keep,
}

/// What is kept for a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Rows whose results were made.
    fired: StoredRows,
    /// Rows whose results are still to be made.
    waiting: StoredRows,
}

impl SlideRows {
    pub(crate) fn new(range: i64, keep: Keep) -> Self {
        assert!(range > 0, "a range is positive: {range}");
        Self { range, keep }
    }

    /// When a key of which all rows have fired has nothing left that a later row sees. On the grid, so that keys share their
    /// timers.
    fn gone_at(&self, last: i64) -> i64 {
        ((last + self.range).div_euclid(self.range) + 1) * self.range
    }
}

impl Family for SlideRows {
    type Held = Held;
    type Fired = Infallible;

    fn hold(&self) -> i64 {
        0
    }

    fn is_empty(&self, held: &Held) -> bool {
        held.fired.last().is_none() && held.waiting.last().is_none()
    }

    fn place(&mut self, _held: &Held, _row: &Row) -> Option<Slot> {
        None
    }

    fn take(&mut self, held: &mut Held, row: &Row, out: &mut Out<'_>) {
        if row.is_behind() {
            return out.refuse(row);
        }
        out.count_taken(row);
        held.waiting.insert(StoredRow {
            time: row.time,
            id: out.store(row),
            first: 0,
        });
    }

    fn due(&self, held: &Held, _after: i64) -> i64 {
        match (held.waiting.first(), held.fired.last()) {
            (Some(next), _) => next.time,
            (None, Some(last)) => self.gone_at(last.time),
            (None, None) => NEVER,
        }
    }

    fn fire(&mut self, held: &mut Held, due: Due, out: &mut Out<'_>) {
        let before = due.at - self.range;
        out.plan
            .released
            .extend(held.fired.drain_while(|time| time < before));
        let new = held.waiting.take_while(|time| time <= due.at);
        if new.is_empty() {
            return;
        }
        new.iter().for_each(|row| held.fired.insert(*row));
        held.fired.evict(self.keep, out);
        let window = Window {
            start: before,
            end: due.at + 1,
            time: due.at,
            number: 1,
            last: true,
        };
        for _ in &new {
            let seen = held.fired.iter().map(|row| row.id).collect();
            out.fire_rows(Cause::Time(due), (window, Moment::OnTime), seen);
        }
    }
}

impl Save for SlideRows {
    fn save(&self, held: &Held, into: &mut Saved) {
        held.fired.save(into);
        held.waiting.save(into);
    }

    fn load(&self, from: &mut Loading<'_>) -> Result<Held, Unreadable> {
        Ok(Held {
            fired: StoredRows::load(from)?,
            waiting: StoredRows::load(from)?,
        })
    }
}

//! One window of a key.

use super::super::family::{Out, Row, Window};
use super::super::plan::ResultId;
use super::super::stored::StoredRows;
use super::super::{Slot, plan};

/// A window, with what triggers and modes need of it.
#[derive(Clone, Debug)]
pub(super) struct One {
    pub(super) start: i64,
    pub(super) end: i64,
    /// The largest row time.
    pub(super) largest: i64,
    /// How many rows it has taken.
    pub(super) rows: u32,
    /// How many of them came after its last firing.
    pub(super) unsent: u32,
    /// How many came after the last firing by their number.
    pub(super) counted: u32,
    /// How often it has fired.
    pub(super) number: u32,
    /// Its accumulator, if it has one of its own; in `discarding`, of what is unsent.
    pub(super) slot: Option<Slot>,
    /// Its stored rows, if it has its own; in `discarding`, the unsent ones.
    pub(super) stored: StoredRows,
    /// The result that was sent last, where it may have to be taken back.
    pub(super) sent: Option<ResultId>,
}

impl One {
    pub(super) fn new(start: i64, end: i64) -> Self {
        Self {
            start,
            end,
            largest: i64::MIN,
            rows: 0,
            unsent: 0,
            counted: 0,
            number: 0,
            slot: None,
            stored: StoredRows::default(),
            sent: None,
        }
    }

    /// What windows of a key are ordered by.
    pub(super) fn place(&self) -> (i64, i64) {
        (self.end, self.start)
    }

    /// Counts a row that was added. The bounds of some windows are those of their rows.
    pub(super) fn count(&mut self, row: &Row, bounds: bool) {
        self.largest = self.largest.max(row.time);
        self.rows = self.rows.saturating_add(1);
        self.unsent = self.unsent.saturating_add(1);
        self.counted = self.counted.saturating_add(1);
        if bounds {
            self.start = self.start.min(row.time);
            self.end = self.largest + 1;
        }
    }

    /// As a firing shows it.
    pub(super) fn window(&self, last: bool, endless: bool) -> Window {
        Window {
            start: self.start,
            end: self.end,
            time: if endless { self.largest } else { self.end - 1 },
            number: self.number,
            last,
        }
    }

    /// Lets go of what is its own.
    pub(super) fn empty(&mut self, out: &mut Out<'_>) {
        if let Some(slot) = self.slot.take() {
            out.free(slot);
        }
        let released: &mut Vec<plan::RowId> = &mut out.plan.released;
        released.extend(self.stored.drain_while(|_| true));
    }
}

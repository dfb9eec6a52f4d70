//! What windows hold, accumulators or stored rows, of their own or shared: how a row gets in, and what a firing sees.

use std::ops::Range;

use super::super::family::{Out, Row};
use super::super::plan::RowId;
use super::super::stored::StoredRow;
use super::super::{Keep, Slot};
use super::{Held, Shape, Tracked};

impl Tracked {
    /// Adds a row to what some windows of its key hold.
    pub(super) fn add(
        &mut self,
        held: &mut Held,
        windows: Range<usize>,
        row: &Row,
        out: &mut Out<'_>,
    ) {
        match (self.stored, self.shared) {
            (None, true) => {
                let first = self.number(held, windows.start);
                let slot = self.fixed().part(&mut held.parts, first, out);
                out.add(row, slot);
            }
            (None, false) => add_to_own(held, windows, row, out),
            (Some(_), true) => {
                let first = self.number(held, windows.start);
                out.count_taken(row);
                held.rows.insert(stored(row, first, out));
            }
            (Some(keep), false) => {
                out.count_taken(row);
                for one in &mut held.windows[windows] {
                    one.stored.insert(stored(row, 0, out));
                    one.stored.evict(keep, out);
                }
            }
        }
    }

    /// The accumulator of a window's content. There is a row in it.
    pub(super) fn accumulator(&self, held: &mut Held, i: usize, out: &mut Out<'_>) -> Slot {
        let slot = if self.shared {
            let window = self.number(held, i);
            self.fixed().content(&mut held.parts, window, out)
        } else {
            held.windows[i].slot
        };
        slot.expect("a window that fires has a row")
    }

    /// The rows of a window's content that are kept.
    pub(super) fn rows(&self, held: &Held, i: usize, keep: Keep) -> Vec<RowId> {
        let one = &held.windows[i];
        if !self.shared {
            return one.stored.iter().map(|row| row.id).collect();
        }
        let window = self.number(held, i);
        let inside =
            |row: &&StoredRow| (one.start..one.end).contains(&row.time) && row.first <= window;
        let rows: Vec<&StoredRow> = held.rows.iter().filter(inside).collect();
        let from = match keep {
            Keep::All => 0,
            Keep::Newest(count) => rows.len().saturating_sub(count as usize),
            Keep::Within(d) => rows.partition_point(|row| row.time < one.largest - d),
        };
        rows[from..].iter().map(|row| row.id).collect()
    }

    /// The number of a window on the grid.
    fn number(&self, held: &Held, i: usize) -> i64 {
        let due = held.windows[i].end - 1;
        let number = self.fixed().grid().firing_at(due);
        number.expect("windows of a grid end on it")
    }

    fn fixed(&self) -> &super::Fixed {
        match &self.shape {
            Shape::Fixed(fixed) => fixed,
            _ => unreachable!("only windows of a grid overlap"),
        }
    }
}

/// Adds a row to the accumulator of each window.
fn add_to_own(held: &mut Held, windows: Range<usize>, row: &Row, out: &mut Out<'_>) {
    if let [one] = &mut held.windows[windows.clone()] {
        let slot = *one.slot.get_or_insert_with(|| out.create());
        return out.add(row, slot);
    }
    let alone = out.create();
    out.add(row, alone);
    for one in &mut held.windows[windows] {
        match one.slot {
            Some(slot) => out.merge(slot, alone, Some(row.index)),
            None => one.slot = Some(out.copy(alone)),
        }
    }
    out.free(alone);
}

fn stored(row: &Row, first: i64, out: &mut Out<'_>) -> StoredRow {
    StoredRow {
        time: row.time,
        id: out.store(row),
        first,
    }
}

//! What is kept of a key's rows: one accumulator per pane and, of rows that some of the pane's windows refused, one more
//! per first window that took them (Windows 10).

use std::ops::Range;

use smallvec::SmallVec;

use super::super::Slot;

/// Rows of one pane that the same windows took: all from `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) pane: i64,
    /// How many of the pane's windows refused them; 0 for nearly all rows.
    pub(super) refused: u32,
    pub(super) slot: Slot,
}

/// The parts of a key, in order of pane, then of what refused them.
#[derive(Debug, Default)]
pub(super) struct Panes(SmallVec<[Part; 2]>);

impl Clone for Panes {
    fn clone(&self) -> Self {
        Self(SmallVec::from_slice(&self.0))
    }
}

impl Panes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all(&self) -> &[Part] {
        &self.0
    }

    /// The slot for rows that none of the pane's windows refused. Rows mostly go to the last pane.
    #[inline(always)]
    pub(super) fn whole(&self, pane: i64) -> Option<Slot> {
        self.0
            .iter()
            .rev()
            .find(|p| p.pane == pane && p.refused == 0)
            .map(|p| p.slot)
    }

    /// The slot of a part, if there is one.
    pub(super) fn get(&self, pane: i64, refused: u32) -> Option<Slot> {
        self.0
            .iter()
            .rev()
            .find(|p| p.pane == pane && p.refused == refused)
            .map(|p| p.slot)
    }

    /// Puts in a part that is not there.
    pub(super) fn insert(&mut self, part: Part) {
        let at = self
            .0
            .partition_point(|p| (p.pane, p.refused) < (part.pane, part.refused));
        self.0.insert(at, part);
    }

    /// The parts of some panes.
    pub(super) fn of(&self, panes: Range<i64>) -> &[Part] {
        let from = self.0.partition_point(|p| p.pane < panes.start);
        let to = from + self.0[from..].partition_point(|p| p.pane < panes.end);
        &self.0[from..to]
    }

    /// Takes out the first part if it is of no more use.
    pub(super) fn pop_if(&mut self, useless: impl FnOnce(&Part) -> bool) -> Option<Part> {
        match self.0.first() {
            Some(part) if useless(part) => Some(self.0.remove(0)),
            _ => None,
        }
    }
}

//! What is kept of a key's rows: one accumulator per pane and, of rows that some of the pane's windows refused, one more
//! per first window that took them (Windows 10).

use std::ops::Range;

use smallvec::SmallVec;

use super::super::Slot;
use crate::prefetch;

/// Rows of one pane that the same windows took: all from `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) pane: i64,
    /// How many of the pane's windows refused them; 0 for nearly all rows.
    pub(super) refused: u32,
    pub(super) slot: Slot,
}

/// Stands for the pane of no part.
const NOWHERE: i64 = i64::MIN;

/// The parts of a key, in order of pane, then of what refused them.
#[derive(Debug)]
pub(super) struct Panes {
    parts: SmallVec<[Part; 1]>,
    /// Pane and slot of the last part that no window refused, again: most rows go there, and need not follow a pointer to
    /// find it. No pair, whose padding would make a key's entry two cache lines.
    newest: i64,
    newest_slot: Slot,
    /// How many parts are of rows that some window refused.
    refused: u32,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            parts: SmallVec::new(),
            newest: NOWHERE,
            newest_slot: 0,
            refused: 0,
        }
    }
}

impl Clone for Panes {
    fn clone(&self) -> Self {
        Self {
            parts: SmallVec::from_slice(&self.parts),
            newest: self.newest,
            newest_slot: self.newest_slot,
            refused: self.refused,
        }
    }
}

impl Panes {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn all(&self) -> &[Part] {
        &self.parts
    }

    /// Whether every pane has all its rows in one part, which all of its windows see.
    pub(super) fn are_whole(&self) -> bool {
        self.refused == 0
    }

    /// The slot for rows that none of the pane's windows refused.
    #[inline(always)]
    pub(super) fn whole(&self, pane: i64) -> Option<Slot> {
        if self.newest == pane {
            return Some(self.newest_slot);
        }
        if self.newest < pane {
            None
        } else {
            self.get(pane, 0)
        }
    }

    /// Asks for the memory that a part of a new pane would be written to.
    #[inline(always)]
    pub(super) fn ask_for_place(&self, pane: i64) {
        if self.newest < pane && self.parts.spilled() {
            prefetch::line(self.parts.as_ptr().wrapping_add(self.parts.len()));
        }
    }

    /// The slot of a part, if there is one.
    pub(super) fn get(&self, pane: i64, refused: u32) -> Option<Slot> {
        self.parts
            .iter()
            .rev()
            .find(|p| p.pane == pane && p.refused == refused)
            .map(|p| p.slot)
    }

    /// Puts in a part that is not there.
    pub(super) fn insert(&mut self, part: Part) {
        let before = |p: &Part| (p.pane, p.refused) < (part.pane, part.refused);
        if self.parts.last().is_none_or(before) {
            self.parts.push(part);
        } else {
            let at = self.parts.partition_point(before);
            self.parts.insert(at, part);
        }
        if part.refused > 0 {
            self.refused += 1;
        } else if part.pane > self.newest {
            (self.newest, self.newest_slot) = (part.pane, part.slot);
        }
    }

    /// Takes out the part of rows that no window refused.
    pub(super) fn remove(&mut self, pane: i64) {
        self.parts
            .retain(|part| part.pane != pane || part.refused != 0);
        self.find_newest();
    }

    fn find_newest(&mut self) {
        let newest = self.parts.iter().rev().find(|part| part.refused == 0);
        (self.newest, self.newest_slot) =
            newest.map_or((NOWHERE, 0), |part| (part.pane, part.slot));
    }

    /// The parts of some panes.
    pub(super) fn of(&self, panes: Range<i64>) -> &[Part] {
        // Windows fire in order: most begin with the first part, and few parts lie behind their end.
        let from = match self.parts.first() {
            Some(first) if first.pane < panes.start => {
                self.parts.partition_point(|p| p.pane < panes.start)
            }
            _ => 0,
        };
        let to = self.parts.iter().rposition(|p| p.pane < panes.end);
        &self.parts[from..to.map_or(from, |last| last + 1).max(from)]
    }

    /// Takes out the first part if it is of no more use.
    pub(super) fn pop_if(&mut self, useless: impl FnOnce(&Part) -> bool) -> Option<Part> {
        if !self.parts.first().is_some_and(useless) {
            return None;
        }
        let part = self.parts.remove(0);
        if part.refused > 0 {
            self.refused -= 1;
        } else if part.pane == self.newest {
            self.find_newest();
        }
        Some(part)
    }
}

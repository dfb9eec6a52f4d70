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

/// From so many parts on, moving all for each that goes costs more than the memory of those that have gone.
const MANY: usize = 32;

/// The parts of a key, in order of pane, then of what refused them.
#[derive(Debug)]
pub(super) struct Panes {
    /// Behind those that have gone.
    parts: SmallVec<[Part; 1]>,
    /// Pane and slot of the last part that no window refused, again: most rows go there, and need not follow a pointer to
    /// find it. No pair, whose padding would make a key's entry two cache lines.
    newest: i64,
    newest_slot: Slot,
    /// How many of [`MANY`] parts at the front have gone: they are moved over when they are as many as those that stay.
    gone: u16,
    /// Whether there are parts of rows that some window refused.
    some_refused: bool,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            parts: SmallVec::new(),
            newest: NOWHERE,
            newest_slot: 0,
            gone: 0,
            some_refused: false,
        }
    }
}

impl Clone for Panes {
    fn clone(&self) -> Self {
        Self {
            parts: SmallVec::from_slice(self.all()),
            gone: 0,
            newest: self.newest,
            newest_slot: self.newest_slot,
            some_refused: self.some_refused,
        }
    }
}

impl Panes {
    pub(super) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    pub(super) fn all(&self) -> &[Part] {
        &self.parts[usize::from(self.gone)..]
    }

    /// Whether every pane has all its rows in one part, which all of its windows see.
    pub(super) fn are_whole(&self) -> bool {
        !self.some_refused
    }

    /// The slot for rows that none of the pane's windows refused.
    #[inline(always)]
    pub(super) fn whole(&self, pane: i64) -> Option<Slot> {
        if self.newest == pane {
            return Some(self.newest_slot);
        }
        if self.newest < pane {
            return None;
        }
        match self
            .all()
            .get(self.all().len().wrapping_sub(self.back(pane)))
        {
            Some(part) if part.pane == pane && part.refused == 0 => Some(part.slot),
            _ => self.get(pane, 0),
        }
    }

    /// How many parts before their end that of a pane lies, if there is one for each pane from it to the newest; 0 for a new
    /// pane.
    #[inline(always)]
    fn back(&self, pane: i64) -> usize {
        let panes = self.newest.wrapping_sub(pane).max(-1) as usize;
        panes.wrapping_add(1)
    }

    /// Asks for the memory where a part of a pane lies or would be written to. Rows of several splits come some panes apart.
    #[inline(always)]
    pub(super) fn ask_for_place(&self, pane: i64) {
        if self.newest != pane && self.parts.spilled() {
            let at = self.parts.len().wrapping_sub(self.back(pane));
            prefetch::line(self.parts.as_ptr().wrapping_add(at));
        }
    }

    /// The slot of a part, if there is one.
    pub(super) fn get(&self, pane: i64, refused: u32) -> Option<Slot> {
        self.all()
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
            let at = usize::from(self.gone) + self.all().partition_point(before);
            self.parts.insert(at, part);
        }
        if part.refused > 0 {
            self.some_refused = true;
        } else if part.pane > self.newest {
            (self.newest, self.newest_slot) = (part.pane, part.slot);
        }
    }

    /// Takes out the part of rows that no window refused.
    pub(super) fn remove(&mut self, pane: i64) {
        let part = |part: &Part| part.pane == pane && part.refused == 0;
        if let Some(at) = self.all().iter().rposition(part) {
            self.parts.remove(usize::from(self.gone) + at);
        }
        self.find_newest();
    }

    fn find_newest(&mut self) {
        let newest = self.all().iter().rev().find(|part| part.refused == 0);
        (self.newest, self.newest_slot) =
            newest.map_or((NOWHERE, 0), |part| (part.pane, part.slot));
    }

    /// The parts of some panes.
    pub(super) fn of(&self, panes: Range<i64>) -> &[Part] {
        let parts = self.all();
        // Windows fire in order: most begin with the first part, and few parts lie behind their end.
        let from = match parts.first() {
            Some(first) if first.pane < panes.start => before(parts, panes.start),
            _ => 0,
        };
        let to = parts.iter().rposition(|p| p.pane < panes.end);
        &parts[from..to.map_or(from, |last| last + 1).max(from)]
    }

    /// Takes out the first part if it is of no more use.
    pub(super) fn pop_if(&mut self, useless: impl FnOnce(&Part) -> bool) -> Option<Part> {
        let part = *self.all().first().filter(|part| useless(part))?;
        self.gone += 1;
        let many = 2 * usize::from(self.gone) >= self.parts.len() || self.gone == u16::MAX;
        if many || self.parts.len() < MANY {
            self.parts.drain(..usize::from(self.gone));
            self.gone = 0;
        }
        if part.refused > 0 {
            self.some_refused = self.all().iter().any(|part| part.refused > 0);
        } else if part.pane == self.newest {
            self.find_newest();
        }
        Some(part)
    }
}

/// What [`Panes`] are without the parts that firings take out.
#[derive(Debug)]
pub(super) struct Lost {
    front: SmallVec<[Part; 2]>,
    newest: i64,
    newest_slot: Slot,
    some_refused: bool,
}

impl Panes {
    /// What puts back the first parts, as many as are of no more use, once they are taken out.
    pub(super) fn before_losing(&self, useless: impl Fn(&Part) -> bool) -> Lost {
        let front = self.all().iter().take_while(|part| useless(part));
        Lost {
            front: front.copied().collect(),
            newest: self.newest,
            newest_slot: self.newest_slot,
            some_refused: self.some_refused,
        }
    }

    /// Puts parts back.
    pub(super) fn put_back(&mut self, lost: Lost) {
        let place = |part: &Part| (part.pane, part.refused);
        let first = self.all().first().map(place);
        let taken = |part: &&Part| first.is_none_or(|first| place(part) < first);
        let taken: SmallVec<[Part; 2]> = lost.front.iter().take_while(taken).copied().collect();
        self.parts.insert_many(usize::from(self.gone), taken);
        (self.newest, self.newest_slot) = (lost.newest, lost.newest_slot);
        self.some_refused = lost.some_refused;
    }
}

/// How many parts lie before a pane: parts are in order, mostly with one for each pane.
pub(super) fn before(parts: &[Part], pane: i64) -> usize {
    let Some(first) = parts.first() else { return 0 };
    let dense = usize::try_from(pane.saturating_sub(first.pane)).unwrap_or(0);
    let at = dense.min(parts.len());
    let behind = at == 0 || parts[at - 1].pane < pane;
    if behind && parts.get(at).is_none_or(|part| part.pane >= pane) {
        return at;
    }
    parts.partition_point(|part| part.pane < pane)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn panes(places: &[(i64, u32)]) -> Panes {
        let mut panes = Panes::default();
        for (slot, &(pane, refused)) in (0..).zip(places) {
            if panes.get(pane, refused).is_none() {
                panes.insert(Part {
                    pane,
                    refused,
                    slot,
                });
            }
        }
        panes
    }

    fn same(a: &Panes, b: &Panes) -> bool {
        let newest = |p: &Panes| (p.newest, p.newest_slot, p.are_whole());
        a.all() == b.all() && newest(a) == newest(b)
    }

    proptest! {
        #[test]
        fn parts_before_a_pane_are_counted_where_panes_are_missing_too(
            places in prop::collection::vec((-5..20_i64, 0..2_u32), 0..20),
            pane in -10..25_i64,
        ) {
            let panes = panes(&places);
            let parts = panes.all();
            prop_assert_eq!(before(parts, pane), parts.partition_point(|p| p.pane < pane));
            prop_assert_eq!(panes.whole(pane), panes.get(pane, 0));
        }

        #[test]
        fn parts_that_firings_take_out_are_put_back(
            places in prop::collection::vec((0..20_i64, 0..2_u32), 0..20),
            gone in 0..10_i64,
            lost in prop::collection::vec(0..20_i64, 1..4),
        ) {
            let mut panes = panes(&places);
            while panes.pop_if(|part| part.pane < gone).is_some() {}
            let before = panes.clone();
            let most = lost.iter().copied().max().unwrap_or_default();
            let undo = panes.before_losing(|part| part.pane < most);
            for pane in lost {
                while panes.pop_if(|part| part.pane < pane).is_some() {}
            }
            panes.put_back(undo);
            prop_assert!(same(&panes, &before), "{panes:?} {before:?}");
        }
    }
}

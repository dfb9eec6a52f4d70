//! A plan's operations as calls: phases of adds and of merges, and what firings see between them.

use tidemill_core::window::Slot;

/// Stands for no index.
pub(super) const NOTHING: u32 = u32::MAX;

/// Adds of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Adds {
    /// Rows, in order.
    pub rows: Vec<u32>,
    /// The slot of each of these rows.
    pub slots: Vec<Slot>,
    /// Firings that see a slot as it is right after a row: (index into `rows`, firing), ascending.
    pub marks: Vec<(u32, u32)>,
}

/// Merges of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merges {
    /// Slots to be made equal to others first: (from, into).
    pub copies: Vec<(Slot, Slot)>,
    /// Then merged into: each slot once, in order of first appearance.
    pub into: Vec<Slot>,
    /// For each of `into`, the slot that holds what is merged into: itself, or another one that it was to be a copy of.
    pub before: Vec<Slot>,
    /// For each merge, which of `into` changes.
    pub groups: Vec<u32>,
    /// For each merge, the slot that is read.
    pub from: Vec<Slot>,
    /// For each merge up to the last that has one, the row on whose behalf sessions merge: windows merge panes for none.
    rows: Vec<Option<u32>>,
}

impl Merges {
    fn clear(&mut self) {
        self.copies.clear();
        self.into.clear();
        self.before.clear();
        self.groups.clear();
        self.from.clear();
        self.rows.clear();
    }

    /// Something is merged into a slot for the first time: its group. A copy that was made for this is not made.
    pub(super) fn begin(&mut self, into: Slot) -> u32 {
        let copied = self.copies.pop_if(|&mut (_, copy)| copy == into);
        self.before.push(copied.map_or(into, |(from, _)| from));
        self.into.push(into);
        self.into.len() as u32 - 1
    }

    /// The row on whose behalf a merge is.
    pub fn row(&self, merge: usize) -> Option<u32> {
        self.rows.get(merge).copied().flatten()
    }

    /// One more merge of `from` into a group.
    #[inline]
    pub(super) fn push(&mut self, group: u32, from: Slot, row: Option<u32>) {
        if row.is_some() {
            self.rows.resize(self.from.len(), None);
            self.rows.push(row);
        }
        self.groups.push(group);
        self.from.push(from);
    }

    /// Some of the merges, named in ascending order, without the copies.
    pub fn only(&self, merges: &[usize]) -> Self {
        let mut some = Self::default();
        let mut groups = vec![NOTHING; self.into.len()];
        for &at in merges {
            let group = self.groups[at] as usize;
            if groups[group] == NOTHING {
                groups[group] = some.into.len() as u32;
                some.into.push(self.into[group]);
                some.before.push(self.before[group]);
            }
            some.push(groups[group], self.from[at], self.row(at));
        }
        some
    }
}

/// One phase: at most one kind is not empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// Rows to add.
    pub adds: Adds,
    /// Accumulators to copy and merge.
    pub merges: Merges,
    /// Firings that see a slot as it is after this phase: (firing, slot).
    pub after: Vec<(u32, Slot)>,
}

/// A plan's operations as calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Firings that see a slot as it is before all phases: (firing, slot).
    pub before: Vec<(u32, Slot)>,
    /// The phases, in order; some are empty.
    pub phases: Vec<Phase>,
    /// Firings that see a slot as it is after all phases: (firing, slot).
    pub at_end: Vec<(u32, Slot)>,
}

impl Schedule {
    pub(super) fn clear(&mut self) {
        self.before.clear();
        self.at_end.clear();
        self.phases.iter_mut().for_each(Phase::clear);
    }
}

impl Phase {
    fn clear(&mut self) {
        let Adds { rows, slots, marks } = &mut self.adds;
        rows.clear();
        slots.clear();
        marks.clear();
        self.merges.clear();
        self.after.clear();
    }
}

//! Which slots are in use: a dense numbering with a free list.
//!
//! Slots are given out while a plan is made and given back only when it is committed, so undoing a plan is setting two
//! numbers back.

use super::Slot;

/// The slots of one operator.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// Slots that may be given out: those below `available`; the rest were given out by the pending plan.
    free: Vec<Slot>,
    available: usize,
    /// All slots from here on were never given out.
    next: Slot,
    before: (usize, Slot),
}

impl Slots {
    /// Remembers how things stand, for [`Slots::undo`].
    pub(crate) fn begin(&mut self) {
        self.before = (self.available, self.next);
    }

    /// A slot that nobody uses.
    ///
    /// # Panics
    /// If there are more than 2^32 - 1 accumulators, far beyond what fits into memory.
    pub(crate) fn create(&mut self) -> Slot {
        if self.available > 0 {
            self.available -= 1;
            return self.free[self.available];
        }
        let slot = self.next;
        self.next = slot.checked_add(1).expect("fewer than 2^32 accumulators");
        slot
    }

    /// What was given out since [`Slots::begin`] stays given out; `freed` may be given out again.
    pub(crate) fn commit(&mut self, freed: &[Slot]) {
        self.free.truncate(self.available);
        self.free.extend_from_slice(freed);
        self.available = self.free.len();
    }

    /// Nothing was given out since [`Slots::begin`].
    pub(crate) fn undo(&mut self) {
        (self.available, self.next) = self.before;
    }
}

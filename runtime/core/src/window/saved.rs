//! What is kept for a key, as numbers that a snapshot can hold, and back.
//!
//! A key's state is a list of numbers (*words*), whose meaning is its family's, and what these mention by its place: the
//! accumulators, stored rows and sent results, in the order in which the words come to them. So whoever keeps a snapshot
//! needs to know nothing of windows, and slots get new numbers when it is loaded.
//!
//! Invariants:
//! 1. What is saved is what the past has left, and nothing that follows from it: timers, running merges and caches are made
//!    again.
//! 2. It is saved while everything due at or before the operator's watermark has happened, as it has at a barrier.
//! 3. Words are on disk: a change of their order or meaning needs a new version of the format (`decisions`).

use super::Slot;
use super::family::Family;
use super::plan::{ResultId, RowId};
use super::slots::Slots;

/// What is kept for some keys. Filled by [`super::WindowOperator::save`], key after key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// What the families say of their windows.
    pub words: Vec<i64>,
    /// Accumulators.
    pub slots: Vec<Slot>,
    /// Stored rows.
    pub rows: Vec<RowId>,
    /// Results that may be taken back.
    pub results: Vec<ResultId>,
}

/// What was saved is not what an operator of this kind saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what was saved for a key is not what windows of this kind save")
    }
}

impl std::error::Error for Unreadable {}

impl Saved {
    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.words.clear();
        self.slots.clear();
        self.rows.clear();
        self.results.clear();
    }

    pub(crate) fn word(&mut self, word: impl Into<i64>) {
        self.words.push(word.into());
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.words
            .push(i64::try_from(count).expect("fewer than 2^63 of anything"));
    }

    /// The number of a row or result, which says in which order they came.
    pub(crate) fn id(&mut self, id: u64) {
        self.words
            .push(i64::try_from(id).expect("fewer than 2^63 rows"));
    }

    pub(crate) fn slot(&mut self, slot: Option<Slot>) {
        self.word(slot.is_some());
        self.slots.extend(slot);
    }
}

/// A key's words as they are read, and where what they mention gets its new numbers.
pub(crate) struct Loading<'a> {
    pub(crate) words: std::slice::Iter<'a, i64>,
    pub(crate) slots: &'a mut Slots,
    /// Numbers of stored rows and sent results were counted from here.
    pub(crate) base: u64,
    /// The largest number given.
    pub(crate) largest: &'a mut u64,
    /// The new numbers, in the order of saving.
    pub(crate) given: &'a mut Saved,
}

impl Loading<'_> {
    pub(crate) fn word(&mut self) -> Result<i64, Unreadable> {
        self.words.next().copied().ok_or(Unreadable)
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Unreadable> {
        T::try_from(self.word()?).map_err(|_| Unreadable)
    }

    /// How many of something follow, each of which takes a word at least.
    pub(crate) fn count(&mut self) -> Result<usize, Unreadable> {
        let count = self.number()?;
        if count > self.words.len() {
            return Err(Unreadable);
        }
        Ok(count)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Unreadable> {
        match self.word()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable),
        }
    }

    pub(crate) fn new_slot(&mut self) -> Slot {
        let slot = self.slots.create();
        self.given.slots.push(slot);
        slot
    }

    pub(crate) fn slot(&mut self) -> Result<Option<Slot>, Unreadable> {
        Ok(if self.flag()? {
            Some(self.new_slot())
        } else {
            None
        })
    }

    /// A number that was given to a row or a result, as it is now.
    pub(crate) fn id(&mut self) -> Result<u64, Unreadable> {
        let old: u64 = self.number()?;
        let id = self.base.checked_add(old).ok_or(Unreadable)?;
        *self.largest = (*self.largest).max(id);
        Ok(id)
    }
}

/// Saving and loading what a family keeps for one key.
pub(crate) trait Save: Family {
    /// Appends what is kept.
    fn save(&self, held: &Self::Held, into: &mut Saved);

    /// The inverse.
    fn load(&self, from: &mut Loading<'_>) -> Result<Self::Held, Unreadable>;
}

//! Which keys have changed since the last checkpoint, and which of the cut at hand are still to be saved.
//!
//! A cut takes no more than setting the changed keys apart. They are saved in blocks while rows go on; a key that a row or timer
//! is about to touch is saved before (`touched.rs`), so what is saved is what was there at the cut. Keys go by their numbers: one
//! that is forgotten is noted by its bytes, since its number may be another's by then.
//!
//! Invariants:
//! 1. A key whose state or timers are other than in the last checkpoint is among `changed`, or its going is noted.
//! 2. Of a cut that came to nothing everything is among `changed` again when the next one is made.
//! 3. A key whose state or timers are other than in the base is among those that `base` names, if there is one, or among
//!    `changed`.

use tidemill_core::window::KeyId;

use super::bits::Bits;
use crate::checkpoint::cut::{At, Holds};
use crate::checkpoint::kept::Lists;

/// When at most one key in so many has changed since the base, this is kept once rather than everything anew.
const FEW: usize = 4;

/// When more than one in so many was forgotten since the base, nobody remembers which.
const FEW_GONE: usize = 16;

/// See the module.
#[derive(Default)]
pub struct Journal {
    /// Keys that have changed since the last cut.
    changed: Bits,
    /// Keys that the last cut holds.
    cut: Bits,
    /// Of these, those that are still to be saved, and no key from `hand` on.
    left: Bits,
    hand: KeyId,
    saving: bool,
    /// Keys that a checkpoint may hold.
    kept: Bits,
    /// Keys that were forgotten since the last cut, encoded.
    gone: Lists<u8>,
    /// Those that were when it was made, and whether it names them.
    cut_gone: Lists<u8>,
    names_gone: bool,
    /// Which cut was the last; 0: none.
    last: u64,
    /// How many cuts there were, and behind how many of them everything is in checkpoints that had changed before.
    cuts: u64,
    since: u64,
    /// What the last holds.
    holds: Holds,
    /// What has changed between the base, which is the last checkpoint that held everything, and the last cut. Nothing where that
    /// is not known: of keys that were in memory and are not, and in a life that has made no base yet.
    base: Option<SinceBase>,
    /// Whether keys have come into memory or gone out of it since a cut was made that is to become the base.
    moved: bool,
}

/// What has changed since the base.
#[derive(Default)]
struct SinceBase {
    /// Keys that may have changed.
    changed: Bits,
    /// Keys that were forgotten, encoded.
    gone: Lists<u8>,
}

impl Journal {
    /// A key's state or timers have changed.
    #[inline]
    pub fn changed(&mut self, key: KeyId) {
        self.changed.set(key);
    }

    /// A key is as a checkpoint has it.
    pub fn restored(&mut self, key: KeyId) {
        self.kept.set(key);
    }

    /// A key is forgotten: its number may be another's from now on.
    pub fn forgotten(&mut self, key: KeyId, encode: impl FnOnce(&mut Vec<u8>)) {
        self.changed.clear(key);
        if self.kept.clear(key) {
            let mut encoded = Vec::new();
            encode(&mut encoded);
            self.gone.push(&encoded);
        }
    }

    /// A key comes into memory under a number that may have been another's. A cut has what was not in memory otherwise.
    pub fn came(&mut self, key: KeyId) {
        for bits in [&mut self.changed, &mut self.cut, &mut self.left] {
            bits.clear(key);
        }
        self.kept.set(key);
        self.moves();
    }

    /// A key goes out of memory; nothing of it is still to be saved. Unless checkpoints have it as it is, gives behind how many
    /// cuts it has changed.
    pub fn leaves(&mut self, key: KeyId) -> Option<u64> {
        self.moves();
        self.kept.clear(key);
        let is_of_cut = self.cut.clear(key);
        match self.changed.clear(key) {
            true => Some(self.cuts),
            // Whether the cut becomes a checkpoint is not known.
            false => is_of_cut.then(|| self.cuts - 1),
        }
    }

    fn moves(&mut self) {
        (self.base, self.moved) = (None, true);
    }

    /// What the last cut holds.
    pub fn holds(&self) -> Holds {
        self.holds
    }

    /// Behind how many cuts a key has changed, at least, that was not in memory and that the last cut is to hold; nothing if it is
    /// to hold all.
    pub fn since(&self) -> Option<u64> {
        (self.holds != Holds::Everything).then_some(self.since)
    }

    /// Sets apart what a cut holds; `numbers` is one more than the largest number of a key.
    pub fn cut(&mut self, at: &At, numbers: usize) {
        self.settle_last(at.kept);
        let changed = std::mem::take(&mut self.changed);
        let gone = std::mem::take(&mut self.gone);
        if let Some(base) = &mut self.base {
            base.changed.add(&changed);
            gone.each(|key| base.gone.push(key));
        }
        // Naming them takes time at the cut.
        self.base
            .take_if(|base| base.gone.count() > numbers / FEW_GONE);
        let few = |base: &&SinceBase| base.changed.count() <= numbers / FEW;
        (self.holds, self.cut, self.cut_gone) = match at.holds {
            Holds::Everything => (Holds::Everything, Bits::all(numbers), gone),
            Holds::SinceBase if let Some(base) = self.base.as_ref().filter(few) => {
                (Holds::SinceBase, base.changed.clone(), base.gone.clone())
            }
            Holds::SinceBase | Holds::Changes => (Holds::Changes, changed, gone),
        };
        self.moved &= self.holds != Holds::Everything;
        self.left = self.cut.clone();
        self.kept.add(&self.cut);
        self.names_gone = self.holds != Holds::Everything && self.cut_gone.count() > 0;
        (self.hand, self.saving, self.last) = (KeyId::MAX, true, at.cut);
        self.cuts += 1;
    }

    /// What has become of the last cut, where `kept` is the last that became a checkpoint.
    fn settle_last(&mut self, kept: u64) {
        if self.last == 0 {
            return;
        }
        if self.last == kept {
            self.since = self.cuts;
        } else {
            self.changed.add(&self.cut);
            let since = std::mem::take(&mut self.gone);
            self.gone = std::mem::take(&mut self.cut_gone);
            since.each(|key| self.gone.push(key));
        }
        if self.holds == Holds::Everything {
            let is_base = self.last == kept && !self.moved;
            self.base = is_base.then(SinceBase::default);
        }
    }

    /// Whether keys of the last cut are still to be saved.
    pub fn is_saving(&self) -> bool {
        self.saving
    }

    /// Whether a key is still to be saved; from now on it is not.
    pub fn take(&mut self, key: KeyId) -> bool {
        self.saving && self.left.clear(key)
    }

    /// The next key that is still to be saved, from the largest number on. Rows often touch keys in the order in which these have
    /// come: whoever went before them in that order would save, from cold memory, what they touch next.
    pub fn next(&mut self) -> Option<KeyId> {
        let next = self.left.below(self.hand).filter(|_| self.saving);
        match next {
            Some(key) => {
                self.left.clear(key);
                self.hand = key;
            }
            None => self.saving = false,
        }
        next
    }

    /// The keys that were forgotten before the cut, where they are not named yet.
    pub fn take_gone(&mut self) -> Lists<u8> {
        match std::mem::take(&mut self.names_gone) {
            true => self.cut_gone.clone(),
            false => Lists::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tidemill_connectors::Ending;

    use super::*;

    fn at(cut: u64, kept: u64, holds: Holds) -> At {
        At {
            cut,
            number: cut,
            ending: Ending::Nothing,
            kept,
            holds,
        }
    }

    fn left(journal: &mut Journal) -> Vec<KeyId> {
        let mut left: Vec<KeyId> = std::iter::from_fn(|| journal.next()).collect();
        left.reverse();
        left
    }

    fn gone(journal: &mut Journal) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        journal.take_gone().each(|key| all.push(key.to_vec()));
        all
    }

    #[test]
    fn a_cut_holds_what_has_changed_since_the_one_before_that_was_kept() {
        let mut journal = Journal::default();
        [3, 64, 200]
            .into_iter()
            .for_each(|key| journal.changed(key));
        journal.cut(&at(1, 0, Holds::Changes), 300);
        journal.changed(64);
        assert!(journal.take(200), "it is saved before it is touched");
        assert!(!journal.take(200) && !journal.take(5));
        assert_eq!(left(&mut journal), [3, 64]);
        journal.cut(&at(2, 1, Holds::Changes), 300);
        assert_eq!(left(&mut journal), [64]);
    }

    #[test]
    fn a_cut_that_came_to_nothing_is_in_the_next() {
        let mut journal = Journal::default();
        journal.changed(1);
        journal.cut(&at(1, 0, Holds::Changes), 10);
        journal.changed(2);
        journal.cut(&at(2, 0, Holds::Changes), 10);
        assert_eq!(left(&mut journal), [1, 2]);
        journal.cut(&at(3, 2, Holds::Everything), 4);
        assert_eq!(left(&mut journal), [0, 1, 2, 3]);
        journal.cut(&at(4, 0, Holds::Changes), 4);
        assert_eq!(left(&mut journal), [0, 1, 2, 3]);
    }

    #[test]
    fn a_key_that_leaves_says_since_when_it_has_changed() {
        let mut journal = Journal::default();
        [1, 2, 3].into_iter().for_each(|key| journal.changed(key));
        assert_eq!(journal.leaves(1), Some(0));
        assert_eq!(journal.leaves(1), None);
        // Cuts are numbered by who asks for them.
        journal.cut(&at(8, 7, Holds::Changes), 10);
        assert_eq!(journal.since(), Some(0));
        assert_eq!(left(&mut journal), [2, 3]);
        assert_eq!(journal.leaves(2), Some(0), "it may come to nothing");
        journal.changed(3);
        assert_eq!(journal.leaves(3), Some(1));
        journal.cut(&at(9, 7, Holds::Changes), 10);
        assert_eq!(journal.since(), Some(0));
        assert!(left(&mut journal).is_empty());
        journal.cut(&at(10, 9, Holds::Changes), 10);
        assert_eq!(journal.since(), Some(2));
        journal.cut(&at(11, 9, Holds::Everything), 10);
        assert_eq!(journal.since(), None);
        journal.cut(&at(12, 11, Holds::Changes), 10);
        assert_eq!(journal.since(), Some(4));
    }

    #[test]
    fn a_key_that_comes_is_not_the_one_that_had_its_number() {
        let mut journal = Journal::default();
        journal.changed(1);
        journal.cut(&at(1, 0, Holds::Everything), 2);
        assert!(journal.take(1), "the key that leaves is saved before");
        journal.leaves(1);
        journal.came(0);
        journal.came(1);
        assert!(!journal.take(0) && !journal.take(1));
        assert_eq!(journal.leaves(1), None);
        journal.forgotten(0, |to| to.push(0));
        journal.cut(&at(2, 1, Holds::Changes), 2);
        assert_eq!(gone(&mut journal), [[0]]);
    }

    #[test]
    fn what_a_checkpoint_may_hold_is_named_when_it_goes() {
        let mut journal = Journal::default();
        journal.changed(1);
        forget(&mut journal, 1);
        journal.changed(2);
        journal.cut(&at(1, 0, Holds::Changes), 10);
        assert_eq!(left(&mut journal), [2]);
        assert_eq!(gone(&mut journal), [[]; 0] as [[u8; 0]; 0]);
        forget(&mut journal, 2);
        journal.cut(&at(2, 0, Holds::Changes), 10);
        assert_eq!(gone(&mut journal), [[2]]);
        forget(&mut journal, 9);
        journal.restored(9);
        forget(&mut journal, 9);
        journal.cut(&at(3, 0, Holds::Changes), 10);
        assert_eq!(gone(&mut journal), [[2], [9]]);
        journal.cut(&at(4, 3, Holds::Everything), 10);
        assert_eq!(gone(&mut journal), [[]; 0] as [[u8; 0]; 0]);
        journal.cut(&at(5, 4, Holds::Changes), 10);
        assert_eq!(gone(&mut journal), [[]; 0] as [[u8; 0]; 0]);
    }

    /// A journal whose first cut has become a base of so many keys.
    fn based(keys: u32) -> Journal {
        let mut journal = Journal::default();
        (0..keys).for_each(|key| journal.changed(key));
        journal.cut(&at(1, 0, Holds::Everything), keys as usize);
        assert_eq!(left(&mut journal).len(), keys as usize);
        journal
    }

    fn forget(journal: &mut Journal, key: KeyId) {
        journal.forgotten(key, |to| to.push(key as u8));
    }

    #[test]
    fn what_has_changed_since_the_base_is_held_once() {
        let mut journal = based(100);
        journal.changed(3);
        forget(&mut journal, 50);
        journal.cut(&at(2, 1, Holds::Changes), 100);
        assert_eq!(left(&mut journal), [3]);
        journal.changed(4);
        // This one comes to nothing.
        journal.cut(&at(3, 2, Holds::SinceBase), 100);
        journal.changed(5);
        forget(&mut journal, 60);
        journal.cut(&at(4, 2, Holds::SinceBase), 100);
        assert_eq!(journal.holds(), Holds::SinceBase);
        assert_eq!(left(&mut journal), [3, 4, 5]);
        let named = gone(&mut journal);
        assert!([[50], [60]].iter().all(|key| named.contains(&key.to_vec())));
        journal.changed(5);
        journal.cut(&at(5, 4, Holds::Changes), 100);
        assert_eq!(left(&mut journal), [5]);
        assert_eq!(gone(&mut journal), [[]; 0] as [[u8; 0]; 0]);
        journal.cut(&at(6, 5, Holds::SinceBase), 100);
        assert_eq!(left(&mut journal), [3, 4, 5]);
        // The base is another one from here.
        journal.cut(&at(7, 6, Holds::Everything), 100);
        journal.changed(9);
        journal.cut(&at(8, 7, Holds::SinceBase), 100);
        assert_eq!(left(&mut journal), [9]);
    }

    #[test]
    fn where_it_is_much_or_nobody_knows_only_the_changes_are_held() {
        let held = |journal: &mut Journal| {
            journal.cut(&at(3, 2, Holds::SinceBase), 100);
            (journal.holds(), left(journal).len())
        };
        let mut journal = based(100);
        (0..26).for_each(|key| journal.changed(key));
        journal.cut(&at(2, 1, Holds::Changes), 100);
        journal.changed(1);
        assert_eq!(held(&mut journal), (Holds::Changes, 1), "much");

        let mut journal = based(100);
        (0..7).for_each(|key| forget(&mut journal, key));
        journal.cut(&at(2, 1, Holds::Changes), 100);
        assert_eq!(held(&mut journal), (Holds::Changes, 0), "much is gone");

        let mut journal = based(100);
        journal.changed(1);
        journal.leaves(1);
        journal.cut(&at(2, 1, Holds::Changes), 100);
        assert_eq!(held(&mut journal), (Holds::Changes, 0), "one is elsewhere");

        let mut journal = based(100);
        journal.changed(1);
        journal.cut(&at(2, 0, Holds::Changes), 100);
        assert_eq!(held(&mut journal), (Holds::Changes, 0), "no base");

        let mut journal = Journal::default();
        journal.restored(1);
        journal.cut(&at(2, 0, Holds::Changes), 100);
        assert_eq!(
            held(&mut journal),
            (Holds::Changes, 0),
            "another life's base"
        );
    }
}

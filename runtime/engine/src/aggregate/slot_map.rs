//! What is known of the few slots that one plan or call names.
//!
//! An operator may have millions of slots, spread over memory; a plan names some thousands. A table of just these stays in
//! the fastest cache. Open addressing with linear probing; emptied by counting on, so that emptying costs nothing. Slots
//! that were given out together are met together, so neighbours are kept neighbours rather than spread by a hash.

use tidemill_core::window::Slot;

/// A table from slots to small values; keeps its memory.
pub struct SlotMap<V> {
    entries: Vec<Entry<V>>,
    /// Entries of other rounds are empty.
    round: u32,
    len: usize,
}

#[derive(Clone, Copy)]
struct Entry<V> {
    round: u32,
    slot: Slot,
    value: V,
}

impl<V: Copy + Default> Default for SlotMap<V> {
    fn default() -> Self {
        let empty = Entry {
            round: 0,
            slot: 0,
            value: V::default(),
        };
        Self {
            entries: vec![empty; 64],
            round: 1,
            len: 0,
        }
    }
}

impl<V: Copy + Default> SlotMap<V> {
    /// Empties it.
    pub fn clear(&mut self) {
        self.len = 0;
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.entries.iter_mut().for_each(|entry| entry.round = 0);
            self.round = 1;
        }
    }

    /// The value of a slot, put in now if there is none.
    #[inline]
    pub fn get_or_insert(&mut self, slot: Slot, value: V) -> &mut V {
        if self.len * 2 >= self.entries.len() {
            self.grow();
        }
        let (at, found) = self.place(slot);
        if !found {
            self.entries[at] = Entry {
                round: self.round,
                slot,
                value,
            };
            self.len += 1;
        }
        &mut self.entries[at].value
    }

    /// Where a slot stands, or is to be put.
    #[inline]
    fn place(&self, slot: Slot) -> (usize, bool) {
        let mask = self.entries.len() - 1;
        let mut at = start(slot) & mask;
        loop {
            let entry = &self.entries[at];
            if entry.round != self.round {
                return (at, false);
            }
            if entry.slot == slot {
                return (at, true);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let larger = self.entries.len() * 2;
        let empty = Entry {
            round: 0,
            slot: 0,
            value: V::default(),
        };
        let old = std::mem::replace(&mut self.entries, vec![empty; larger]);
        for entry in old.into_iter().filter(|entry| entry.round == self.round) {
            let (at, _) = self.place(entry.slot);
            self.entries[at] = entry;
        }
    }
}

/// Where the search for a slot begins: eight neighbours side by side, eights spread by a multiplicative hash.
#[inline(always)]
fn start(slot: Slot) -> usize {
    let eight = u64::from(slot / 8).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    (eight as usize) << 3 | (slot as usize & 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_until_it_is_emptied() {
        let mut map = SlotMap::default();
        for round in 0..3 {
            for slot in (0..1_000).chain(0..1_000) {
                let value = map.get_or_insert(slot * 4_096, round);
                assert_eq!(*value, round);
            }
            *map.get_or_insert(4_096, 9) += 1;
            assert_eq!(*map.get_or_insert(4_096, 9), round + 1);
            map.clear();
        }
    }
}

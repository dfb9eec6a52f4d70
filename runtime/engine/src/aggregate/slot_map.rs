//! What is known of the few slots that one plan or call names.
//!
//! An operator may have millions of slots, spread over memory; a plan names some thousands. A table of just these stays in
//! the fastest cache. Open addressing with linear probing; emptied by counting on, so that emptying costs nothing. Slots
//! that were given out together are met together, so neighbours are kept neighbours rather than spread by a hash.
//!
//! Only the beginning of the table is used, and less from round to round where little is needed: one large plan must not
//! spread all those after it over memory.

use tidemill_core::window::Slot;

/// The smallest table.
const FEWEST: usize = 64;

/// A table from slots to small values; keeps its memory.
pub struct SlotMap<V> {
    entries: Vec<Entry<V>>,
    /// How many of the entries are in use: a power of two. None of those behind is of this round.
    used: usize,
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
            entries: vec![empty; FEWEST],
            used: FEWEST,
            round: 1,
            len: 0,
        }
    }
}

impl<V: Copy + Default> SlotMap<V> {
    /// Empties it.
    pub fn clear(&mut self) {
        // Not at once, and with room to spare: rounds are rarely of one size, and growing costs more than it saves.
        if self.used > FEWEST && self.len * 8 < self.used {
            self.used /= 2;
        }
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
        if self.len * 2 >= self.used {
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
        let mask = self.used - 1;
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
        let empty = Entry {
            round: self.round.wrapping_sub(1),
            slot: 0,
            value: V::default(),
        };
        let of_round = |entry: &&mut Entry<V>| entry.round == self.round;
        let old = self.entries[..self.used].iter_mut().filter(of_round);
        let old: Vec<Entry<V>> = old.map(|entry| std::mem::replace(entry, empty)).collect();
        self.used *= 2;
        if self.entries.len() < self.used {
            self.entries.resize(self.used, empty);
        }
        for entry in old {
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

    #[test]
    fn becomes_small_again_after_a_large_round() {
        let mut map = SlotMap::default();
        let sizes = std::iter::once(100_000).chain(std::iter::repeat_n(100, 20));
        for slots in sizes.chain([3_000, 10]) {
            for slot in 0..slots {
                assert_eq!(*map.get_or_insert(slot * 3, slot), slot);
            }
            for slot in 0..slots {
                assert_eq!(*map.get_or_insert(slot * 3, 0), slot);
            }
            map.clear();
        }
        assert!(map.used <= 8_192, "{}", map.used);
    }
}

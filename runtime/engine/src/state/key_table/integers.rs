//! Keys that are one integer: an open table with linear probing, so that a batch's keys can be asked for ahead.
//!
//! Invariant: between a key's home and where it stands no place is empty.

use tidemill_core::prefetch;
use tidemill_core::window::KeyId;

/// Numbers integers.
pub struct IntegerTable {
    /// At most two thirds of them full.
    places: Vec<Place>,
    /// By number; stale where the number is free.
    values: Vec<i64>,
    free: Vec<KeyId>,
    len: usize,
}

/// Twelve bytes: with many keys the table is most of what they take.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct Place {
    value: i64,
    /// [`NONE`] where the place is empty.
    id: KeyId,
}

/// No number: so many keys are never there.
const NONE: KeyId = KeyId::MAX;

const EMPTY: Place = Place { value: 0, id: NONE };

impl Place {
    fn is_full(self) -> bool {
        self.id != NONE
    }
}

/// How many places a table has at first.
const LEAST: usize = 64;

impl Default for IntegerTable {
    fn default() -> Self {
        Self {
            places: vec![EMPTY; LEAST],
            values: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }
}

impl IntegerTable {
    /// The numbers of keys, given now to those that have none.
    pub fn number(&mut self, values: &[i64], numbers: &mut Vec<KeyId>) {
        for (i, &value) in values.iter().enumerate() {
            if let Some(&later) = values.get(i + prefetch::AHEAD) {
                prefetch::line(&self.places[self.home(later)]);
            }
            numbers.push(self.number_one(value));
        }
    }

    /// The number of a key, given now if it has none.
    #[inline]
    pub fn number_one(&mut self, value: i64) -> KeyId {
        let mut at = self.home(value);
        loop {
            let place = self.places[at];
            if !place.is_full() {
                return self.insert(value);
            }
            if place.value == value {
                return place.id;
            }
            at = self.after(at);
        }
    }

    #[cold]
    fn insert(&mut self, value: i64) -> KeyId {
        if self.len * 3 >= self.places.len() * 2 {
            // Not twice as large: what it takes is then closer to what it needs.
            self.resize(self.places.len() + self.places.len() / 2);
        }
        let id = self.free.pop().unwrap_or(self.values.len() as KeyId);
        match self.values.get_mut(id as usize) {
            Some(place) => *place = value,
            None => self.values.push(value),
        }
        self.put(Place { value, id });
        self.len += 1;
        id
    }

    /// Makes room for so many keys, of which more are to come.
    pub fn reserve(&mut self, keys: usize) {
        let places = keys + keys / 2 + 1;
        if places > self.places.len() {
            self.resize(places);
            self.values
                .reserve_exact(keys.saturating_sub(self.values.len()));
        }
    }

    fn resize(&mut self, places: usize) {
        let old = std::mem::replace(&mut self.places, vec![EMPTY; places]);
        old.into_iter()
            .filter(|place| place.is_full())
            .for_each(|place| self.put(place));
    }

    /// Puts in a key that is not there.
    fn put(&mut self, place: Place) {
        let mut at = self.home(place.value);
        while self.places[at].is_full() {
            at = self.after(at);
        }
        self.places[at] = place;
    }

    /// Forgets a key.
    pub fn remove(&mut self, id: KeyId) {
        let value = self.values[id as usize];
        let mut hole = self.home(value);
        while self.places[hole].id != id {
            hole = self.after(hole);
        }
        self.free.push(id);
        self.len -= 1;
        // What stands behind the hole moves into it, unless that would be before its home.
        let mut at = self.after(hole);
        while self.places[at].is_full() {
            let home = self.home(self.places[at].value);
            if self.distance(home, at) >= self.distance(hole, at) {
                self.places[hole] = self.places[at];
                hole = at;
            }
            at = self.after(at);
        }
        self.places[hole] = EMPTY;
    }

    /// The numbers of all keys.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        let full = self.places.iter().filter(|place| place.is_full());
        full.map(|place| place.id)
    }

    /// A key's value.
    pub fn value(&self, id: KeyId) -> i64 {
        self.values[id as usize]
    }

    /// One more than the largest number that a key has or had.
    pub fn numbers(&self) -> usize {
        self.values.len()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// About how much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        let numbers = self.values.len() * size_of::<i64>() + self.free.len() * size_of::<KeyId>();
        self.places.len() * size_of::<Place>() + numbers
    }

    /// Places stand in the order of hashes, so a table of any size needs no division.
    #[inline]
    fn home(&self, value: i64) -> usize {
        ((u128::from(hash(value)) * self.places.len() as u128) >> 64) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        match at + 1 {
            end if end == self.places.len() => 0,
            next => next,
        }
    }

    /// How far behind `from` a place stands, around the end.
    fn distance(&self, from: usize, at: usize) -> usize {
        match at.checked_sub(from) {
            Some(distance) => distance,
            None => at + self.places.len() - from,
        }
    }
}

/// Spreads every bit of a key over all bits of the hash (a folded multiplication, as in wyhash).
#[inline]
fn hash(value: i64) -> u64 {
    let product = u128::from(value as u64 ^ 0x9E37_79B9_7F4A_7C15) * 0xA076_1D64_78BD_642F_u128;
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Numbers are one per key, stay while the key is there, and are given out again.
        #[test]
        fn does_what_a_map_does(
            steps in prop::collection::vec((any::<bool>(), -40i64..40), 0..2_000)
        ) {
            let mut table = IntegerTable::default();
            let mut model: BTreeMap<i64, KeyId> = BTreeMap::new();
            for (removes, value) in steps {
                if removes {
                    if let Some(id) = model.remove(&value) {
                        table.remove(id);
                    }
                    continue;
                }
                let mut numbers = Vec::new();
                table.number(&[value, value], &mut numbers);
                prop_assert_eq!(numbers[0], numbers[1]);
                let known = model.insert(value, numbers[0]);
                prop_assert!(known.is_none_or(|known| known == numbers[0]));
                prop_assert_eq!(table.value(numbers[0]), value);
                prop_assert_eq!(table.len(), model.len());
            }
            let ids: std::collections::BTreeSet<_> = model.values().collect();
            prop_assert_eq!(ids.len(), model.len());
        }
    }

    #[test]
    fn grows() {
        let mut table = IntegerTable::default();
        let values: Vec<i64> = (0..10_000).map(|i| i * i * 1_000_003).collect();
        let (mut first, mut again) = (Vec::new(), Vec::new());
        table.number(&values, &mut first);
        table.number(&values, &mut again);
        assert_eq!(first, again);
        assert_eq!(table.len(), 10_000);
    }
}

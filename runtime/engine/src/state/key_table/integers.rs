//! Keys that are one integer.

use hashbrown::HashTable;
use tidemill_core::window::KeyId;

/// Numbers integers.
#[derive(Default)]
pub struct IntegerTable {
    table: HashTable<(i64, KeyId)>,
    /// By number; stale where the number is free.
    values: Vec<i64>,
    free: Vec<KeyId>,
}

impl IntegerTable {
    /// The number of a key, given now if it has none.
    #[inline]
    pub fn number(&mut self, value: i64) -> KeyId {
        let hash = hash(value);
        match self.table.find(hash, |entry| entry.0 == value) {
            Some(entry) => entry.1,
            None => self.insert(hash, value),
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, value: i64) -> KeyId {
        let id = self.free.pop().unwrap_or(self.values.len() as KeyId);
        match self.values.get_mut(id as usize) {
            Some(place) => *place = value,
            None => self.values.push(value),
        }
        self.table
            .insert_unique(hash, (value, id), |entry| self::hash(entry.0));
        id
    }

    /// Forgets a key.
    pub fn remove(&mut self, id: KeyId) {
        let value = self.values[id as usize];
        if let Ok(entry) = self.table.find_entry(hash(value), |entry| entry.1 == id) {
            entry.remove();
            self.free.push(id);
        }
    }

    /// A key's value.
    pub fn value(&self, id: KeyId) -> i64 {
        self.values[id as usize]
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.len()
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
    use super::*;

    #[test]
    fn a_key_keeps_its_number_until_it_is_forgotten() {
        let mut table = IntegerTable::default();
        let ids: Vec<KeyId> = (-500..500).map(|value| table.number(value)).collect();
        let again: Vec<KeyId> = (-500..500).map(|value| table.number(value)).collect();
        assert_eq!(ids, again);
        assert_eq!(table.value(ids[0]), -500);
        table.remove(ids[7]);
        assert_eq!(table.len(), 999);
        assert_eq!(table.number(9_999), ids[7]);
        assert_eq!(table.number(-493), 1_000);
    }
}

//! Keys as their encoded bytes.

use hashbrown::HashTable;
use smallvec::SmallVec;
use tidemill_core::window::KeyId;
use tidemill_rows::key;

/// Up to 24 bytes (two integers, a short text) need no allocation.
type KeyBytes = SmallVec<[u8; 24]>;

/// Numbers encoded keys.
#[derive(Default)]
pub struct EncodedTable {
    table: HashTable<Entry>,
    /// By number; stale where the number is free.
    keys: Vec<KeyBytes>,
    free: Vec<KeyId>,
    /// What keys take that need an allocation.
    allocated: usize,
}

/// Enough of the hash to skip most comparisons.
#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    id: KeyId,
}

impl EncodedTable {
    /// The number of a key, given now if it has none.
    pub fn number(&mut self, key: &[u8]) -> KeyId {
        let hash = key::hash(key);
        let found = self.table.find(hash, |entry| {
            entry.hash == hash as u32 && self.keys[entry.id as usize][..] == *key
        });
        match found {
            Some(entry) => entry.id,
            None => self.insert(hash, key),
        }
    }

    fn insert(&mut self, hash: u64, key: &[u8]) -> KeyId {
        let id = self.free.pop().unwrap_or(self.keys.len() as KeyId);
        let bytes = KeyBytes::from_slice(key);
        self.allocated += allocated(&bytes);
        match self.keys.get_mut(id as usize) {
            Some(place) => *place = bytes,
            None => self.keys.push(bytes),
        }
        let keys = &self.keys;
        let entry = Entry {
            hash: hash as u32,
            id,
        };
        self.table
            .insert_unique(hash, entry, |entry| key::hash(&keys[entry.id as usize]));
        id
    }

    /// Forgets a key.
    pub fn remove(&mut self, id: KeyId) {
        let hash = key::hash(&self.keys[id as usize]);
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.id == id) {
            entry.remove();
            let bytes = std::mem::take(&mut self.keys[id as usize]);
            self.allocated -= allocated(&bytes);
            self.free.push(id);
        }
    }

    /// The numbers of all keys.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.table.iter().map(|entry| entry.id)
    }

    /// A key's encoded bytes.
    pub fn bytes(&self, id: KeyId) -> &[u8] {
        &self.keys[id as usize]
    }

    /// The first byte says null or not, so one bit of it is enough; then as much of the next eight bytes as fits.
    pub fn prefix(&self, id: KeyId) -> u64 {
        let Some((&first, rest)) = self.bytes(id).split_first() else {
            return 0;
        };
        let mut next = [0; 8];
        let len = rest.len().min(8);
        next[..len].copy_from_slice(&rest[..len]);
        u64::from(first) << 63 | u64::from_be_bytes(next) >> 1
    }

    /// Makes room for so many keys.
    pub fn reserve(&mut self, keys: usize) {
        let more = keys.saturating_sub(self.len());
        let stored = &self.keys;
        self.table
            .reserve(more, |entry| key::hash(&stored[entry.id as usize]));
        self.keys.reserve_exact(more);
    }

    /// One more than the largest number that a key has or had.
    pub fn numbers(&self) -> usize {
        self.keys.len()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// About how much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        let numbers =
            self.keys.len() * size_of::<KeyBytes>() + self.free.len() * size_of::<KeyId>();
        self.table.capacity() * (size_of::<Entry>() + 1) + numbers + self.allocated
    }
}

fn allocated(key: &KeyBytes) -> usize {
    if key.spilled() { key.capacity() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_number_until_it_is_forgotten() {
        let key = |i: usize| format!("key {i} {}", "-".repeat(i % 40)).into_bytes();
        let mut table = EncodedTable::default();
        let ids: Vec<KeyId> = (0..1_000).map(|i| table.number(&key(i))).collect();
        let again: Vec<KeyId> = (0..1_000).map(|i| table.number(&key(i))).collect();
        assert_eq!(ids, again);
        assert_eq!(table.bytes(ids[5]), key(5));
        table.remove(ids[7]);
        assert_eq!(table.len(), 999);
        assert_eq!(table.number(b"another"), ids[7]);
    }

    #[test]
    fn prefixes_never_contradict_the_bytes() {
        let keys: [&[u8]; 6] = [
            b"",
            &[0],
            &[1, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 1],
            &[1, 9],
            &[1, 255, 255],
        ];
        let mut table = EncodedTable::default();
        let ids: Vec<KeyId> = keys.iter().map(|key| table.number(key)).collect();
        for pair in ids.windows(2) {
            assert!(table.prefix(pair[0]) <= table.prefix(pair[1]));
        }
    }
}

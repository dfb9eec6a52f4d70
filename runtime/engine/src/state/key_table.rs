//! Keys of a keyed operator: encoded bytes in, dense numbers out.
//!
//! Invariants:
//! 1. A key has one number for as long as anything is kept for it; numbers of keys that are gone are given out again.
//! 2. Two keys are the same iff their encoded bytes are (`tidemill_rows::key`).

use std::cmp::Ordering;

use hashbrown::HashTable;
use smallvec::SmallVec;
use tidemill_core::window::{KeyId, KeyOrder};

/// Encoded bytes of a key; up to 24 of them (two integers, a short text) need no allocation.
type KeyBytes = SmallVec<[u8; 24]>;

/// One entry: enough of the hash to skip most comparisons and to grow without looking at keys.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    id: KeyId,
}

/// The keys for which an operator keeps something.
#[derive(Default)]
pub struct KeyTable {
    table: HashTable<Entry>,
    keys: Vec<KeyBytes>,
    free: Vec<KeyId>,
}

impl KeyTable {
    /// The number of a key, given now if it has none.
    pub fn number(&mut self, hash: u64, key: &[u8]) -> KeyId {
        let found = self
            .table
            .find(hash, |entry| entry.hash == hash && self.keys[entry.id as usize][..] == *key);
        match found {
            Some(entry) => entry.id,
            None => self.insert(hash, key),
        }
    }

    fn insert(&mut self, hash: u64, key: &[u8]) -> KeyId {
        let id = match self.free.pop() {
            Some(id) => {
                self.keys[id as usize] = SmallVec::from_slice(key);
                id
            }
            None => {
                self.keys.push(SmallVec::from_slice(key));
                (self.keys.len() - 1) as KeyId
            }
        };
        self.table.insert_unique(hash, Entry { hash, id }, |entry| entry.hash);
        id
    }

    /// Forgets a key; its number may be given to another from now on.
    pub fn remove(&mut self, id: KeyId) {
        let bytes = &self.keys[id as usize];
        let hash = if bytes.is_empty() { 0 } else { tidemill_rows::key::hash(bytes) };
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.id == id) {
            entry.remove();
            self.keys[id as usize] = KeyBytes::new();
            self.free.push(id);
        }
    }

    /// A key's encoded bytes.
    pub fn bytes(&self, id: KeyId) -> &[u8] {
        &self.keys[id as usize]
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }
}

impl KeyOrder for KeyTable {
    /// The first byte says null or not, so one bit of it is enough; then as much of the next eight bytes as fits.
    fn prefix(&self, key: KeyId) -> u64 {
        let bytes = self.bytes(key);
        let Some((&first, rest)) = bytes.split_first() else { return 0 };
        let mut next = [0; 8];
        let len = rest.len().min(8);
        next[..len].copy_from_slice(&rest[..len]);
        u64::from(first) << 63 | u64::from_be_bytes(next) >> 1
    }

    fn cmp(&self, a: KeyId, b: KeyId) -> Ordering {
        self.bytes(a).cmp(self.bytes(b))
    }
}

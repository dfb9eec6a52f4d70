//! Keys of a keyed operator: values in, dense numbers out.
//!
//! The usual key, one integer that is never null, has a table of its own ([`integers`]): one look into memory per row, and
//! a tenth of the space. All other keys are kept as their encoded bytes ([`encoded`]).
//!
//! Invariants:
//! 1. A key has one number for as long as anything is kept for it; numbers of keys that are gone are given out again.
//! 2. Two keys are the same iff their encoded bytes are (`tidemill_rows::key`).
//! 3. Hashes in here mean nothing outside: which worker a key belongs to follows from the frozen hash.

mod encoded;
mod integers;

use std::cmp::Ordering;

use tidemill_core::window::{KeyId, KeyOrder};
use tidemill_rows::key;

use crate::checkpoint::kept::Lists;

pub use encoded::EncodedTable;
pub use integers::IntegerTable;

/// The keys for which an operator keeps something.
pub enum KeyTable {
    /// One integer that is never null.
    Integers(IntegerTable),
    /// Any other key.
    Encoded(EncodedTable),
}

impl KeyTable {
    /// Forgets a key; its number may be given to another from now on.
    pub fn remove(&mut self, id: KeyId) {
        match self {
            Self::Integers(table) => table.remove(id),
            Self::Encoded(table) => table.remove(id),
        }
    }

    /// The numbers of all keys, in no order.
    pub fn ids(&self) -> Box<dyn Iterator<Item = KeyId> + '_> {
        match self {
            Self::Integers(table) => Box::new(table.ids()),
            Self::Encoded(table) => Box::new(table.ids()),
        }
    }

    /// Writes a key's encoded bytes behind what is there.
    pub fn encode(&self, id: KeyId, into: &mut Vec<u8>) {
        match self {
            Self::Integers(table) => into.extend(key::encode_integer(table.value(id))),
            Self::Encoded(table) => into.extend_from_slice(table.bytes(id)),
        }
    }

    /// The encoded bytes of each of these keys.
    pub fn encoded(&self, keys: &[KeyId]) -> Lists<u8> {
        match self {
            Self::Integers(table) => {
                let encoded = keys.iter().map(|&id| key::encode_integer(table.value(id)));
                Lists::of_arrays(encoded.collect())
            }
            Self::Encoded(table) => {
                let mut encoded = Lists::with_room(keys.len(), 0);
                keys.iter().for_each(|&id| encoded.push(table.bytes(id)));
                encoded
            }
        }
    }

    /// The number of an encoded key, given now if it has none; nothing if it is no key of this kind.
    pub fn insert(&mut self, encoded: &[u8]) -> Option<KeyId> {
        match self {
            Self::Integers(table) => Some(table.number_one(key::decode_integer(encoded)?)),
            Self::Encoded(table) => Some(table.number(encoded)),
        }
    }

    /// Makes room for so many keys.
    pub fn reserve(&mut self, keys: usize) {
        match self {
            Self::Integers(table) => table.reserve(keys),
            Self::Encoded(table) => table.reserve(keys),
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(table) => table.len(),
            Self::Encoded(table) => table.len(),
        }
    }

    /// One more than the largest number that a key has or had.
    pub fn numbers(&self) -> usize {
        match self {
            Self::Integers(table) => table.numbers(),
            Self::Encoded(table) => table.numbers(),
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        match self {
            Self::Integers(table) => table.memory(),
            Self::Encoded(table) => table.memory(),
        }
    }
}

impl KeyOrder for KeyTable {
    fn prefix(&self, key: KeyId) -> u64 {
        match self {
            Self::Integers(table) => table.value(key) as u64 ^ (1 << 63),
            Self::Encoded(table) => table.prefix(key),
        }
    }

    fn cmp(&self, a: KeyId, b: KeyId) -> Ordering {
        match self {
            Self::Integers(table) => table.value(a).cmp(&table.value(b)),
            Self::Encoded(table) => table.bytes(a).cmp(table.bytes(b)),
        }
    }
}

//! One slot of kind map.

use std::collections::BTreeMap;
use std::ops::Bound;

use arrow_schema::{Field, FieldRef};
use hashbrown::HashMap;
use tidemill_core::process::{Lives, expired};
use tidemill_core::window::KeyId;
use tidemill_rows::key::{self, EncodedKeys};
use tidemill_wasm::{
    Clock, Entries as Found, Mapped, SlotKind, StateSlot, Table, Ttl, table_from_arrow,
    table_to_arrow,
};

use super::slab::Slab;
use super::{Entry, Of};
use crate::state::memory::stands;

/// The map of one key, by encoded sub-keys.
type Map = BTreeMap<Box<[u8]>, Entry>;

/// The maps of one slot.
pub struct MapSlot {
    pub(super) slab: Slab,
    pub(super) maps: HashMap<KeyId, Map>,
    /// What was noted, in place of what is held.
    noted: HashMap<KeyId, Map>,
    /// Numbers of entries that were only noted.
    only_noted: Vec<u32>,
    /// The columns of a sub-key.
    fields: Vec<Field>,
    refs: Vec<FieldRef>,
    /// What entries and their sub-keys take, beside the columns.
    bytes: usize,
    pub(super) ttl: Option<Ttl>,
}

/// What an entry takes in a map, beside its sub-key's bytes.
const ENTRY: usize = size_of::<(Box<[u8]>, Entry)>();

impl MapSlot {
    /// A slot without maps.
    pub fn new(slot: &StateSlot) -> Self {
        let SlotKind::Map { key } = &slot.kind else {
            unreachable!("the slot is a map");
        };
        Self {
            slab: Slab::new(&slot.columns),
            maps: HashMap::new(),
            noted: HashMap::new(),
            only_noted: Vec::new(),
            fields: key.clone(),
            refs: key.iter().cloned().map(FieldRef::from).collect(),
            bytes: 0,
            ttl: slot.ttl,
        }
    }

    fn map(&self, key: KeyId) -> Option<&Map> {
        self.noted.get(&key).or_else(|| self.maps.get(&key))
    }

    /// Whether a key has entries.
    pub fn holds(&self, key: KeyId) -> bool {
        self.maps.contains_key(&key)
    }

    /// What stands under sub-keys: a byte for each, and the values there are.
    pub fn get(&self, key: KeyId, sub_keys: &Table) -> (Vec<u8>, Table) {
        let encoded = self.encoded(sub_keys);
        let map = self.map(key);
        let found = encoded
            .iter()
            .map(|sub_key| map.and_then(|map| map.get(&sub_key[..])));
        let found: Vec<Option<&Entry>> = found.collect();
        let numbers: Vec<u32> = found.iter().flatten().map(|entry| entry.number).collect();
        let present = found.iter().map(|entry| u8::from(entry.is_some()));
        (present.collect(), self.slab.gather(&numbers))
    }

    /// Entries in order of their encoded sub-keys, behind `after`.
    pub fn entries(&self, key: KeyId, after: &Table, most: usize) -> Found {
        let after = self.encoded(after).pop();
        let from = match &after {
            Some(after) => Bound::Excluded(&after[..]),
            None => Bound::Unbounded,
        };
        let map = self.map(key);
        let all = map.map(|map| map.range::<[u8], _>((from, Bound::Unbounded)));
        let some: Vec<(&Box<[u8]>, &Entry)> = all.into_iter().flatten().take(most).collect();
        let numbers: Vec<u32> = some.iter().map(|(_, entry)| entry.number).collect();
        let sub_keys = key::decode(&self.refs, some.iter().map(|(sub_key, _)| &sub_key[..]));
        Found {
            sub_keys: table_from_arrow(&sub_keys, some.len()),
            values: self.slab.gather(&numbers),
        }
    }

    /// Sub-keys as bytes that compare as they do. They have been checked.
    fn encoded(&self, sub_keys: &Table) -> Vec<Box<[u8]>> {
        let rows = sub_keys.rows as usize;
        if rows == 0 {
            return Vec::new();
        }
        let columns = table_to_arrow(sub_keys, &self.fields);
        let columns = columns.expect("sub-keys were checked where they came from");
        let mut encoded = EncodedKeys::default();
        encoded.encode(&columns, rows);
        (0..rows).map(|row| encoded.get(row).into()).collect()
    }

    /// Removes what has expired of a map, and says until when the rest is alive.
    pub fn expire(&mut self, key: KeyId, w: i64, now: i64, lives: Option<&mut Lives>) {
        let Some(ttl) = self.ttl else { return };
        let Some(map) = self.maps.get_mut(&key) else {
            return;
        };
        let stands = stands(ttl, w, now);
        let gone = |entry: &Entry| expired(entry.clock, ttl.micros, stands);
        if map.values().any(gone) {
            let numbers = map
                .values()
                .filter(|entry| gone(entry))
                .map(|entry| entry.number);
            self.slab.remove(numbers);
            let bytes = &mut self.bytes;
            map.retain(|sub_key, entry| {
                let gone = gone(entry);
                *bytes -= usize::from(gone) * (ENTRY + sub_key.len());
                !gone
            });
        }
        if let Some(lives) = lives.filter(|_| ttl.clock == Clock::Event) {
            map.values()
                .for_each(|entry| lives.given(entry.clock, ttl.micros));
        }
        if map.is_empty() {
            self.maps.remove(&key);
        }
    }

    /// Takes over what a call wants changed.
    pub fn change(&mut self, mapped: &Mapped, of: &Of<'_>) {
        let by_clock = self.ttl.is_some_and(|ttl| ttl.clock == Clock::Processing);
        let numbers = self.slab.insert(&mapped.values);
        for change in changes(mapped, numbers, self.encoded(&mapped.sub_keys)) {
            let Some(key) = of.key(change.row) else {
                self.slab.remove(change.number.into_iter());
                continue;
            };
            match (change.sub_key, change.number) {
                (None, _) => self.clear(key),
                (Some(sub_key), None) => self.delete(key, &sub_key),
                (Some(sub_key), Some(number)) => {
                    let clock = of.clock(change.row, by_clock);
                    self.put(key, sub_key, Entry { number, clock });
                }
            }
        }
    }

    /// Puts an entry. One that was there goes; how long it lives does not become less.
    pub(super) fn put(&mut self, key: KeyId, sub_key: Box<[u8]>, entry: Entry) {
        let bytes = ENTRY + sub_key.len();
        let map = self.maps.entry(key).or_default();
        match map.get_mut(&sub_key) {
            Some(there) => {
                let before = std::mem::replace(there, entry);
                there.clock = there.clock.max(before.clock);
                self.slab.remove(std::iter::once(before.number));
            }
            None => {
                map.insert(sub_key, entry);
                self.bytes += bytes;
            }
        }
    }

    fn delete(&mut self, key: KeyId, sub_key: &[u8]) {
        let Some(map) = self.maps.get_mut(&key) else {
            return;
        };
        if let Some(entry) = map.remove(sub_key) {
            self.bytes -= ENTRY + sub_key.len();
            self.slab.remove(std::iter::once(entry.number));
        }
        if map.is_empty() {
            self.maps.remove(&key);
        }
    }

    pub(super) fn clear(&mut self, key: KeyId) {
        let map = self.maps.remove(&key).unwrap_or_default();
        let bytes = map.keys().map(|sub_key| ENTRY + sub_key.len());
        self.bytes -= bytes.sum::<usize>();
        self.slab
            .remove(map.into_values().map(|entry| entry.number));
    }

    /// Notes what a part of a call wants changed.
    pub fn note(&mut self, mapped: &Mapped, of: &Of<'_>) {
        let numbers = self.slab.insert(&mapped.values);
        self.only_noted.extend_from_slice(&numbers);
        for change in changes(mapped, numbers, self.encoded(&mapped.sub_keys)) {
            let Some(key) = of.key(change.row) else {
                continue;
            };
            let held = self.map(key).cloned().unwrap_or_default();
            let map = self.noted.entry(key).or_insert(held);
            match (change.sub_key, change.number) {
                (None, _) => map.clear(),
                (Some(sub_key), None) => drop(map.remove(&sub_key)),
                (Some(sub_key), Some(number)) => {
                    let clock = of.clock(change.row, false);
                    map.insert(sub_key, Entry { number, clock });
                }
            }
        }
    }

    /// Forgets what was noted.
    pub fn forget(&mut self) {
        self.noted.clear();
        self.slab.remove(self.only_noted.drain(..));
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let of_keys = self.maps.capacity() * size_of::<(KeyId, Map)>();
        self.slab.bytes() + of_keys + self.bytes
    }

    /// About how much memory the maps take that there are.
    pub fn in_use(&self) -> usize {
        let of_keys = self.maps.len() * size_of::<(KeyId, Map)>();
        self.slab.in_use() + of_keys + self.bytes
    }
}

/// One change: without a sub-key all go, without a number the one goes.
struct Change {
    row: u32,
    sub_key: Option<Box<[u8]>>,
    number: Option<u32>,
}

fn changes(
    mapped: &Mapped,
    numbers: Vec<u32>,
    sub_keys: Vec<Box<[u8]>>,
) -> impl Iterator<Item = Change> {
    let (mut numbers, mut sub_keys) = (numbers.into_iter(), sub_keys.into_iter());
    let pairs = mapped.rows.iter().zip(&mapped.changes);
    pairs.map(move |(&row, &change)| Change {
        row,
        sub_key: (change < 2).then(|| sub_keys.next()).flatten(),
        number: (change == 0).then(|| numbers.next()).flatten(),
    })
}

//! Lists and maps: the entries of all keys in columns, by numbers of their own, and for each key which are its.
//!
//! A call reads what is held when it begins. Where it is given in parts, what the parts so far want changed is *noted*: kept
//! beside what is held, until the whole of it is taken over, or forgotten.

mod lists;
mod maps;
mod saving;
mod slab;

use tidemill_core::process::Lives;
use tidemill_core::window::KeyId;
use tidemill_wasm::{Entries as Found, Function, HeldEntries, Listed, Mapped, Table};

use self::lists::ListSlot;
use self::maps::MapSlot;
use crate::state::backend::{Asked, Changed};

/// An entry: its number, and the time that it lives from.
#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u32,
    clock: i64,
}

/// Lists and maps of all keys.
pub struct Entries {
    lists: Vec<ListSlot>,
    maps: Vec<MapSlot>,
    /// The keys of the call under way.
    keys: Vec<KeyId>,
}

/// Changes of one call to one slot: which key each is of, and when.
pub struct Of<'a> {
    /// For each row of the call its key; nothing where nothing of the key is taken over.
    keys: Vec<Option<KeyId>>,
    /// The time of each row of the call; absent: nothing is taken over for good.
    times: &'a [i64],
    now: i64,
}

impl Of<'_> {
    /// The key that a change of this row is of.
    fn key(&self, row: u32) -> Option<KeyId> {
        self.keys[row as usize]
    }

    /// The time that an entry lives from that this row wrote.
    fn clock(&self, row: u32, by_clock: bool) -> i64 {
        if by_clock {
            return self.now;
        }
        self.times.get(row as usize).copied().unwrap_or(i64::MIN)
    }
}

impl Entries {
    /// No entries, for a function's slots.
    pub fn new(function: &Function) -> Self {
        Self {
            lists: function.list_slots().map(ListSlot::new).collect(),
            maps: function.map_slots().map(MapSlot::new).collect(),
            keys: Vec::new(),
        }
    }

    /// Whether there is any slot.
    pub fn has_slots(&self) -> bool {
        !self.lists.is_empty() || !self.maps.is_empty()
    }

    /// From now on what is read is about these keys.
    pub fn begin(&mut self, keys: &[KeyId]) {
        self.keys.clear();
        self.keys.extend_from_slice(keys);
    }

    /// Removes what has expired of the keys asked for.
    pub fn expire(&mut self, asked: &Asked<'_>, lives: &mut [Lives]) {
        if !self.has_slots() {
            return;
        }
        for ((&key, &w), lives) in asked.keys.iter().zip(asked.w).zip(lives) {
            for slot in &mut self.lists {
                slot.expire(key, w, asked.now, Some(lives));
            }
            for slot in &mut self.maps {
                slot.expire(key, w, asked.now, Some(lives));
            }
        }
    }

    /// Removes what has expired of one key.
    pub fn expire_key(&mut self, key: KeyId, w: i64, now: i64) {
        self.lists
            .iter_mut()
            .for_each(|slot| slot.expire(key, w, now, None));
        self.maps
            .iter_mut()
            .for_each(|slot| slot.expire(key, w, now, None));
    }

    /// Removes all entries of these keys.
    pub fn clear(&mut self, keys: &[KeyId]) {
        for &key in keys {
            self.lists.iter_mut().for_each(|slot| slot.clear(key));
            self.maps.iter_mut().for_each(|slot| slot.clear(key));
        }
    }

    /// Takes over what a call wants changed.
    pub fn change(&mut self, changed: &Changed<'_>) {
        if !self.has_slots() {
            return;
        }
        let key = |&group: &u32| {
            let group = group as usize;
            changed.takes(group).then(|| changed.keys[group])
        };
        let of = Of {
            keys: changed.groups.iter().map(key).collect(),
            times: changed.times,
            now: changed.now,
        };
        for (slot, listed) in self.lists.iter_mut().zip(changed.lists) {
            slot.change(listed, &of);
        }
        for (slot, mapped) in self.maps.iter_mut().zip(changed.maps) {
            slot.change(mapped, &of);
        }
    }

    /// Whether there is an entry for a key.
    pub fn holds(&self, key: KeyId) -> bool {
        self.lists.iter().any(|slot| slot.holds(key))
            || self.maps.iter().any(|slot| slot.holds(key))
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let lists: usize = self.lists.iter().map(ListSlot::bytes).sum();
        lists + self.maps.iter().map(MapSlot::bytes).sum::<usize>()
    }

    /// About how much memory the entries take that there are.
    pub fn in_use(&self) -> usize {
        let lists: usize = self.lists.iter().map(ListSlot::in_use).sum();
        lists + self.maps.iter().map(MapSlot::in_use).sum::<usize>()
    }
}

impl HeldEntries for Entries {
    fn list_length(&mut self, slot: usize, key: usize) -> u32 {
        self.lists[slot].length(self.keys[key])
    }

    fn list_newest(&mut self, slot: usize, key: usize, most: usize) -> Table {
        self.lists[slot].newest(self.keys[key], most)
    }

    fn map_get(&mut self, slot: usize, key: usize, sub_keys: &Table) -> (Vec<u8>, Table) {
        self.maps[slot].get(self.keys[key], sub_keys)
    }

    fn map_entries(&mut self, slot: usize, key: usize, after: &Table, most: usize) -> Found {
        self.maps[slot].entries(self.keys[key], after, most)
    }

    fn note(&mut self, lists: &[Listed], maps: &[Mapped], groups: &[u32]) {
        let of = Of {
            keys: groups
                .iter()
                .map(|&group| Some(self.keys[group as usize]))
                .collect(),
            times: &[],
            now: i64::MIN,
        };
        for (slot, listed) in self.lists.iter_mut().zip(lists) {
            slot.note(listed, &of);
        }
        for (slot, mapped) in self.maps.iter_mut().zip(maps) {
            slot.note(mapped, &of);
        }
    }

    fn forget(&mut self) {
        self.lists.iter_mut().for_each(ListSlot::forget);
        self.maps.iter_mut().for_each(MapSlot::forget);
    }
}

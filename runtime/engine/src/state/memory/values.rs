//! One slot of kind value: an entry per key, in columns.

use tidemill_core::process::{Lives, expired};
use tidemill_core::window::KeyId;
use tidemill_rows::LogicalType;
use tidemill_wasm::{Clock, Held, Kept, StateSlot, Table, Ttl};

use super::stands;
use crate::state::backend::{Asked, Changed};
use crate::state::store::Store;

/// So many keys at once get room.
const LEAST: usize = 64;

/// No row of a call.
const NONE: u32 = u32::MAX;

/// One slot of kind value.
pub struct ValueSlot {
    pub(super) columns: Vec<Store>,
    /// How many bytes of data an entry has at least, and whether some have more.
    pub(super) least_bytes: usize,
    pub(super) has_arenas: bool,
    /// By key: whether there is an entry.
    present: Vec<u8>,
    /// By key: the time that its entry lives from. Only where entries expire.
    pub(super) clocks: Vec<i64>,
    pub(super) ttl: Option<Ttl>,
}

impl ValueSlot {
    /// A slot without entries.
    pub fn new(slot: &StateSlot) -> Self {
        let columns = slot.columns.iter();
        let of = |field: &arrow_schema::Field| Store::of(LogicalType::of(field.data_type()));
        let columns: Vec<Store> = columns.map(of).collect();
        Self {
            least_bytes: columns.iter().map(Store::least_weight).sum(),
            has_arenas: columns.iter().any(Store::is_arena),
            columns,
            present: Vec::new(),
            clocks: Vec::new(),
            ttl: slot.ttl,
        }
    }

    /// Whether there is an entry for a key.
    pub fn holds(&self, key: KeyId) -> bool {
        self.present
            .get(key as usize)
            .is_some_and(|&there| there == 1)
    }

    /// What is there of the keys asked for; what has expired is removed.
    pub fn read(&mut self, asked: &Asked<'_>, lives: &mut [Lives]) -> Held {
        self.grow(asked.keys);
        if let Some(ttl) = self.ttl {
            self.expire_asked(asked, ttl, lives);
        }
        let there = |&key: &KeyId| self.present[key as usize];
        let present: Vec<u8> = asked.keys.iter().map(there).collect();
        let some;
        let keys = if present.contains(&0) {
            some = asked
                .keys
                .iter()
                .copied()
                .filter(|key| there(key) == 1)
                .collect::<Vec<_>>();
            &some
        } else {
            asked.keys
        };
        let columns = self.columns.iter().map(|column| column.gather(keys));
        let entries = Table {
            rows: keys.len() as u32,
            columns: columns.collect(),
        };
        Held { present, entries }
    }

    fn expire_asked(&mut self, asked: &Asked<'_>, ttl: Ttl, lives: &mut [Lives]) {
        for ((&key, &w), lives) in asked.keys.iter().zip(asked.w).zip(lives) {
            self.expire(key, w, asked.now);
            if self.present[key as usize] == 1 && ttl.clock == Clock::Event {
                lives.given(self.clocks[key as usize], ttl.micros);
            }
        }
    }

    /// Removes the entry of a key if it has expired.
    pub fn expire(&mut self, key: KeyId, w: i64, now: i64) {
        let Some(ttl) = self.ttl else { return };
        let at = key as usize;
        if self.holds(key) && expired(self.clocks[at], ttl.micros, stands(ttl, w, now)) {
            self.delete(&[key]);
        }
    }

    /// Removes the entries of keys that have one.
    pub fn forget(&mut self, keys: &[KeyId]) {
        let there = keys.iter().copied().filter(|&key| self.holds(key));
        let there: Vec<KeyId> = there.collect();
        self.delete(&there);
    }

    pub(super) fn grow(&mut self, keys: &[KeyId]) {
        let largest = keys.iter().max().map_or(0, |&key| key as usize + 1);
        if largest > self.present.len() {
            // Not twice as large: what is held takes closer to what it needs.
            let room = largest.max(self.present.len() + self.present.len() / 2);
            self.reserve(room.next_multiple_of(LEAST));
        }
    }

    /// Makes room for so many keys.
    pub fn reserve(&mut self, room: usize) {
        if room > self.present.len() {
            self.present.resize(room, 0);
            self.columns.iter_mut().for_each(|column| column.grow(room));
            if self.ttl.is_some() {
                self.clocks.resize(room, i64::MIN);
            }
        }
    }

    fn delete(&mut self, keys: &[KeyId]) {
        keys.iter().for_each(|&key| self.present[key as usize] = 0);
        self.columns
            .iter_mut()
            .for_each(|column| column.release(keys));
    }

    /// Takes over what a call says of it.
    pub fn change(&mut self, changed: &Changed<'_>, kept: &Kept) {
        let taken = |group: &usize| changed.takes(*group);
        let groups = || (0..changed.keys.len()).filter(taken);
        let deleted: Vec<KeyId> = groups()
            .filter(|&group| kept.changes[group] == 2)
            .map(|group| changed.keys[group])
            .collect();
        if !deleted.is_empty() {
            self.delete(&deleted);
        }
        if let Some(ttl) = self.ttl {
            groups().for_each(|group| self.touch(changed, kept, (group, ttl)));
        }
        self.put(changed, kept);
    }

    fn put(&mut self, changed: &Changed<'_>, kept: &Kept) {
        let all = kept.entries.rows as usize == changed.keys.len() && changed.rejected.is_none();
        if all {
            return self.write(changed.keys, &kept.entries);
        }
        let (mut keys, mut picks, mut next) = (Vec::new(), Vec::new(), 0);
        for (group, &change) in kept.changes.iter().enumerate() {
            if change & 1 == 1 {
                if changed.takes(group) {
                    keys.push(changed.keys[group]);
                    picks.push(next);
                }
                next += 1;
            }
        }
        if picks.len() == kept.entries.rows as usize {
            self.write(&keys, &kept.entries);
        } else {
            self.write(&keys, &kept.entries.gather(&picks));
        }
    }

    /// Puts an entry for each of these keys.
    pub(super) fn write(&mut self, keys: &[KeyId], entries: &Table) {
        if keys.is_empty() {
            return;
        }
        keys.iter().for_each(|&key| self.present[key as usize] = 1);
        for (store, column) in self.columns.iter_mut().zip(&entries.columns) {
            store.scatter(keys, column);
        }
    }

    /// Lets an entry live from what wrote it, or read it. Comes before what was put is there.
    fn touch(&mut self, changed: &Changed<'_>, kept: &Kept, (group, ttl): (usize, Ttl)) {
        let row = kept.touched[group];
        if row == NONE {
            return;
        }
        let key = changed.keys[group] as usize;
        let time = match ttl.clock {
            Clock::Event => changed.times[row as usize],
            Clock::Processing => changed.now,
        };
        let anew = kept.changes[group] == 3 || self.present[key] == 0;
        let before = if anew { i64::MIN } else { self.clocks[key] };
        self.clocks[key] = time.max(before);
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Store::bytes).sum();
        columns + self.present.len() + self.clocks.len() * size_of::<i64>()
    }

    /// For how many key numbers there is room.
    pub fn numbers(&self) -> usize {
        self.present.len()
    }

    /// How much of that is texts and byte strings: the rest is as much for each key number.
    pub fn arena_bytes(&self) -> usize {
        self.columns.iter().map(Store::arena_bytes).sum()
    }
}

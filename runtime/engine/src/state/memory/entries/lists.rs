//! One slot of kind list.

use std::collections::VecDeque;

use hashbrown::HashMap;
use tidemill_core::process::{Lives, expired};
use tidemill_core::window::KeyId;
use tidemill_wasm::{Clock, Listed, SlotKind, StateSlot, Table, Ttl};

use super::slab::Slab;
use super::{Entry, Of};
use crate::state::memory::stands;

/// The lists of one slot.
pub struct ListSlot {
    pub(super) slab: Slab,
    pub(super) lists: HashMap<KeyId, VecDeque<Entry>>,
    /// What was noted, in place of what is held.
    noted: HashMap<KeyId, VecDeque<Entry>>,
    /// Numbers of entries that were only noted.
    only_noted: Vec<u32>,
    pub(super) entries: usize,
    pub(super) most: usize,
    pub(super) ttl: Option<Ttl>,
}

impl ListSlot {
    /// A slot without lists.
    pub fn new(slot: &StateSlot) -> Self {
        let SlotKind::List { most } = slot.kind else {
            unreachable!("the slot is a list");
        };
        Self {
            slab: Slab::new(&slot.columns),
            lists: HashMap::new(),
            noted: HashMap::new(),
            only_noted: Vec::new(),
            entries: 0,
            most: most as usize,
            ttl: slot.ttl,
        }
    }

    fn list(&self, key: KeyId) -> Option<&VecDeque<Entry>> {
        self.noted.get(&key).or_else(|| self.lists.get(&key))
    }

    /// Whether a key has entries.
    pub fn holds(&self, key: KeyId) -> bool {
        self.lists.contains_key(&key)
    }

    /// How many entries a list has.
    pub fn length(&self, key: KeyId) -> u32 {
        self.list(key).map_or(0, |list| list.len() as u32)
    }

    /// The newest entries of a list, the oldest of them first.
    pub fn newest(&self, key: KeyId, most: usize) -> Table {
        let list = self.list(key);
        let skipped = list.map_or(0, |list| list.len().saturating_sub(most));
        let newest = list.into_iter().flatten().skip(skipped);
        let numbers: Vec<u32> = newest.map(|entry| entry.number).collect();
        self.slab.gather(&numbers)
    }

    /// Removes what has expired of a list, and says until when the rest is alive.
    pub fn expire(&mut self, key: KeyId, w: i64, now: i64, lives: Option<&mut Lives>) {
        let Some(ttl) = self.ttl else { return };
        let Some(list) = self.lists.get_mut(&key) else {
            return;
        };
        let stands = stands(ttl, w, now);
        let gone = |entry: &Entry| expired(entry.clock, ttl.micros, stands);
        if list.iter().any(gone) {
            let numbers = list
                .iter()
                .filter(|entry| gone(entry))
                .map(|entry| entry.number);
            self.slab.remove(numbers);
            let before = list.len();
            list.retain(|entry| !gone(entry));
            self.entries -= before - list.len();
        }
        if let Some(lives) = lives.filter(|_| ttl.clock == Clock::Event) {
            list.iter()
                .for_each(|entry| lives.given(entry.clock, ttl.micros));
        }
        if list.is_empty() {
            self.lists.remove(&key);
        }
    }

    /// Takes over what a call wants changed.
    pub fn change(&mut self, listed: &Listed, of: &Of<'_>) {
        let numbers = self.slab.insert(&listed.entries);
        let mut numbers = numbers.into_iter();
        let by_clock = self.ttl.is_some_and(|ttl| ttl.clock == Clock::Processing);
        for (&row, &change) in listed.rows.iter().zip(&listed.changes) {
            let number = (change == 0).then(|| numbers.next()).flatten();
            let Some(key) = of.key(row) else {
                self.slab.remove(number.into_iter());
                continue;
            };
            let Some(number) = number else {
                self.clear(key);
                continue;
            };
            let list = self.lists.entry(key).or_default();
            list.push_back(Entry {
                number,
                clock: of.clock(row, by_clock),
            });
            self.entries += 1;
            if list.len() > self.most {
                let oldest = list.pop_front();
                self.entries -= 1;
                self.slab
                    .remove(oldest.into_iter().map(|entry| entry.number));
            }
        }
    }

    pub(super) fn clear(&mut self, key: KeyId) {
        let list = self.lists.remove(&key).unwrap_or_default();
        self.entries -= list.len();
        self.slab.remove(list.into_iter().map(|entry| entry.number));
    }

    /// Notes what a part of a call wants changed.
    pub fn note(&mut self, listed: &Listed, of: &Of<'_>) {
        let numbers = self.slab.insert(&listed.entries);
        self.only_noted.extend_from_slice(&numbers);
        let mut numbers = numbers.into_iter();
        for (&row, &change) in listed.rows.iter().zip(&listed.changes) {
            let number = (change == 0).then(|| numbers.next()).flatten();
            let Some(key) = of.key(row) else { continue };
            let held = self.list(key).cloned().unwrap_or_default();
            let list = self.noted.entry(key).or_insert(held);
            match number {
                None => list.clear(),
                Some(number) => {
                    let clock = of.clock(row, false);
                    list.push_back(Entry { number, clock });
                    list.drain(..list.len().saturating_sub(self.most));
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
        let of_keys = self.lists.capacity() * size_of::<(KeyId, VecDeque<Entry>)>();
        self.slab.bytes() + of_keys + self.entries * size_of::<Entry>()
    }

    /// About how much memory the lists take that there are.
    pub fn in_use(&self) -> usize {
        let of_keys = self.lists.len() * size_of::<(KeyId, VecDeque<Entry>)>();
        self.slab.in_use() + of_keys + self.entries * size_of::<Entry>()
    }
}

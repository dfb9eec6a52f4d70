//! Which keys go out of memory: those that were not used lately, first what needs not be written.
//!
//! A hand goes around over key numbers. It passes over keys that were used since it last came by, and once more over those
//! that are to be written before they go (the clock algorithm, with a second chance for what costs more).

use std::sync::Arc;

use tidemill_core::window::KeyId;

use super::budget::{Budget, Share};
use crate::state::backend::{Beside, Changed};
use crate::state::memory::Memory;

/// It is in memory.
const HERE: u8 = 1;
/// It was used since the hand last came by.
const USED: u8 = 2;
/// It has changed since it came into memory.
const CHANGED: u8 = 4;
/// A record of it lies outside.
const BEHIND: u8 = 8;
/// The hand has come by, and left it since it is to be written.
const SPARED: u8 = 16;

/// How many keys go out together at most.
const TOGETHER: usize = 4096;

/// What is known of keys in memory, by number, and how much memory they take.
pub struct Places {
    places: Vec<u8>,
    hand: usize,
    /// How many keys are in memory.
    here: usize,
    share: Share,
    /// How many keys may be in memory.
    most_keys: usize,
}

impl Places {
    /// No keys.
    pub fn new(budget: &Arc<Budget>, most_keys: usize) -> Self {
        Self {
            places: Vec::new(),
            hand: 0,
            here: 0,
            share: Share::new(budget),
            most_keys,
        }
    }

    /// How many bytes all operators may have in memory together.
    pub fn most(&self) -> usize {
        self.share.most()
    }

    fn place(&mut self, key: KeyId) -> &mut u8 {
        let at = key as usize;
        if at >= self.places.len() {
            self.places.resize(at + at / 8 + 8, 0);
        }
        &mut self.places[at]
    }

    /// Keys are used; those that are not in memory are added to `missing`.
    pub fn use_now(&mut self, keys: &[KeyId], missing: &mut Vec<KeyId>) {
        let largest = keys.iter().max().copied();
        largest.map(|largest| self.place(largest));
        for &key in keys {
            let place = &mut self.places[key as usize];
            if *place & HERE == 0 {
                missing.push(key);
            }
            *place |= USED;
        }
    }

    /// A key is in memory from now on.
    pub fn is_here(&mut self, key: KeyId) {
        let place = self.place(key);
        let came = *place & HERE == 0;
        *place |= HERE | USED;
        self.here += usize::from(came);
    }

    /// A key in memory is what its record says.
    pub fn is_behind(&mut self, key: KeyId) {
        *self.place(key) |= BEHIND;
    }

    /// A key in memory has changed.
    pub fn is_changed(&mut self, key: KeyId) {
        *self.place(key) |= CHANGED;
    }

    /// Notes which keys a call changes.
    pub fn change(&mut self, changed: &Changed<'_>) {
        let takes = |group: usize| changed.takes(group);
        for kept in changed.values {
            let touched =
                |group: usize| kept.touched.get(group).is_some_and(|&row| row != u32::MAX);
            for (group, &change) in kept.changes.iter().enumerate() {
                if (change != 0 || touched(group)) && takes(group) {
                    self.is_changed(changed.keys[group]);
                }
            }
        }
        let lists = changed.lists.iter().flat_map(|listed| &listed.rows);
        let maps = changed.maps.iter().flat_map(|mapped| &mapped.rows);
        for &row in lists.chain(maps) {
            let group = changed.groups[row as usize] as usize;
            if takes(group) {
                self.is_changed(changed.keys[group]);
            }
        }
    }

    /// Whether a key is to be written before it goes.
    pub fn to_write(&self, key: KeyId) -> bool {
        to_write(self.places[key as usize])
    }

    /// A key is no longer in memory. Whether a record of it lies outside.
    pub fn leave(&mut self, key: KeyId) -> bool {
        let place = std::mem::take(self.place(key));
        self.here -= usize::from(place & HERE != 0);
        place & BEHIND != 0
    }

    /// How much is in memory, if that is more than all operators may have: one event needs too much.
    pub fn beyond(&self, memory: &Memory) -> Option<usize> {
        let (of_numbers, of_entries) = memory.in_use();
        let in_use = of_numbers * self.here + of_entries;
        (in_use > self.share.most()).then_some(in_use)
    }

    /// The next keys to go, if too much is in memory.
    pub fn leaving(&mut self, memory: &Memory, beside: &Beside<'_>) -> Vec<KeyId> {
        let (here, numbers) = (self.here, beside.table.numbers());
        let (of_numbers, of_entries) = memory.in_use();
        let others = beside.table.memory() + beside.timers.bytes() + beside.clock_timers.bytes();
        let per_key = of_numbers + (others + self.places.len()) / numbers.max(1);
        let in_use = per_key * here + of_entries;
        self.share.set(in_use);
        let of_one = (in_use / here.max(1)).max(1);
        let too_many = here.saturating_sub(self.most_keys);
        let too_large = self.share.excess().div_ceil(of_one);
        let count = too_many.max(too_large).min(here);
        match count {
            0 => Vec::new(),
            _ => self.next(count.min(TOGETHER)),
        }
    }

    /// So many keys that are in memory.
    fn next(&mut self, count: usize) -> Vec<KeyId> {
        let mut keys = Vec::with_capacity(count);
        // The first time around what was used may be passed over, the second time what is to be written.
        for _ in 0..3 * self.places.len() {
            if keys.len() == count {
                break;
            }
            let at = self.hand;
            self.hand = (at + 1) % self.places.len();
            let place = &mut self.places[at];
            if *place & HERE == 0 {
                continue;
            }
            if *place & USED != 0 {
                *place &= !USED;
            } else if to_write(*place) && *place & SPARED == 0 {
                *place |= SPARED;
            } else {
                keys.push(at as KeyId);
                // Until it has left it is not chosen again.
                *place |= USED;
            }
        }
        keys
    }
}

fn to_write(place: u8) -> bool {
    place & BEHIND == 0 || place & CHANGED != 0
}

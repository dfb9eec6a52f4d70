//! State in memory, in columns by key number.

mod entries;
mod saving;
mod values;

use tidemill_core::process::Lives;
use tidemill_core::window::KeyId;
use tidemill_wasm::{Clock, Function, Held, HeldEntries, Ttl};

use self::entries::Entries;
use self::values::ValueSlot;
use super::backend::{Asked, Changed, StateBackend, StateError, Upto};
use crate::checkpoint::kept::SlotKept;
use crate::checkpoint::restored::Damaged;

/// The state of one process operator on one worker.
pub struct Memory {
    values: Vec<ValueSlot>,
    /// Lists and maps; absent while they are lent.
    entries: Option<Box<Entries>>,
    /// The next key to be looked at for what has expired.
    hand: KeyId,
    /// One more than the largest key number.
    keys: usize,
    /// What it may take, in bytes.
    budget: usize,
    /// Whether anything ever expires.
    mortal: bool,
}

impl Memory {
    /// No state, for a function's slots.
    pub fn new(function: &Function, budget: usize) -> Self {
        Self {
            values: function.value_slots().map(ValueSlot::new).collect(),
            entries: Some(Box::new(Entries::new(function))),
            hand: 0,
            keys: 0,
            budget,
            mortal: function.slots.iter().any(|slot| slot.ttl.is_some()),
        }
    }

    /// About how much memory is taken by what is held: how much for each key number, and how much beside that.
    pub fn in_use(&self) -> (usize, usize) {
        let numbers = self.values.iter().map(|slot| slot.numbers()).max();
        let values: usize = self.values.iter().map(ValueSlot::bytes).sum();
        let arenas: usize = self.values.iter().map(ValueSlot::arena_bytes).sum();
        let per_number = (values - arenas) / numbers.unwrap_or(0).max(1);
        let entries = self.entries.as_ref();
        (
            per_number,
            arenas + entries.map_or(0, |entries| entries.in_use()),
        )
    }

    fn entries(&mut self) -> &mut Entries {
        self.entries.as_mut().expect("what is lent is given back")
    }
}

/// Where the clock of a time to live stands.
fn stands(ttl: Ttl, w: i64, now: i64) -> i64 {
    match ttl.clock {
        Clock::Event => w,
        Clock::Processing => now,
    }
}

impl StateBackend for Memory {
    fn read(&mut self, asked: &Asked<'_>, lives: &mut [Lives]) -> Vec<Held> {
        let largest = asked.keys.iter().max().map_or(0, |&key| key as usize + 1);
        self.keys = self.keys.max(largest);
        let entries = self.entries.as_mut().expect("what is lent is given back");
        entries.expire(asked, lives);
        self.values
            .iter_mut()
            .map(|slot| slot.read(asked, lives))
            .collect()
    }

    fn lend(&mut self, keys: &[KeyId]) -> Option<Box<dyn HeldEntries>> {
        let mut entries = self.entries.take_if(|entries| entries.has_slots())?;
        entries.begin(keys);
        Some(entries)
    }

    fn take_back(&mut self, entries: Box<dyn HeldEntries>) {
        let entries: Box<dyn std::any::Any> = entries;
        let entries = entries.downcast().expect("what was lent is given back");
        self.entries = Some(entries);
    }

    fn change(&mut self, changed: &Changed<'_>) -> Result<(), StateError> {
        for (slot, kept) in self.values.iter_mut().zip(changed.values) {
            slot.change(changed, kept);
        }
        self.entries().change(changed);
        let bytes = self.bytes();
        if bytes <= self.budget {
            return Ok(());
        }
        Err(StateError::Budget {
            budget: self.budget,
            bytes,
            keys: self.keys,
        })
    }

    fn holds(&self, key: KeyId) -> bool {
        let entries = self.entries.as_ref();
        self.values.iter().any(|slot| slot.holds(key))
            || entries.is_some_and(|entries| entries.holds(key))
    }

    fn sweep(&mut self, upto: Upto, gone: &mut Vec<KeyId>) {
        if !self.mortal {
            return;
        }
        let Upto { w, now, keys } = upto;
        for _ in 0..keys.min(self.keys) {
            let key = self.hand;
            self.hand = (key + 1) % self.keys as KeyId;
            if !self.holds(key) {
                continue;
            }
            self.values
                .iter_mut()
                .for_each(|slot| slot.expire(key, w, now));
            self.entries().expire_key(key, w, now);
            if !self.holds(key) {
                gone.push(key);
            }
        }
    }

    fn bytes(&self) -> usize {
        let values: usize = self.values.iter().map(ValueSlot::bytes).sum();
        values + self.entries.as_ref().map_or(0, |entries| entries.bytes())
    }

    fn weight(&self, key: KeyId) -> usize {
        let values: usize = self.values.iter().map(|slot| slot.weight(key)).sum();
        let entries = self.entries.as_ref();
        values + entries.map_or(0, |entries| entries.weight(key))
    }

    fn save(&self, keys: &[KeyId]) -> Vec<SlotKept> {
        let mut slots: Vec<SlotKept> = self.values.iter().map(|slot| slot.save(keys)).collect();
        if let Some(entries) = &self.entries {
            slots.extend(entries.save(keys));
        }
        slots
    }

    fn forget(&mut self, keys: &[KeyId]) {
        for slot in &mut self.values {
            slot.forget(keys);
        }
        self.entries().clear(keys);
    }

    fn expect(&mut self, keys: usize) -> usize {
        self.values.iter_mut().for_each(|slot| slot.reserve(keys));
        keys
    }

    fn load(
        &mut self,
        own: &[(KeyId, usize)],
        slots: Vec<Option<SlotKept>>,
    ) -> Result<(), Damaged> {
        let largest = own.iter().map(|&(key, _)| key as usize + 1).max();
        self.keys = self.keys.max(largest.unwrap_or(0));
        let mut slots = slots.into_iter();
        for (slot, kept) in self.values.iter_mut().zip(slots.by_ref()) {
            if let Some(kept) = kept {
                slot.load(own, kept)?;
            }
        }
        self.entries().load(own, slots)
    }
}

//! What lies outside memory of one operator on one worker: a record per key, and which keys have a timer due when.
//!
//! ```text
//! records   part | key                                 ─► record
//! timers    part | whose time | first time of it | key ─► nothing      for each key outside memory that has timers
//! changed   part | cut | key                           ─► nothing      for each that went out and has changed since the cut
//! ```
//!
//! A record stays when its key comes into memory: if the key goes out again unchanged, nothing needs to be written. What
//! stands among timers is of keys outside memory alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rocksdb::{DBPinnableSlice, Direction, IteratorMode, ReadOptions, WriteBatch};
use tidemill_wasm::Clock;

use super::cold::{Clocks, Cold};
use crate::state::backend::{StateError, Upto};

/// How many bytes the number of a part takes.
pub(super) const PART: usize = 2;

/// How many bytes stand before the key among those that have changed.
pub(super) const BEFORE_CHANGED: usize = PART + size_of::<u64>();

/// How many bytes stand before the key among timers.
const BEFORE_KEY: usize = PART + 1 + size_of::<u64>();

/// See the module.
pub struct Part {
    cold: Arc<Cold>,
    number: [u8; PART],
    clocks: Arc<Clocks>,
    /// How many snapshots are being read.
    readers: Arc<AtomicUsize>,
    /// A key, put together.
    key: Vec<u8>,
}

/// Keys, encoded, as they stand in front of records.
#[derive(Default)]
pub struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    fn get(&self, i: usize) -> &[u8] {
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[i]]
    }
}

/// Changes that are written together.
#[derive(Default)]
pub struct Changes(WriteBatch);

impl Part {
    /// Another part.
    pub fn new(cold: Arc<Cold>) -> Self {
        let (number, clocks) = cold.next_part();
        Self {
            cold,
            number: number.to_be_bytes(),
            clocks,
            readers: Arc::default(),
            key: Vec::new(),
        }
    }

    /// The database that it is a part of.
    pub fn cold(&self) -> &Arc<Cold> {
        &self.cold
    }

    /// Adds a key to those that are asked for; `encode` writes it.
    pub fn ask(&self, keys: &mut Keys, encode: impl FnOnce(&mut Vec<u8>)) {
        keys.bytes.extend(self.number);
        encode(&mut keys.bytes);
        keys.ends.push(keys.bytes.len());
    }

    /// Hands over the records that there are of these keys, each with the place of its key.
    pub fn get(
        &self,
        keys: &Keys,
        mut each: impl FnMut(usize, &[u8]) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let asked = (0..keys.ends.len()).map(|i| keys.get(i));
        let cold = &*self.cold;
        let found = cold.db().batched_multi_get_cf(cold.records(), asked, false);
        for (i, found) in found.into_iter().enumerate() {
            let found: Option<DBPinnableSlice<'_>> =
                found.map_err(|e| cold.failed("read", e.into_string()))?;
            if let Some(record) = found {
                each(i, &record)?;
            }
        }
        Ok(())
    }

    /// Puts a key's record in place of what was there.
    pub fn put(&mut self, changes: &mut Changes, key: &[u8], record: &[u8]) {
        self.record_key(key);
        changes.0.put_cf(self.cold.records(), &self.key, record);
    }

    /// Removes a key's record.
    pub fn remove(&mut self, changes: &mut Changes, key: &[u8]) {
        self.record_key(key);
        changes.0.delete_cf(self.cold.records(), &self.key);
    }

    /// Notes that a key has changed since a cut.
    pub fn put_changed(&mut self, changes: &mut Changes, since: u64, key: &[u8]) {
        self.changed_key(since);
        self.key.extend_from_slice(key);
        changes.0.put_cf(self.cold.changed(), &self.key, []);
    }

    /// Forgets which keys had changed before a cut.
    pub fn forget_changed(&mut self, before: u64) -> Result<(), StateError> {
        let mut changes = Changes::default();
        self.changed_key(0);
        let from = self.key.clone();
        self.changed_key(before);
        let cold = &*self.cold;
        changes.0.delete_range_cf(cold.changed(), &from, &self.key);
        self.write(changes)
    }

    /// From now on the key is found by its first timer.
    pub fn put_timer(&mut self, changes: &mut Changes, at: (Clock, i64), key: &[u8]) {
        self.timer_key(at, key);
        changes.0.put_cf(self.cold.timers(), &self.key, []);
    }

    /// The key is no longer found by that timer.
    pub fn remove_timer(&mut self, changes: &mut Changes, at: (Clock, i64), key: &[u8]) {
        self.timer_key(at, key);
        changes.0.delete_cf(self.cold.timers(), &self.key);
    }

    /// Writes changes.
    pub fn write(&self, changes: Changes) -> Result<(), StateError> {
        match changes.0.is_empty() {
            true => Ok(()),
            false => self.cold.write(changes.0),
        }
    }

    /// Goes over keys in the order of their first timers, from a time and a key on, until `each` says that it is enough.
    pub fn timers(
        &mut self,
        from: (Clock, i64),
        from_key: &[u8],
        mut each: impl FnMut(i64, &[u8]) -> bool,
    ) -> Result<(), StateError> {
        self.timer_key(from, from_key);
        let cold = &*self.cold;
        let mut options = ReadOptions::default();
        // Behind the last time of the clock, whose key has at least a byte more.
        let mut end = self.key[..BEFORE_KEY].to_vec();
        end[PART] += 1;
        end.truncate(PART + 1);
        options.set_iterate_upper_bound(end);
        let mode = IteratorMode::From(&self.key, Direction::Forward);
        let found = cold.db().iterator_cf_opt(cold.timers(), options, mode);
        for found in found {
            let (at, _) = found.map_err(|e| cold.failed("read", e.into_string()))?;
            let Some((head, key)) = at.split_at_checked(BEFORE_KEY) else {
                return Err(cold.failed("read", "a timer's key is too short".to_owned()));
            };
            let mut time = [0; size_of::<u64>()];
            time.copy_from_slice(&head[PART + 1..]);
            if !each((u64::from_be_bytes(time) ^ 1 << 63) as i64, key) {
                break;
            }
        }
        Ok(())
    }

    /// Lets what has expired by then be removed, unless somebody still reads what there was.
    pub fn expire(&self, upto: Upto) {
        if self.readers.load(Relaxed) == 0 {
            self.clocks.w.store(upto.w, Relaxed);
            self.clocks.now.store(upto.now, Relaxed);
        }
    }

    pub(super) fn readers(&self) -> &Arc<AtomicUsize> {
        &self.readers
    }

    /// Between which keys its records lie; or those that have changed since a cut.
    pub(super) fn bounds(&self, since: Option<u64>) -> (Vec<u8>, Vec<u8>) {
        let next = u16::from_be_bytes(self.number).checked_add(1);
        let end = next.map_or(vec![0xff; PART + 1], |next| next.to_be_bytes().to_vec());
        let since = since.map(u64::to_be_bytes).into_iter().flatten();
        (self.number.into_iter().chain(since).collect(), end)
    }

    fn changed_key(&mut self, since: u64) {
        self.key.clear();
        self.key.extend(self.number);
        self.key.extend(since.to_be_bytes());
    }

    fn record_key(&mut self, key: &[u8]) {
        self.key.clear();
        self.key.extend(self.number);
        self.key.extend_from_slice(key);
    }

    fn timer_key(&mut self, (clock, time): (Clock, i64), key: &[u8]) {
        self.key.clear();
        self.key.extend(self.number);
        self.key.push(match clock {
            Clock::Event => 0,
            Clock::Processing => 1,
        });
        self.key.extend((time as u64 ^ 1 << 63).to_be_bytes());
        self.key.extend_from_slice(key);
    }
}

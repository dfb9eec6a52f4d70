//! State that may be larger than memory: in memory what is used, the rest in RocksDB.
//!
//! ```text
//!  rows, timers ─► Memory, columns by key number ◄─ bring ── records, by key ─┐
//!                    │                           ◄─ due ──── timers, by time ─┤ Part ─► Cold: one RocksDB for the process
//!                    └─ what was not used lately ── send out ─────────────────┘
//! ```
//!
//! Memory is a cache that is written back. A key that has a number is in memory, with its state and all its timers; what goes
//! out of memory loses its number, and is brought in again when a row of it comes or a timer of it is due. So everything
//! else about process functions is as it is with memory alone. Reasons are in `decisions/0029-state-beyond-memory.md`.
//!
//! Invariants:
//! 1. Of a key in memory nothing is read from outside: a record that still lies there may be older.
//! 2. A key is among the timers outside iff it is not in memory and has a timer.
//! 3. Keys go out between two events only.

mod budget;
mod cold;
mod due;
mod evicting;
mod folder;
mod part;
mod records;
mod snapshot;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tidemill_core::process::{Lives, Timer};
use tidemill_core::window::{KeyId, KeyOrder};
use tidemill_wasm::{Clock, Function, Held, HeldEntries};

pub use self::cold::Cold;
use self::evicting::Places;
use self::part::{Changes, Keys, Part};
use self::records::{Join, Layout, Record, Saved};
pub use self::snapshot::{Next, Snapshot};
use super::backend::{Asked, Beside, Changed, StateBackend, StateError, Upto};
use super::memory::Memory;
use crate::checkpoint::kept::SlotKept;
use crate::checkpoint::restored::Damaged;

/// The state of one process operator on one worker.
pub struct RocksDb {
    memory: Memory,
    places: Places,
    part: Part,
    layout: Layout,
    /// Whether checkpoints are taken.
    is_cut: bool,
    /// How many keys are not in memory; those that have expired since are among them until they are asked for.
    outside: usize,
    /// The first times of timers outside memory, in event time and by the clock: none is earlier. And the first key with one then.
    first: [i64; 2],
    first_keys: [Vec<u8>; 2],
    /// Whether the first of them is no longer there, so that the next is to be looked for.
    first_gone: [bool; 2],
    /// Keys of an event that are not in memory.
    missing: Vec<KeyId>,
}

impl RocksDb {
    /// No state, for a function's slots. Of at most so many keys memory holds anything between two events; checkpoints are taken
    /// of it or not.
    pub fn new(function: &Function, cold: &Arc<Cold>, (most_keys, is_cut): (usize, bool)) -> Self {
        Self {
            memory: Memory::new(function, usize::MAX),
            places: Places::new(cold.budget(), most_keys),
            part: Part::new(cold.clone()),
            layout: Layout::new(function),
            is_cut,
            outside: 0,
            first: [i64::MAX; 2],
            first_keys: Default::default(),
            first_gone: [false; 2],
            missing: Vec::new(),
        }
    }

    /// Brings keys in of which nothing is in memory yet, though they have numbers.
    fn bring_in(&mut self, missing: &[KeyId], beside: &mut Beside<'_>) -> Result<(), StateError> {
        missing.iter().for_each(|&key| self.places.is_here(key));
        if self.outside == 0 {
            return Ok(());
        }
        let mut keys = Keys::default();
        for &key in missing {
            self.part
                .ask(&mut keys, |into| beside.table.encode(key, into));
        }
        let mut join = Join::new(&self.layout);
        let mut own: Vec<(KeyId, usize)> = Vec::new();
        let mut timed: Vec<(KeyId, Record)> = Vec::new();
        let cold = self.part.cold();
        let damaged = |_| cold.failed("read", "a record is damaged".to_owned());
        self.part.get(&keys, |at, record| {
            let read = join.add(record).map_err(damaged)?;
            let key = missing[at];
            own.push((key, own.len()));
            if !read.timers.is_empty() || !read.clock_timers.is_empty() {
                timed.push((key, read));
            }
            Ok(())
        })?;
        self.memory
            .load(&own, join.into_slots().into_iter().map(Some).collect())
            .map_err(damaged)?;
        own.iter().for_each(|&(key, _)| self.places.is_behind(key));
        beside.came.extend(own.iter().map(|&(key, _)| key));
        self.outside = self.outside.saturating_sub(own.len());
        self.bring_timers(timed, beside)
    }

    fn bring_timers(
        &mut self,
        timed: Vec<(KeyId, Record)>,
        beside: &mut Beside<'_>,
    ) -> Result<(), StateError> {
        let mut changes = Changes::default();
        let mut encoded = Vec::new();
        for (key, record) in timed {
            encoded.clear();
            beside.table.encode(key, &mut encoded);
            let both = [
                (Clock::Event, record.timers, &mut *beside.timers),
                (
                    Clock::Processing,
                    record.clock_timers,
                    &mut *beside.clock_timers,
                ),
            ];
            for (clock, timers, into) in both {
                if let Some(first) = timers.first() {
                    let at = (clock, first.time);
                    self.first_gone[of(clock)] |= first.time == self.first[of(clock)];
                    self.part.remove_timer(&mut changes, at, &encoded);
                }
                timers.into_iter().for_each(|timer| into.put(key, timer));
            }
        }
        self.part.write(changes)
    }

    /// Writes what has changed of keys, and where those with timers are found.
    fn write_out(
        &mut self,
        keys: &[(KeyId, Option<u64>)],
        beside: &Beside<'_>,
    ) -> Result<(), StateError> {
        let mut changes = Changes::default();
        let changed = keys.iter().map(|&(key, _)| key);
        let changed: Vec<KeyId> = changed.filter(|&key| self.places.to_write(key)).collect();
        let saved = Saved::new(&self.layout, self.memory.save(&changed));
        let (mut encoded, mut record) = (Vec::new(), Vec::new());
        // In the order of keys each goes into the write buffer right behind the one before it.
        let mut order: Vec<usize> = (0..changed.len()).collect();
        let table = &*beside.table;
        order.sort_unstable_by(|&a, &b| {
            let (a, b) = (changed[a], changed[b]);
            let by_prefix = table.prefix(a).cmp(&table.prefix(b));
            by_prefix.then_with(|| table.cmp(a, b))
        });
        for at in order {
            let key = changed[at];
            encoded.clear();
            beside.table.encode(key, &mut encoded);
            let timers = [beside.timers.of(key), beside.clock_timers.of(key)];
            saved.write(at, timers, &mut record);
            self.part.put(&mut changes, &encoded, &record);
        }
        for &(key, since) in keys {
            encoded.clear();
            beside.table.encode(key, &mut encoded);
            if let Some(since) = since.filter(|_| self.is_cut) {
                self.part.put_changed(&mut changes, since, &encoded);
            }
            let both = [
                (Clock::Event, beside.timers.earliest(key)),
                (Clock::Processing, beside.clock_timers.earliest(key)),
            ];
            for (clock, first) in both {
                if let Some(&Timer { time, .. }) = first {
                    self.part.put_timer(&mut changes, (clock, time), &encoded);
                    self.goes_out_with_timer(clock, time);
                }
            }
        }
        self.part.write(changes)
    }
}

fn of(clock: Clock) -> usize {
    match clock {
        Clock::Event => 0,
        Clock::Processing => 1,
    }
}

impl StateBackend for RocksDb {
    fn read(&mut self, asked: &Asked<'_>, lives: &mut [Lives]) -> Vec<Held> {
        self.memory.read(asked, lives)
    }

    fn lend(&mut self, keys: &[KeyId]) -> Option<Box<dyn HeldEntries>> {
        self.memory.lend(keys)
    }

    fn take_back(&mut self, entries: Box<dyn HeldEntries>) {
        self.memory.take_back(entries);
    }

    fn change(&mut self, changed: &Changed<'_>) -> Result<(), StateError> {
        self.places.change(changed);
        self.memory.change(changed)?;
        match self.places.beyond(&self.memory) {
            None => Ok(()),
            Some(bytes) => Err(StateError::Event {
                budget: self.places.most(),
                bytes,
            }),
        }
    }

    fn holds(&self, key: KeyId) -> bool {
        self.memory.holds(key)
    }

    fn sweep(&mut self, upto: Upto, gone: &mut Vec<KeyId>) {
        self.memory.sweep(upto, gone);
        if self.layout.is_mortal() {
            self.part.expire(upto);
        }
    }

    fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    fn weight(&self, key: KeyId) -> usize {
        self.memory.weight(key)
    }

    fn save(&self, keys: &[KeyId]) -> Vec<SlotKept> {
        self.memory.save(keys)
    }

    fn forget(&mut self, keys: &[KeyId]) {
        keys.iter().for_each(|&key| self.places.is_changed(key));
        self.memory.forget(keys);
    }

    fn expect(&mut self, _keys: usize) -> usize {
        // How many there is room for shows when they come.
        0
    }

    fn load(
        &mut self,
        own: &[(KeyId, usize)],
        slots: Vec<Option<SlotKept>>,
    ) -> Result<(), Damaged> {
        own.iter().for_each(|&(key, _)| self.places.is_here(key));
        self.memory.load(own, slots)
    }

    fn bring(&mut self, keys: &[KeyId], beside: &mut Beside<'_>) -> Result<(), StateError> {
        let mut missing = std::mem::take(&mut self.missing);
        missing.clear();
        self.places.use_now(keys, &mut missing);
        let brought = match missing.is_empty() {
            true => Ok(()),
            false => self.bring_in(&missing, beside),
        };
        self.missing = missing;
        brought
    }

    fn first_outside(&self, clock: Clock) -> i64 {
        self.first[of(clock)]
    }

    fn step_outside(&mut self, due: (Clock, i64), most: usize) -> Result<i64, StateError> {
        self.time_of_step(due, most)
    }

    fn bring_due(
        &mut self,
        due: (Clock, i64),
        beside: &mut Beside<'_>,
        keys: &mut Vec<KeyId>,
    ) -> Result<(), StateError> {
        self.number_due(due, beside, keys)?;
        self.bring(keys, beside)
    }

    fn timers_changed(&mut self, key: KeyId) {
        self.places.is_changed(key);
    }

    fn let_go(&mut self, keys: &[KeyId], beside: &Beside<'_>) -> Result<(), StateError> {
        self.look_for_first()?;
        let mut changes = Changes::default();
        let mut encoded = Vec::new();
        for &key in keys {
            if self.places.leave(key) {
                encoded.clear();
                beside.table.encode(key, &mut encoded);
                self.part.remove(&mut changes, &encoded);
            }
        }
        self.part.write(changes)
    }

    fn leaving(&mut self, beside: &Beside<'_>) -> Vec<KeyId> {
        self.places.leaving(&self.memory, beside)
    }

    fn send_out(
        &mut self,
        leaving: &[(KeyId, Option<u64>)],
        beside: &mut Beside<'_>,
    ) -> Result<(), StateError> {
        self.write_out(leaving, beside)?;
        let keys: Vec<KeyId> = leaving.iter().map(|&(key, _)| key).collect();
        self.memory.forget(&keys);
        for key in keys {
            self.places.leave(key);
            beside.timers.forget(key);
            beside.clock_timers.forget(key);
            beside.table.remove(key);
        }
        self.outside += leaving.len();
        Ok(())
    }

    fn outside(&self) -> usize {
        self.outside
    }

    fn snapshot_outside(&mut self, since: Option<u64>) -> Result<Option<Snapshot>, StateError> {
        if let Some(since) = since {
            self.part.forget_changed(since)?;
        }
        match self.outside {
            0 => Ok(None),
            _ => self.part.snapshot(&self.layout, since).map(Some),
        }
    }
}

//! What lay outside memory at one moment, in blocks, in the form in which checkpoints keep it: all of it, or what has changed
//! since a cut.
//!
//! A thread of its own reads it, as of that moment, and hands blocks over as they are taken; nobody waits for it.
//!
//! Invariant: of keys that were in memory at that moment there may be records too, as they once were. Whoever takes a snapshot
//! takes what was in memory after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rocksdb::{DB, IteratorMode, ReadOptions, SnapshotWithThreadMode};
use smallvec::SmallVec;
use tidemill_checkpoint::Buffers;
use tidemill_core::process::Timer;

use super::cold::Cold;
use super::part::{BEFORE_CHANGED, PART, Part};
use super::records::{Join, Layout};
use crate::checkpoint::kept::{self, Block, StatesKept, TimerKept};
use crate::state::backend::StateError;

/// How many keys a block has at most.
const BLOCK: usize = 4096;

/// How many bytes make a block large enough.
const BLOCK_BYTES: usize = 1 << 20;

/// How many blocks wait to be taken.
const WAITING: usize = 2;

/// How many changed keys are read together.
const TOGETHER: usize = 512;

/// How far files are read ahead.
const AHEAD: usize = 1 << 20;

/// For how long who asks for a block that is not there yet waits for it.
const PATIENCE: Duration = Duration::from_micros(100);

/// See the module.
pub struct Snapshot {
    blocks: Receiver<Result<Block, StateError>>,
}

/// What is next of a snapshot.
pub enum Next {
    /// A block.
    Block(Block),
    /// A block that is not there yet.
    Later,
    /// It cannot be read.
    Failed(StateError),
    /// All of it was given.
    End,
}

/// Counts one reader for as long as it is there.
struct Reading(Arc<AtomicUsize>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Nobody takes blocks any more.
struct Gone;

impl Snapshot {
    /// The next block.
    pub fn next(&mut self) -> Next {
        match self.blocks.recv_timeout(PATIENCE) {
            Ok(Ok(block)) => Next::Block(block),
            Ok(Err(error)) => Next::Failed(error),
            Err(RecvTimeoutError::Timeout) => Next::Later,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}

impl Part {
    /// What lies outside memory now, whatever happens while it is read; of it what has changed since a cut, if one is named.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn snapshot(&self, layout: &Layout, since: Option<u64>) -> Result<Snapshot, StateError> {
        let (to, blocks) = crossbeam_channel::bounded(WAITING);
        let (begun, is_begun) = crossbeam_channel::bounded::<()>(1);
        self.readers().fetch_add(1, Relaxed);
        let reading = Reading(self.readers().clone());
        let (cold, bounds, layout) = (self.cold().clone(), self.bounds(since), layout.clone());
        let read = move || {
            let _reading = reading;
            let moment = cold.db().snapshot();
            drop(begun);
            let mut reader = Reader {
                cold: &cold,
                block: Filling::new(&layout),
                to: &to,
                buffers: kept::buffers(),
            };
            let read = match since {
                None => reader.all(&moment, bounds),
                Some(_) => reader.changed(&moment, bounds),
            };
            match read {
                // Nobody listens any more: nobody minds.
                Ok(Ok(()) | Err(Gone)) => {}
                Err(error) => drop(to.send(Err(error))),
            }
        };
        let thread = thread::Builder::new().name("state".to_owned()).spawn(read);
        thread.map_err(|e| self.cold().failed("read", e.to_string()))?;
        // Closed once the moment is held.
        let _ = is_begun.recv();
        Ok(Snapshot { blocks })
    }
}

/// A block that is being filled.
struct Filling<'a> {
    layout: &'a Layout,
    kept: StatesKept,
    join: Join<'a>,
}

impl<'a> Filling<'a> {
    fn new(layout: &'a Layout) -> Self {
        Self {
            layout,
            kept: StatesKept::default(),
            join: Join::new(layout),
        }
    }

    fn is_full(&self) -> bool {
        self.kept.keys.count() == BLOCK || self.join.bytes() >= BLOCK_BYTES
    }

    fn take(&mut self) -> StatesKept {
        let full = std::mem::replace(self, Self::new(self.layout));
        StatesKept {
            slots: full.join.into_slots(),
            ..full.kept
        }
    }
}

/// Reads records and hands blocks over.
struct Reader<'a> {
    cold: &'a Cold,
    block: Filling<'a>,
    to: &'a Sender<Result<Block, StateError>>,
    buffers: Buffers,
}

/// Whether it went well; inside, whether somebody still takes blocks.
type Read = Result<Result<(), Gone>, StateError>;

impl Reader<'_> {
    /// Hands over all records.
    fn all(&mut self, moment: &SnapshotWithThreadMode<'_, DB>, bounds: (Vec<u8>, Vec<u8>)) -> Read {
        let options = between(bounds);
        let found = moment.iterator_cf_opt(self.cold.records(), options, IteratorMode::Start);
        for found in found {
            let (key, record) = found.map_err(|e| self.cold.failed("read", e.into_string()))?;
            if let Err(gone) = self.add(&key[PART..], &record)? {
                return Ok(Err(gone));
            }
        }
        Ok(self.give())
    }

    /// Hands over the records of keys that have changed.
    fn changed(
        &mut self,
        moment: &SnapshotWithThreadMode<'_, DB>,
        bounds: (Vec<u8>, Vec<u8>),
    ) -> Read {
        let part = bounds.0[..PART].to_vec();
        let options = between(bounds);
        let found = moment.iterator_cf_opt(self.cold.changed(), options, IteratorMode::Start);
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for found in found {
            let (key, _) = found.map_err(|e| self.cold.failed("read", e.into_string()))?;
            keys.push([&part, &key[BEFORE_CHANGED..]].concat());
            if keys.len() == TOGETHER {
                if let Err(gone) = self.records(moment, &keys)? {
                    return Ok(Err(gone));
                }
                keys.clear();
            }
        }
        match self.records(moment, &keys)? {
            Ok(()) => Ok(self.give()),
            gone => Ok(gone),
        }
    }

    /// Adds the records that there are of these keys.
    fn records(&mut self, moment: &SnapshotWithThreadMode<'_, DB>, keys: &[Vec<u8>]) -> Read {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_snapshot(moment);
        let (cold, asked) = (self.cold, keys.iter().map(Vec::as_slice));
        let found = cold
            .db()
            .batched_multi_get_cf_opt(cold.records(), asked, false, &options);
        for (key, found) in keys.iter().zip(found) {
            let found = found.map_err(|e| cold.failed("read", e.into_string()))?;
            // One that has gone since has none.
            let Some(record) = found else { continue };
            if let Err(gone) = self.add(&key[PART..], &record)? {
                return Ok(Err(gone));
            }
        }
        Ok(Ok(()))
    }

    fn add(&mut self, key: &[u8], record: &[u8]) -> Read {
        let (cold, block) = (self.cold, &mut self.block);
        let read = block.join.add(record);
        let read = read.map_err(|_| cold.failed("read", "a record is damaged".to_owned()))?;
        block.kept.keys.push(key);
        let timers = read.timers.iter().chain(&read.clock_timers).map(kept);
        let timers = timers.collect::<SmallVec<[_; 4]>>();
        block.kept.timers.push(&timers);
        match block.is_full() {
            true => Ok(self.give()),
            false => Ok(Ok(())),
        }
    }

    /// Hands the block over, if anything is in it.
    fn give(&mut self) -> Result<(), Gone> {
        let block = self.block.take();
        match block.is_empty() {
            true => Ok(()),
            false => self
                .to
                .send(Ok(block.encode(&self.buffers)))
                .map_err(|_| Gone),
        }
    }
}

fn between((start, end): (Vec<u8>, Vec<u8>)) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.fill_cache(false);
    options.set_readahead_size(AHEAD);
    options.set_iterate_lower_bound(start);
    options.set_iterate_upper_bound(end);
    options
}

fn kept(timer: &Timer) -> TimerKept {
    TimerKept {
        name: timer.name,
        time: timer.time,
    }
}

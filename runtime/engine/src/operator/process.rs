//! The process operator: rows of a key one after the other, with state and timers of the key's own.
//!
//! ```text
//! rows ─► key numbers ─► calls: each holds the rows of a key before which none of its timers fires and nothing expires
//!                          │  state read, lent, written back; timers changed; a call that was too long given again
//!                          ▼
//! W at the rows ─► timers of all keys that are due by then, in waves ─► what came of all of it, in one order ─► out
//! ```
//!
//! After every batch W stands where it stood at its last row: every timer that is due by then has fired. So it comes to the
//! same wherever batches are cut: everything happens as if W moved between every two rows.
//!
//! Ports: 0 main output, 1 failed rows, then the side outputs of the function.

mod bits;
mod calls;
mod failures;
mod fire;
mod journal;
mod outside;
mod parts;
mod results;
mod rows;
mod saving;
mod touched;

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

use tidemill_checkpoint::Buffers;
use tidemill_core::process::{Ranks, Timers};
use tidemill_core::time;
use tidemill_core::window::KeyId;
use tidemill_rows::Batch;
use tidemill_wasm::Clock;

use self::journal::Journal;
pub use self::parts::{ProcessParts, TimerNames};
use self::results::Results;
use super::Operator;
use super::null_keys::without_null_keys;
use crate::aggregate::groups::Groups;
use crate::busiest::Busiest;
use crate::checkpoint::changes::StateChange;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::cut::At;
use crate::checkpoint::kept::{self, Block, Blocks, OperatorKept};
use crate::checkpoint::restored::{Damaged, Mine, Unrestored};
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::FailedRow;
use crate::metrics::add;
use crate::state::{Snapshot, Upto};

/// Port of failed rows.
pub const FAILED: usize = 1;
/// Port of the first side output.
pub const SIDES: usize = 2;

/// A process function on one worker.
pub struct Process {
    parts: ProcessParts,
    /// Timers of event time.
    timers: Timers,
    /// Timers of the clock.
    clock_timers: Timers,
    /// The last watermark.
    watermark: i64,
    /// The largest W at a row, whichever input it came by: what was due until then has fired.
    reached: i64,
    /// The clock as it was last told.
    now: i64,
    /// An advance that is not yet done: the watermark that is risen to.
    advance: Option<i64>,
    /// How many rows were taken since what has expired was last looked for.
    taken: usize,
    /// Keys of the batch at hand, by row.
    keys: Vec<KeyId>,
    groups: Groups,
    ranks: Ranks,
    results: Results,
    failed: Vec<(u32, FailedRow)>,
    /// Keys of which perhaps nothing is left.
    doubtful: Vec<KeyId>,
    /// What has changed, and what of the cut at hand is to be saved.
    journal: Journal,
    /// Blocks of the cut at hand of keys that were touched since.
    kept_back: VecDeque<Block>,
    buffers: Buffers,
    busiest: Busiest,
    /// What the cut at hand holds of keys that were not in memory.
    outside: Option<Snapshot>,
    /// Keys that have just come into memory.
    came: Vec<KeyId>,
}

/// How many keys are looked at for what has expired, at least; and two for each row, so that no more is left than is held.
const LEAST_SWEPT: usize = 64;

/// How many keys one step of an advance fires timers of, before what they gave goes on.
const KEYS_PER_STEP: usize = 4096;

impl Process {
    /// A process operator that has seen nothing.
    pub fn new(parts: ProcessParts) -> Self {
        Self {
            parts,
            timers: Timers::default(),
            clock_timers: Timers::default(),
            watermark: time::MIN,
            reached: time::MIN,
            now: time::MIN,
            advance: None,
            taken: 0,
            keys: Vec::new(),
            groups: Groups::default(),
            ranks: Ranks::default(),
            results: Results::default(),
            failed: Vec::new(),
            doubtful: Vec::new(),
            journal: Journal::default(),
            kept_back: VecDeque::new(),
            buffers: kept::buffers(),
            busiest: Busiest::default(),
            outside: None,
            came: Vec::new(),
        }
    }

    /// Fires the timers due at or before `w`, of about so many keys. Gives whether more may be due.
    fn fire_due(&mut self, w: i64, most: usize) -> Result<bool, EngineError> {
        if self.first(Clock::Event) > w {
            return Ok(false);
        }
        let step = self.with_state(|state, _| state.step_outside((Clock::Event, w), most))?;
        let mut keys = Vec::new();
        let until = self.timers.due(step, most, &mut keys);
        self.fire_keys(Clock::Event, (&keys, until))?;
        self.fire_outside(Clock::Event, until)?;
        Ok(until < w)
    }

    /// Gives what came of the event at hand, in order, and forgets keys of which nothing is left.
    fn give(&mut self, out: &mut Output) -> Result<(), EngineError> {
        let parts = &self.parts;
        for (target, batch) in self.results.in_order(&parts.keying.table) {
            add(&parts.counters.rows_out, batch.len() as u64);
            let port = if target == 0 { 0 } else { SIDES + target - 1 };
            out.rows(port, batch);
        }
        self.give_failed(out)?;
        self.let_go()
    }

    /// Forgets keys of which nothing is left, makes room in memory, and hears what the function had to say.
    fn let_go(&mut self) -> Result<(), EngineError> {
        // What a timer that is still to fire may see is not removed before it.
        let all_fired = self.timers.first().saturating_sub(1);
        // What a cut is still to hold is not removed before; what is not looked at now is later.
        if !self.journal.is_saving() {
            let upto = Upto {
                w: self.watermark.min(all_fired),
                now: self.now,
                keys: LEAST_SWEPT + 2 * std::mem::take(&mut self.taken),
            };
            self.parts.state.sweep(upto, &mut self.doubtful);
        }
        self.forget_doubtful()?;
        self.make_room()?;
        let parts = &mut self.parts;
        let keys = parts.keying.table.len() + parts.state.outside();
        parts.counters.keys.store(keys as u64, Relaxed);
        let (lines, notes) = (parts.function.take_log(), parts.function.take_notes());
        parts.talk.hear(&lines, notes, &parts.counters);
        Ok(())
    }
}

impl Operator for Process {
    fn rows(&mut self, batch: Batch, out: &mut Output) -> Result<(), EngineError> {
        add(&self.parts.counters.rows_in, batch.len() as u64);
        let parts = &self.parts;
        let key = (&parts.keying, parts.null_key);
        let (batch, failed) = without_null_keys(batch, key, &parts.blame, &parts.counters);
        self.failed.extend(failed.into_iter().map(|row| (0, row)));
        self.taken += batch.len();
        if !batch.is_empty() {
            let mut keys = std::mem::take(&mut self.keys);
            self.parts.keying.number(&batch, &mut keys);
            self.busiest.see(&self.parts.keying, &batch);
            self.take(&batch, &keys)?;
            self.keys = keys;
            self.fire_due(self.reached, usize::MAX)?;
        }
        self.give(out)
    }

    fn advance(&mut self, w: i64, out: &mut Output) -> Result<(), EngineError> {
        self.advance = Some(w);
        self.go_on(out)
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), EngineError> {
        let Some(w) = self.advance.take() else {
            return Ok(());
        };
        if w != time::MAX {
            self.watermark = w;
        }
        self.parts.ended = w == time::MAX;
        while self.fire_due(w, KEYS_PER_STEP)? {
            self.give(out)?;
            if !out.is_empty() {
                self.advance = Some(w);
                out.interrupt();
                return Ok(());
            }
        }
        self.give(out)
    }

    fn next_due(&self) -> Option<i64> {
        let first = self.first(Clock::Event);
        (first != i64::MAX).then_some(first)
    }

    fn clock(&mut self, now: i64, out: &mut Output) -> Result<(), EngineError> {
        self.now = self.now.max(now);
        if self.first(Clock::Processing) > self.now {
            return Ok(());
        }
        self.fire_clock(self.now)?;
        self.give(out)
    }

    fn next_tick(&self) -> Option<i64> {
        let first = self.first(Clock::Processing);
        (first != i64::MAX).then_some(first)
    }

    fn cut(&mut self, at: &At) -> Result<OperatorKept, EngineError> {
        self.begin_saving(at)?;
        Ok(OperatorKept::Process(self.kept()))
    }

    fn save(&mut self) -> Result<Option<Block>, EngineError> {
        self.next_block()
    }

    fn migrate(&mut self, kept: OperatorKept, change: &StateChange) -> Result<OperatorKept, Unfit> {
        match kept {
            OperatorKept::Process(kept) => Ok(OperatorKept::Process(change.states.names(kept))),
            other => Ok(other),
        }
    }

    fn restore(
        &mut self,
        kept: Vec<OperatorKept>,
        blocks: &Blocks,
        mine: &Mine,
    ) -> Result<(), Unrestored> {
        let processes = kept.into_iter().map(|kept| match kept {
            OperatorKept::Process(process) => Ok(process),
            _ => Err(Damaged),
        });
        Process::restore(self, processes.collect::<Result<_, _>>()?, blocks, mine)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        let shares = self.busiest.shares(&self.parts.keying);
        self.parts.counters.set_busiest(shares);
        Ok(())
    }
}

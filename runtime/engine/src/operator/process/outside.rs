//! What the operator has of its keys that is not in memory: brought in before anything looks at it, sent out between events.

use tidemill_core::window::KeyId;
use tidemill_wasm::Clock;

use super::Process;
use crate::error::EngineError;
use crate::state::{Beside, StateBackend, StateError};

impl Process {
    /// Has these keys in memory, until the event is over.
    pub(super) fn bring(&mut self, keys: &[KeyId]) -> Result<(), EngineError> {
        self.with_state(|state, beside| state.bring(keys, beside))?;
        self.note_those_that_came();
        Ok(())
    }

    /// Fires the timers due of keys that are not in memory, so many keys at a time: in between they may go again.
    pub(super) fn fire_outside(&mut self, clock: Clock, until: i64) -> Result<(), EngineError> {
        while self.parts.state.first_outside(clock) <= until {
            let mut keys = Vec::new();
            self.with_state(|state, beside| state.bring_due((clock, until), beside, &mut keys))?;
            self.note_those_that_came();
            if keys.is_empty() {
                return Ok(());
            }
            self.fire_keys(clock, (&keys, until))?;
            if self.parts.state.first_outside(clock) <= until {
                self.results.settle(&self.parts.keying.table);
                self.forget_doubtful()?;
                self.make_room()?;
            }
        }
        Ok(())
    }

    fn note_those_that_came(&mut self) {
        for key in self.came.drain(..) {
            self.journal.came(key);
        }
    }

    /// No timer is due before this time; at it, perhaps none either.
    pub(super) fn first(&self, clock: Clock) -> i64 {
        let here = match clock {
            Clock::Event => self.timers.first(),
            Clock::Processing => self.clock_timers.first(),
        };
        here.min(self.parts.state.first_outside(clock))
    }

    /// Forgets the keys of which nothing is left.
    pub(super) fn forget_doubtful(&mut self) -> Result<(), EngineError> {
        let mut gone = std::mem::take(&mut self.doubtful);
        gone.retain(|&key| !self.keeps(key));
        gone.sort_unstable();
        gone.dedup();
        self.with_state(|state, beside| state.let_go(&gone, beside))?;
        for key in gone.drain(..) {
            let table = &mut self.parts.keying.table;
            self.journal.forgotten(key, |to| table.encode(key, to));
            self.ranks.forget(key);
            table.remove(key);
        }
        self.doubtful = gone;
        Ok(())
    }

    /// Sends keys out of memory, while there is too much in it.
    pub(super) fn make_room(&mut self) -> Result<(), EngineError> {
        self.make_room_in_memory().map_err(|e| self.failed(e))
    }

    /// As [`Process::make_room`].
    pub(super) fn make_room_in_memory(&mut self) -> Result<(), StateError> {
        loop {
            let keys = self.try_with_state(|state, beside| Ok(state.leaving(beside)))?;
            if keys.is_empty() {
                return Ok(());
            }
            self.keep_back(&keys);
            keys.iter().for_each(|&key| self.ranks.forget(key));
            let journal = &mut self.journal;
            let leaving = keys.into_iter().map(|key| (key, journal.leaves(key)));
            let leaving: Vec<(KeyId, Option<u64>)> = leaving.collect();
            self.try_with_state(|state, beside| state.send_out(&leaving, beside))?;
        }
    }

    pub(super) fn with_state<R>(
        &mut self,
        does: impl FnOnce(&mut dyn StateBackend, &mut Beside<'_>) -> Result<R, StateError>,
    ) -> Result<R, EngineError> {
        self.try_with_state(does).map_err(|e| self.failed(e))
    }

    pub(super) fn try_with_state<R>(
        &mut self,
        does: impl FnOnce(&mut dyn StateBackend, &mut Beside<'_>) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        let mut beside = Beside {
            table: &mut self.parts.keying.table,
            timers: &mut self.timers,
            clock_timers: &mut self.clock_timers,
            came: &mut self.came,
        };
        does(&mut *self.parts.state, &mut beside)
    }

    /// What stops the run.
    pub(super) fn failed(&self, source: StateError) -> EngineError {
        EngineError::State {
            operator: self.parts.blame.operator.clone(),
            source,
        }
    }
}

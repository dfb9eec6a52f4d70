//! Which keys outside memory have timers that are due: found in order of time and key, brought in so many at a time.

use tidemill_core::window::KeyId;
use tidemill_wasm::Clock;

use super::{RocksDb, of};
use crate::state::backend::{Beside, StateError};

/// How many keys come in together of which timers are due.
const DUE_TOGETHER: usize = 4096;

impl RocksDb {
    /// Looks for the first timer outside memory, where it is no longer the one that was.
    pub(super) fn look_for_first(&mut self) -> Result<(), StateError> {
        for clock in [Clock::Event, Clock::Processing] {
            if std::mem::take(&mut self.first_gone[of(clock)]) {
                self.go_over_timers(clock, |_, _| false)?;
            }
        }
        Ok(())
    }

    /// A key goes out of memory of which this is the first timer.
    pub(super) fn goes_out_with_timer(&mut self, clock: Clock, time: i64) {
        let first = &mut self.first[of(clock)];
        if time <= *first {
            *first = time;
            self.first_keys[of(clock)].clear();
        }
    }

    /// Goes over the keys outside memory with a timer, in order of time and key, until `each` says that it is enough. From
    /// there it begins the next time, or from behind all of them.
    fn go_over_timers(
        &mut self,
        clock: Clock,
        mut each: impl FnMut(i64, &[u8]) -> bool,
    ) -> Result<(), StateError> {
        let (mut first, mut first_key) = (i64::MAX, Vec::new());
        let from = (clock, self.first[of(clock)]);
        let key = &mut self.first_keys[of(clock)];
        self.part.timers(from, key, |time, key| {
            let goes_on = each(time, key);
            if !goes_on {
                (first, first_key) = (time, key.to_vec());
            }
            goes_on
        })?;
        (self.first[of(clock)], *key) = (first, first_key);
        Ok(())
    }

    /// As [`StateBackend::step_outside`](crate::state::StateBackend::step_outside).
    pub(super) fn time_of_step(
        &mut self,
        (clock, until): (Clock, i64),
        most: usize,
    ) -> Result<i64, StateError> {
        if self.first[of(clock)] > until || most == usize::MAX {
            return Ok(until);
        }
        let (mut found, mut step) = (0, until);
        let from = (clock, self.first[of(clock)]);
        self.part
            .timers(from, &self.first_keys[of(clock)], |time, _| {
                found += 1;
                if found == most {
                    step = step.min(time);
                }
                found < most && time <= until
            })?;
        Ok(step)
    }

    /// Gives the next keys numbers that have a timer due.
    pub(super) fn number_due(
        &mut self,
        (clock, until): (Clock, i64),
        beside: &mut Beside<'_>,
        keys: &mut Vec<KeyId>,
    ) -> Result<(), StateError> {
        let table = &mut *beside.table;
        self.go_over_timers(clock, |time, key| {
            let takes = time <= until && keys.len() < DUE_TOGETHER;
            if takes {
                keys.extend(table.insert(key));
            }
            takes
        })
    }
}

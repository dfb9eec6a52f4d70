//! Timers that fire: in waves, at most one of each key in a call.

use arrow_array::ArrayRef;
use tidemill_core::process::{Place, Setter, Timer, Timers};
use tidemill_core::window::{KeyId, KeyOrder};
use tidemill_wasm::{Clock, KeysIn, TimersIn};

use super::Process;
use super::calls::Together;
use super::results::Caused;
use crate::error::EngineError;
use crate::state::Asked;

/// How many timers one call fires at most.
const TIMERS_PER_CALL: usize = 4096;

/// A timer that fires, and its key.
type Firing = (KeyId, Timer);

impl Process {
    /// Fires all timers of these keys up to a time, those that firing ones set included. They were not looked for meanwhile.
    pub(super) fn fire_keys(
        &mut self,
        clock: Clock,
        (keys, until): (&[KeyId], i64),
    ) -> Result<(), EngineError> {
        let mut wave = keys.to_vec();
        loop {
            let timers = self.timers_by(clock);
            let due = |timer: &Timer| timer.time <= until;
            wave.retain(|&key| timers.earliest(key).is_some_and(due));
            if wave.is_empty() {
                break;
            }
            self.fire_wave(clock, &wave)?;
        }
        let timers = self.timers_by(clock);
        keys.iter().for_each(|&key| timers.arm(key));
        self.doubtful.extend_from_slice(keys);
        Ok(())
    }

    fn timers_by(&mut self, clock: Clock) -> &mut Timers {
        match clock {
            Clock::Event => &mut self.timers,
            Clock::Processing => &mut self.clock_timers,
        }
    }

    /// Fires the first timer of each of these keys.
    pub(super) fn fire_wave(&mut self, clock: Clock, keys: &[KeyId]) -> Result<(), EngineError> {
        self.keep_back(keys);
        let timers = self.timers_by(clock);
        let take = |&key: &KeyId| timers.take(key).map(|timer| (key, timer));
        let wave = keys.iter().filter_map(take).collect();
        self.fire(wave, clock)
    }

    /// Fires the timers of the clock that are due. One that a firing one sets waits for the clock's next look.
    pub(super) fn fire_clock(&mut self, now: i64) -> Result<(), EngineError> {
        let mut keys = Vec::new();
        self.clock_timers.due(now, usize::MAX, &mut keys);
        self.fire_keys(Clock::Processing, (&keys, now))?;
        self.fire_outside(Clock::Processing, now)
    }

    /// Fires timers of one wave, in order of time, key and name.
    fn fire(&mut self, mut wave: Vec<Firing>, clock: Clock) -> Result<(), EngineError> {
        for (key, _) in &wave {
            self.parts.state.timers_changed(*key);
        }
        let keys = &self.parts.keying.table;
        wave.sort_by(|(a, one), (b, other)| {
            let by_time = one.time.cmp(&other.time);
            let by_key = || keys.prefix(*a).cmp(&keys.prefix(*b));
            by_time
                .then_with(by_key)
                .then_with(|| keys.cmp(*a, *b))
                .then_with(|| one.name.cmp(&other.name))
        });
        wave.chunks(TIMERS_PER_CALL)
            .try_for_each(|firings| self.call_timers(firings, clock))
    }

    /// One call: every timer of it is of a key of its own.
    fn call_timers(&mut self, firings: &[Firing], clock: Clock) -> Result<(), EngineError> {
        let keys: Vec<KeyId> = firings.iter().map(|(key, _)| *key).collect();
        // Its timer is gone.
        keys.iter().for_each(|&key| self.journal.changed(key));
        let w: Vec<i64> = firings
            .iter()
            .map(|firing| self.stands(firing, clock))
            .collect();
        let mut lives = vec![Default::default(); keys.len()];
        let parts = &mut self.parts;
        let asked = Asked {
            keys: &keys,
            w: &w,
            now: self.now,
        };
        let held = parts.state.read(&asked, &mut lives);
        let names: Vec<u32> = firings
            .iter()
            .map(|(_, t)| parts.names.index(t.name))
            .collect();
        let times: Vec<i64> = firings.iter().map(|(_, timer)| timer.time).collect();
        let key_columns = parts.given_keys(&keys);
        let given = KeysIn {
            count: keys.len(),
            columns: &key_columns,
            values: &held,
        };
        let timers = TimersIn {
            names: &names,
            times: &times,
            ended: parts.ended,
        };
        let called = parts.lending(&keys, |function| function.on_timers(timers, &given));
        let processed = called.map_err(|e| parts.blame.call(e))?;
        let groups: Vec<u32> = (0..keys.len() as u32).collect();
        let together = Together {
            rows: None,
            groups: &groups,
            keys: &keys,
        };
        self.change_state(&processed, None, (together, &times))?;
        for i in 0..processed.timers.rows.len() {
            let (key, timer) = &firings[processed.timers.rows[i] as usize];
            let by = match clock {
                Clock::Event => Setter::timer(timer),
                Clock::Processing => Setter {
                    from: self.watermark.max(self.reached).saturating_add(1),
                    row: Timer::NO_ROW,
                },
            };
            self.change_timer(*key, (&processed.timers, i), by);
        }
        self.give_emitted(processed.emitted, firings, (&key_columns, &times, clock));
        for failed in processed.failed {
            self.timer_failed(firings[failed.row as usize], failed);
        }
        Ok(())
    }

    /// Where W stands for what a timer sees.
    fn stands(&self, (_, timer): &Firing, clock: Clock) -> i64 {
        match clock {
            Clock::Event => timer.fires,
            Clock::Processing => self.watermark.max(self.reached),
        }
    }

    fn give_emitted(
        &mut self,
        emitted: Vec<tidemill_wasm::Emitted>,
        firings: &[Firing],
        (given, times, clock): (&[ArrayRef], &[i64], Clock),
    ) {
        let passed_on = self.watermark.max(self.reached);
        let place = |&(key, timer): &Firing| match clock {
            Clock::Event => self.ranks.next(key, &timer),
            Clock::Processing => Place::row(Timer::NO_ROW, passed_on, key),
        };
        let places: Vec<Place> = firings.iter().map(place).collect();
        if emitted.is_empty() {
            return;
        }
        // What fires for the end alone carries no more than the last W before it.
        let most = if self.parts.ended {
            passed_on
        } else {
            i64::MAX
        };
        let stamps: Vec<i64> = places.iter().map(|place| place.w.min(most)).collect();
        let keys = firings.iter().map(|(key, _)| *key);
        let caused = Caused {
            batch: None,
            keys: &self.parts.keying.columns_of(keys),
            given,
            times,
            stamps: &stamps,
            w: &stamps,
            places: &places,
        };
        for emitted in emitted {
            let target = &self.parts.targets[emitted.target];
            self.results.add(emitted, &caused, target);
        }
    }
}

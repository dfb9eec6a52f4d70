//! One call of the function with rows: what it is given, and what becomes of what it gives.

use arrow_array::ArrayRef;
use tidemill_core::process::{Place, Saved, Setter};
use tidemill_core::window::KeyId;
use tidemill_rows::Batch;
use tidemill_wasm::{Clock, Emitted, Held, KeysIn, Processed, Produced, RowsIn, Timed};

use super::Process;
use super::results::Caused;
use super::rows::Rows;
use crate::aggregate::carry_out::take_columns;
use crate::error::EngineError;
use crate::state::Changed;

/// Rows that share a call.
#[derive(Clone, Copy)]
pub struct Together<'a> {
    /// Which of the batch's, ascending; absent: all.
    pub rows: Option<&'a [u32]>,
    /// The key of each, as an index of `keys`.
    pub groups: &'a [u32],
    /// The keys, in order of first appearance.
    pub keys: &'a [KeyId],
}

/// A key of a call of which nothing was taken over: a timer that the call set would have fired between two of its rows.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The key, as an index of the call's.
    pub group: usize,
    /// How many of its rows come before that timer.
    pub rows: usize,
}

/// No row of a call.
const NONE: u32 = u32::MAX;

impl Together<'_> {
    /// The row of the batch that a row of the call is.
    fn row(&self, i: usize) -> u32 {
        self.rows.map_or(i as u32, |rows| rows[i])
    }
}

impl Process {
    /// Gives rows to the function, and takes over what it gives for all keys but those that it says.
    pub(super) fn call_rows(
        &mut self,
        rows: &Rows<'_>,
        together: Together<'_>,
        held: &[Held],
    ) -> Result<Vec<Cut>, EngineError> {
        let picked = together.rows.map(|picks| rows.batch.take(picks));
        let batch = picked.as_ref().unwrap_or(rows.batch);
        let parts = &mut self.parts;
        let column = |&i: &usize| batch.columns.column(i).clone();
        let columns: Vec<ArrayRef> = parts.inputs.iter().map(column).collect();
        let given = RowsIn {
            len: batch.len(),
            times: &batch.times.times,
            stamps: parts.with_stamps.then_some(&batch.times.stamps[..]),
            changes: batch.changes.as_deref(),
            columns: &columns,
        };
        let key_columns = parts.given_keys(together.keys);
        let keys = KeysIn {
            count: together.keys.len(),
            columns: &key_columns,
            values: held,
        };
        let called = parts.lending(together.keys, |function| {
            function.on_rows(&given, together.groups, &keys)
        });
        let processed = called.map_err(|e| parts.blame.call(e))?;
        let cuts = self.change_timers(rows, together, &processed.timers);
        let mut rejected = vec![false; together.keys.len()];
        cuts.iter().for_each(|cut| rejected[cut.group] = true);
        let rejected = (!cuts.is_empty()).then_some(&rejected[..]);
        self.change_state(&processed, rejected, (together, &batch.times.times))?;
        let keeps = |row: u32| {
            rejected.is_none_or(|rejected| !rejected[together.groups[row as usize] as usize])
        };
        for failed in processed.failed {
            if keeps(failed.row) {
                let row = together.row(failed.row as usize);
                let failed = self.parts.blame.failed(failed);
                let failed = failed.about(rows.batch, row as usize);
                self.failed.push((row, failed));
            }
        }
        let emitted = processed.emitted.into_iter();
        let emitted: Vec<Emitted> = match rejected {
            None => emitted.collect(),
            Some(_) => emitted.map(|emitted| only(emitted, keeps)).collect(),
        };
        self.add_results(emitted, (rows, together), (batch, &columns));
        Ok(cuts)
    }

    /// Adds what rows of a call emitted to what came of the batch; `given` is what the function was given of them.
    fn add_results(
        &mut self,
        emitted: Vec<Emitted>,
        (rows, together): (&Rows<'_>, Together<'_>),
        (batch, given): (&Batch, &[ArrayRef]),
    ) {
        if emitted.iter().all(|emitted| emitted.origins.is_empty()) {
            return;
        }
        let place = |(i, &group): (usize, &u32)| {
            let row = together.row(i);
            let key = together.keys[group as usize];
            Place::row(row, rows.w[row as usize], key)
        };
        let places: Vec<Place> = together.groups.iter().enumerate().map(place).collect();
        let w: Vec<i64> = places.iter().map(|place| place.w).collect();
        let caused = Caused {
            batch: Some(batch),
            keys: &self.parts.keying.columns_in(batch),
            given,
            times: &batch.times.times,
            stamps: &batch.times.stamps,
            w: &w,
            places: &places,
        };
        for emitted in emitted {
            let target = &self.parts.targets[emitted.target];
            self.results.add(emitted, &caused, target);
        }
    }

    /// Takes over what a call wants changed of the state of its keys.
    pub(super) fn change_state(
        &mut self,
        processed: &Processed,
        rejected: Option<&[bool]>,
        (together, times): (Together<'_>, &[i64]),
    ) -> Result<(), EngineError> {
        self.note_changes(processed, rejected, together);
        let changed = Changed {
            keys: together.keys,
            rejected,
            groups: together.groups,
            times,
            now: self.now,
            values: &processed.values,
            lists: &processed.lists,
            maps: &processed.maps,
        };
        let parts = &mut self.parts;
        parts
            .state
            .change(&changed)
            .map_err(|source| EngineError::State {
                operator: parts.blame.operator.clone(),
                source,
            })
    }

    /// Notes which keys a call wants changed.
    fn note_changes(
        &mut self,
        processed: &Processed,
        rejected: Option<&[bool]>,
        together: Together<'_>,
    ) {
        let mut note = |group: usize| {
            if rejected.is_none_or(|rejected| !rejected[group]) {
                self.journal.changed(together.keys[group]);
            }
        };
        for kept in &processed.values {
            for (group, &change) in kept.changes.iter().enumerate() {
                let touched = kept.touched.get(group).is_some_and(|&row| row != NONE);
                if change != 0 || touched {
                    note(group);
                }
            }
        }
        let lists = processed.lists.iter().map(|listed| &listed.rows);
        let maps = processed.maps.iter().map(|mapped| &mapped.rows);
        for rows in lists.chain(maps).chain([&processed.timers.rows]) {
            for &row in rows {
                note(together.groups[row as usize] as usize);
            }
        }
    }

    /// Takes over changes of timers, row by row. A key of which one would fire before a later row of the call is cut: its
    /// timers are as before.
    fn change_timers(
        &mut self,
        rows: &Rows<'_>,
        together: Together<'_>,
        timed: &Timed,
    ) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if timed.rows.is_empty() {
            return cuts;
        }
        let keys = together.keys.len();
        let mut taken = vec![0; keys];
        let mut before: Vec<Option<[Saved; 2]>> = vec![None; keys];
        let mut cut = vec![false; keys];
        let mut change = 0;
        for (i, &group) in together.groups.iter().enumerate() {
            let (at, key) = (group as usize, together.keys[group as usize]);
            let row = together.row(i);
            let w = rows.w[row as usize];
            let due = |timers: &tidemill_core::process::Timers| {
                timers.earliest(key).is_some_and(|timer| timer.time <= w)
            };
            if before[at].is_some() && !cut[at] && due(&self.timers) {
                cut[at] = true;
                cuts.push(Cut {
                    group: at,
                    rows: taken[at],
                });
                if let Some([timers, clock]) = before[at].take() {
                    self.timers.restore(key, timers);
                    self.clock_timers.restore(key, clock);
                }
            }
            taken[at] += 1;
            while timed.rows.get(change).is_some_and(|&row| row as usize == i) {
                if !cut[at] {
                    let timers = [&self.timers, &self.clock_timers];
                    before[at].get_or_insert_with(|| timers.map(|timers| timers.save(key)));
                    self.change_timer(key, (timed, change), Setter::row(row, w));
                }
                change += 1;
            }
        }
        cuts
    }

    /// Takes over one change of a timer.
    pub(super) fn change_timer(&mut self, key: KeyId, (timed, i): (&Timed, usize), by: Setter) {
        self.parts.state.timers_changed(key);
        let (name, clock) = self.parts.names.number(timed.names[i]);
        let (timers, by) = match clock {
            Clock::Event => (&mut self.timers, by),
            Clock::Processing => {
                let never_due = Setter {
                    from: i64::MIN,
                    ..by
                };
                (&mut self.clock_timers, never_due)
            }
        };
        let timer = (timed.times[i], name);
        match timed.changes[i] {
            0 if self.parts.ended => self.parts.never_fires(),
            0 => timers.set(key, timer, by),
            1 => timers.delete(key, timer),
            _ => timers.clear(key, name),
        }
    }
}

/// What was emitted for rows that are kept.
fn only(mut emitted: Emitted, keeps: impl Fn(u32) -> bool) -> Emitted {
    let kept = (0..).zip(&emitted.origins);
    let kept: Vec<u32> = kept
        .filter(|(_, row)| keeps(**row))
        .map(|(i, _)| i)
        .collect();
    if kept.len() == emitted.origins.len() {
        return emitted;
    }
    let times = |times: Vec<i64>| kept.iter().map(|&i| times[i as usize]).collect();
    let changes = |changes: Vec<u8>| kept.iter().map(|&i| changes[i as usize]).collect();
    for column in &mut emitted.columns {
        if let Produced::Made(column) = column {
            *column = take_columns(std::slice::from_ref(column), &kept).remove(0);
        }
    }
    Emitted {
        target: emitted.target,
        origins: kept.iter().map(|&i| emitted.origins[i as usize]).collect(),
        times: emitted.times.map(times),
        changes: emitted.changes.map(changes),
        columns: emitted.columns,
    }
}

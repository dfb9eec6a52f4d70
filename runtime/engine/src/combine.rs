//! Rows of hot keys, added up before they cross to the worker of their key.
//!
//! ```text
//!   share of a batch ──► hot keys? ──► rows by (key, pane) ──► accumulate ──► partials ─┐
//!                            │ no                    │ few, or time refuses             ├─► Combined
//!                            └──────► rows           └──────► rest ─────────────────────┘
//! ```
//!
//! Invariants:
//! 1. A row is in exactly one of: a partial, the rest.
//! 2. What is sent holds the rows themselves too, shared and not copied: a receiver that cannot use the partials takes the
//!    rows, as if nothing had been combined. So combining changes no result, no failure and no count.
//! 3. Nothing is kept from batch to batch.

mod hot;

use arrow_array::ArrayRef;
use std::sync::Arc;
use std::time::Instant;

use tidemill_core::window::Combining;
use tidemill_rows::Batch;
use tidemill_rows::key::EncodedKeys;
use tidemill_wasm::{Failed, RowsIn, Table};

use self::hot::HotKeys;
use crate::aggregate::carry_out::take_columns;
use crate::blame::Blame;
use crate::error::EngineError;
use crate::functions::AggregateCalls;
use crate::metrics::{Counters, add};
use crate::talk::Talk;

/// Fewer rows than this cross faster than anything could be found out about them.
const FEWEST_ROWS: usize = 32;
/// Fewer rows than this of a key and pane cross alone: a partial costs the receiver as much as several rows.
const FEWEST_OF_GROUP: u32 = 8;
/// How many keys and panes of one batch are combined at most.
const MOST_GROUPS: usize = 256;
/// How often rows are added up again without those that failed; after that, none are combined.
const ATTEMPTS: usize = 3;

/// A share of a batch, with rows of hot keys added up.
#[derive(Clone, Debug)]
pub struct Combined {
    /// What rows were added up to.
    pub partials: Partials,
    /// The rows that were not, in order.
    pub rest: Batch,
    /// The whole batch, and which of its rows are the share: the rows as they would have crossed.
    pub whole: (Batch, Vec<u32>),
}

impl Combined {
    /// The rows, as if none had been added up.
    pub fn into_rows(self) -> Batch {
        let (batch, share) = self.whole;
        batch.take(&share)
    }
}

/// Rows of some keys and panes, each added up to one accumulator.
#[derive(Clone, Debug)]
pub struct Partials {
    /// For each partial its row of the smallest time, W being that before the share.
    pub rows: Batch,
    /// The accumulators.
    pub accs: Table,
    /// How many rows each is made of.
    pub counts: Vec<u64>,
}

/// The keys of a batch, as an exchange has them.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// There is one key only: that of an unkeyed operator.
    One,
    /// Integers without nulls.
    Integers(&'a [i64]),
    /// Any others, and the columns that they are the bytes of.
    Encoded(&'a EncodedKeys, &'a [ArrayRef]),
}

/// Makes the function ready on this worker, once there is a hot key.
pub type Ready = Box<dyn Fn() -> Result<Box<dyn AggregateCalls>, EngineError> + Send>;

/// What a combiner is made of.
pub struct CombinerParts {
    /// Says which rows may be added up.
    pub combining: Combining,
    /// Makes the function ready.
    pub ready: Ready,
    /// The function's input columns, as indices of the batch's.
    pub inputs: Vec<usize>,
    /// Whether the function wants stamps.
    pub with_stamps: bool,
    /// Where the function is heard.
    pub talk: Talk,
    /// Whom a call that cannot be served is put down to.
    pub blame: Blame,
    /// The receiving operator's counters on this worker.
    pub counters: Arc<Counters>,
}

/// Adds up rows of hot keys before an exchange, on one worker.
pub struct Combiner {
    parts: CombinerParts,
    guest: Option<(Box<dyn AggregateCalls>, Table)>,
    hot: HotKeys,
    /// What has been passed on.
    watermark: i64,
}

/// Which rows are added up, and to which groups; groups are dense, in order of first appearance.
#[derive(Default)]
struct Chosen {
    rows: Vec<u32>,
    of_rows: Vec<u32>,
    /// How many rows each group has.
    counts: Vec<u64>,
    /// The row of the smallest time of each group.
    firsts: Vec<u32>,
}

impl Combiner {
    /// A combiner that has not needed its function yet.
    pub fn new(parts: CombinerParts) -> Self {
        Self {
            parts,
            guest: None,
            hot: HotKeys::default(),
            watermark: i64::MIN,
        }
    }

    /// The sender has passed this on.
    pub fn passed_on(&mut self, w: i64) {
        self.watermark = self.watermark.max(w);
    }

    /// Adds up rows of a share's hot keys, if it has any.
    ///
    /// # Errors
    /// If the function cannot be made ready, or refuses a call as a whole.
    pub fn combine(
        &mut self,
        batch: &Batch,
        share: &[u32],
        keys: Keys<'_>,
    ) -> Result<Option<Box<Combined>>, EngineError> {
        if share.len() < FEWEST_ROWS || batch.changes.is_some() {
            return Ok(None);
        }
        if !self.hot.find(share, keys) {
            return Ok(None);
        }
        let started = Instant::now();
        let combined = self.combine_hot(batch, share, keys);
        let spent = started.elapsed().as_nanos() as u64;
        add(&self.parts.counters.busy_ns, spent);
        combined
    }

    fn combine_hot(
        &mut self,
        batch: &Batch,
        share: &[u32],
        keys: Keys<'_>,
    ) -> Result<Option<Box<Combined>>, EngineError> {
        let mut failed = Vec::new();
        for _ in 0..ATTEMPTS {
            let chosen = self.choose(batch, share, keys, &failed);
            if chosen.rows.is_empty() {
                return Ok(None);
            }
            match self.accumulate(batch, &chosen)? {
                Ok(accs) => {
                    let w = batch.times.w()[share[0] as usize];
                    return Ok(Some(Box::new(chosen.combined(batch, (share, w), accs))));
                }
                Err(again) => {
                    failed.extend(again.iter().map(|row| chosen.rows[row.row as usize]));
                    failed.sort_unstable();
                }
            }
        }
        Ok(None)
    }

    /// The rows of hot keys that may be added up, in groups that are worth it. `failed` rows, ascending, may not.
    fn choose(&mut self, batch: &Batch, share: &[u32], keys: Keys<'_>, failed: &[u32]) -> Chosen {
        let (times, stamps, w) = (&batch.times.times, &batch.times.stamps, batch.times.w());
        let mut groups = Groups::default();
        let mut of_share: Vec<(u32, u32)> = Vec::with_capacity(share.len());
        for &row in share {
            let Some(key) = self.hot.of(row, keys) else {
                continue;
            };
            let at = row as usize;
            let judged = stamps[at].max(w[at]).max(self.watermark);
            let Some(pane) = self.parts.combining.pane(times[at], judged) else {
                continue;
            };
            if failed.binary_search(&row).is_ok() {
                continue;
            }
            if let Some(group) = groups.of(key, pane) {
                of_share.push((row, group));
            }
        }
        groups.chosen(&of_share, times)
    }

    /// Adds the rows up, each group from an accumulator of no rows. What failed comes back, by its place among the rows.
    fn accumulate(
        &mut self,
        batch: &Batch,
        chosen: &Chosen,
    ) -> Result<Result<Table, Vec<Failed>>, EngineError> {
        let parts = &self.parts;
        let (guest, fresh) = match &mut self.guest {
            Some(ready) => ready,
            none => {
                let mut guest = (parts.ready)()?;
                let fresh = guest.create().map_err(|e| parts.blame.call(e))?;
                none.insert((guest, fresh))
            }
        };
        let inputs: Vec<ArrayRef> = parts
            .inputs
            .iter()
            .map(|&i| batch.columns.column(i).clone())
            .collect();
        let columns = take_columns(&inputs, &chosen.rows);
        let of_rows = |list: &[i64]| -> Vec<i64> {
            let of_row = |&row: &u32| list[row as usize];
            chosen.rows.iter().map(of_row).collect()
        };
        let times = of_rows(&batch.times.times);
        let stamps = parts.with_stamps.then(|| of_rows(&batch.times.stamps));
        let rows = RowsIn {
            times: &times,
            stamps: stamps.as_deref(),
            changes: None,
            columns: &columns,
            len: chosen.rows.len(),
        };
        let groups = chosen.counts.len() as u32;
        let before = fresh.gather(&vec![0; groups as usize]);
        // Several panes of one key count as keys of their own: a failure in one says nothing about the others.
        let keys: Vec<u32> = (0..groups).collect();
        let done = guest.accumulate(&rows, &chosen.of_rows, &before, &[], &keys);
        let done = done.map_err(|e| parts.blame.call(e))?;
        let (lines, notes) = (guest.take_log(), guest.take_notes());
        if !done.failed.is_empty() {
            // The receiver calls again with these rows, and hears of it.
            return Ok(Err(done.failed));
        }
        parts.talk.hear(&lines, notes, &parts.counters);
        Ok(Ok(done.accs))
    }
}

/// Keys and panes, numbered as they appear.
#[derive(Default)]
struct Groups {
    /// (hot key, pane) of each.
    of: Vec<(u32, i64)>,
    counts: Vec<u32>,
    /// The group of the last row: rows come mostly in order.
    last: usize,
}

impl Groups {
    /// The group of one more row; [`None`] once there are too many.
    fn of(&mut self, key: u32, pane: i64) -> Option<u32> {
        if self.of.get(self.last) != Some(&(key, pane)) {
            self.last = match self.of.iter().rposition(|group| *group == (key, pane)) {
                Some(group) => group,
                None if self.of.len() == MOST_GROUPS => return None,
                None => {
                    self.of.push((key, pane));
                    self.counts.push(0);
                    self.of.len() - 1
                }
            };
        }
        self.counts[self.last] += 1;
        Some(self.last as u32)
    }

    /// The rows of groups that are worth it.
    fn chosen(&self, of_rows: &[(u32, u32)], times: &[i64]) -> Chosen {
        const UNNUMBERED: u32 = u32::MAX;
        let mut numbers = vec![UNNUMBERED; self.of.len()];
        let mut chosen = Chosen::default();
        for &(row, group) in of_rows {
            let group = group as usize;
            if self.counts[group] < FEWEST_OF_GROUP {
                continue;
            }
            if numbers[group] == UNNUMBERED {
                numbers[group] = chosen.counts.len() as u32;
                chosen.counts.push(u64::from(self.counts[group]));
                chosen.firsts.push(row);
            }
            let number = numbers[group];
            let first = &mut chosen.firsts[number as usize];
            if times[row as usize] < times[*first as usize] {
                *first = row;
            }
            chosen.rows.push(row);
            chosen.of_rows.push(number);
        }
        chosen
    }
}

impl Chosen {
    /// What is sent, given what the rows were added up to.
    fn combined(&self, batch: &Batch, (share, w): (&[u32], i64), accs: Table) -> Combined {
        let mut rows = batch.take(&self.firsts);
        rows.times.w = Some(vec![w; rows.len()].into());
        let mut added = self.rows.iter().copied().peekable();
        let alone = |row: &&u32| added.next_if_eq(*row).is_none();
        let rest: Vec<u32> = share.iter().filter(alone).copied().collect();
        Combined {
            partials: Partials {
                rows,
                accs,
                counts: self.counts.clone(),
            },
            rest: batch.take(&rest),
            whole: (batch.clone(), share.to_vec()),
        }
    }
}

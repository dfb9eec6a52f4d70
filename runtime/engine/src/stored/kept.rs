//! An aggregate over the rows that a window keeps: they are added up when it fires, from a fresh accumulator.
//!
//! Invariants:
//! 1. A row is tried alone, on a fresh accumulator, before it is stored: one that fails is a failed row and leaves no trace.
//! 2. A row that cannot be added to those before it costs the firing its result, and nothing else.

use arrow_array::ArrayRef;
use tidemill_core::window::{Plan, RowId};
use tidemill_rows::Batch;
use tidemill_wasm::{Accumulated, CallError, Failed, RowsIn, Table};

use super::{Halt, Stored};
use crate::aggregate::carry_out::{Carried, Fired};
use crate::aggregate::pieces::Pieces;
use crate::functions::AggregateCalls;
use crate::state::RowStore;

/// How many rows one call adds up at most.
const ROWS_PER_CALL: usize = 16_384;

/// One aggregate function over stored rows, on one worker.
pub struct KeptAggregate {
    guest: Box<dyn AggregateCalls>,
    stored: Stored,
    fresh: Table,
}

/// A row of a call: the firing that sees it, and its number.
type Seen = (u32, RowId);

impl KeptAggregate {
    /// Nothing is stored yet.
    ///
    /// # Errors
    /// If the function cannot say what the accumulator of no rows is.
    pub fn new(mut guest: Box<dyn AggregateCalls>, stored: Stored) -> Result<Self, CallError> {
        let fresh = guest.create()?;
        Ok(Self {
            guest,
            stored,
            fresh,
        })
    }

    /// The accumulator of no rows.
    pub fn fresh(&self) -> Table {
        self.fresh.clone()
    }

    /// The rows that are stored.
    pub fn rows(&mut self) -> &mut RowStore {
        &mut self.stored.rows
    }

    /// The function, for `finish` and for what it logged.
    pub fn guest(&mut self) -> &mut dyn AggregateCalls {
        &mut *self.guest
    }

    /// Carries a plan out. `batch` is absent when no row is involved.
    ///
    /// # Errors
    /// If the function refuses a call as a whole, or there are too many rows.
    pub fn carry_out(&mut self, plan: &Plan, batch: Option<&Batch>) -> Result<Carried, Halt> {
        if let Some(batch) = batch {
            let failed = self.try_alone(plan, batch)?;
            if !failed.is_empty() {
                return Ok(Carried::Failed(failed));
            }
            self.stored.rows.store(batch, &plan.stored)?;
        }
        let fired = self.fire(plan)?;
        self.stored.rows.release(&plan.released);
        Ok(Carried::Done(fired))
    }

    /// Adds each row that is to be stored to an accumulator of its own; those that fail.
    fn try_alone(&mut self, plan: &Plan, batch: &Batch) -> Result<Vec<Failed>, CallError> {
        let mut rows: Vec<u32> = plan.stored.iter().map(|(row, _)| *row).collect();
        rows.dedup();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let picked = batch.take(&rows);
        let column = |&i: &usize| picked.columns.column(i).clone();
        let columns: Vec<ArrayRef> = self.stored.inputs.iter().map(column).collect();
        let rows_in = RowsIn {
            len: rows.len(),
            times: &picked.times.times,
            stamps: self.stored.with_stamps.then_some(&picked.times.stamps[..]),
            changes: picked.changes.as_deref(),
            columns: &columns,
        };
        let groups: Vec<u32> = (0..rows.len() as u32).collect();
        let accs = self.fresh.gather(&vec![0; rows.len()]);
        let tried = self
            .guest
            .accumulate(&rows_in, &groups, &accs, &[], &groups)?;
        let of_batch = |failed: Failed| Failed {
            row: rows[failed.row as usize],
            ..failed
        };
        Ok(tried.failed.into_iter().map(of_batch).collect())
    }

    /// The accumulator of each firing.
    fn fire(&mut self, plan: &Plan) -> Result<Fired, CallError> {
        if plan.firings.is_empty() {
            return Ok(Fired::default());
        }
        let numbered = (0..).zip(&plan.contents);
        let all: Vec<Seen> = numbered
            .flat_map(|(firing, ids)| ids.iter().map(move |&id| (firing, id)))
            .collect();
        let mut sums = Sums {
            pieces: Pieces::default(),
            failed: Vec::new(),
            last: None,
        };
        let mut rest = &all[..];
        while !rest.is_empty() {
            let each = rest.iter().map(|seen| std::slice::from_ref(&seen.1));
            let fit = self.stored.fitting(each, ROWS_PER_CALL);
            let (part, later) = rest.split_at(fit);
            self.add(part, &mut sums)?;
            rest = later;
        }
        let mut failed = sums.failed;
        failed.sort_by_key(|(firing, _)| *firing);
        Ok(Fired {
            accs: Some(sums.pieces.in_order(plan.firings.len())),
            failed,
        })
    }

    /// Adds some rows up, again without the firings that failed until none does.
    fn add(&mut self, part: &[Seen], sums: &mut Sums) -> Result<(), CallError> {
        let mut rows = part.to_vec();
        loop {
            rows.retain(|(firing, _)| !sums.has_failed(*firing));
            if rows.is_empty() {
                break;
            }
            let mut firings: Vec<u32> = rows.iter().map(|(firing, _)| *firing).collect();
            let group = |(at, groups): (usize, &mut Vec<u32>)| {
                let same = at > 0 && rows[at - 1].0 == rows[at].0;
                let last = groups.last().copied();
                groups.push(last.map_or(0, |last| last + u32::from(!same)));
            };
            let mut groups = Vec::with_capacity(rows.len());
            (0..rows.len()).for_each(|at| group((at, &mut groups)));
            firings.dedup();
            let before = sums.before(&firings, &self.fresh);
            let done = self.accumulate(&rows, &groups, &before)?;
            if done.failed.is_empty() {
                sums.add(&firings, done.accs);
                break;
            }
            for failed in done.failed {
                let firing = rows[failed.row as usize].0;
                if !sums.has_failed(firing) {
                    sums.failed.push((firing, failed));
                }
            }
        }
        // A firing that failed is shown with the accumulator of no rows.
        let mut lost: Vec<u32> = part.iter().map(|(firing, _)| *firing).collect();
        lost.dedup();
        lost.retain(|firing| sums.has_failed(*firing));
        let fresh = self.fresh.gather(&vec![0; lost.len()]);
        sums.pieces.add(fresh, lost.into_iter());
        Ok(())
    }

    fn accumulate(
        &mut self,
        rows: &[Seen],
        groups: &[u32],
        before: &Table,
    ) -> Result<Accumulated, CallError> {
        let gathered = self.stored.rows.gather(rows.iter().map(|seen| &seen.1));
        let rows_in = self.stored.rows_in(&gathered);
        // What goes wrong in one accumulator says nothing about another, whatever the keys.
        let keys: Vec<u32> = (0..before.rows).collect();
        self.guest.accumulate(&rows_in, groups, before, &[], &keys)
    }
}

/// Accumulators of firings in the making. Their rows come firing by firing; a call may end between two of one firing.
struct Sums {
    pieces: Pieces,
    failed: Vec<(u32, Failed)>,
    /// The last firing that rows were added for, with its accumulator: perhaps not all of its rows.
    last: Option<(u32, Table)>,
}

impl Sums {
    fn has_failed(&self, firing: u32) -> bool {
        self.failed.iter().any(|(failed, _)| *failed == firing)
    }

    /// What the rows of these firings are to be added to.
    fn before(&self, firings: &[u32], fresh: &Table) -> Table {
        let begun = self.last.as_ref().filter(|(last, _)| *last == firings[0]);
        match begun {
            None => fresh.gather(&vec![0; firings.len()]),
            Some((_, begun)) => {
                let picks = (0..firings.len()).map(|i| (usize::from(i > 0), 0));
                Table::interleave(&[begun, fresh], &picks.collect::<Vec<_>>())
            }
        }
    }

    fn add(&mut self, firings: &[u32], accs: Table) {
        let at = firings.len() - 1;
        self.last = Some((firings[at], accs.gather(&[at as u32])));
        self.pieces.add(accs, firings.iter().copied());
    }
}

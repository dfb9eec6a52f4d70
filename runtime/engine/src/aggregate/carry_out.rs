//! Carries a window plan out: calls the guest for what it adds and merges, and keeps the accumulators.
//!
//! Invariants:
//! 1. A plan is carried out whole, or, when rows failed, not at all: every accumulator is then what it was before.
//! 2. An accumulator whose merge failed is *poisoned* until its slot is fresh again: what fires from it fails with the
//!    same reason, and nothing else does.

mod merges;

use arrow_array::{ArrayRef, UInt32Array};
use hashbrown::HashMap;
use tidemill_core::window::{KeyId, Op, Plan, Slot};
use tidemill_rows::Batch;
use tidemill_wasm::{Accumulated, CallError, Failed, RowsIn, Table};

use super::groups::Groups;
use super::pieces::Pieces;
use super::schedule::{Adds, Scheduler};
use crate::checkpoint::kept::FailedKept;
use crate::checkpoint::restored::Damaged;
use crate::functions::AggregateCalls;
use crate::state::Accumulators;

/// What came of a plan.
pub enum Carried {
    /// It is done; firings see these accumulators, in their order.
    Done(Fired),
    /// These rows of the batch failed, and nothing was done. The caller plans again without them.
    Failed(Vec<Failed>),
}

/// What firings see.
#[derive(Default)]
pub struct Fired {
    /// One accumulator per firing; absent if nothing fires.
    pub accs: Option<Table>,
    /// Firings that have no result, since a merge for them failed: (firing, why).
    pub failed: Vec<(u32, Failed)>,
}

/// Rows of a call, as a plan names them.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The batch that the plan is about.
    pub batch: &'a Batch,
    /// The key of each of its rows.
    pub keys: &'a [KeyId],
    /// What each of its rows stands for, if they are partials: to be merged instead of added.
    pub partials: Option<&'a Table>,
}

/// One aggregate function on one worker, with its accumulators.
pub struct Aggregator {
    guest: Box<dyn AggregateCalls>,
    /// The function's input columns, as indices of the batch's.
    inputs: Vec<usize>,
    /// Whether the function wants stamps.
    with_stamps: bool,
    accs: Accumulators,
    scheduler: Scheduler,
    groups: Groups,
    poisoned: HashMap<Slot, Failed>,
    /// What phases of the plan at hand have overwritten, in order.
    overwritten: Vec<(Vec<Slot>, Table)>,
    /// Whether the plan at hand may fail: one of an advance has no row that could.
    undoable: bool,
}

impl Aggregator {
    /// An aggregate without any accumulator.
    ///
    /// # Errors
    /// If the function cannot say what the accumulator of no rows is.
    pub fn new(
        mut guest: Box<dyn AggregateCalls>,
        inputs: Vec<usize>,
        with_stamps: bool,
    ) -> Result<Self, CallError> {
        let fresh = guest.create()?;
        Ok(Self {
            guest,
            inputs,
            with_stamps,
            accs: Accumulators::new(fresh),
            scheduler: Scheduler::default(),
            groups: Groups::default(),
            poisoned: HashMap::new(),
            overwritten: Vec::new(),
            undoable: false,
        })
    }

    /// The accumulator of no rows.
    pub fn fresh(&self) -> Table {
        self.accs.fresh().clone()
    }

    /// The accumulators of these slots.
    pub fn kept(&self, slots: &[Slot]) -> Table {
        self.accs.gather(slots)
    }

    /// Those of these slots of which a merge had failed, as indices, and why.
    pub fn poisoned(&self, slots: &[Slot]) -> Vec<(u32, FailedKept)> {
        if self.poisoned.is_empty() {
            return Vec::new();
        }
        let why = |(i, slot): (u32, &Slot)| {
            let failed = self.poisoned.get(slot)?;
            Some((i, FailedKept::from(failed)))
        };
        (0..).zip(slots).filter_map(why).collect()
    }

    /// Takes accumulators that were kept, which stand in these rows of a table.
    ///
    /// # Errors
    /// If they are none of this function's.
    pub fn restore(&mut self, slots: &[Slot], kept: (&Table, &[u32])) -> Result<(), Damaged> {
        self.accs.restore(slots, kept)
    }

    /// A merge had failed for the accumulator of this slot.
    ///
    /// # Errors
    /// If the reason is none.
    pub fn poison(&mut self, slot: Slot, why: FailedKept) -> Result<(), Damaged> {
        self.poisoned.insert(slot, why.try_into()?);
        Ok(())
    }

    /// The function, for `finish` and for what it logged.
    pub fn guest(&mut self) -> &mut dyn AggregateCalls {
        &mut *self.guest
    }

    /// Carries a plan out. `given` is absent when no row is involved.
    ///
    /// # Errors
    /// If the function refuses a call as a whole.
    pub fn carry_out(
        &mut self,
        plan: &Plan,
        given: Option<Given<'_>>,
    ) -> Result<Carried, CallError> {
        if plan.ops.is_empty() {
            return Ok(Carried::Done(Fired::default()));
        }
        self.undoable = given.is_some();
        self.accs.reset(&plan.created);
        if !self.poisoned.is_empty() {
            plan.created
                .iter()
                .for_each(|slot| drop(self.poisoned.remove(slot)));
        }
        match given {
            Some(given) if plan.adds_only => self.add_only(plan, given),
            _ => self.in_phases(plan, given),
        }
    }

    /// The usual plan: one call, and what it gives is written back if it gives all of it.
    fn add_only(&mut self, plan: &Plan, given: Given<'_>) -> Result<Carried, CallError> {
        let add = |op: &Op| match *op {
            Op::Add { row, slot } => (row, slot),
            _ => unreachable!("the plan says that it only adds"),
        };
        let (rows, slots): (Vec<u32>, Vec<Slot>) = plan.ops.iter().map(add).unzip();
        self.groups.number(&slots);
        match self.accumulate(given, &rows, &[])? {
            Accumulation::Failed(failed) => Ok(Carried::Failed(failed)),
            Accumulation::Done { accs, .. } => {
                self.accs.scatter(&self.groups.slots, &accs);
                Ok(Carried::Done(Fired::default()))
            }
        }
    }

    fn in_phases(&mut self, plan: &Plan, given: Option<Given<'_>>) -> Result<Carried, CallError> {
        let schedule = self.scheduler.schedule(plan);
        let mut pieces = Pieces::default();
        let mut failed_firings = Vec::new();
        self.see(&schedule.before, &mut pieces, &mut failed_firings);
        for phase in &schedule.phases {
            let failed = match given {
                Some(given) if !phase.adds.rows.is_empty() => {
                    self.add(given, &phase.adds, &mut pieces)?
                }
                _ => self.merge(&phase.merges)?,
            };
            if !failed.is_empty() {
                self.take_back();
                return Ok(Carried::Failed(failed));
            }
            self.see(&phase.after, &mut pieces, &mut failed_firings);
        }
        self.overwritten.clear();
        self.see(&schedule.at_end, &mut pieces, &mut failed_firings);
        self.scheduler.reuse(schedule);
        let accs = (!plan.firings.is_empty()).then(|| pieces.in_order(plan.firings.len()));
        failed_firings.sort_by_key(|(firing, _)| *firing);
        Ok(Carried::Done(Fired {
            accs,
            failed: failed_firings,
        }))
    }

    /// Lets firings see slots as they are now.
    fn see(&self, firings: &[(u32, Slot)], pieces: &mut Pieces, failed: &mut Vec<(u32, Failed)>) {
        if firings.is_empty() {
            return;
        }
        let slots: Vec<Slot> = firings.iter().map(|&(_, slot)| slot).collect();
        pieces.add(
            self.accs.gather(&slots),
            firings.iter().map(|&(firing, _)| firing),
        );
        if !self.poisoned.is_empty() {
            let poisoned = firings.iter().filter_map(|&(firing, slot)| {
                self.poisoned
                    .get(&slot)
                    .map(|reason| (firing, reason.clone()))
            });
            failed.extend(poisoned);
        }
    }

    fn add(
        &mut self,
        given: Given<'_>,
        adds: &Adds,
        pieces: &mut Pieces,
    ) -> Result<Vec<Failed>, CallError> {
        self.groups.number(&adds.slots);
        let mut marks: Vec<u32> = adds.marks.iter().map(|&(row, _)| row).collect();
        marks.dedup();
        match self.accumulate(given, &adds.rows, &marks)? {
            Accumulation::Failed(failed) => Ok(failed),
            Accumulation::Done {
                before,
                accs,
                marked,
            } => {
                self.accs.scatter(&self.groups.slots, &accs);
                self.overwritten.push((self.groups.slots.clone(), before));
                let place = |row: &u32| marks.binary_search(row).expect("every mark was asked for");
                let seen = adds
                    .marks
                    .iter()
                    .map(|(row, firing)| (*firing, place(row) as u32));
                pieces.add_rows(marked, seen.collect());
                Ok(Vec::new())
            }
        }
    }

    /// One call of `accumulate` for the rows named, whose groups have been numbered.
    fn accumulate(
        &mut self,
        given: Given<'_>,
        rows: &[u32],
        marks: &[u32],
    ) -> Result<Accumulation, CallError> {
        if let Some(partials) = given.partials {
            return self.merge_partials(partials, rows, marks);
        }
        let Given { batch, keys, .. } = given;
        let picked = (rows.len() != batch.len()).then(|| batch.take(rows));
        let picked = picked.as_ref().unwrap_or(batch);
        let columns: Vec<ArrayRef> = self
            .inputs
            .iter()
            .map(|&i| picked.columns.column(i).clone())
            .collect();
        let rows_in = RowsIn {
            times: &picked.times.times,
            stamps: self.with_stamps.then_some(&picked.times.stamps[..]),
            changes: picked.changes.as_deref(),
            columns: &columns,
            len: picked.len(),
        };
        let keys_of_groups: Vec<KeyId> = self
            .groups
            .first_rows
            .iter()
            .map(|&i| keys[rows[i as usize] as usize])
            .collect();
        let before = self.accs.gather(&self.groups.slots);
        let result = self.guest.accumulate(
            &rows_in,
            &self.groups.of_rows,
            &before,
            marks,
            &keys_of_groups,
        )?;
        Ok(accumulation(result, before, rows))
    }

    /// As `accumulate`, of partials: one call of `merge`.
    fn merge_partials(
        &mut self,
        partials: &Table,
        named: &[u32],
        marks: &[u32],
    ) -> Result<Accumulation, CallError> {
        assert!(marks.is_empty(), "a window fires between its partials");
        let some;
        let others = if named.len() == partials.rows as usize {
            partials
        } else {
            some = partials.gather(named);
            &some
        };
        let before = self.accs.gather(&self.groups.slots);
        let result = self.guest.merge(&before, others, &self.groups.of_rows)?;
        Ok(accumulation(result, before, named))
    }

    /// Remembers what slots hold, before they are written.
    fn overwrite(&mut self, slots: &[Slot]) {
        if self.undoable && !slots.is_empty() {
            self.overwritten
                .push((slots.to_vec(), self.accs.gather(slots)));
        }
    }

    /// Makes every accumulator what it was before the plan at hand.
    fn take_back(&mut self) {
        for (slots, before) in self.overwritten.drain(..).rev() {
            self.accs.scatter(&slots, &before);
        }
    }
}

/// What came of one call of `accumulate`.
enum Accumulation {
    Done {
        before: Table,
        accs: Table,
        marked: Table,
    },
    Failed(Vec<Failed>),
}

/// What a call came to, whose rows were those named.
fn accumulation(result: Accumulated, before: Table, named: &[u32]) -> Accumulation {
    if result.failed.is_empty() {
        return Accumulation::Done {
            before,
            accs: result.accs,
            marked: result.marked,
        };
    }
    let of_batch = |failed: Failed| Failed {
        row: named[failed.row as usize],
        ..failed
    };
    Accumulation::Failed(result.failed.into_iter().map(of_batch).collect())
}

/// Columns at the rows named.
pub fn take_columns(columns: &[ArrayRef], rows: &[u32]) -> Vec<ArrayRef> {
    let rows = UInt32Array::from(rows.to_vec());
    let take = |column: &ArrayRef| {
        arrow_select::take::take(column, &rows, None).expect("rows named are rows of the batch")
    };
    columns.iter().map(take).collect()
}

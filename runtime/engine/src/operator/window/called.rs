//! What a window operator holds and calls: one of three, by its function's kind and by whether rows are stored.

use arrow_array::ArrayRef;
use arrow_schema::FieldRef;
use tidemill_core::window::{Firing, Plan};
use tidemill_wasm::{CallError, Firings, LogLine, Notes, Outcome, Table};

use crate::aggregate::carry_out::{Aggregator, Carried, Given};
use crate::aggregate::table;
use crate::state::RowStore;
use crate::stored::Halt;
use crate::stored::kept::KeptAggregate;
use crate::stored::whole::WholeWindows;

/// See the module. What a firing sees is a row of a table in each case; only `called` knows of what.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per operator and worker"
)]
pub enum Called {
    /// An aggregate that takes rows as they come.
    Aggregate(Aggregator),
    /// An aggregate over the rows that are kept.
    Kept(KeptAggregate),
    /// A function of kind window.
    Whole(WholeWindows),
}

impl Called {
    /// Carries a plan out. `given` is absent when no row is involved.
    ///
    /// # Errors
    /// If the function refuses a call as a whole, or there are more rows than may be kept.
    pub fn carry_out(&mut self, plan: &Plan, given: Option<Given<'_>>) -> Result<Carried, Halt> {
        let batch = given.map(|given| given.batch);
        match self {
            Self::Aggregate(aggregator) => Ok(aggregator.carry_out(plan, given)?),
            Self::Kept(kept) => kept.carry_out(plan, batch),
            Self::Whole(whole) => whole.carry_out(plan, batch),
        }
    }

    /// What a firing that sees nothing sees.
    pub fn nothing(&self) -> Table {
        match self {
            Self::Aggregate(aggregator) => aggregator.fresh(),
            Self::Kept(kept) => kept.fresh(),
            Self::Whole(_) => WholeWindows::nothing(),
        }
    }

    /// Firings that see this wait for their results.
    pub fn wait(&mut self, accs: &Table) {
        if let Self::Whole(whole) = self {
            whole.wait(accs);
        }
    }

    /// Results of firings that saw this were made.
    pub fn made(&mut self, accs: &Table) {
        if let Self::Whole(whole) = self {
            whole.made(accs);
        }
    }

    /// The plan is done, and what waits for its results is known.
    pub fn commit(&mut self, plan: &Plan) {
        if let Self::Whole(whole) = self {
            whole.commit(plan);
        }
    }

    /// How many of the firings that see this, from one on, one call takes: at most so many, at least one.
    pub fn fitting(&self, accs: &Table, from: usize, most: usize) -> usize {
        match self {
            Self::Whole(whole) => whole.fitting(accs, from, most),
            _ => most.min(accs.rows as usize - from),
        }
    }

    /// Makes results.
    ///
    /// # Errors
    /// If the function refuses the call as a whole.
    pub fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        match self {
            Self::Aggregate(aggregator) => aggregator.guest().finish(keys, firings, accs),
            Self::Kept(kept) => kept.guest().finish(keys, firings, accs),
            Self::Whole(whole) => whole.apply(keys, firings, accs),
        }
    }

    /// A firing as JSON text: its key, its window and what it sees (one row).
    pub fn firing_as_json(
        &self,
        key: (&[FieldRef], &[ArrayRef]),
        firing: &Firing,
        acc: &Table,
    ) -> String {
        match self {
            Self::Aggregate(_) | Self::Kept(_) => table::firing_as_json(key, firing, acc),
            Self::Whole(whole) => table::firing_with_rows(key, firing, &whole.rows_as_json(acc)),
        }
    }

    /// What the function logged since the last time, and what is counted of its calls.
    pub fn said(&mut self) -> (Vec<LogLine>, Notes) {
        let guest = match self {
            Self::Aggregate(aggregator) => aggregator.guest(),
            Self::Kept(kept) => kept.guest(),
            Self::Whole(whole) => {
                let guest = whole.guest();
                return (guest.take_log(), guest.take_notes());
            }
        };
        (guest.take_log(), guest.take_notes())
    }

    /// The aggregate with accumulators, if it is one.
    pub fn aggregator(&mut self) -> Option<&mut Aggregator> {
        match self {
            Self::Aggregate(aggregator) => Some(aggregator),
            Self::Kept(_) | Self::Whole(_) => None,
        }
    }

    /// The rows that are stored, if any are.
    pub fn rows(&mut self) -> Option<&mut RowStore> {
        match self {
            Self::Aggregate(_) => None,
            Self::Kept(kept) => Some(kept.rows()),
            Self::Whole(whole) => Some(whole.rows()),
        }
    }

    /// The function of kind window, if it is one.
    pub fn whole(&mut self) -> Option<&mut WholeWindows> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Aggregate(_) | Self::Kept(_) => None,
        }
    }
}

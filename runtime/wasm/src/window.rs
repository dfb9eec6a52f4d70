//! One function of kind window made ready on one worker: all rows of each firing, at once.

use std::ops::Range;

use arrow_array::ArrayRef;

use crate::arrow::Scratch;
use crate::check;
use crate::error::{CallError, ModuleError};
use crate::firings::Firings;
use crate::isolate::{self, Parts};
use crate::load::Module;
use crate::log::LogLine;
use crate::outcome::Outcome;
use crate::report::Stopped;
use crate::slot::{Call, Halt, Notes, Settings, Slot};
use crate::transform::RowsIn;
use crate::wire::{BatchRef, TableRef};

/// Rows that one call takes at most, unless a single firing has more: what is lowered into a guest's memory must fit there.
pub const ROWS_PER_WINDOW_CALL: usize = 65_536;

/// A function of kind window with its guest instance.
pub struct Window {
    module: Module,
    slot: Slot,
    scratch: Scratch,
}

/// Firings with their rows.
pub(crate) struct Given<'a> {
    keys: &'a [ArrayRef],
    firings: &'a Firings,
    rows: &'a RowsIn<'a>,
    /// Firings + 1 indices of rows.
    offsets: &'a [u32],
}

impl Given<'_> {
    /// The rows of a range of firings.
    fn rows_of(&self, firings: &Range<usize>) -> Range<usize> {
        self.offsets[firings.start] as usize..self.offsets[firings.end] as usize
    }
}

impl Window {
    pub(crate) fn new(module: Module, settings: Settings) -> Result<Self, ModuleError> {
        let slot = Slot::new(module.clone(), settings)?;
        Ok(Self {
            module,
            slot,
            scratch: Scratch::default(),
        })
    }

    /// Makes results of firings: the rows of firing i are those from `offsets[i]` up to `offsets[i + 1]`, in order of event
    /// time. `keys` are the key columns that the function declared, a row per firing. Origins and failed rows of the outcome
    /// name firings. A firing that fails leaves no trace; all others are served.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    ///
    /// # Panics
    /// If there are not as many offsets as firings and one more, or if they name rows that are not there.
    pub fn apply(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        rows: &RowsIn<'_>,
        offsets: &[u32],
    ) -> Result<Outcome, CallError> {
        assert_eq!(
            offsets.len(),
            firings.len() + 1,
            "an offset per firing, and the end"
        );
        let given = Given {
            keys,
            firings,
            rows,
            offsets,
        };
        isolate::apply(self, &given)
    }

    /// Lines logged by calls that stand, since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.slot.take_log()
    }

    /// Counts since the last time.
    pub fn take_notes(&mut self) -> Notes {
        self.slot.take_notes()
    }

    fn call(
        &mut self,
        given: &Given<'_>,
        range: Range<usize>,
    ) -> Result<Result<Outcome, Stopped>, CallError> {
        let Self {
            module,
            slot,
            scratch,
        } = self;
        let (f, limits) = (slot.index(), slot.limits().clone());
        let function = &module.description().functions[f as usize];
        let taken = given.rows_of(&range);
        let slice = |column: &ArrayRef| column.slice(taken.start, taken.len());
        let key = |key: &ArrayRef| key.slice(range.start, range.len());
        let columns: Vec<ArrayRef> = given.keys.iter().map(key).collect();
        let keys = columns.len();
        // Keys and rows share the scratch: one list, lent in two parts.
        let columns: Vec<ArrayRef> = columns
            .into_iter()
            .chain(given.rows.columns.iter().map(slice))
            .collect();
        let lent = scratch.lend(&columns);
        let (keys, columns) = lent.split_at(keys);
        let keys = TableRef {
            rows: range.len() as u32,
            columns: keys,
        };
        let rows = given.rows;
        let batch = BatchRef {
            rows: taken.len() as u32,
            times: &rows.times[taken.clone()],
            stamps: rows.stamps.map(|stamps| &stamps[taken.clone()]),
            changes: rows.changes.map(|changes| &changes[taken.clone()]),
            columns,
        };
        let offsets = &given.offsets[range.start..=range.end];
        let moved: Vec<u32>;
        let offsets = match offsets[0] {
            0 => offsets,
            first => {
                moved = offsets.iter().map(|offset| offset - first).collect();
                &moved
            }
        };
        let firings = given.firings.lend(range.clone());
        let expected = check::Expected {
            function,
            inputs: &function.key,
            rows: range.len(),
            own: false,
            limits: &limits,
        };
        let call = Call {
            name: "apply",
            rows: Self::weight(given, range.clone()),
            alone: range.len() == 1,
        };
        slot.call(&call, |instance| {
            let guest = instance
                .window
                .as_ref()
                .expect("load has seen that the kind is exported");
            let output = guest
                .call_apply(&mut instance.store, f, keys, firings, batch, offsets)?
                .map_err(Halt::Refused)?;
            check::output(output, &expected).map_err(Halt::Malformed)
        })
    }
}

impl Parts for Window {
    type Whole<'a> = Given<'a>;

    fn len(whole: &Given<'_>) -> usize {
        whole.firings.len()
    }

    /// Rows, and one for each firing.
    fn weight(whole: &Given<'_>, range: Range<usize>) -> usize {
        whole.rows_of(&range).len() + range.len()
    }

    fn fitting(whole: &Given<'_>, start: usize, most: usize) -> usize {
        let most = most.min(ROWS_PER_WINDOW_CALL) + whole.offsets[start] as usize;
        let ends = &whole.offsets[start + 1..];
        // The weight of the firings up to the one with this end ascends with it.
        let fits = |&at: &usize| ends[at] as usize + at < most;
        (0..ends.len()).take_while(fits).count().max(1)
    }

    fn slot(&mut self) -> &mut Slot {
        &mut self.slot
    }

    fn part(
        &mut self,
        whole: &Given<'_>,
        range: Range<usize>,
    ) -> Result<Result<Outcome, Stopped>, CallError> {
        self.call(whole, range)
    }

    fn input(whole: &Given<'_>, n: u32) -> ArrayRef {
        whole.keys[n as usize].clone()
    }

    fn time(whole: &Given<'_>, row: u32) -> i64 {
        // Results of a window have the time that the host sets; a call cannot return others.
        whole.firings.ends[row as usize].saturating_sub(1)
    }

    fn change(_whole: &Given<'_>, _row: u32) -> u8 {
        0
    }
}

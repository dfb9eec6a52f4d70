//! One transform made ready on one worker.

use std::ops::Range;

use arrow_array::ArrayRef;

use crate::arrow::Scratch;
use crate::check;
use crate::error::{CallError, ModuleError};
use crate::isolate::{self, Parts};
use crate::load::Module;
use crate::log::LogLine;
use crate::outcome::Outcome;
use crate::report::Stopped;
use crate::slot::{Call, Halt, Notes, Settings, Slot};
use crate::wire::BatchRef;

/// Rows for a call: the columns that the function declared, in its order.
#[derive(Clone, Copy, Debug)]
pub struct RowsIn<'a> {
    /// How many rows; every list below has this length.
    pub len: usize,
    /// Event times.
    pub times: &'a [i64],
    /// Stamps: exactly if the function declared `stamps`.
    pub stamps: Option<&'a [i64]>,
    /// What each row does to a table; absent: all are inserts.
    pub changes: Option<&'a [u8]>,
    /// The columns.
    pub columns: &'a [ArrayRef],
}

/// A transform of a module with its guest instance.
pub struct Transform {
    module: Module,
    slot: Slot,
    scratch: Scratch,
}

impl Transform {
    pub(crate) fn new(module: Module, settings: Settings) -> Result<Self, ModuleError> {
        let slot = Slot::new(module.clone(), settings)?;
        Ok(Self {
            module,
            slot,
            scratch: Scratch::default(),
        })
    }

    /// Takes rows through the function. A row that fails leaves no trace; all others are served.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn apply(&mut self, rows: &RowsIn<'_>) -> Result<Outcome, CallError> {
        isolate::apply(self, rows)
    }

    /// Lines logged by calls that stand, since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.slot.take_log()
    }

    /// Counts since the last time.
    pub fn take_notes(&mut self) -> Notes {
        self.slot.take_notes()
    }

    fn call(&mut self, rows: &RowsIn<'_>) -> Result<Result<Outcome, Stopped>, CallError> {
        let Self {
            module,
            slot,
            scratch,
        } = self;
        let (f, limits) = (slot.index(), slot.limits().clone());
        let function = &module.description().functions[f as usize];
        let lent = scratch.lend(rows.columns);
        let batch = BatchRef {
            rows: rows.len as u32,
            times: rows.times,
            stamps: rows.stamps,
            changes: rows.changes,
            columns: &lent,
        };
        let expected = check::Expected {
            function,
            inputs: &function.input,
            rows: rows.len,
            own: true,
            limits: &limits,
        };
        slot.call(&Call::of_rows("apply", rows.len), |instance| {
            let guest = instance
                .transform
                .as_ref()
                .expect("load has seen that the kind is exported");
            let output = guest
                .call_apply(&mut instance.store, f, batch)?
                .map_err(Halt::Refused)?;
            check::output(output, &expected).map_err(Halt::Malformed)
        })
    }
}

impl Parts for Transform {
    type Whole<'a> = RowsIn<'a>;

    fn len(whole: &RowsIn<'_>) -> usize {
        whole.len
    }

    fn slot(&mut self) -> &mut Slot {
        &mut self.slot
    }

    fn part(
        &mut self,
        whole: &RowsIn<'_>,
        range: Range<usize>,
    ) -> Result<Result<Outcome, Stopped>, CallError> {
        if range.len() == whole.len {
            return self.call(whole);
        }
        let columns: Vec<ArrayRef> = whole
            .columns
            .iter()
            .map(|c| c.slice(range.start, range.len()))
            .collect();
        self.call(&RowsIn {
            len: range.len(),
            times: &whole.times[range.clone()],
            stamps: whole.stamps.map(|stamps| &stamps[range.clone()]),
            changes: whole.changes.map(|changes| &changes[range.clone()]),
            columns: &columns,
        })
    }

    fn input(whole: &RowsIn<'_>, n: u32) -> ArrayRef {
        whole.columns[n as usize].clone()
    }

    fn time(whole: &RowsIn<'_>, row: u32) -> i64 {
        whole.times[row as usize]
    }

    fn change(whole: &RowsIn<'_>, row: u32) -> u8 {
        whole.changes.map_or(0, |changes| changes[row as usize])
    }
}

//! One function of kind watermark made ready on one worker: a source's own rule for how far event time has come.
//!
//! Rows of a split are taken in order, each call going on from the state that the one before left. A call that was stopped is
//! given again in parts until the bad row stands alone; it is left out, and the rows behind it go on from the state before
//! it. So a bad row moves no watermark, wherever a batch is cut.

use std::ops::Range;

use arrow_array::ArrayRef;

use crate::arrow::Scratch;
use crate::check;
use crate::error::{CallError, ModuleError};
use crate::isolate::PARTS;
use crate::load::Module;
use crate::log::LogLine;
use crate::outcome::Failed;
use crate::report::Stopped;
use crate::slot::{Call, Halt, Notes, Settings, Slot};
use crate::transform::RowsIn;
use crate::wire::{BatchRef, Table, TableRef, WireObserved};

/// What `observe` came to.
#[derive(Debug)]
pub struct Observed {
    /// For each row given what the function said the split's watermark is as of after it; `i64::MIN` where it said nothing,
    /// and for rows that failed. Not yet raised to the one before: that is the clock's.
    pub watermarks: Vec<i64>,
    /// The state after the rows.
    pub state: Table,
    /// Failed rows, ascending: they moved nothing.
    pub failed: Vec<Failed>,
}

/// A function of kind watermark with its guest instance. It serves all splits of a source on a worker.
pub struct Watermark {
    module: Module,
    slot: Slot,
    scratch: Scratch,
    created: Option<Table>,
}

/// What one call returned, checked.
struct Returned {
    watermarks: Vec<i64>,
    state: Table,
    failed: Vec<Failed>,
    clean: bool,
}

impl Watermark {
    pub(crate) fn new(module: Module, settings: Settings) -> Result<Self, ModuleError> {
        let slot = Slot::new(module.clone(), settings)?;
        Ok(Self {
            module,
            slot,
            scratch: Scratch::default(),
            created: None,
        })
    }

    /// The state of a split before its first row: one row. The guest is asked once.
    ///
    /// # Errors
    /// If the call fails; there is no row to blame.
    pub fn create(&mut self) -> Result<Table, CallError> {
        if let Some(created) = &self.created {
            return Ok(created.clone());
        }
        self.slot.refresh();
        let Self { module, slot, .. } = self;
        let f = slot.index();
        let function = &module.description().functions[f as usize];
        let call = Call::of_rows("create", 0);
        let ended = slot.call(&call, |instance| {
            let guest = instance.watermark.as_ref().expect(EXPORTED);
            let created = guest
                .call_create(&mut instance.store, f)?
                .map_err(Halt::Refused)?;
            check::table("state", &created, &function.state, 1).map_err(Halt::Malformed)?;
            Ok(created)
        })?;
        let created = ended.map_err(|stopped| stopped.into_error(&function.name, "create"))?;
        self.created = Some(created.clone());
        Ok(created)
    }

    /// Takes rows of one split, in its order, and the split's state (one row).
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn observe(&mut self, rows: &RowsIn<'_>, state: &Table) -> Result<Observed, CallError> {
        let mut walk = Walk {
            done: Observed {
                watermarks: Vec::with_capacity(rows.len),
                state: state.clone(),
                failed: Vec::new(),
            },
            function: self,
            rows,
        };
        let mut start = 0;
        while start < rows.len {
            let most = walk.function.slot.pace.most_rows();
            let end = rows.len.min(start.saturating_add(most));
            if walk.run(start..end)? {
                walk.function.slot.pace.grow();
            }
            start = end;
        }
        Ok(walk.done)
    }

    /// Lines logged by calls that stand, since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.slot.take_log()
    }

    /// Counts since the last time.
    pub fn take_notes(&mut self) -> Notes {
        self.slot.take_notes()
    }

    /// One call, checked.
    fn call(
        &mut self,
        rows: &RowsIn<'_>,
        state: &Table,
    ) -> Result<Result<Returned, Stopped>, CallError> {
        let Self {
            module,
            slot,
            scratch,
            ..
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
        let state_lent = state.lend();
        let table = TableRef {
            rows: state.rows,
            columns: &state_lent,
        };
        let call = Call::of_rows("observe", rows.len);
        slot.call(&call, |instance| {
            let guest = instance.watermark.as_ref().expect(EXPORTED);
            let WireObserved {
                watermarks,
                state,
                failures,
                clean,
            } = guest
                .call_observe(&mut instance.store, f, batch, table)?
                .map_err(Halt::Refused)?;
            let failed = check::failures(failures, rows.len, &limits).map_err(Halt::Malformed)?;
            let clean = clean || failed.is_empty();
            if clean {
                check::watermarks(&watermarks, &failed, rows.len).map_err(Halt::Malformed)?;
                check::table("state", &state, &function.state, 1).map_err(Halt::Malformed)?;
            }
            Ok(Returned {
                watermarks,
                state,
                failed,
                clean,
            })
        })
    }
}

const EXPORTED: &str = "load has seen that the kind is exported";

/// The rows of a split taken one range after the other.
struct Walk<'w> {
    function: &'w mut Watermark,
    rows: &'w RowsIn<'w>,
    /// What stands so far: a watermark for each row taken, the state after them.
    done: Observed,
}

/// What a walk does next.
enum Next {
    Rows(Range<usize>),
    Failed(Failed),
}

impl Walk<'_> {
    /// Takes the next rows. Gives whether no call was stopped.
    fn run(&mut self, range: Range<usize>) -> Result<bool, CallError> {
        // What is to be taken yet, the last first: a list, since a guest says how long it becomes.
        let mut left = vec![Next::Rows(range)];
        let mut stood = true;
        while let Some(next) = left.pop() {
            let range = match next {
                Next::Rows(range) if range.is_empty() => continue,
                Next::Rows(range) => range,
                Next::Failed(failed) => {
                    self.leave_out(failed);
                    continue;
                }
            };
            let fresh = self.function.slot.is_fresh();
            let alone = range.len() == 1;
            match self.call(&range)? {
                Ok(returned) => self.stands(range, returned, &mut left),
                Err(stopped) if alone && fresh => self.leave_out(stopped.blame(range.start as u32)),
                // A stopped call has lost its instance, so the next is the first of a fresh one.
                Err(_) if alone => left.push(Next::Rows(range)),
                Err(_) => {
                    stood = false;
                    self.split(range)?;
                }
            }
        }
        Ok(stood)
    }

    /// Takes rows whose call was stopped. If all parts succeed, there were too many.
    fn split(&mut self, range: Range<usize>) -> Result<(), CallError> {
        let before = self.done.failed.len();
        let part = range.len().div_ceil(PARTS);
        for start in range.clone().step_by(part) {
            self.run(start..range.end.min(start + part))?;
        }
        if self.done.failed.len() == before {
            self.function.slot.pace.shrink(part);
        }
        Ok(())
    }

    /// Takes over what a call returned. With failures that left a trace the rows before the first are given again, and those
    /// behind it after them.
    fn stands(&mut self, range: Range<usize>, returned: Returned, left: &mut Vec<Next>) {
        let start = range.start as u32;
        let Returned {
            mut watermarks,
            state,
            mut failed,
            clean,
        } = returned;
        failed.iter_mut().for_each(|failure| failure.row += start);
        if clean {
            for failure in &failed {
                watermarks[(failure.row - start) as usize] = i64::MIN;
            }
            self.done.watermarks.append(&mut watermarks);
            self.done.state = state;
            self.done.failed.append(&mut failed);
            return;
        }
        let first = failed.swap_remove(0);
        let at = first.row as usize;
        left.push(Next::Rows(at + 1..range.end));
        left.push(Next::Failed(first));
        left.push(Next::Rows(range.start..at));
    }

    fn leave_out(&mut self, failed: Failed) {
        self.done.watermarks.push(i64::MIN);
        self.done.failed.push(failed);
    }

    fn call(&mut self, range: &Range<usize>) -> Result<Result<Returned, Stopped>, CallError> {
        let rows = self.rows;
        let slice = |column: &ArrayRef| column.slice(range.start, range.len());
        let columns: Vec<ArrayRef> = rows.columns.iter().map(slice).collect();
        let part = RowsIn {
            len: range.len(),
            times: &rows.times[range.clone()],
            stamps: rows.stamps.map(|stamps| &stamps[range.clone()]),
            changes: rows.changes.map(|changes| &changes[range.clone()]),
            columns: &columns,
        };
        self.function.call(&part, &self.done.state)
    }
}

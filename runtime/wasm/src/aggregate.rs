//! One aggregate made ready on one worker.

use std::ops::Range;

use arrow_array::ArrayRef;

use crate::arrow::Scratch;
use crate::check;
use crate::error::{CallError, ModuleError};
use crate::firings::Firings;
use crate::fold::{self, Given};
use crate::isolate::{self, Parts};
use crate::load::Module;
use crate::log::LogLine;
use crate::outcome::{Failed, Outcome};
use crate::report::Stopped;
use crate::slot::{Call, Halt, Notes, Settings, Slot};
use crate::transform::RowsIn;
use crate::wire::{BatchRef, Table, TableRef, WireAccumulated};

/// What `accumulate` and `merge` came to.
#[derive(Debug)]
pub struct Accumulated {
    /// The accumulators after the call, in the order given. Only valid if no row failed, or if `clean`.
    pub accs: Table,
    /// One row per mark, in the order of marks; valid as `accs`. No rows from `merge`.
    pub marked: Table,
    /// Failed rows (of `merge`: others), ascending. At most one per key, unless `clean`.
    pub failed: Vec<Failed>,
    /// Whether failed rows left no trace in `accs` and `marked`. If not, the call must be given again without them.
    pub clean: bool,
}

/// An aggregate of a module with its guest instance.
pub struct Aggregate {
    module: Module,
    slot: Slot,
    scratch: Scratch,
    created: Option<Table>,
}

/// One call of `finish`.
pub(crate) struct Finish<'a> {
    keys: &'a [ArrayRef],
    firings: &'a Firings,
    /// Those of the firings that the call is about: as many as keys and accumulators.
    range: Range<usize>,
    accs: &'a Table,
}

impl Aggregate {
    pub(crate) fn new(module: Module, settings: Settings) -> Result<Self, ModuleError> {
        let slot = Slot::new(module.clone(), settings)?;
        Ok(Self {
            module,
            slot,
            scratch: Scratch::default(),
            created: None,
        })
    }

    /// The accumulator of no rows: one row. The guest is asked once.
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
        let ended = slot.call(&Call::of_rows("create", 0), |instance| {
            let guest = instance.aggregate.as_ref().expect(EXPORTED);
            let created = guest
                .call_create(&mut instance.store, f)?
                .map_err(Halt::Refused)?;
            check::table("accumulator", &created, &function.accumulator, 1)
                .map_err(Halt::Malformed)?;
            Ok(created)
        })?;
        let created = ended.map_err(|stopped| stopped.into_error(&function.name, "create"))?;
        self.created = Some(created.clone());
        Ok(created)
    }

    /// Adds rows, in order, to accumulators: row i to `accs` row `groups[i]`. Groups are dense, in order of first
    /// appearance; `marks` names rows, ascending; `keys[g]` is an id of the key of group g (several groups may have one).
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        keys: &[u32],
    ) -> Result<Accumulated, CallError> {
        fold::fold(self, &Given::Rows { rows, marks, keys }, groups, accs)
    }

    /// Merges accumulators, in order: `others` row i into `into` row `groups[i]`.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Accumulated, CallError> {
        fold::fold(self, &Given::Others(others), groups, into)
    }

    /// Makes results of accumulators: row i of `keys` and `accs` belong to firing i. Origins and failed rows name
    /// firings; `keys` are the key columns that the function declared.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        isolate::apply(
            self,
            &Finish {
                keys,
                firings,
                range: 0..firings.len(),
                accs,
            },
        )
    }

    /// Lines logged by calls that stand, since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.slot.take_log()
    }

    /// Counts since the last time.
    pub fn take_notes(&mut self) -> Notes {
        self.slot.take_notes()
    }

    pub(crate) fn guest(&mut self) -> &mut Slot {
        &mut self.slot
    }

    /// One call of `accumulate`, checked.
    pub(crate) fn call_accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
    ) -> Result<Result<Accumulated, Stopped>, CallError> {
        let Self {
            module,
            slot,
            scratch,
            ..
        } = self;
        let f = slot.index();
        let lent = scratch.lend(rows.columns);
        let batch = BatchRef {
            rows: rows.len as u32,
            times: rows.times,
            stamps: rows.stamps,
            changes: rows.changes,
            columns: &lent,
        };
        let accs_lent = accs.lend();
        let table = TableRef {
            rows: accs.rows,
            columns: &accs_lent,
        };
        let sizes = Sizes {
            rows: rows.len,
            accs: accs.rows as usize,
            marks: marks.len(),
        };
        let checks = Checks {
            module,
            f,
            sizes,
            limits: slot.limits().clone(),
        };
        slot.call(&Call::of_rows("accumulate", rows.len), |instance| {
            let guest = instance.aggregate.as_ref().expect(EXPORTED);
            let returned = guest
                .call_accumulate(&mut instance.store, f, batch, groups, table, marks)?
                .map_err(Halt::Refused)?;
            checks.accumulated(returned)
        })
    }

    /// One call of `merge`, checked.
    pub(crate) fn call_merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Result<Accumulated, Stopped>, CallError> {
        let Self { module, slot, .. } = self;
        let f = slot.index();
        let (into_lent, others_lent) = (into.lend(), others.lend());
        let into_ref = TableRef {
            rows: into.rows,
            columns: &into_lent,
        };
        let others_ref = TableRef {
            rows: others.rows,
            columns: &others_lent,
        };
        let rows = others.rows as usize;
        let sizes = Sizes {
            rows,
            accs: into.rows as usize,
            marks: 0,
        };
        let checks = Checks {
            module,
            f,
            sizes,
            limits: slot.limits().clone(),
        };
        slot.call(&Call::of_rows("merge", rows), |instance| {
            let guest = instance.aggregate.as_ref().expect(EXPORTED);
            let returned = guest
                .call_merge(&mut instance.store, f, into_ref, others_ref, groups)?
                .map_err(Halt::Refused)?;
            checks.accumulated(returned)
        })
    }

    /// One call of `finish`, checked.
    fn call_finish(&mut self, whole: &Finish<'_>) -> Result<Result<Outcome, Stopped>, CallError> {
        let Self {
            module,
            slot,
            scratch,
            ..
        } = self;
        let (f, limits) = (slot.index(), slot.limits().clone());
        let function = &module.description().functions[f as usize];
        let rows = whole.range.len();
        let (keys_lent, accs_lent) = (scratch.lend(whole.keys), whole.accs.lend());
        let keys = TableRef {
            rows: rows as u32,
            columns: &keys_lent,
        };
        let accs = TableRef {
            rows: rows as u32,
            columns: &accs_lent,
        };
        let expected = check::Expected {
            function,
            inputs: &function.key,
            rows,
            own: false,
            limits: &limits,
        };
        let firings = whole.firings.lend(whole.range.clone());
        slot.call(&Call::of_rows("finish", rows), |instance| {
            let guest = instance.aggregate.as_ref().expect(EXPORTED);
            let output = guest
                .call_finish(&mut instance.store, f, keys, firings, accs)?
                .map_err(Halt::Refused)?;
            check::output(output, &expected).map_err(Halt::Malformed)
        })
    }
}

const EXPORTED: &str = "load has seen that the kind is exported";

struct Sizes {
    rows: usize,
    accs: usize,
    marks: usize,
}

/// What is needed to check what `accumulate` and `merge` returned.
struct Checks<'a> {
    module: &'a Module,
    f: u32,
    sizes: Sizes,
    limits: crate::limits::Limits,
}

impl Checks<'_> {
    fn accumulated(&self, returned: WireAccumulated) -> Result<Accumulated, Halt> {
        let Sizes { rows, accs, marks } = self.sizes;
        let fields = &self.module.description().functions[self.f as usize].accumulator;
        check::accumulated(&returned, fields, accs, marks).map_err(Halt::Malformed)?;
        let WireAccumulated {
            accs,
            marked,
            failures,
            clean,
        } = returned;
        let failed = check::failures(failures, rows, &self.limits).map_err(Halt::Malformed)?;
        let clean = clean || failed.is_empty();
        Ok(Accumulated {
            accs,
            marked,
            failed,
            clean,
        })
    }
}

impl Parts for Aggregate {
    type Whole<'a> = Finish<'a>;

    fn len(whole: &Finish<'_>) -> usize {
        whole.range.len()
    }

    fn slot(&mut self) -> &mut Slot {
        &mut self.slot
    }

    fn part(
        &mut self,
        whole: &Finish<'_>,
        range: Range<usize>,
    ) -> Result<Result<Outcome, Stopped>, CallError> {
        if range.len() == whole.range.len() {
            return self.call_finish(whole);
        }
        let keys: Vec<ArrayRef> = whole
            .keys
            .iter()
            .map(|key| key.slice(range.start, range.len()))
            .collect();
        let rows: Vec<u32> = range.clone().map(|row| row as u32).collect();
        let accs = whole.accs.gather(&rows);
        let start = whole.range.start;
        self.call_finish(&Finish {
            keys: &keys,
            firings: whole.firings,
            range: start + range.start..start + range.end,
            accs: &accs,
        })
    }

    fn input(whole: &Finish<'_>, n: u32) -> ArrayRef {
        whole.keys[n as usize].clone()
    }

    fn time(whole: &Finish<'_>, row: u32) -> i64 {
        // Results of a window have the time that the host sets; a call cannot return others.
        whole.firings.ends[row as usize].saturating_sub(1)
    }

    fn change(_whole: &Finish<'_>, _row: u32) -> u8 {
        0
    }
}

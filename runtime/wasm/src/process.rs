//! One process function made ready on one worker.
//!
//! The host holds state and timers; what a call is given of them travels with it. A call that was stopped is given again
//! in parts ([`parts`]), each going on from the state that the one before left. So what comes back is always what the rows
//! that did not fail have made, and a failed row has left no trace.

pub(crate) mod held;
mod part;
mod parts;
mod together;

use arrow_array::ArrayRef;
use wasmtime::Store;

use crate::arrow::Scratch;
use crate::bindings::exports::tidemill::operator::process::Guest;
use crate::check;
use crate::error::{CallError, ModuleError};
use crate::instance::State;
use crate::load::Module;
use crate::log::LogLine;
use crate::outcome::{Emitted, Failed, Outcome};
use crate::report::Stopped;
use crate::slot::{Call, Halt, Notes, Settings, Slot};
use crate::transform::RowsIn;
use crate::wire::{BatchRef, ColumnRef, DueRef, HeldRef, Table, TableRef, WireProcessed};

use self::held::Lent;
pub use self::held::{Entries, HeldEntries};
pub use crate::wire::{Kept, Listed, Mapped, Timed};

/// What is held in one slot of kind value for the keys of a call.
#[derive(Clone, Debug)]
pub struct Held {
    /// One byte per key: whether there is an entry.
    pub present: Vec<u8>,
    /// The entries there are, in the order of the keys.
    pub entries: Table,
}

/// The keys of a call, and what is held for them.
#[derive(Clone, Copy)]
pub struct KeysIn<'a> {
    /// How many keys.
    pub count: usize,
    /// The key columns that the function declared, one row per key.
    pub columns: &'a [ArrayRef],
    /// One for each slot of kind value.
    pub values: &'a [Held],
}

/// Timers that fire: timer i is of key i.
#[derive(Clone, Copy, Debug)]
pub struct TimersIn<'a> {
    /// Their names: indices in the description.
    pub names: &'a [u32],
    /// Their times.
    pub times: &'a [i64],
    /// Whether the input has ended.
    pub ended: bool,
}

/// What a call came to. Every row (every timer) is either failed or has changed and emitted what is here.
#[derive(Debug)]
pub struct Processed {
    /// Emitted rows, at most one entry per target, targets ascending.
    pub emitted: Vec<Emitted>,
    /// Failed rows, ascending.
    pub failed: Vec<Failed>,
    /// One for each slot of kind value.
    pub values: Vec<Kept>,
    /// One for each slot of kind list.
    pub lists: Vec<Listed>,
    /// One for each slot of kind map.
    pub maps: Vec<Mapped>,
    /// Changes of timers.
    pub timers: Timed,
}

/// What a call is about.
#[derive(Clone, Copy)]
enum What<'a> {
    /// Rows, and the key of each.
    Rows(&'a RowsIn<'a>, &'a [u32]),
    /// Timers.
    Timers(TimersIn<'a>),
}

impl What<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Rows(rows, _) => rows.len,
            Self::Timers(timers) => timers.names.len(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Rows(..) => "on-rows",
            Self::Timers(_) => "on-timers",
        }
    }

    fn times(&self) -> &[i64] {
        match self {
            Self::Rows(rows, _) => rows.times,
            Self::Timers(timers) => timers.times,
        }
    }

    fn group(&self, row: u32) -> u32 {
        match self {
            Self::Rows(_, groups) => groups[row as usize],
            Self::Timers(_) => row,
        }
    }
}

/// A process function of a module with its guest instance.
pub struct Process {
    module: Module,
    slot: Slot,
    scratch: Scratch,
    /// Lists and maps, while a call is under way.
    entries: Option<Box<dyn HeldEntries>>,
}

/// What one call returned, checked, and whether its failed rows left no trace.
struct Returned {
    processed: Processed,
    clean: bool,
}

impl Process {
    pub(crate) fn new(module: Module, settings: Settings) -> Result<Self, ModuleError> {
        let slot = Slot::new(module.clone(), settings)?;
        Ok(Self {
            module,
            slot,
            scratch: Scratch::default(),
            entries: None,
        })
    }

    /// Lends lists and maps to the calls that follow, until they are taken back.
    pub fn lend(&mut self, entries: Box<dyn HeldEntries>) {
        self.entries = Some(entries);
    }

    /// Takes back what was lent.
    pub fn take_back(&mut self) -> Option<Box<dyn HeldEntries>> {
        self.entries.take()
    }

    /// Takes rows in arrival order: row i is of key `groups[i]`; keys are dense, in order of first appearance.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn on_rows(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        keys: &KeysIn<'_>,
    ) -> Result<Processed, CallError> {
        parts::serve(self, What::Rows(rows, groups), keys)
    }

    /// Fires timers, at most one per key.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made.
    pub fn on_timers(
        &mut self,
        timers: TimersIn<'_>,
        keys: &KeysIn<'_>,
    ) -> Result<Processed, CallError> {
        parts::serve(self, What::Timers(timers), keys)
    }

    /// Lines logged by calls that stand, since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.slot.take_log()
    }

    /// Counts since the last time.
    pub fn take_notes(&mut self) -> Notes {
        self.slot.take_notes()
    }

    /// One call, checked. `named` says which keys of the whole call these are, if they are not all.
    fn call(
        &mut self,
        what: What<'_>,
        keys: &KeysIn<'_>,
        named: Option<Vec<u32>>,
    ) -> Result<Result<Returned, Stopped>, CallError> {
        let Self {
            module,
            slot,
            scratch,
            entries,
        } = self;
        let (f, limits) = (slot.index(), slot.limits().clone());
        let function = &module.description().functions[f as usize];
        let mut columns = keys.columns.to_vec();
        if let What::Rows(rows, _) = what {
            columns.extend_from_slice(rows.columns);
        }
        // Keys and rows share the scratch: one list, lent in two parts.
        let lent = scratch.lend(&columns);
        let (key_columns, row_columns) = lent.split_at(keys.columns.len());
        let keys_ref = TableRef {
            rows: keys.count as u32,
            columns: key_columns,
        };
        let held: Vec<_> = keys.values.iter().map(|held| held.entries.lend()).collect();
        let held = keys.values.iter().zip(&held);
        let held: Vec<HeldRef<'_>> = held.map(|(held, columns)| held.lend(columns)).collect();
        let expected = check::Expected {
            function,
            inputs: match what {
                What::Rows(..) => &function.input,
                What::Timers(_) => &function.key,
            },
            rows: what.len(),
            own: true,
            limits: &limits,
        };
        let call = Call::of_rows(what.name(), what.len());
        slot.call(&call, |instance| {
            let guest = instance
                .process
                .as_ref()
                .expect("load has seen that the kind is exported");
            instance.store.data_mut().held = entries.take().map(|entries| Lent {
                entries,
                keys: named,
                count: keys.count,
                module: module.clone(),
                function: f as usize,
            });
            let returned = give(
                guest,
                &mut instance.store,
                (f, what),
                (keys_ref, row_columns),
                &held,
            );
            let held = instance.store.data_mut().held.take();
            *entries = held.map(|lent| lent.entries);
            let returned = returned?.map_err(Halt::Refused)?;
            checked(returned, &expected, what, keys.count).map_err(Halt::Malformed)
        })
    }
}

/// The call itself.
fn give(
    guest: &Guest,
    store: &mut Store<State>,
    (f, what): (u32, What<'_>),
    (keys, columns): (TableRef<'_>, &[ColumnRef<'_>]),
    held: &[HeldRef<'_>],
) -> wasmtime::Result<Result<WireProcessed, String>> {
    match what {
        What::Rows(rows, groups) => {
            let batch = BatchRef {
                rows: rows.len as u32,
                times: rows.times,
                stamps: rows.stamps,
                changes: rows.changes,
                columns,
            };
            guest.call_on_rows(store, f, keys, batch, groups, held)
        }
        What::Timers(timers) => {
            let due = DueRef {
                names: timers.names,
                times: timers.times,
                ended: timers.ended,
            };
            guest.call_on_timers(store, f, keys, due, held)
        }
    }
}

impl Held {
    /// As a call takes it; `columns` are those of the entries.
    fn lend<'a>(&'a self, columns: &'a [ColumnRef<'a>]) -> HeldRef<'a> {
        HeldRef {
            present: &self.present,
            entries: TableRef {
                rows: self.entries.rows,
                columns,
            },
        }
    }
}

fn checked(
    returned: WireProcessed,
    expected: &check::Expected<'_>,
    what: What<'_>,
    keys: usize,
) -> Result<Returned, String> {
    let WireProcessed {
        output,
        values,
        lists,
        maps,
        timers,
        clean,
    } = returned;
    let Outcome { emitted, failed } = check::output(output, expected)?;
    let clean = clean || failed.is_empty();
    if clean {
        let against = check::Returned {
            function: expected.function,
            emitted: &emitted,
            failed: &failed,
            groups: match what {
                What::Rows(_, groups) => Some(groups),
                What::Timers(_) => None,
            },
            rows: expected.rows,
            keys,
        };
        check::processed(&against, (&values, &lists, &maps), &timers)?;
    }
    let processed = Processed {
        emitted,
        failed,
        values,
        lists,
        maps,
        timers,
    };
    Ok(Returned { processed, clean })
}

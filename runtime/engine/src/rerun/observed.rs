//! Functions as guests, whose calls are watched: how long they take, what they log, what becomes of the accumulator.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::ArrayRef;
use arrow_schema::Field;
use tidemill_rows::{RecordBatch, Schema, json};
use tidemill_wasm::{
    Accumulated, CallError, Firings, LogLine, Module, ModuleError, Notes, Outcome, RowsIn,
    Settings, Table, table_to_arrow,
};

use crate::functions::{AggregateCalls, Functions, InModules, TransformCalls, WindowCalls};

/// What was seen of the calls.
#[derive(Default)]
pub struct Seen {
    pub took: Duration,
    pub memory_bytes: u64,
    pub log: Vec<LogLine>,
    pub accumulator: Option<String>,
}

/// Makes such functions.
pub struct Observed {
    seen: Arc<Mutex<Seen>>,
    /// Takes the place of the accumulator of no rows.
    start: Option<Table>,
    fields: Vec<Field>,
}

impl Observed {
    /// Whatever is seen goes to `seen`; `fields` are the accumulator's.
    pub fn new(seen: Arc<Mutex<Seen>>, start: Option<Table>, fields: Vec<Field>) -> Self {
        Self {
            seen,
            start,
            fields,
        }
    }
}

/// Adds to what was seen.
fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Times a call, and takes what it logged.
pub fn watched<G, R>(
    seen: &Mutex<Seen>,
    guest: &mut G,
    call: impl FnOnce(&mut G) -> R,
    said: impl FnOnce(&mut G) -> (Vec<LogLine>, Notes),
) -> R {
    let start = Instant::now();
    let result = call(guest);
    let took = start.elapsed();
    let (log, notes) = said(guest);
    let mut seen = locked(seen);
    seen.took += took;
    seen.log.extend(log);
    seen.memory_bytes = seen.memory_bytes.max(notes.memory_bytes);
    result
}

/// An accumulator, or a state, as a JSON object.
pub fn shown(fields: &[Field], table: &Table) -> Option<String> {
    let columns = table_to_arrow(table, fields).ok()?;
    let schema = Schema::new(fields.to_vec());
    let rows = RecordBatch::try_new(schema.into(), columns).ok()?;
    (rows.num_rows() == 1).then(|| json::row(&rows, 0))
}

impl Functions for Observed {
    fn transform(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn TransformCalls>, ModuleError> {
        Ok(Box::new(Transform {
            guest: InModules.transform(module, settings)?,
            seen: self.seen.clone(),
        }))
    }

    fn aggregate(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn AggregateCalls>, ModuleError> {
        Ok(Box::new(Aggregate {
            guest: InModules.aggregate(module, settings)?,
            seen: self.seen.clone(),
            start: self.start.clone(),
            fields: self.fields.clone(),
        }))
    }

    fn window(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn WindowCalls>, ModuleError> {
        Ok(Box::new(Window {
            guest: InModules.window(module, settings)?,
            seen: self.seen.clone(),
        }))
    }
}

struct Window {
    guest: Box<dyn WindowCalls>,
    seen: Arc<Mutex<Seen>>,
}

impl WindowCalls for Window {
    fn apply(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        rows: &RowsIn<'_>,
        offsets: &[u32],
    ) -> Result<Outcome, CallError> {
        let said = |guest: &mut Box<dyn WindowCalls>| (guest.take_log(), guest.take_notes());
        let call = |guest: &mut Box<dyn WindowCalls>| guest.apply(keys, firings, rows, offsets);
        watched(&self.seen, &mut self.guest, call, said)
    }
}

struct Transform {
    guest: Box<dyn TransformCalls>,
    seen: Arc<Mutex<Seen>>,
}

impl TransformCalls for Transform {
    fn apply(&mut self, rows: &RowsIn<'_>) -> Result<Outcome, CallError> {
        let said = |guest: &mut Box<dyn TransformCalls>| (guest.take_log(), guest.take_notes());
        watched(&self.seen, &mut self.guest, |guest| guest.apply(rows), said)
    }
}

struct Aggregate {
    guest: Box<dyn AggregateCalls>,
    seen: Arc<Mutex<Seen>>,
    start: Option<Table>,
    fields: Vec<Field>,
}

impl Aggregate {
    fn call<R>(&mut self, call: impl FnOnce(&mut Box<dyn AggregateCalls>) -> R) -> R {
        let said = |guest: &mut Box<dyn AggregateCalls>| (guest.take_log(), guest.take_notes());
        watched(&self.seen, &mut self.guest, call, said)
    }
}

impl AggregateCalls for Aggregate {
    fn create(&mut self) -> Result<Table, CallError> {
        match &self.start {
            Some(start) => Ok(start.clone()),
            None => self.call(|guest| guest.create()),
        }
    }

    fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        keys: &[u32],
    ) -> Result<Accumulated, CallError> {
        let done = self.call(|guest| guest.accumulate(rows, groups, accs, marks, keys))?;
        if done.failed.is_empty() {
            locked(&self.seen).accumulator = shown(&self.fields, &done.accs);
        }
        Ok(done)
    }

    fn merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Accumulated, CallError> {
        self.call(|guest| guest.merge(into, others, groups))
    }

    fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        self.call(|guest| guest.finish(keys, firings, accs))
    }
}

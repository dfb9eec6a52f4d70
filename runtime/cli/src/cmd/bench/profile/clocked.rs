//! Functions as guests, with a clock around every call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tidemill_engine::functions::{
    AggregateCalls, Functions, InModules, TransformCalls, WindowCalls,
};
use tidemill_rows::ArrayRef;
use tidemill_wasm::{
    Accumulated, CallError, Firings, LogLine, Module, ModuleError, Notes, Outcome, RowsIn,
    Settings, Table,
};

/// How long an operator's calls took, over all workers.
type Spent = Arc<AtomicU64>;

/// Makes such functions.
#[derive(Default)]
pub struct Clocked {
    by_operator: Mutex<HashMap<String, Spent>>,
}

impl Clocked {
    /// How long an operator's calls took, in nanoseconds.
    pub fn ns(&self, operator: &str) -> u64 {
        self.of(operator).load(Relaxed)
    }

    fn of(&self, operator: &str) -> Spent {
        let mut all = self
            .by_operator
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.entry(operator.to_owned()).or_default().clone()
    }
}

impl Functions for Clocked {
    fn transform(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn TransformCalls>, ModuleError> {
        let spent = self.of(&settings.operator);
        let guest = InModules.transform(module, settings)?;
        Ok(Box::new(Timed { guest, spent }))
    }

    fn aggregate(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn AggregateCalls>, ModuleError> {
        let spent = self.of(&settings.operator);
        let guest = InModules.aggregate(module, settings)?;
        Ok(Box::new(Timed { guest, spent }))
    }

    fn window(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn WindowCalls>, ModuleError> {
        let spent = self.of(&settings.operator);
        let guest = InModules.window(module, settings)?;
        Ok(Box::new(Timed { guest, spent }))
    }
}

/// A guest whose calls are timed.
struct Timed<G> {
    guest: G,
    spent: Spent,
}

impl<G> Timed<G> {
    fn call<R>(&mut self, call: impl FnOnce(&mut G) -> R) -> R {
        let start = Instant::now();
        let result = call(&mut self.guest);
        self.spent
            .fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        result
    }
}

impl TransformCalls for Timed<Box<dyn TransformCalls>> {
    fn apply(&mut self, rows: &RowsIn<'_>) -> Result<Outcome, CallError> {
        self.call(|guest| guest.apply(rows))
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.guest.take_log()
    }

    fn take_notes(&mut self) -> Notes {
        self.guest.take_notes()
    }
}

impl AggregateCalls for Timed<Box<dyn AggregateCalls>> {
    fn create(&mut self) -> Result<Table, CallError> {
        self.call(|guest| guest.create())
    }

    fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        keys: &[u32],
    ) -> Result<Accumulated, CallError> {
        self.call(|guest| guest.accumulate(rows, groups, accs, marks, keys))
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

    fn take_log(&mut self) -> Vec<LogLine> {
        self.guest.take_log()
    }

    fn take_notes(&mut self) -> Notes {
        self.guest.take_notes()
    }
}

impl WindowCalls for Timed<Box<dyn WindowCalls>> {
    fn apply(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        rows: &RowsIn<'_>,
        offsets: &[u32],
    ) -> Result<Outcome, CallError> {
        self.call(|guest| guest.apply(keys, firings, rows, offsets))
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.guest.take_log()
    }

    fn take_notes(&mut self) -> Notes {
        self.guest.take_notes()
    }
}

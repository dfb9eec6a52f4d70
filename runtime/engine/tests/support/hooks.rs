//! Functions that run as guests, with something done before each of their calls that takes rows.

use std::sync::Arc;

use arrow_array::ArrayRef;
use tidemill_engine::functions::{AggregateCalls, Functions, InModules, TransformCalls};
use tidemill_wasm::{
    Accumulated, CallError, Firings, LogLine, Module, ModuleError, Notes, Outcome, RowsIn,
    Settings, Table,
};

/// Given the worker and the operator; an error is the call's.
type Hook = dyn Fn(u64, &str) -> Result<(), String> + Send + Sync;

/// Makes such functions.
pub struct Hooked(Arc<Hook>);

struct Aggregate {
    guest: Box<dyn AggregateCalls>,
    operator: String,
    hook: Arc<Hook>,
}

impl Hooked {
    pub fn new(hook: impl Fn(u64, &str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }
}

impl Functions for Hooked {
    fn transform(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn TransformCalls>, ModuleError> {
        InModules.transform(module, settings)
    }

    fn aggregate(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn AggregateCalls>, ModuleError> {
        let operator = settings.operator.clone();
        Ok(Box::new(Aggregate {
            guest: InModules.aggregate(module, settings)?,
            operator,
            hook: self.0.clone(),
        }))
    }
}

/// The number of the worker whose thread this is.
fn worker() -> u64 {
    let thread = std::thread::current();
    let number = thread.name().and_then(|name| name.strip_prefix("worker-"));
    number
        .and_then(|number| number.parse().ok())
        .expect("a worker's thread")
}

impl AggregateCalls for Aggregate {
    fn create(&mut self) -> Result<Table, CallError> {
        self.guest.create()
    }

    fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        keys: &[u32],
    ) -> Result<Accumulated, CallError> {
        (self.hook)(worker(), &self.operator).map_err(|message| CallError::Refused {
            function: "hooked".to_owned(),
            call: "accumulate",
            message,
        })?;
        self.guest.accumulate(rows, groups, accs, marks, keys)
    }

    fn merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Accumulated, CallError> {
        self.guest.merge(into, others, groups)
    }

    fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        self.guest.finish(keys, firings, accs)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        self.guest.take_log()
    }

    fn take_notes(&mut self) -> Notes {
        self.guest.take_notes()
    }
}

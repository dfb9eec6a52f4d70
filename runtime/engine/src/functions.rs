//! The seam to functions: what operators call, and who makes it ready.
//!
//! Users' functions are always guests of modules ([`InModules`]). The seam is there so that the project's bench can run the
//! same pipelines with the same functions compiled into it, and say what the sandbox costs.

use arrow_array::ArrayRef;
use tidemill_wasm::{
    Accumulated, Aggregate, CallError, Firings, HeldEntries, KeysIn, LogLine, Module, ModuleError,
    Notes, Observed, Outcome, Process, Processed, RowsIn, Settings, Table, TimersIn, Transform,
    Watermark, Window,
};

/// A function of kind transform, made ready on one worker. See [`Transform`] for the calls.
#[expect(
    clippy::missing_errors_doc,
    reason = "the errors are those of `Transform`'s calls"
)]
pub trait TransformCalls: Send {
    /// Takes rows through the function.
    fn apply(&mut self, rows: &RowsIn<'_>) -> Result<Outcome, CallError>;

    /// Lines logged since the last time.
    fn take_log(&mut self) -> Vec<LogLine> {
        Vec::new()
    }

    /// Counts since the last time.
    fn take_notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// A function of kind aggregate, made ready on one worker. See [`Aggregate`] for the calls.
#[expect(
    clippy::missing_errors_doc,
    reason = "the errors are those of `Aggregate`'s calls"
)]
pub trait AggregateCalls: Send {
    /// The accumulator of no rows.
    fn create(&mut self) -> Result<Table, CallError>;

    /// Adds rows to accumulators.
    fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        keys: &[u32],
    ) -> Result<Accumulated, CallError>;

    /// Merges accumulators.
    fn merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Accumulated, CallError>;

    /// Makes results.
    fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError>;

    /// Lines logged since the last time.
    fn take_log(&mut self) -> Vec<LogLine> {
        Vec::new()
    }

    /// Counts since the last time.
    fn take_notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// A function of kind window, made ready on one worker. See [`Window`] for the calls.
#[expect(
    clippy::missing_errors_doc,
    reason = "the errors are those of `Window`'s calls"
)]
pub trait WindowCalls: Send {
    /// Makes results of firings: the rows of firing i are those from `offsets[i]` up to `offsets[i + 1]`, in order of event
    /// time.
    fn apply(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        rows: &RowsIn<'_>,
        offsets: &[u32],
    ) -> Result<Outcome, CallError>;

    /// Lines logged since the last time.
    fn take_log(&mut self) -> Vec<LogLine> {
        Vec::new()
    }

    /// Counts since the last time.
    fn take_notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// A process function, made ready on one worker. See [`Process`] for the calls.
#[expect(
    clippy::missing_errors_doc,
    reason = "the errors are those of `Process`'s calls"
)]
pub trait ProcessCalls: Send {
    /// Takes rows: row i is of key `groups[i]`.
    fn on_rows(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        keys: &KeysIn<'_>,
    ) -> Result<Processed, CallError>;

    /// Fires timers, at most one per key.
    fn on_timers(
        &mut self,
        timers: TimersIn<'_>,
        keys: &KeysIn<'_>,
    ) -> Result<Processed, CallError>;

    /// Lends lists and maps to the calls that follow.
    fn lend(&mut self, _entries: Box<dyn HeldEntries>) {}

    /// Takes back what was lent.
    fn take_back(&mut self) -> Option<Box<dyn HeldEntries>> {
        None
    }

    /// Lines logged since the last time.
    fn take_log(&mut self) -> Vec<LogLine> {
        Vec::new()
    }

    /// Counts since the last time.
    fn take_notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// A function of kind watermark, made ready on one worker, for all splits of a source there. See [`Watermark`] for the calls.
#[expect(
    clippy::missing_errors_doc,
    reason = "the errors are those of `Watermark`'s calls"
)]
pub trait WatermarkCalls: Send {
    /// The state of a split before its first row.
    fn create(&mut self) -> Result<Table, CallError>;

    /// Takes rows of one split and its state.
    fn observe(&mut self, rows: &RowsIn<'_>, state: &Table) -> Result<Observed, CallError>;

    /// Lines logged since the last time.
    fn take_log(&mut self) -> Vec<LogLine> {
        Vec::new()
    }

    /// Counts since the last time.
    fn take_notes(&mut self) -> Notes {
        Notes::default()
    }
}

/// Makes functions ready, one per operator and worker.
#[expect(
    clippy::missing_errors_doc,
    reason = "the errors are those of the module"
)]
pub trait Functions: Send + Sync {
    /// A transform.
    fn transform(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn TransformCalls>, ModuleError>;

    /// An aggregate.
    fn aggregate(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn AggregateCalls>, ModuleError>;

    /// A function of kind window; a guest, unless said otherwise.
    fn window(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn WindowCalls>, ModuleError> {
        Ok(Box::new(module.window(settings)?))
    }

    /// A process function; a guest, unless said otherwise.
    fn process(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn ProcessCalls>, ModuleError> {
        Ok(Box::new(module.process(settings)?))
    }

    /// A function of kind watermark; a guest, unless said otherwise.
    fn watermark(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn WatermarkCalls>, ModuleError> {
        Ok(Box::new(module.watermark(settings)?))
    }
}

/// Functions as guests of their modules, in the sandbox.
#[derive(Clone, Copy, Debug, Default)]
pub struct InModules;

impl Functions for InModules {
    fn transform(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn TransformCalls>, ModuleError> {
        Ok(Box::new(module.transform(settings)?))
    }

    fn aggregate(
        &self,
        module: &Module,
        settings: Settings,
    ) -> Result<Box<dyn AggregateCalls>, ModuleError> {
        Ok(Box::new(module.aggregate(settings)?))
    }
}

impl TransformCalls for Transform {
    fn apply(&mut self, rows: &RowsIn<'_>) -> Result<Outcome, CallError> {
        Transform::apply(self, rows)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        Transform::take_log(self)
    }

    fn take_notes(&mut self) -> Notes {
        Transform::take_notes(self)
    }
}

impl AggregateCalls for Aggregate {
    fn create(&mut self) -> Result<Table, CallError> {
        Aggregate::create(self)
    }

    fn accumulate(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        accs: &Table,
        marks: &[u32],
        keys: &[u32],
    ) -> Result<Accumulated, CallError> {
        Aggregate::accumulate(self, rows, groups, accs, marks, keys)
    }

    fn merge(
        &mut self,
        into: &Table,
        others: &Table,
        groups: &[u32],
    ) -> Result<Accumulated, CallError> {
        Aggregate::merge(self, into, others, groups)
    }

    fn finish(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        Aggregate::finish(self, keys, firings, accs)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        Aggregate::take_log(self)
    }

    fn take_notes(&mut self) -> Notes {
        Aggregate::take_notes(self)
    }
}

impl WindowCalls for Window {
    fn apply(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        rows: &RowsIn<'_>,
        offsets: &[u32],
    ) -> Result<Outcome, CallError> {
        Window::apply(self, keys, firings, rows, offsets)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        Window::take_log(self)
    }

    fn take_notes(&mut self) -> Notes {
        Window::take_notes(self)
    }
}

impl ProcessCalls for Process {
    fn on_rows(
        &mut self,
        rows: &RowsIn<'_>,
        groups: &[u32],
        keys: &KeysIn<'_>,
    ) -> Result<Processed, CallError> {
        Process::on_rows(self, rows, groups, keys)
    }

    fn on_timers(
        &mut self,
        timers: TimersIn<'_>,
        keys: &KeysIn<'_>,
    ) -> Result<Processed, CallError> {
        Process::on_timers(self, timers, keys)
    }

    fn lend(&mut self, entries: Box<dyn HeldEntries>) {
        Process::lend(self, entries);
    }

    fn take_back(&mut self) -> Option<Box<dyn HeldEntries>> {
        Process::take_back(self)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        Process::take_log(self)
    }

    fn take_notes(&mut self) -> Notes {
        Process::take_notes(self)
    }
}

impl WatermarkCalls for Watermark {
    fn create(&mut self) -> Result<Table, CallError> {
        Watermark::create(self)
    }

    fn observe(&mut self, rows: &RowsIn<'_>, state: &Table) -> Result<Observed, CallError> {
        Watermark::observe(self, rows, state)
    }

    fn take_log(&mut self) -> Vec<LogLine> {
        Watermark::take_log(self)
    }

    fn take_notes(&mut self) -> Notes {
        Watermark::take_notes(self)
    }
}

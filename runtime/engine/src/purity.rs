//! Whether functions are pure: the same rows give the same results, whatever the batches, the instance and the order of keys.
//!
//! Everything rests on that (semantics, Independence), and no sandbox can enforce it: a guest may keep what it likes in its
//! globals between calls. So each operator's function is called with the same rows several times in other ways, and what
//! it makes of each row is compared. A difference proves that it is not pure; none proves nothing, but finds what people
//! get wrong: counters in globals, caches that change results, random numbers, rows of a batch that know of each other.
//!
//! What claims to be combinable is also merged in several orders and groupings, and compared to the bit.

mod accumulators;
mod aggregate;
mod generated;
mod process;
mod sample;
mod transform;
mod watermark;
mod window;

use arrow_array::RecordBatch;
use arrow_buffer::ScalarBuffer;
use thiserror::Error;
use tidemill_wasm::{CallError, Kind, ModuleError, Settings};

use crate::error::EngineError;
use crate::plan::{FunctionPlan, Plan, Station, StationKind};

pub use sample::{Sample, sample};

/// What was found out about one operator's function.
#[derive(Debug)]
pub struct Verdict {
    /// The operator, or the source whose watermarks it makes.
    pub operator: String,
    /// The function.
    pub function: String,
    /// Its module's file.
    pub module: String,
    /// How many rows it was given, each several times.
    pub rows: usize,
    /// What was found; nothing if it gave the same each time.
    pub found: Option<Finding>,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was done otherwise, to go behind "gives something else".
    pub when: String,
    /// The first row at which it shows, or the key, as JSON.
    pub row: String,
    /// What it gave at first.
    pub first: String,
    /// What it gave the other way.
    pub other: String,
}

/// Why functions cannot be compared.
#[derive(Debug, Error)]
pub enum PurityError {
    /// The module cannot be made ready.
    #[error("operator {operator}: {source}")]
    Module {
        /// The operator.
        operator: String,
        /// Why.
        source: ModuleError,
    },
    /// A call cannot be served at all.
    #[error("operator {operator}: {source}")]
    Call {
        /// The operator.
        operator: String,
        /// Why.
        source: CallError,
    },
    /// No rows could be made for it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Rows as an operator takes them.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub rows: RecordBatch,
    pub times: ScalarBuffer<i64>,
    pub stamps: ScalarBuffer<i64>,
}

/// How a call went wrong, before the operator's name is put to it.
pub(crate) enum Fault {
    Module(ModuleError),
    Call(CallError),
}

impl From<ModuleError> for Fault {
    fn from(error: ModuleError) -> Self {
        Self::Module(error)
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Sizes of batches that are tried, beside all rows at once.
pub(crate) const BATCHES: [usize; 2] = [1, 7];

/// Checks the functions of all operators, and those that make watermarks, with the rows of a sample.
///
/// # Errors
/// If a function cannot be called at all.
pub fn check(plan: &Plan, sample: &Sample) -> Result<Vec<Verdict>, PurityError> {
    let mut verdicts = Vec::new();
    for (index, station) in plan.stations.iter().enumerate() {
        let Some(function) = function_of(station) else {
            continue;
        };
        let given = match station.kind {
            StationKind::Source(_) => sample.from(station),
            _ => sample.of(plan, index),
        };
        let found = match (&given, &station.kind) {
            (None, _) => Ok(None),
            (Some(given), StationKind::Transform(plan)) => transform::check(plan, station, given),
            (Some(given), StationKind::Process(plan)) => process::check(plan, station, given),
            (Some(given), StationKind::Window(plan))
                if function.described().kind == Kind::Aggregate =>
            {
                aggregate::check(plan, station, given)
            }
            (Some(given), StationKind::Window(plan)) => window::check(plan, station, given),
            (Some(given), StationKind::Source(_)) => watermark::check(function, station, given),
            (Some(_), StationKind::Sink(_)) => unreachable!("sinks have no function"),
        };
        let operator = station.name.clone();
        verdicts.push(Verdict {
            function: function.described().name.clone(),
            module: function.module.file().display().to_string(),
            rows: given.map_or(0, |given| given.rows.num_rows()),
            found: found.map_err(|fault| match fault {
                Fault::Module(source) => PurityError::Module {
                    operator: operator.clone(),
                    source,
                },
                Fault::Call(source) => PurityError::Call {
                    operator: operator.clone(),
                    source,
                },
            })?,
            operator,
        });
    }
    Ok(verdicts)
}

fn function_of(station: &Station) -> Option<&FunctionPlan> {
    match &station.kind {
        StationKind::Transform(transform) => Some(&transform.function),
        StationKind::Window(window) => Some(&window.function),
        StationKind::Process(process) => Some(&process.function),
        StationKind::Source(source) => source.custom.as_ref(),
        StationKind::Sink(_) => None,
    }
}

/// How a function is made ready for a comparison.
pub(crate) fn settings(station: &Station, function: &FunctionPlan) -> Settings {
    Settings {
        function: function.function,
        config: function.config.clone(),
        limits: function.limits.clone(),
        operator: station.name.clone(),
    }
}

/// The first place at which two ways differ. `row` shows it.
pub(crate) fn difference(
    when: impl Into<String>,
    (first, other): (&[String], &[String]),
    row: impl FnOnce(usize) -> String,
) -> Option<Finding> {
    let at = first.iter().zip(other).position(|(a, b)| a != b)?;
    Some(Finding {
        when: when.into(),
        row: row(at),
        first: first[at].clone(),
        other: other[at].clone(),
    })
}

impl Given {
    /// The rows named, in the order named.
    pub fn take(&self, rows: &[u32]) -> Self {
        let indices = arrow_array::UInt32Array::from(rows.to_vec());
        let pick = |from: &ScalarBuffer<i64>| rows.iter().map(|&row| from[row as usize]).collect();
        Self {
            rows: arrow_select::take::take_record_batch(&self.rows, &indices)
                .expect("rows named are rows of the batch"),
            times: pick(&self.times),
            stamps: pick(&self.stamps),
        }
    }
}

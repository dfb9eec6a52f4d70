//! From a pipeline file and its modules to what runs: stations, and the edges between them.
//!
//! A *station* is a source, an operator or a sink; stations stand in an order in which everyone comes after what feeds it.
//! Everything that can be refused is refused here, with the file's line ([`tidemill_pipeline::Diagnostics`]): functions
//! that do not exist, columns that are missing or of another type, configuration that does not fit.

mod behind;
mod columns;
mod explain;
mod functions;
mod generated;
mod kafka;
mod modules;
mod operators;
mod places;
mod sinks;
mod sources;
mod state;
mod streams;
mod tasks;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{FieldRef, SchemaRef};
use tidemill_connectors::{SinkSpec, SourceSpec};
use tidemill_core::clock::SourceConfig;
use tidemill_core::window::{Combining, WindowSpec};
use tidemill_pipeline::{Checked, Diagnostics, Partial, Pipeline, Report};
use tidemill_wasm::{Host, Limits, Module, Output};

pub use crate::task::WorkTime;
pub use explain::{explain, slot as explain_slot, timer as explain_timer};
pub use kafka::cluster;
pub use modules::limits;
pub use state::{RocksDbPlan, StatePlan};
pub use tasks::TaskOf;

use crate::exchange::Partitioning;
use crate::failure::Action;
use crate::operator::keying::NullKey;
use crate::operator::source::prepare::Timing;

pub use crate::operator::source::prepare::EventTime;

/// What runs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The pipeline's name.
    pub name: String,
    /// How many workers.
    pub workers: usize,
    /// Whether each partition number of its topics is to be a task of its own ([`Plan::of_task`]).
    pub has_tasks: bool,
    /// Which task this is the plan of.
    pub task: Option<TaskOf>,
    /// How many key groups.
    pub max_parallelism: u32,
    /// What holds the state of process operators.
    pub state: StatePlan,
    /// Sources, operators and sinks.
    pub stations: Vec<Station>,
    /// Who feeds whom.
    pub edges: Vec<Edge>,
}

impl Plan {
    /// Of each module that is used, by the name of its file, its hash.
    pub fn module_hashes(&self) -> BTreeMap<String, String> {
        let function = |station: &Station| match &station.kind {
            StationKind::Source(source) => source.custom.as_ref().map(|f| f.module.clone()),
            StationKind::Transform(transform) => Some(transform.function.module.clone()),
            StationKind::Window(window) => Some(window.function.module.clone()),
            StationKind::Process(process) => Some(process.function.module.clone()),
            StationKind::Sink(_) => None,
        };
        let modules = self.stations.iter().filter_map(function);
        let named = modules.map(|module| {
            let name = module.file().file_name().unwrap_or_default();
            (
                name.to_string_lossy().into_owned(),
                module.hash().to_owned(),
            )
        });
        named.collect()
    }

    /// Whether rows of hot keys are added up before they cross to a station, or why not; absent if none cross, or if it is
    /// no window.
    pub fn combining(&self, station: usize) -> Option<Result<&Combining, &'static str>> {
        let (kind, time) = (&self.stations[station].kind, self.stations[station].time);
        let StationKind::Window(window) = kind else {
            return None;
        };
        let mut exchanges = self.edges.iter().filter(|edge| edge.exchange.is_some());
        let crosses = self.workers > 1 && exchanges.any(|edge| edge.to == station);
        let combining = match time {
            WorkTime::Event => window.combining.as_ref().map_err(|why| *why),
            WorkTime::Processing => Err("it works by the clock"),
        };
        crosses.then_some(combining)
    }
}

/// A source, an operator or a sink.
#[derive(Clone, Debug)]
pub struct Station {
    /// Its name in the pipeline file.
    pub name: String,
    /// What it does.
    pub kind: StationKind,
    /// What it gives.
    pub ports: Vec<Port>,
    /// Whose time it works in.
    pub time: WorkTime,
}

/// One output of a station.
#[derive(Clone, Debug)]
pub struct Port {
    /// Empty for the main output, else `late`, `failed` or the side output's name.
    pub name: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// The columns by whose key groups its rows are spread over the workers, if they are.
    pub partitioned: Option<Vec<String>>,
    /// Whether its rows may take others back.
    pub changes: bool,
}

/// A way from one station's output to another station.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Index of the station that sends.
    pub from: usize,
    /// Which of its outputs.
    pub port: usize,
    /// Index of the station that takes.
    pub to: usize,
    /// How rows are spread over the workers; absent for a chain: a function call.
    pub exchange: Option<Partitioning>,
}

/// What a station does.
#[derive(Clone, Debug)]
pub enum StationKind {
    /// Reads rows.
    Source(SourcePlan),
    /// Filters, maps.
    Transform(TransformPlan),
    /// Gathers rows in windows, and makes results of them.
    Window(WindowPlan),
    /// Keeps state and timers per key.
    Process(ProcessPlan),
    /// Writes rows.
    Sink(SinkPlan),
}

/// What is done about failed rows.
#[derive(Clone, Copy, Debug)]
pub struct PolicyPlan {
    /// The policy.
    pub action: Action,
    /// Its threshold.
    pub most: Option<u64>,
}

/// A source.
#[derive(Clone, Debug)]
pub struct SourcePlan {
    /// The connector.
    pub spec: SourceSpec,
    /// Event times.
    pub timing: Timing,
    /// Watermarks.
    pub clock: SourceConfig,
    /// The function that makes watermarks, where one does.
    pub custom: Option<FunctionPlan>,
    /// How far a split may be ahead of the slowest one, in microseconds.
    pub max_drift: Option<i64>,
    /// Failed rows.
    pub policy: PolicyPlan,
}

/// A function of a module, as one operator calls it.
#[derive(Clone, Debug)]
pub struct FunctionPlan {
    /// The module.
    pub module: Module,
    /// The function's index there.
    pub function: usize,
    /// Its configuration, as `configure` is handed it.
    pub config: String,
    /// The limits of its calls.
    pub limits: Limits,
    /// Its input columns, as indices of the operator's input.
    pub inputs: Vec<usize>,
}

impl FunctionPlan {
    /// What the module says of the function.
    pub fn described(&self) -> &tidemill_wasm::Function {
        &self.module.description().functions[self.function]
    }
}

/// A transform operator.
#[derive(Clone, Debug)]
pub struct TransformPlan {
    /// The function.
    pub function: FunctionPlan,
    /// How the rows of each target are made, and their schema.
    pub targets: Vec<(Output, SchemaRef)>,
    /// Failed rows.
    pub policy: PolicyPlan,
}

/// A window operator.
#[derive(Clone, Debug)]
pub struct WindowPlan {
    /// The function.
    pub function: FunctionPlan,
    /// The window.
    pub spec: WindowSpec,
    /// The key columns, as indices of the input.
    pub key: Vec<usize>,
    /// Their fields.
    pub key_fields: Vec<FieldRef>,
    /// Which rows may be added up before they cross, or why none may.
    pub combining: Result<Combining, &'static str>,
    /// How many bytes rows that windows store may take on one worker.
    pub rows_limit: usize,
    /// Null keys.
    pub null_key: NullKey,
    /// The key columns that the function wants, as indices of the key.
    pub finish_keys: Vec<usize>,
    /// Schemas of the results and of the side outputs.
    pub schemas: Vec<SchemaRef>,
    /// Failed rows.
    pub policy: PolicyPlan,
}

/// A process operator.
#[derive(Clone, Debug)]
pub struct ProcessPlan {
    /// The function.
    pub function: FunctionPlan,
    /// The key columns, as indices of the input.
    pub key: Vec<usize>,
    /// Their fields.
    pub key_fields: Vec<FieldRef>,
    /// The key columns that the function wants, as indices of the key.
    pub key_columns: Vec<usize>,
    /// Null keys.
    pub null_key: NullKey,
    /// How many bytes the state of its keys may take on one worker.
    pub state_limit: usize,
    /// How the rows of each target are made, and their schema.
    pub targets: Vec<(Output, SchemaRef)>,
    /// Failed rows.
    pub policy: PolicyPlan,
}

/// A sink.
#[derive(Clone, Debug)]
pub struct SinkPlan {
    /// The connector.
    pub spec: SinkSpec,
    /// Its columns.
    pub schema: SchemaRef,
    /// Whether the first of them says what each row does to those before it.
    pub changes: bool,
}

/// Whether what sources read is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inputs {
    /// A missing file is an error, before anything runs.
    MustBeThere,
    /// Nothing of it is read.
    AreScripted,
}

/// Makes a plan of a pipeline file that was read.
///
/// # Errors
/// If the pipeline cannot run as it stands: a report of everything that is wrong with it.
pub fn plan(checked: Checked, host: &Host, workers: usize) -> Result<(Plan, Diagnostics), Report> {
    plan_with(checked, host, workers, Inputs::MustBeThere)
}

/// As [`plan`], for a rehearsal: what the sources read need not be there.
///
/// # Errors
/// As [`plan`].
pub fn plan_rehearsal(
    checked: Checked,
    host: &Host,
    workers: usize,
) -> Result<(Plan, Diagnostics), Report> {
    plan_with(checked, host, workers, Inputs::AreScripted)
}

/// What planning goes by.
struct How<'a> {
    host: &'a Host,
    workers: usize,
    reads: Inputs,
    /// Sources and operators that could not be read whole, by name.
    unsound: &'a [String],
}

fn plan_with(
    checked: Checked,
    host: &Host,
    workers: usize,
    reads: Inputs,
) -> Result<(Plan, Diagnostics), Report> {
    let Checked {
        pipeline,
        mut diagnostics,
    } = checked;
    let how = How {
        host,
        // A task has one worker, and what it reads stays with it.
        workers: if pipeline.instances.value.has_tasks() {
            1
        } else {
            workers
        },
        reads,
        unsound: &[],
    };
    let (planned, edges) = stations(&pipeline, &how, &mut diagnostics);
    let diagnostics = diagnostics.into_result()?;
    let plan = Plan {
        name: pipeline.name.value.clone(),
        workers: how.workers,
        has_tasks: pipeline.instances.value.has_tasks(),
        task: None,
        max_parallelism: pipeline.max_parallelism.value,
        state: StatePlan::of(&pipeline),
        stations: planned
            .into_iter()
            .filter_map(streams::Planned::station)
            .collect(),
        edges,
    };
    Ok((plan, diagnostics))
}

/// Looks for what else is wrong with a pipeline whose file has errors: its modules, and everything that does not depend on
/// what could not be read.
pub fn examine(partial: Partial, host: &Host, workers: usize) -> Report {
    let Some(pipeline) = &partial.pipeline else {
        return partial.report;
    };
    let mut diagnostics = partial.report.clone().into_diagnostics();
    let known = diagnostics.problems().len();
    let how = How {
        host,
        workers,
        reads: Inputs::MustBeThere,
        unsound: &partial.unsound,
    };
    stations(pipeline, &how, &mut diagnostics);
    diagnostics.forget_repeated(known);
    // There was an error to begin with, and it is still there.
    diagnostics.into_result().err().unwrap_or(partial.report)
}

/// Plans everything that can be planned, and says what is wrong with the rest.
fn stations(
    pipeline: &Pipeline,
    how: &How<'_>,
    diagnostics: &mut Diagnostics,
) -> (Vec<streams::Planned>, Vec<Edge>) {
    let modules = modules::load(pipeline, how.host, diagnostics);
    let mut planner = streams::Planner {
        pipeline,
        unsound: how.unsound,
        modules: &modules,
        diagnostics,
        workers: how.workers,
        reads: how.reads,
        stations: Vec::new(),
        edges: Vec::new(),
    };
    for source in &pipeline.sources {
        sources::plan(&mut planner, source);
    }
    operators::plan_all(&mut planner);
    behind::warn(&mut planner);
    for sink in &pipeline.sinks {
        sinks::plan(&mut planner, sink);
    }
    let (stations, edges) = (planner.stations, planner.edges);
    tasks::check(pipeline, diagnostics);
    state::warn(pipeline, &stations, diagnostics);
    if how.reads == Inputs::MustBeThere {
        places::check(pipeline, diagnostics);
    }
    (stations, edges)
}

/// A schema of fields.
fn schema(fields: impl IntoIterator<Item = FieldRef>) -> SchemaRef {
    Arc::new(arrow_schema::Schema::new(
        fields.into_iter().collect::<Vec<_>>(),
    ))
}

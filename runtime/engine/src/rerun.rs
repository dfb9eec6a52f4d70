//! One row again, alone: what an operator's function makes of it, with its log, its backtrace, time and memory.
//!
//! A row goes through the operator as it does in a run, in a rehearsal of that operator alone whose every failure stops it.
//! An aggregate starts from a fresh accumulator, or from the one given, and fires at the end. A firing that failed is given
//! to its function again with its accumulator or its rows. A row that a source's watermark refused is given to that.

mod firing;
mod observed;
mod watermark;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tidemill_connectors::{FormatSpec, SourceSpec, StdinSpec, decode_text};
use tidemill_core::clock::{SourceConfig, Strategy, WhenIdle};
use tidemill_rows::{RecordBatch, Schema, SchemaRef, json};
use tidemill_wasm::{
    CallError, Function, Kind, LogLine, ModuleError, Settings, Table, table_from_arrow,
};

use self::observed::{Observed, Seen};
use crate::error::EngineError;
use crate::failure::{Action, FailedRow, failed_schema};
use crate::functions::Functions;
use crate::operator::source::prepare::{EventTime, Timing};
use crate::plan::{
    Edge, FunctionPlan, Plan, PolicyPlan, Port, SourcePlan, StatePlan, Station, StationKind,
    WorkTime,
};
use crate::rehearsal::{Came, Does, Line, Rehearsal, Script, Stepped, as_json};
use crate::run::{BATCH_ROWS, Options};

/// What is given again.
#[derive(Clone, Debug)]
pub struct Again {
    /// The operator's name; or that of a source whose watermarks a function makes.
    pub operator: String,
    /// The row as JSON, with the columns of the operator's input; or a firing, as dead letters hold it: an object with
    /// `key`, `window_start`, `window_end`, and `accumulator` or `rows`.
    pub row: String,
    /// Its event time, in microseconds.
    pub time: i64,
    /// The accumulator to begin with, of a watermark the state, as a JSON object of its columns; a fresh one if absent.
    pub accumulator: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Rerun {
    /// The function that was called.
    pub function: String,
    /// The hash of its module.
    pub module_hash: String,
    /// The rows that it gives, each with the name of its output: empty for the main one. Of a watermark one row with it.
    pub given: Vec<(String, String)>,
    /// The accumulator behind the row, of a watermark the state, as a JSON object.
    pub accumulator: Option<String>,
    /// Why it failed, if it did.
    pub failed: Option<Box<FailedRow>>,
    /// What the function logged.
    pub log: Vec<LogLine>,
    /// How long the function's calls took.
    pub took: Duration,
    /// The linear memory of its instance afterwards, in bytes.
    pub memory_bytes: u64,
}

/// Why a row cannot be given again.
#[derive(Debug, Error)]
pub enum RerunError {
    /// The pipeline has no such operator.
    #[error("the pipeline has no operator {name}; it has: {there}")]
    NoOperator {
        /// The name asked for.
        name: String,
        /// Those that there are.
        there: String,
    },
    /// The row is not one of the operator's.
    #[error("this is no row of {operator}'s input: {message}")]
    Row {
        /// The operator.
        operator: String,
        /// What is wrong with it.
        message: String,
    },
    /// The accumulator is not one of the function's.
    #[error("this is no accumulator of {function}: {message}")]
    Accumulator {
        /// The function.
        function: String,
        /// What is wrong with it.
        message: String,
    },
    /// The module cannot be made ready.
    #[error("operator {operator}: {source}")]
    Module {
        /// The operator.
        operator: String,
        /// Why.
        source: ModuleError,
    },
    /// The call cannot be served at all.
    #[error("operator {operator}: {source}")]
    Call {
        /// The operator.
        operator: String,
        /// Why.
        source: CallError,
    },
    /// Something else stopped it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Gives a row to an operator's function again.
///
/// # Errors
/// If it cannot be given at all. That it fails is no error.
pub fn rerun(plan: Plan, again: &Again) -> Result<Rerun, RerunError> {
    let (station, input) = find(plan, &again.operator)?;
    let function = function_of(&station).expect("it was found by its function");
    let described = function.described().clone();
    let module_hash = function.module.hash().to_owned();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let start = match &again.accumulator {
        Some(text) => Some(accumulator(&described, text)?),
        None => None,
    };
    let came = if let StationKind::Source(_) = &station.kind {
        let row = check_row(&input, again)?;
        watermark::observe(&station, function, (&row, again.time), (start, &seen))?
    } else if let Some(firing) = firing::parse(&again.row) {
        firing::again(&station, &described, &firing, &seen)?
    } else {
        check_row(&input, again)?;
        let functions = Observed::new(seen.clone(), start, described.accumulator.clone());
        rehearse(station, &input, again, Arc::new(functions))?
    };
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Rerun {
        function: described.name,
        module_hash,
        given: came.given,
        accumulator: seen.accumulator,
        failed: came.failed,
        log: seen.log,
        took: seen.took,
        memory_bytes: seen.memory_bytes,
    })
}

/// What came out.
#[derive(Default)]
struct Out {
    given: Vec<(String, String)>,
    failed: Option<Box<FailedRow>>,
}

impl Out {
    /// Takes what a step gave. Whether it goes on.
    fn take(&mut self, stepped: Stepped) -> Result<bool, EngineError> {
        let shown = |came: Came| (came.port, json::row(&came.row, 0));
        self.given.extend(stepped.came.into_iter().map(shown));
        match stepped.stopped {
            None => Ok(true),
            Some(EngineError::Row(stopped)) => {
                self.failed = Some(Box::new(stopped.row));
                Ok(false)
            }
            Some(error) => Err(error),
        }
    }
}

/// The operator and the columns of its input.
fn find(plan: Plan, name: &str) -> Result<(Station, SchemaRef), RerunError> {
    let found = plan
        .stations
        .iter()
        .position(|station| station.name == name && function_of(station).is_some());
    let Some(found) = found else {
        let operators = plan.stations.iter().filter(|s| function_of(s).is_some());
        let names: Vec<&str> = operators.map(|station| station.name.as_str()).collect();
        return Err(RerunError::NoOperator {
            name: name.to_owned(),
            there: names.join(", "),
        });
    };
    let input = match plan.edges.iter().find(|edge| edge.to == found) {
        Some(edge) => plan.stations[edge.from].ports[edge.port].schema.clone(),
        // A source: its watermark takes its own rows.
        None => plan.stations[found].ports[0].schema.clone(),
    };
    let mut stations = plan.stations;
    Ok((stations.swap_remove(found), input))
}

/// The function of a station, if it has one.
fn function_of(station: &Station) -> Option<&FunctionPlan> {
    match &station.kind {
        StationKind::Transform(transform) => Some(&transform.function),
        StationKind::Window(window) => Some(&window.function),
        StationKind::Process(process) => Some(&process.function),
        StationKind::Source(source) => source.custom.as_ref(),
        StationKind::Sink(_) => None,
    }
}

/// The row, if it can be read as one of the input.
fn check_row(input: &SchemaRef, again: &Again) -> Result<RecordBatch, RerunError> {
    let wrong = |message| RerunError::Row {
        operator: again.operator.clone(),
        message,
    };
    one_row(&as_json(input), &again.row).map_err(wrong)
}

/// One JSON object as a row; what is wrong with it otherwise.
fn one_row(format: &FormatSpec, text: &str) -> Result<RecordBatch, String> {
    let line = text.replace(['\n', '\r'], " ").into_bytes();
    let chunk = decode_text(format, "row", line, 2).map_err(|error| error.to_string())?;
    match chunk.bad.into_iter().next() {
        Some(bad) => Err(bad.message),
        None if chunk.rows.num_rows() == 1 => Ok(chunk.rows),
        None => Err("it is empty".to_owned()),
    }
}

fn accumulator(function: &Function, text: &str) -> Result<Table, RerunError> {
    let fields = match function.kind {
        Kind::Watermark => &function.state,
        _ => &function.accumulator,
    };
    let schema: SchemaRef = Arc::new(Schema::new(fields.clone()));
    let row = one_row(&as_json(&schema), text).map_err(|message| RerunError::Accumulator {
        function: function.name.clone(),
        message,
    })?;
    Ok(table_from_arrow(row.columns(), 1))
}

/// The operator alone, behind a source of one row.
fn rehearse(
    mut station: Station,
    input: &SchemaRef,
    again: &Again,
    functions: Arc<dyn Functions>,
) -> Result<Out, RerunError> {
    let stop = PolicyPlan {
        action: Action::Fail,
        most: None,
    };
    match &mut station.kind {
        StationKind::Transform(transform) => transform.policy = stop,
        StationKind::Window(window) => window.policy = stop,
        StationKind::Process(process) => process.policy = stop,
        StationKind::Source(_) | StationKind::Sink(_) => {}
    }
    const ROW: &str = "row";
    let plan = Plan {
        name: station.name.clone(),
        workers: 1,
        has_tasks: false,
        task: None,
        max_parallelism: 1,
        state: StatePlan::Memory,
        stations: vec![source(ROW, input, stop), station],
        edges: vec![Edge {
            from: 0,
            port: 0,
            to: 1,
            exchange: None,
        }],
    };
    let time = again.time;
    let options = Options {
        batch_rows: BATCH_ROWS,
        now: Arc::new(move || time),
        // Lines are taken from the calls themselves: those of a row that fails would not come this way.
        log: Arc::new(|_, _| ()),
        functions,
        profile: false,
    };
    let mut rehearsal = Rehearsal::start(plan, &Script::default(), &options)?;
    let text = again.row.replace(['\n', '\r'], " ");
    let line = Line {
        header: None,
        text: &text,
    };
    let mut out = Out::default();
    let stepped = rehearsal
        .row((ROW, ROW), line, Does::Insert)
        .map_err(|unread| EngineError::Connector {
            name: ROW.to_owned(),
            source: unread.into(),
        })?;
    if out.take(stepped)? {
        rehearsal.end((ROW, ROW));
        out.take(rehearsal.step())?;
    }
    Ok(out)
}

/// A source of rows of these columns, whose event time is the clock of reading.
fn source(name: &str, schema: &SchemaRef, policy: PolicyPlan) -> Station {
    let port = |name: &str, schema| Port {
        name: name.to_owned(),
        schema,
        partitioned: None,
        changes: false,
    };
    let plan = SourcePlan {
        spec: SourceSpec::Stdin(StdinSpec {
            format: as_json(schema),
        }),
        timing: Timing {
            event_time: EventTime::Ingestion,
            max_ahead: None,
            max_jump: None,
        },
        clock: SourceConfig {
            strategy: Strategy::None,
            idle_timeout: None,
            when_idle: WhenIdle::Hold,
            bounded: true,
        },
        custom: None,
        max_drift: None,
        policy,
    };
    Station {
        name: name.to_owned(),
        kind: StationKind::Source(plan),
        ports: vec![port("", schema.clone()), port("failed", failed_schema())],
        time: WorkTime::Event,
    }
}

/// How the function is made ready.
fn settings(station: &Station, function: &FunctionPlan) -> Settings {
    Settings {
        function: function.function,
        config: function.config.clone(),
        limits: function.limits.clone(),
        operator: station.name.clone(),
    }
}

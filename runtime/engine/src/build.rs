//! From a plan to workers: every worker gets a copy of every station, queues lead across.

pub mod processes;
mod restoring;
mod sources;
mod windows;
mod wiring;

use std::sync::Arc;

use crossbeam_utils::sync::{Parker, Unparker};
use tidemill_core::clock::InputClock;
use tidemill_core::time;
use tidemill_wasm::Settings;

pub use self::restoring::Beginning;
use self::sources::OpenSource;
use crate::blame::Blame;
use crate::checkpoint::Restored;
use crate::ends::{Ends, OpenSink};
use crate::error::EngineError;
use crate::exchange::{Queues, queues};
use crate::failure::Policy;
use crate::metrics::{Counters, Metrics};
use crate::operator::Operator;
use crate::operator::sink::Sink;
use crate::operator::transform::{Transform, TransformParts};
use crate::plan::{FunctionPlan, Plan, PolicyPlan, Station, StationKind, TransformPlan};
use crate::run::Options;
use crate::state::Cold;
use crate::talk::Talk;
use crate::task::{Node, SourceNode, Task};
use crate::worker::{Control, Worker};
use tidemill_connectors::SharedSink;

/// The workers of a run.
pub struct Built {
    /// The workers, in order.
    pub workers: Vec<Worker>,
    /// What they share.
    pub control: Arc<Control>,
    /// Per station, its name and who publishes its output; only sinks may have one.
    pub publishers: Vec<Option<(String, SharedSink)>>,
}

/// Makes the workers of a run.
///
/// # Errors
/// If a source or sink cannot be opened, or a module cannot be made ready.
pub fn workers(
    plan: &Plan,
    options: &Options,
    metrics: &Metrics,
    ends: &dyn Ends,
    beginning: Beginning<'_>,
) -> Result<Built, EngineError> {
    let parkers: Vec<Parker> = (0..plan.workers).map(|_| Parker::new()).collect();
    let unparkers: Vec<Unparker> = parkers.iter().map(|p| p.unparker().clone()).collect();
    let control = Arc::new(Control::new(unparkers.clone()));
    let cold = plan
        .rocksdb()
        .map(|state| Cold::open(&state.folder, state.memory));
    let builder = Builder {
        plan,
        cold: cold.transpose()?,
        options,
        metrics,
        ends,
        beginning,
        unparkers: &unparkers,
        policies: plan
            .stations
            .iter()
            .map(|s| policy(s).map(Arc::new))
            .collect(),
        sinks: plan
            .stations
            .iter()
            .enumerate()
            .map(|station| open_sink(station, ends, beginning.restored))
            .collect::<Result<_, _>>()?,
        queues: plan
            .edges
            .iter()
            .map(|e| e.exchange.as_ref().map(|_| queues(plan.workers)))
            .collect(),
    };
    let mut workers = Vec::new();
    let mut sources = builder.open_sources()?;
    for (number, parker) in parkers.into_iter().enumerate() {
        let task = builder.task(number, &mut sources)?;
        let (inlets, reaches) = builder.inlets(number);
        let (control, now) = (control.clone(), options.now.clone());
        workers.push(Worker {
            number,
            task,
            inlets,
            reaches,
            parker,
            control,
            now,
            blocked_since: None,
            checkpoints: None,
        });
    }
    builder.restore_counts();
    let publisher = |(sink, station): (&Option<OpenSink>, &Station)| {
        let publisher = sink.as_ref()?.publisher.clone()?;
        Some((station.name.clone(), publisher))
    };
    let sinks = builder.sinks.iter().zip(&plan.stations);
    Ok(Built {
        workers,
        control,
        publishers: sinks.map(publisher).collect(),
    })
}

struct Builder<'a> {
    plan: &'a Plan,
    /// What holds state that is not in memory.
    cold: Option<Arc<Cold>>,
    options: &'a Options,
    metrics: &'a Metrics,
    ends: &'a dyn Ends,
    beginning: Beginning<'a>,
    unparkers: &'a [Unparker],
    /// Per station; sinks have none.
    policies: Vec<Option<Arc<Policy>>>,
    /// Per station; only sinks have one.
    sinks: Vec<Option<OpenSink>>,
    /// Per edge; chains have none.
    queues: Vec<Option<Queues>>,
}

fn policy(station: &Station) -> Option<Policy> {
    let PolicyPlan { action, most } = match &station.kind {
        StationKind::Source(source) => source.policy,
        StationKind::Transform(transform) => transform.policy,
        StationKind::Window(window) => window.policy,
        StationKind::Process(process) => process.policy,
        StationKind::Sink(_) => return None,
    };
    Some(Policy::new(action, most))
}

/// Opens a station's sink, if it is one; it goes on from what it had pending in a checkpoint.
///
/// # Errors
/// If it cannot be opened, or what it had pending is nowhere.
pub fn open_sink(
    (index, station): (usize, &Station),
    ends: &dyn Ends,
    restored: Option<&Restored>,
) -> Result<Option<OpenSink>, EngineError> {
    let StationKind::Sink(sink) = &station.kind else {
        return Ok(None);
    };
    let pending = restored.map(|restored| restored.pending(&station.name));
    let pending = pending.transpose()?;
    let opened = ends.sink((index, &station.name), sink, pending.as_deref());
    opened.map(Some).map_err(|source| EngineError::Connector {
        name: format!("sink {}", station.name),
        source,
    })
}

impl Builder<'_> {
    fn task(&self, worker: usize, sources: &mut [OpenSource]) -> Result<Task, EngineError> {
        let mut task = Task {
            sources: Vec::new(),
            nodes: Vec::new(),
            outlets: Vec::new(),
            exchanges: self.exchanges(worker),
            now: time::MIN,
        };
        let outlet_of_edge = self.outlet_of_edge();
        for (index, station) in self.plan.stations.iter().enumerate() {
            let routes = self.routes(index, &outlet_of_edge);
            let counters = self.metrics.of(index, worker);
            if let StationKind::Source(source) = &station.kind {
                let open = &mut sources[task.sources.len()];
                let mut source = self.source((index, source), (open, worker), counters.clone())?;
                self.restore_source(index, &mut source, &open.forgotten)?;
                task.sources.push(SourceNode {
                    station: index,
                    source,
                    routes,
                    counters,
                    closed: false,
                    cut: None,
                });
                continue;
            }
            let input_count = self.inputs_of(index);
            let mut node = Node {
                station: index,
                operator: self.operator(index, worker, counters.clone())?,
                inputs: InputClock::new(input_count),
                input_count,
                routes,
                counters,
                watermark: time::MIN,
                closed_inputs: 0,
                stopped: false,
                rests: false,
                idle: false,
                steps: Default::default(),
                time: station.time,
                barrier: None,
                cut: None,
            };
            self.restore_node(worker, &mut node)?;
            task.nodes.push(node);
        }
        task.outlets = self.outlets(worker);
        Ok(task)
    }

    fn operator(
        &self,
        index: usize,
        worker: usize,
        counters: Arc<Counters>,
    ) -> Result<Box<dyn Operator>, EngineError> {
        match &self.plan.stations[index].kind {
            StationKind::Source(_) => unreachable!("a source is no operator"),
            StationKind::Transform(plan) => self.transform(index, plan, counters),
            StationKind::Window(plan) => self.window(index, plan, counters),
            StationKind::Process(plan) => self.process(index, plan, counters),
            StationKind::Sink(plan) => {
                let sink = self.sinks[index].as_ref().expect("every sink was opened");
                let name = self.plan.stations[index].name.clone();
                let published = sink.publisher.is_some();
                let sink = Sink::new(name, (sink.writers)(worker), counters);
                let sink = sink.published_with_checkpoints(published);
                Ok(Box::new(match plan.changes {
                    true => sink.with_changes(plan.schema.clone()),
                    false => sink,
                }))
            }
        }
    }

    fn transform(
        &self,
        index: usize,
        plan: &TransformPlan,
        counters: Arc<Counters>,
    ) -> Result<Box<dyn Operator>, EngineError> {
        let settings = self.settings(index, &plan.function);
        let guest = self
            .options
            .functions
            .transform(&plan.function.module, settings);
        Ok(Box::new(Transform::new(TransformParts {
            guest: guest.map_err(|source| self.unready(index, source))?,
            inputs: plan.function.inputs.clone(),
            with_stamps: described(&plan.function).stamps,
            targets: plan.targets.clone(),
            talk: self.talk(index),
            blame: self.blame(index, Some(&plan.function)),
            counters,
        })))
    }

    fn settings(&self, index: usize, function: &FunctionPlan) -> Settings {
        Settings {
            function: function.function,
            config: function.config.clone(),
            limits: function.limits.clone(),
            operator: self.plan.stations[index].name.clone(),
        }
    }

    fn talk(&self, index: usize) -> Talk {
        let operator = self.plan.stations[index].name.clone();
        Talk {
            operator,
            log: self.options.log.clone(),
        }
    }

    fn blame(&self, index: usize, function: Option<&FunctionPlan>) -> Blame {
        let module = function.map(|function| {
            (
                function.module.file().display().to_string(),
                function.module.hash().to_owned(),
            )
        });
        Blame {
            operator: self.plan.stations[index].name.clone(),
            function: function.map(|function| described(function).name.clone()),
            module,
            policy: self.policies[index]
                .clone()
                .expect("only sinks have no policy"),
        }
    }

    fn unready(&self, index: usize, source: tidemill_wasm::ModuleError) -> EngineError {
        EngineError::Module {
            operator: self.plan.stations[index].name.clone(),
            source,
        }
    }
}

fn described(function: &FunctionPlan) -> &tidemill_wasm::Function {
    &function.module.description().functions[function.function]
}

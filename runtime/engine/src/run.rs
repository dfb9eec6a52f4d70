//! A run: the workers of a plan, from start to end.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;

use crate::build::{self, Beginning};
use crate::checkpoint::coordinator::Coordinator;
use crate::checkpoint::reports::{OfThreads, Reports};
use crate::checkpoint::{AtEnd, Pace, Request, Restored, Store, Told};
use crate::ends::{Connectors, Writer};
use crate::error::EngineError;
use crate::functions::Functions;
use crate::metrics::{Metrics, Totals};
use crate::plan::Plan;
use crate::talk::Log;
use crate::worker::{self, Control, Now, Report, Worker};

/// How a plan is run; nothing here changes a result.
#[derive(Clone)]
pub struct Options {
    /// How many rows a batch has at most (limit `batch-rows`).
    pub batch_rows: usize,
    /// The clock: microseconds since the Unix epoch.
    pub now: Now,
    /// Where lines go that functions log.
    pub log: Log,
    /// Who makes functions ready.
    pub functions: Arc<dyn Functions>,
    /// Whether clocks are read around decoding and exchanging too, for who wants to know where time goes.
    pub profile: bool,
}

/// How many rows a batch has at most unless said otherwise: large enough that a call's fixed cost is lost in it, small
/// enough that a batch stays in the second-level cache.
pub const BATCH_ROWS: usize = 2048;

/// How a run takes checkpoints.
pub struct Checkpoints {
    /// Where they are kept.
    pub store: Box<dyn Store>,
    /// How often.
    pub pace: Pace,
    /// Whose output sinks write.
    pub writer: Writer,
    /// The one that the run goes on from; nothing if it starts fresh.
    pub restored: Option<Restored>,
    /// Who is told of them.
    pub told: Box<dyn Fn(Told) + Send>,
    /// What becomes of windows when the input has ended.
    pub at_end: AtEnd,
    /// What is wanted of the run while it goes on.
    pub requests: Option<mpsc::Receiver<Request>>,
}

/// A run that was started.
pub struct Running {
    control: Arc<Control>,
    metrics: Arc<Metrics>,
    before: Vec<Totals>,
    threads: Vec<JoinHandle<()>>,
}

/// Asks a run to stop, from anywhere.
#[derive(Clone)]
pub struct Stopper(Arc<Control>);

impl Stopper {
    /// Sources read no more, rows in flight are drained, open windows are not fired.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Summary {
    /// Each station's counters.
    pub totals: Vec<Totals>,
    /// Whether it was stopped before its input ended.
    pub stopped: bool,
}

/// Starts a plan: one thread per worker.
///
/// # Errors
/// If a source or sink cannot be opened, or a module cannot be made ready. Nothing has been read then.
pub fn start(plan: &Plan, options: &Options) -> Result<Running, EngineError> {
    begin(plan, options, None)
}

/// Starts a plan, or goes on with it, and takes checkpoints.
///
/// # Errors
/// As [`start`], and if what the run goes on from is not of this plan.
pub fn start_with_checkpoints(
    plan: &Plan,
    options: &Options,
    checkpoints: Checkpoints,
) -> Result<Running, EngineError> {
    begin(plan, options, Some(checkpoints))
}

fn begin(
    plan: &Plan,
    options: &Options,
    checkpoints: Option<Checkpoints>,
) -> Result<Running, EngineError> {
    let ready = Ready::new(plan, options, checkpoints, |reports| {
        Box::new(OfThreads(reports))
    })?;
    let mut jobs: Vec<(String, Box<dyn FnOnce() + Send>)> = Vec::new();
    for worker in ready.workers {
        let name = format!("worker-{}", worker.number);
        jobs.push((name, Box::new(move || worker.run())));
    }
    if let Some(coordinator) = ready.coordinator {
        let name = "checkpoints".to_owned();
        jobs.push((name, Box::new(move || coordinator.run())));
    }
    let control = ready.control;
    let threads = jobs
        .into_iter()
        .map(|(name, job)| {
            let thread = std::thread::Builder::new().name(name).spawn(job);
            thread.map_err(|e| EngineError::Thread(e.to_string()))
        })
        .collect::<Result<_, _>>();
    let threads = threads.inspect_err(|e| control.fail(EngineError::Thread(e.to_string())))?;
    Ok(Running {
        control,
        metrics: ready.metrics,
        before: ready.before,
        threads,
    })
}

/// A run of which nothing has been read yet.
pub(crate) struct Ready {
    pub(crate) workers: Vec<Worker>,
    /// Takes checkpoints, where they are wanted.
    pub(crate) coordinator: Option<Coordinator>,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<Metrics>,
    before: Vec<Totals>,
}

impl Ready {
    /// Makes everything that a run needs; `reports` says how its coordinator waits.
    pub(crate) fn new(
        plan: &Plan,
        options: &Options,
        checkpoints: Option<Checkpoints>,
        reports: impl FnOnce(Receiver<Report>) -> Box<dyn Reports>,
    ) -> Result<Self, EngineError> {
        let names = plan.stations.iter().map(|station| station.name.clone());
        let metrics = Arc::new(Metrics::new(names.collect(), plan.workers));
        let beginning = Beginning {
            restored: checkpoints.as_ref().and_then(|c| c.restored.as_ref()),
            is_cut: checkpoints.is_some(),
            at_end: checkpoints.as_ref().map(|c| c.at_end).unwrap_or_default(),
        };
        let is_restored = beginning.restored.is_some();
        let ends = Connectors {
            writer: checkpoints.as_ref().map(|c| &c.writer),
            workers: plan.workers,
        };
        let built = build::workers(plan, options, &metrics, &ends, beginning)?;
        let (mut workers, control) = (built.workers, built.control);
        let before = metrics.totals();
        worker::set_out(&mut workers, is_restored)?;
        let coordinator = checkpoints.map(|checkpoints| {
            let (to, from) = crossbeam_channel::unbounded();
            for worker in &mut workers {
                worker.take_part_in_checkpoints(to.clone());
            }
            Coordinator {
                control: control.clone(),
                reports: reports(from),
                workers: plan.workers,
                pace: checkpoints.pace,
                first_after: match is_restored {
                    // What the life before wrote and did not commit has hidden what others wrote behind it.
                    true => checkpoints.pace.interval / 4,
                    false => checkpoints.pace.interval,
                },
                store: checkpoints.store,
                publishers: built.publishers,
                cleaned: false,
                number: 0,
                cuts: 0,
                kept: 0,
                told: checkpoints.told,
                done: 0,
                at_end: checkpoints.at_end,
                requests: checkpoints.requests,
                not_removed: None,
                asked: None,
            }
        });
        Ok(Self {
            workers,
            coordinator,
            control,
            metrics,
            before,
        })
    }
}

impl Running {
    /// What had been counted before it began, by those runs from which it goes on.
    pub fn before(&self) -> &[Totals] {
        &self.before
    }

    /// Its counters, as they are now.
    pub fn totals(&self) -> Vec<Totals> {
        self.metrics.totals()
    }

    /// Its counters, for who shows them while another waits for the end.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// Whether every worker has ended.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Something to stop it with.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.control.clone())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Whatever stopped it before its input ended, unless that was [`Stopper::stop`].
    pub fn wait(self) -> Result<Summary, EngineError> {
        for thread in self.threads {
            // A worker catches its own panics and reports them.
            let _ = thread.join();
        }
        match self.control.take_error() {
            Some(error) => Err(error),
            None => {
                let totals = self.metrics.totals();
                Ok(Summary {
                    stopped: self.control.is_stopping(),
                    totals,
                })
            }
        }
    }
}

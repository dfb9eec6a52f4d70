//! A run: the workers of a plan, from start to end.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::build;
use crate::ends::Connectors;
use crate::error::EngineError;
use crate::functions::Functions;
use crate::metrics::{Metrics, Totals};
use crate::plan::Plan;
use crate::talk::Log;
use crate::worker::{Control, Now};

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

/// A run that was started.
pub struct Running {
    control: Arc<Control>,
    metrics: Arc<Metrics>,
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
    let names = plan
        .stations
        .iter()
        .map(|station| station.name.clone())
        .collect();
    let metrics = Arc::new(Metrics::new(names, plan.workers));
    let (mut workers, control) = build::workers(plan, options, &metrics, &Connectors)?;
    // Whoever has nothing to send has said so to everyone before the first row is taken anywhere.
    for worker in &mut workers {
        worker.look_at_clock();
        worker.task.end_empty_sources()?;
    }
    for worker in &mut workers {
        worker.receive()?;
    }
    let threads = workers
        .into_iter()
        .map(|worker| {
            let name = format!("worker-{}", worker.number);
            let thread = std::thread::Builder::new()
                .name(name)
                .spawn(move || worker.run());
            thread.map_err(|e| EngineError::Thread(e.to_string()))
        })
        .collect::<Result<_, _>>();
    let threads = threads.inspect_err(|_| control.stop())?;
    Ok(Running {
        control,
        metrics,
        threads,
    })
}

impl Running {
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

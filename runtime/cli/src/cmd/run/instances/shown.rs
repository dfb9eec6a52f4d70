//! What the tasks of a process count, together: those that run, and those that it ran.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidemill_engine::metrics::Metrics;
use tidemill_engine::{Checkpoints, EngineError, Plan, Totals};

use crate::cmd::run::lives::Ended;
use crate::cmd::run::{Run, shown};
use crate::error::Failure;
use crate::load;
use crate::progress::{Progress, Shown};
use crate::signals::Stop;
use crate::talk::Talk;

/// See the module.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    names: Vec<String>,
    /// By partition number: the newest life, and what had been counted before the first.
    tasks: BTreeMap<i32, (Arc<Metrics>, Vec<Totals>)>,
}

impl Tasks {
    fn counts(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One life of a task.
    ///
    /// # Errors
    /// What ended it.
    pub fn live(
        &self,
        (partition, plan): (i32, &Plan),
        checkpoints: Checkpoints,
        (stop, talk): (&Stop, &Talk),
    ) -> Result<Ended, Failure> {
        let options = load::options(talk);
        let running = tidemill_engine::start_with_checkpoints(plan, &options, checkpoints)?;
        stop.runs(running.stopper());
        let metrics = running.metrics();
        let before = running.before().to_vec();
        let mut counts = self.counts();
        let first = counts.tasks.remove(&partition).map(|(_, before)| before);
        let counted = (metrics.clone(), first.unwrap_or(before));
        counts.tasks.insert(partition, counted);
        drop(counts);
        let ended = running.wait();
        metrics.end();
        match ended {
            Err(EngineError::OutputClosed) => Ok(Ended::Done),
            ended => ended.map(Ended::from).map_err(Failure::from),
        }
    }

    /// Shows the progress of all of them, until what it gives is dropped.
    pub fn show(&self, run: &Run<'_>) -> Progress {
        let names = run.plan.stations.iter().map(|station| station.name.clone());
        self.counts().names = names.collect();
        let tasks = self.clone();
        let watched = Arc::new(move || tasks.counted().0);
        let shown = match shown(run.plan, run.talk) {
            Shown::Nowhere => Shown::Noted,
            shown => shown,
        };
        Progress::start(shown, &run.board, watched, run.talk)
    }

    /// What all have counted together, and what had been before.
    pub fn counted(&self) -> (Arc<Metrics>, Vec<Totals>) {
        let counts = self.counts();
        let lives = counts.tasks.values().map(|(metrics, _)| &**metrics);
        let metrics = Metrics::together(counts.names.clone(), lives);
        let mut before = Metrics::new(counts.names.clone(), 0).totals();
        for (_, of_task) in counts.tasks.values() {
            for (all, one) in before.iter_mut().zip(of_task) {
                all.rows_in += one.rows_in;
            }
        }
        (Arc::new(metrics), before)
    }
}

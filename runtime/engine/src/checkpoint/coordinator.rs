//! Asks for cuts, brings those of all workers together, has them kept, and has sinks publish.
//!
//! One thread, beside the workers. It waits for what they report and for the clock; nobody waits for it but a run that ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use tidemill_connectors::{ConnectorError, Pending, SharedSink};

use super::cut::{At, WorkerCut};
use super::store::{Cut, Store, StoreError};
use crate::error::EngineError;
use crate::worker::{Control, Report, text};

/// How often, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the beginning of one checkpoint to that of the next.
    pub interval: Duration,
    /// From the end of one to the beginning of the next at least.
    pub min_pause: Duration,
    /// A checkpoint that takes longer has failed.
    pub timeout: Duration,
    /// So many in a row may fail; one more stops the run.
    pub tolerated_failures: u32,
}

/// What is told of checkpoints while a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// One has happened, and its output is published.
    Taken {
        /// Its number.
        number: u64,
        /// From asking for it until then.
        took: Duration,
        /// The longest time for which a worker took no rows because of it.
        stall: Duration,
    },
    /// One has not happened; the run goes on.
    Failed {
        /// Its number.
        number: u64,
        /// Why.
        why: String,
    },
    /// What a sink had pending in an earlier life, and nobody needs, could not be removed. It does no harm.
    NotCleaned {
        /// The sink's name.
        name: String,
        /// Why.
        why: String,
    },
}

/// See the module.
pub struct Coordinator {
    /// Shared with the workers.
    pub control: Arc<Control>,
    /// What they report.
    pub reports: Receiver<Report>,
    /// How many workers there are.
    pub workers: usize,
    /// How often, and how long.
    pub pace: Pace,
    /// Keeps checkpoints.
    pub store: Box<dyn Store>,
    /// Per station, its name and who publishes its output; only sinks may have one.
    pub publishers: Vec<Option<(String, SharedSink)>>,
    /// Whether what earlier lives have left was removed.
    pub cleaned: bool,
    /// The number of the checkpoint at hand.
    pub number: u64,
    /// How many cuts were asked for.
    pub cuts: u64,
    /// Who is told.
    pub told: Box<dyn Fn(Told) + Send>,
    /// How many workers are done.
    pub done: usize,
}

/// What a coordinator waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It is time.
    Checkpoint,
    /// All workers are done: the input has ended.
    End,
    /// The run is to stop, and to be gone on with.
    Stop,
    /// A worker has failed.
    Over,
}

/// How often a stop that was asked for is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Coordinator {
    /// Runs until the run has ended. If checkpoints do not happen it stops the run.
    pub fn run(mut self) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.go_on()));
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.control.fail(error),
            Err(panic) => self.control.fail(EngineError::Panic {
                worker: "the checkpoints".to_owned(),
                message: text(&*panic),
            }),
        }
        self.control.halt();
    }

    fn go_on(&mut self) -> Result<(), EngineError> {
        let (mut next_at, mut failed) = (Instant::now() + self.pace.interval, 0);
        loop {
            let next = self.wait(next_at);
            if next == Next::Over {
                return Ok(());
            }
            let began = Instant::now();
            match self.checkpoint(next) {
                Ok(()) => failed = 0,
                Err(error) => {
                    failed += 1;
                    let lost = !matches!(error, StoreError::Unavailable { .. });
                    let last = next != Next::Checkpoint;
                    if lost || last || failed > self.pace.tolerated_failures {
                        return Err(self.failed(error));
                    }
                    let (number, why) = (self.number, error.to_string());
                    (self.told)(Told::Failed { number, why });
                }
            }
            if next != Next::Checkpoint || self.control.is_aborted() {
                return Ok(());
            }
            next_at = (began + self.pace.interval).max(Instant::now() + self.pace.min_pause);
        }
    }

    fn failed(&self, source: StoreError) -> EngineError {
        EngineError::Checkpoint {
            number: self.number,
            source,
        }
    }

    /// Until it is time, the input has ended, or the run stops.
    fn wait(&mut self, next_at: Instant) -> Next {
        loop {
            if self.control.is_aborted() {
                return Next::Over;
            }
            if self.done == self.workers {
                return Next::End;
            }
            if self.control.is_stopping() {
                return Next::Stop;
            }
            let left = next_at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Checkpoint;
            }
            match self.reports.recv_timeout(left.min(LOOK)) {
                Ok(Report::Done) => self.done += 1,
                // Of a checkpoint that took too long.
                Ok(Report::Cut(_)) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Next::Over,
            }
        }
    }

    fn checkpoint(&mut self, next: Next) -> Result<(), StoreError> {
        let began = Instant::now();
        self.number = self.store.begin()?;
        self.cuts += 1;
        self.control.ask_for_cut(At {
            cut: self.cuts,
            number: self.number,
            last: next == Next::End,
        });
        let Some(workers) = self.collect(began)? else {
            return Ok(());
        };
        let stall = workers.iter().map(|cut| cut.stall).max();
        let cut = Cut {
            number: self.number,
            finished: next == Next::End,
            workers,
        };
        self.each_sink(&cut, |sink, pending| sink.secure(pending))
            .map_err(|text| StoreError::Lost { text, hint: None })?;
        self.store.keep(&cut)?;
        self.each_sink(&cut, |sink, pending| sink.publish(pending).map(|_| ()))
            .map_err(|text| StoreError::Unpublished { text })?;
        self.store.published()?;
        self.clean();
        (self.told)(Told::Taken {
            number: self.number,
            took: began.elapsed(),
            stall: stall.unwrap_or_default(),
        });
        Ok(())
    }

    /// The cuts of all workers; nothing if one of them has failed.
    fn collect(&mut self, began: Instant) -> Result<Option<Vec<WorkerCut>>, StoreError> {
        let mut cuts: Vec<WorkerCut> = Vec::new();
        while cuts.len() < self.workers {
            if self.control.is_aborted() {
                return Ok(None);
            }
            if began.elapsed() > self.pace.timeout {
                let (came, timeout) = (cuts.len(), self.pace.timeout);
                let text = format!(
                    "{came} of {} workers came to it within its time-out of {timeout:?}",
                    self.workers
                );
                return Err(StoreError::Unavailable { text });
            }
            match self.reports.recv_timeout(LOOK) {
                Ok(Report::Cut(cut)) if cut.cut == self.cuts => cuts.push(*cut),
                Ok(Report::Cut(_)) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Report::Done) => self.done += 1,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        cuts.sort_by_key(|cut| cut.worker);
        Ok(Some(cuts))
    }

    /// Does something with every sink whose rows are published with checkpoints, and what its workers have pending.
    fn each_sink(
        &self,
        cut: &Cut,
        act: impl Fn(&SharedSink, &[Pending]) -> Result<(), ConnectorError>,
    ) -> Result<(), String> {
        for (station, sink) in self.publishers.iter().enumerate() {
            let Some((name, sink)) = sink else { continue };
            let pending = cut.workers.iter();
            let pending = pending.filter_map(|worker| worker.stations[station].pending());
            let pending: Vec<Pending> = pending.cloned().collect();
            act(sink, &pending).map_err(|error| format!("sink {name}: {error}"))?;
        }
        Ok(())
    }

    /// Removes what lives before this one have left that no checkpoint needs: once, when there is a checkpoint of this one.
    fn clean(&mut self) {
        if std::mem::replace(&mut self.cleaned, true) {
            return;
        }
        for (name, sink) in self.publishers.iter().flatten() {
            let cleaned = match self.store.pending(name) {
                Ok(kept) => sink.clean(&kept).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(why) = cleaned {
                let name = name.clone();
                (self.told)(Told::NotCleaned { name, why });
            }
        }
    }
}

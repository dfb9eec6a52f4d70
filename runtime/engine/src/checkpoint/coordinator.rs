//! Asks for cuts, brings those of all workers together, has them kept, and has sinks publish.
//!
//! One thread, beside the workers. It waits for what they report and for the clock; nobody waits for it but a run that ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use tidemill_checkpoint::{Kind, Wish};
use tidemill_connectors::{ConnectorError, Ending, Pending, SharedSink};

use super::cut::{At, WorkerCut};
use super::reports::Reports;
use super::store::{Cut, Store, StoreError};
use super::words::{AtEnd, Pace, Request, Told};
use crate::error::EngineError;
use crate::worker::{Control, Report, text};

/// See the module.
pub struct Coordinator {
    /// Shared with the workers.
    pub control: Arc<Control>,
    /// What they report.
    pub reports: Box<dyn Reports>,
    /// How many workers there are.
    pub workers: usize,
    /// How often, and how long.
    pub pace: Pace,
    /// How long after the beginning the first one is begun.
    pub first_after: Duration,
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
    /// Which of them was the last that became a checkpoint; 0: none.
    pub kept: u64,
    /// Who is told.
    pub told: Box<dyn Fn(Told) + Send>,
    /// How many workers are done.
    pub done: usize,
    /// What becomes of windows when the input has ended.
    pub at_end: AtEnd,
    /// What somebody wants.
    pub requests: Option<Receiver<Request>>,
    /// Why what is not needed could not be removed the last time.
    pub not_removed: Option<String>,
    /// Who waits for the savepoint at hand.
    pub asked: Option<Sender<Result<u64, String>>>,
}

/// What a coordinator waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It is time.
    Checkpoint,
    /// Somebody wants a savepoint.
    Savepoint,
    /// Somebody wants a savepoint, and nothing to be read behind it.
    LastSavepoint,
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
        let (mut next_at, mut failed) = (self.reports.now() + self.first_after, 0);
        loop {
            let next = self.wait(next_at);
            if next == Next::Over {
                return Ok(());
            }
            let began = self.reports.now();
            match self.checkpoint(next) {
                Ok(true) => {
                    failed = 0;
                    self.answer(Ok(self.number));
                }
                // A worker has failed, and says why.
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.answer(Err(error.to_string()));
                    failed += u32::from(next == Next::Checkpoint);
                    let lost = !matches!(error, StoreError::Unavailable { .. });
                    let last = matches!(next, Next::End | Next::Stop);
                    if lost || last || failed > self.pace.tolerated_failures {
                        return Err(self.failed(error));
                    }
                    self.give_up().map_err(|error| self.failed(error))?;
                    self.control.release();
                    let (number, why) = (self.number, error.to_string());
                    (self.told)(Told::Failed { number, why });
                    next_at = self.next_at(began);
                    continue;
                }
            }
            match next {
                Next::LastSavepoint => {
                    self.control.stop();
                    return Ok(());
                }
                Next::End | Next::Stop | Next::Over => return Ok(()),
                Next::Checkpoint | Next::Savepoint if self.control.is_aborted() => return Ok(()),
                Next::Checkpoint | Next::Savepoint => next_at = self.next_at(began),
            }
        }
    }

    fn next_at(&self, began: Instant) -> Instant {
        (began + self.pace.interval).max(self.reports.now() + self.pace.min_pause)
    }

    /// Tells whoever waits for the savepoint at hand.
    fn answer(&mut self, outcome: Result<u64, String>) {
        if let Some(asked) = self.asked.take() {
            // Who does not wait any more does not want to know.
            let _ = asked.send(outcome);
        }
    }

    /// What is to be done about what somebody wants, if somebody does.
    fn wanted(&mut self) -> Option<Next> {
        let request = self.requests.as_ref()?.try_recv().ok()?;
        self.asked = Some(request.answer);
        match request.wish {
            Wish::Savepoint => Some(Next::Savepoint),
            Wish::Stop => {
                self.control.hold();
                Some(Next::LastSavepoint)
            }
            Wish::Drain => {
                self.control.drain();
                None
            }
        }
    }

    /// What sinks hold back for a checkpoint that has not happened goes with the next one.
    fn give_up(&self) -> Result<(), StoreError> {
        let mut sinks = self.publishers.iter().flatten();
        sinks.try_for_each(|(_, sink)| sink.give_up())?;
        Ok(())
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
            // What is drained is at its end soon, and in between it is nothing that could be gone on from.
            let draining = self.control.is_draining();
            if self.control.is_stopping() && !draining {
                return Next::Stop;
            }
            if !draining && let Some(next) = self.wanted() {
                return next;
            }
            let left = next_at.saturating_duration_since(self.reports.now());
            if left.is_zero() && !draining {
                return Next::Checkpoint;
            }
            let left = if draining { LOOK } else { left };
            match self.reports.recv_timeout(left.min(LOOK)) {
                Ok(Report::Done) => self.done += 1,
                // Of a checkpoint that took too long.
                Ok(Report::Blocks(blocks)) => self.control.blocks_done(blocks.len()),
                Ok(Report::Cut(_) | Report::Saved(_)) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Next::Over,
            }
        }
    }

    /// What ends with a checkpoint of the output, and whether all windows have fired.
    fn ending(&self, next: Next) -> (Ending, bool) {
        match next {
            // Windows that are kept open make more of the output.
            Next::End if self.at_end == AtEnd::Keep && !self.control.is_draining() => {
                (Ending::Parts, false)
            }
            Next::End => (Ending::Everything, true),
            // A savepoint is to need nothing that lies in the places of sinks.
            Next::Savepoint | Next::LastSavepoint => (Ending::Parts, false),
            Next::Checkpoint | Next::Stop | Next::Over => (Ending::Nothing, false),
        }
    }

    /// Takes a checkpoint. Whether it has happened: not if a worker has failed.
    fn checkpoint(&mut self, next: Next) -> Result<bool, StoreError> {
        let began = Instant::now();
        let (ending, finished) = self.ending(next);
        let begun = self.store.begin()?;
        self.number = begun.number;
        self.cuts += 1;
        self.control.ask_for_cut(At {
            cut: self.cuts,
            number: self.number,
            ending,
            kept: self.kept,
            holds: begun.holds,
        });
        let Some(workers) = self.collect(began)? else {
            return Ok(false);
        };
        let stall = workers.iter().map(|cut| cut.stall).max();
        let kind = match self.asked {
            Some(_) => Kind::Savepoint,
            None => Kind::Checkpoint,
        };
        let cut = Cut {
            number: self.number,
            kind,
            finished,
            workers,
        };
        self.each_sink(&cut, |sink, pending| sink.secure(pending))
            .map_err(|text| StoreError::Unknown { text, hint: None })?;
        let bytes = self.store.keep(&cut)?;
        self.kept = self.cuts;
        self.each_sink(&cut, |sink, pending| sink.publish(pending).map(|_| ()))
            .map_err(|text| StoreError::Unpublished { text })?;
        self.published()?;
        self.clean();
        (self.told)(Told::Taken {
            number: self.number,
            kind,
            took: began.elapsed(),
            bytes,
            stall: stall.unwrap_or_default(),
        });
        Ok(true)
    }

    /// Lets go what is not needed any more. What cannot be removed takes room, and does no other harm.
    fn published(&mut self) -> Result<(), StoreError> {
        let why = match self.store.published() {
            Ok(()) => None,
            Err(fenced @ StoreError::Fenced { .. }) => return Err(fenced),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = &why
            && self.not_removed.as_ref() != Some(why)
        {
            let why = why.clone();
            (self.told)(Told::NotRemoved { why });
        }
        self.not_removed = why;
        Ok(())
    }

    /// The cuts of all workers, of which all blocks are with the store; nothing if one of them has failed.
    fn collect(&mut self, began: Instant) -> Result<Option<Vec<WorkerCut>>, StoreError> {
        let mut cuts: Vec<WorkerCut> = Vec::new();
        let mut saved = 0;
        while saved < self.workers {
            if self.control.is_aborted() {
                return Ok(None);
            }
            if began.elapsed() > self.pace.timeout {
                return Err(self.too_late(cuts.len(), saved));
            }
            match self.reports.recv_timeout(LOOK) {
                Ok(Report::Cut(cut)) if cut.cut == self.cuts => cuts.push(*cut),
                Ok(Report::Blocks(blocks)) => {
                    // Also those behind one that cannot be written.
                    self.control.blocks_done(blocks.len());
                    let mut blocks = blocks.into_iter().filter(|block| block.cut == self.cuts);
                    blocks.try_for_each(|block| self.store.block(block))?;
                }
                Ok(Report::Saved(cut)) => saved += usize::from(cut == self.cuts),
                Ok(Report::Cut(_)) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Report::Done) => self.done += 1,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        cuts.sort_by_key(|cut| cut.worker);
        Ok(Some(cuts))
    }

    fn too_late(&self, cut: usize, saved: usize) -> StoreError {
        let (workers, timeout) = (self.workers, self.pace.timeout);
        let text = match cut == workers {
            true => format!(
                "{saved} of {workers} workers had saved their state within its time-out of {timeout:?}"
            ),
            false => {
                format!("{cut} of {workers} workers came to it within its time-out of {timeout:?}")
            }
        };
        StoreError::Unavailable { text }
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

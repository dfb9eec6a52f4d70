//! A worker: a thread that runs its task. One turn is a short list of named steps.

mod control;
mod saving;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TryRecvError};
use crossbeam_utils::sync::Parker;

pub use self::control::Control;
use crate::checkpoint::WorkerCut;
use crate::checkpoint::cut::{At, BlockCut};
use crate::error::EngineError;
use crate::event::Event;
use crate::exchange::{Inlet, QUEUE};
use crate::task::Task;

/// The clock: microseconds since the Unix epoch.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How long a worker with nothing to do sleeps at most: idle splits are noticed by the clock.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);

/// What a worker tells the coordinator of checkpoints.
pub enum Report {
    /// All its operators are cut.
    Cut(Box<WorkerCut>),
    /// Blocks of what operators kept, in order.
    Blocks(Vec<BlockCut>),
    /// All blocks of this cut were reported.
    Saved(u64),
    /// Its task is done: all input has ended.
    Done,
}

/// What a worker is made of.
pub struct Worker {
    /// Its number, from 0.
    pub number: usize,
    /// What it runs.
    pub task: Task,
    /// Queues from other workers.
    pub inlets: Vec<Inlet>,
    /// For each inlet, the outlets that rows from it may reach.
    pub reaches: Vec<Vec<usize>>,
    /// Wakes it.
    pub parker: Parker,
    /// Shared with the other workers.
    pub control: Arc<Control>,
    /// The clock.
    pub now: Now,
    /// Since when what was to be sent finds no room.
    pub blocked_since: Option<i64>,
    /// Its part in checkpoints, where there are any.
    pub checkpoints: Option<Part>,
}

/// What came of a worker's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// It has done something, and may have more to do.
    Worked,
    /// There was nothing to do.
    Idle,
    /// There will be nothing more to do.
    Over,
}

/// A worker's part in checkpoints.
pub struct Part {
    reports: Sender<Report>,
    /// The last cut that it has begun.
    begun: u64,
    /// The cut at hand: which, and since when.
    cutting: Option<(At, Instant)>,
    /// The cut of which blocks are still to be reported, and since when.
    saving: Option<(u64, i64)>,
    /// Blocks that are reported together, for each report wakes the coordinator.
    blocks: Vec<BlockCut>,
    /// The queues that have brought its barrier: what comes after it waits there.
    held: Vec<bool>,
    /// Whether it has said that it is done.
    done: bool,
}

impl Worker {
    /// Runs until its task is done or the run is aborted. A panic stops all workers.
    pub fn run(mut self) {
        let (number, control) = (self.number, self.control.clone());
        let ran = catch_unwind(AssertUnwindSafe(|| self.turns()));
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(error)) => control.fail(error),
            Err(panic) => control.fail(EngineError::Panic {
                worker: format!("worker {number}"),
                message: text(&*panic),
            }),
        }
    }

    fn turns(&mut self) -> Result<(), EngineError> {
        while !self.control.is_aborted() {
            match self.turn()? {
                Turned::Worked => {}
                Turned::Idle => self.parker.park_timeout(self.longest_sleep()),
                Turned::Over => return Ok(()),
            }
        }
        Ok(())
    }

    /// Does what is there to do, and says what came of it.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn turn(&mut self) -> Result<Turned, EngineError> {
        self.look_at_clock();
        let mut worked = self.send_waiting();
        worked |= self.receive()?;
        worked |= self.take_part()?;
        worked |= self.save()?;
        worked |= self.read()?;
        if self.is_over() {
            return Ok(Turned::Over);
        }
        if worked {
            return Ok(Turned::Worked);
        }
        self.task.flush()?;
        Ok(Turned::Idle)
    }

    /// Lets it take part in checkpoints, and report so.
    pub fn take_part_in_checkpoints(&mut self, reports: Sender<Report>) {
        self.checkpoints = Some(Part {
            reports,
            begun: 0,
            cutting: None,
            saving: None,
            blocks: Vec::new(),
            held: vec![false; self.inlets.len()],
            done: false,
        });
    }

    /// Whether nothing is left to do: a worker whose task is done still takes part in checkpoints.
    fn is_over(&mut self) -> bool {
        let done = self.task.is_done();
        let Some(part) = &mut self.checkpoints else {
            return done;
        };
        if done && !std::mem::replace(&mut part.done, true) {
            // Whoever does not listen any more has ended the run, and says so below.
            let _ = part.reports.send(Report::Done);
        }
        self.control.is_halted()
    }

    /// Begins a cut that was asked for, and reports it when all operators are cut. Whether anything happened.
    fn take_part(&mut self) -> Result<bool, EngineError> {
        let Some(part) = &mut self.checkpoints else {
            return Ok(false);
        };
        if part.cutting.is_none()
            && let Some(at) = self.control.cut_after(part.begun)
        {
            part.begun = at.cut;
            // If blocks of the last one are left, it has come to nothing.
            part.saving = None;
            part.report_blocks();
            part.cutting = Some((at, Instant::now()));
            self.task.begin_cut(at)?;
        }
        let Some((at, since)) = part.cutting.filter(|_| self.task.is_cut()) else {
            return Ok(false);
        };
        let stations = self.task.take_cut(at)?;
        part.cutting = None;
        part.saving = Some((at.cut, self.task.now));
        part.held.fill(false);
        let _ = part.reports.send(Report::Cut(Box::new(WorkerCut {
            worker: self.number,
            cut: at.cut,
            stall: since.elapsed(),
            stations,
        })));
        Ok(true)
    }

    /// Whether it is in the middle of a cut: nothing may come from here that lies behind the barrier.
    fn is_cutting(&self) -> bool {
        self.checkpoints
            .as_ref()
            .is_some_and(|part| part.cutting.is_some())
    }

    /// Sends what waits and takes what has come, without reading anything. Whether there was anything.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn exchange(&mut self) -> Result<bool, EngineError> {
        let sent = self.send_waiting();
        Ok(self.receive()? || sent)
    }

    /// A clock that is set back stands still until it has caught up.
    pub fn look_at_clock(&mut self) {
        self.task.now = self.task.now.max((self.now)());
    }

    /// Until the clock makes something due.
    fn longest_sleep(&self) -> Duration {
        match self.task.next_due() {
            Some(due) => {
                let left = due.saturating_sub((self.now)()).max(0);
                LONGEST_SLEEP.min(Duration::from_micros(left.unsigned_abs()))
            }
            None => LONGEST_SLEEP,
        }
    }

    /// Sends what had found a full queue.
    fn send_waiting(&mut self) -> bool {
        let mut sent = false;
        for outlet in &mut self.task.outlets {
            sent |= outlet.send_waiting();
        }
        sent
    }

    /// Takes what has come through every queue from which nothing could flow into a full one, a queue's length at most, unless a
    /// sink waits for a checkpoint to be committed: no barrier can have come before that.
    fn receive(&mut self) -> Result<bool, EngineError> {
        let mut received = false;
        if self.task.is_full() {
            return Ok(false);
        }
        for inlet in 0..self.inlets.len() {
            for _ in 0..QUEUE {
                if !self.receive_from(inlet)? {
                    break;
                }
                received = true;
            }
        }
        Ok(received)
    }

    /// Takes one event from a queue. Whether it did.
    fn receive_from(&mut self, inlet: usize) -> Result<bool, EngineError> {
        let part = self.checkpoints.as_ref();
        if part.is_some_and(|part| part.held[inlet]) {
            return Ok(false);
        }
        let is_waiting = |&outlet: &usize| self.task.outlets[outlet].is_waiting();
        if self.reaches[inlet].iter().any(is_waiting) {
            return Ok(false);
        }
        let Some((
            event,
            Inlet {
                node, input, from, ..
            },
        )) = self.next_event(inlet)
        else {
            return Ok(false);
        };
        let (node, input, from) = (*node, *input, *from);
        if let (Event::Barrier(_), Some(part)) = (&event, &mut self.checkpoints) {
            part.held[inlet] = true;
        }
        self.control.unparkers[from].unpark();
        self.task.deliver(node, input, event)?;
        Ok(true)
    }

    fn next_event(&self, inlet: usize) -> Option<(Event, &Inlet)> {
        let inlet = &self.inlets[inlet];
        match inlet.receiver.try_recv() {
            Ok(event) => Some((event, inlet)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Reads from the sources and lets the clock do what it does, unless something waits to be sent.
    fn read(&mut self) -> Result<bool, EngineError> {
        let now = self.task.now;
        let waits = self.task.outlets.iter().any(|outlet| outlet.is_waiting());
        let full = waits || self.task.is_full();
        if full || self.is_cutting() || self.control.is_holding() {
            self.blocked_since.get_or_insert(now);
            return Ok(false);
        }
        if let Some(since) = self.blocked_since.take() {
            self.task.blocked(since, now);
        }
        if self.control.is_draining() {
            self.task.drain_sources()?;
            return Ok(false);
        }
        if self.control.is_stopping() {
            if self.checkpoints.is_none() {
                self.task.stop_sources()?;
            }
            return Ok(false);
        }
        Ok(self.task.tick()? | self.task.read_sources()?)
    }
}

/// Brings workers to where the first row may be read, before any of them runs: whoever goes on from a checkpoint has said
/// where they stand, and whoever has nothing to send has said so to everyone.
///
/// # Errors
/// If the pipeline must stop.
pub fn set_out(workers: &mut [Worker], goes_on: bool) -> Result<(), EngineError> {
    for worker in workers.iter_mut() {
        worker.look_at_clock();
        if goes_on {
            worker.task.announce()?;
        }
    }
    settle(workers)?;
    for worker in workers.iter_mut() {
        worker.task.end_empty_sources()?;
    }
    settle(workers)
}

/// Lets workers exchange what they have, in turn, until nothing is on its way.
///
/// # Errors
/// If the pipeline must stop.
pub fn settle(workers: &mut [Worker]) -> Result<(), EngineError> {
    let mut worked = true;
    while std::mem::take(&mut worked) {
        for worker in workers.iter_mut() {
            worked |= worker.exchange()?;
        }
    }
    Ok(())
}

/// What a panic says.
pub fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

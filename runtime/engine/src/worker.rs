//! A worker: a thread that runs its task. One turn is a short list of named steps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::TryRecvError;
use crossbeam_utils::sync::{Parker, Unparker};

use crate::error::EngineError;
use crate::event::Event;
use crate::exchange::{Inlet, QUEUE};
use crate::task::Task;

/// The clock: microseconds since the Unix epoch.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How long a worker with nothing to do sleeps at most: idle splits are noticed by the clock.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);

/// What the workers of a run share.
pub struct Control {
    stop: AtomicBool,
    abort: AtomicBool,
    first_error: Mutex<Option<EngineError>>,
    unparkers: Vec<Unparker>,
}

impl Control {
    /// For workers that are woken by these.
    pub fn new(unparkers: Vec<Unparker>) -> Self {
        Self {
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
            first_error: Mutex::new(None),
            unparkers,
        }
    }

    /// Asks for a graceful stop: sources read no more, rows in flight are drained.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Stops everything at once because of an error; the first one is kept.
    fn fail(&self, error: EngineError) {
        let mut first = self
            .first_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        drop(first);
        self.abort.store(true, Ordering::Release);
        self.wake();
    }

    /// The error that ended the run, if one did.
    pub fn take_error(&self) -> Option<EngineError> {
        self.first_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn is_aborted(&self) -> bool {
        self.abort.load(Ordering::Acquire)
    }

    fn wake(&self) {
        self.unparkers.iter().for_each(Unparker::unpark);
    }
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
                worker: number,
                message: text(&*panic),
            }),
        }
    }

    fn turns(&mut self) -> Result<(), EngineError> {
        while !self.control.is_aborted() {
            self.look_at_clock();
            let mut worked = self.send_waiting();
            worked |= self.receive()?;
            worked |= self.read()?;
            if self.task.is_done() {
                return Ok(());
            }
            if !worked {
                self.task.flush()?;
                self.parker.park_timeout(self.longest_sleep());
            }
        }
        Ok(())
    }

    /// Sends what waits and takes what has come, without reading anything. Whether there was anything.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn exchange(&mut self) -> Result<bool, EngineError> {
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

    /// Takes what has come through every queue from which nothing could flow into a full one, a queue's length at most.
    pub fn receive(&mut self) -> Result<bool, EngineError> {
        let mut received = false;
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
        let is_waiting = |&outlet: &usize| self.task.outlets[outlet].is_waiting();
        if self.reaches[inlet].iter().any(is_waiting) {
            return Ok(false);
        }
        let Some((event, inlet)) = self.next_event(inlet) else {
            return Ok(false);
        };
        let (node, input, from) = (inlet.node, inlet.input, inlet.from);
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
        if self.task.outlets.iter().any(|outlet| outlet.is_waiting()) {
            self.blocked_since.get_or_insert(now);
            return Ok(false);
        }
        if let Some(since) = self.blocked_since.take() {
            self.task.blocked(since, now);
        }
        if self.control.is_stopping() {
            self.task.stop_sources()?;
            return Ok(false);
        }
        Ok(self.task.tick()? | self.task.read_sources()?)
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

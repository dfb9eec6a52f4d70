//! A run on one thread: for simulations, which decide who takes the next turn, when time passes, and what becomes of each
//! effect.
//!
//! Everything is what runs otherwise. But the coordinator of checkpoints runs on the caller's thread, and where it would wait
//! for its workers it lets them take turns:
//!
//! ```text
//!   simulate ─► coordinator ── waits ──► meanwhile ─► Crew::turn(worker) ─► rows, barriers, cuts ─► reports
//!                    └── effects of its store and of sinks, which may let workers take turns as well
//! ```
//!
//! Invariants:
//! 1. Nothing happens at the same time as anything else, and nothing reads the machine's clock to decide something.
//! 2. A worker is never entered from within a turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use crate::checkpoint::reports::Reports;
use crate::error::EngineError;
use crate::plan::Plan;
use crate::run::{Checkpoints, Options, Ready, Summary};
use crate::worker::{Report, Turned, Worker};

/// The workers of a simulated run. A clone is another hand on the same.
#[derive(Clone, Default)]
pub struct Crew(Arc<Mutex<Members>>);

#[derive(Default)]
struct Members {
    /// Each until it has nothing more to do.
    workers: Vec<Option<Worker>>,
    /// Whether blocks of state wait, and are not written.
    stalled: bool,
}

/// What happens while the coordinator waits; how much time has passed then.
pub type Meanwhile = Box<dyn FnMut() -> Duration + Send>;

impl Crew {
    /// Lets a worker take a turn, any number meaning one of them. Whether it has done anything: not if this is called from
    /// within a turn, or before the run has begun.
    pub fn turn(&self, number: u64) -> bool {
        let Some(mut members) = self.members() else {
            return false;
        };
        let count = members.workers.len().max(1) as u64;
        let Some(place) = members.workers.get_mut((number % count) as usize) else {
            return false;
        };
        let Some(worker) = place.as_mut().filter(|w| !w.control.is_aborted()) else {
            return false;
        };
        match worker.turn() {
            Ok(Turned::Worked) => true,
            Ok(Turned::Idle) => false,
            Ok(Turned::Over) => {
                *place = None;
                true
            }
            Err(error) => {
                worker.control.fail(error);
                true
            }
        }
    }

    /// Lets blocks of state wait from now on until they are let go on with: rows come in between.
    pub fn stall(&self, stalled: bool) {
        let Some(mut members) = self.members() else {
            return;
        };
        let control = members.workers.iter().flatten().next();
        if let Some(control) = control.map(|worker| worker.control.clone())
            && members.stalled != stalled
        {
            control.stall_blocks(stalled);
            members.stalled = stalled;
        }
    }

    /// The workers, unless one of them is taking a turn.
    fn members(&self) -> Option<MutexGuard<'_, Members>> {
        match self.0.try_lock() {
            Ok(members) => Some(members),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn set(&self, workers: Vec<Worker>) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Members {
            workers: workers.into_iter().map(Some).collect(),
            stalled: false,
        };
    }
}

/// Runs a plan to its end with checkpoints, on this thread.
///
/// # Errors
/// Whatever stopped it before its input ended.
pub fn simulate(
    plan: &Plan,
    options: &Options,
    checkpoints: Checkpoints,
    (crew, meanwhile): (&Crew, Meanwhile),
) -> Result<Summary, EngineError> {
    let waiting = |reports| -> Box<dyn Reports> {
        Box::new(Waiting {
            reports,
            now: Instant::now(),
            meanwhile,
        })
    };
    let ready = Ready::new(plan, options, Some(checkpoints), waiting)?;
    crew.set(ready.workers);
    if let Some(coordinator) = ready.coordinator {
        coordinator.run();
    }
    crew.set(Vec::new());
    match ready.control.take_error() {
        Some(error) => Err(error),
        None => Ok(Summary {
            totals: ready.metrics.totals(),
            stopped: ready.control.is_stopping(),
        }),
    }
}

/// Waits by letting workers take turns; its clock stands still but for that.
struct Waiting {
    reports: Receiver<Report>,
    now: Instant,
    meanwhile: Meanwhile,
}

impl Reports for Waiting {
    fn now(&self) -> Instant {
        self.now
    }

    fn recv_timeout(&mut self, _at_most: Duration) -> Result<Report, RecvTimeoutError> {
        if let Ok(report) = self.reports.try_recv() {
            return Ok(report);
        }
        self.now += (self.meanwhile)();
        self.reports.try_recv().map_err(|nothing| match nothing {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }
}

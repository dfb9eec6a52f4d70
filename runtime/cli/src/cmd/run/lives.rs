//! The lives of a run: after a failure that may pass it goes on from its newest checkpoint, in the same process.
//!
//! What may pass is what could not be reached, read or written outside ([`Failure::may_pass`]). A row, a function or a
//! damaged checkpoint would fail again: they end the run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tidemill_engine::{Checkpoints, Plan, Summary};

use crate::error::Failure;
use crate::figures;
use crate::recovery::{self, RecoveryArgs, Start, Wanted};
use crate::signals::Stop;
use crate::talk::Talk;

/// The longest wait before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often a run goes on by itself.
#[derive(Clone, Copy, Debug)]
pub struct Restarts {
    /// So often in a row.
    pub most: u32,
    /// So long before the first; twice as long before each further one.
    pub pause: Duration,
}

/// Counts failures in a row.
struct Lives<'a> {
    restarts: Restarts,
    failed: u32,
    first: bool,
    /// Set when a checkpoint is taken.
    taken: Arc<AtomicBool>,
    stop: &'a Stop,
    talk: &'a Talk,
}

/// How the last life ended.
pub enum Ended {
    /// The input had ended.
    Done,
    /// Somebody has stopped it.
    Stopped,
    /// Another process goes on with it.
    TakenOver(Failure),
}

impl From<Summary> for Ended {
    fn from(summary: Summary) -> Self {
        match summary.stopped {
            true => Self::Stopped,
            false => Self::Done,
        }
    }
}

/// Lives until the input ends or somebody stops it: each life goes on from the newest checkpoint of the one before.
///
/// # Errors
/// What ended the last one.
pub fn live_on(
    wanted: &Wanted,
    (plan, recovery): (&Plan, &RecoveryArgs),
    (stop, talk): (&Stop, &Talk),
    live: &dyn Fn(Checkpoints) -> Result<Ended, Failure>,
) -> Result<Ended, Failure> {
    let mut recovery = recovery.clone();
    let mut lives = Lives::new(wanted.restarts, stop, talk);
    loop {
        let failure = match recovery::start(wanted, (plan, &recovery), lives.taken(), talk) {
            Ok(Start::Run(incarnation, checkpoints, _desk)) => match live(*checkpoints) {
                Ok(ended) => return Ok(ended),
                Err(failure) => wanted.or_fenced(incarnation, failure),
            },
            Ok(Start::Finished(number)) => {
                talk.note(format!(
                    "everything was read and published with checkpoint {number}; `--fresh` begins anew"
                ));
                return Ok(Ended::Done);
            }
            // What cannot begin is wrong until somebody sees to it; what has begun may find things as they were soon. A task
            // begins whenever it is given.
            Err(failure) if lives.is_first() && plan.task.is_none() && !failure.is_taken_over() => {
                return Err(failure);
            }
            Err(failure) => failure,
        };
        if failure.is_taken_over() {
            return Ok(Ended::TakenOver(failure));
        }
        if lives.goes_on(failure)? {
            // A checkpoint of this run is what it goes on from now.
            recovery = recovery.newest();
        }
    }
}

impl<'a> Lives<'a> {
    /// None has been lived yet.
    fn new(restarts: Restarts, stop: &'a Stop, talk: &'a Talk) -> Self {
        Self {
            restarts,
            failed: 0,
            first: true,
            taken: Arc::default(),
            stop,
            talk,
        }
    }

    /// To be set whenever a checkpoint is taken: failures before it do not count any more.
    fn taken(&self) -> Arc<AtomicBool> {
        self.taken.clone()
    }

    /// Whether none has ended yet.
    fn is_first(&self) -> bool {
        self.first
    }

    /// A life has ended with this failure: waits, if another is to follow. Whether it had taken a checkpoint.
    ///
    /// # Errors
    /// The failure, if none is to follow.
    fn goes_on(&mut self, failure: Failure) -> Result<bool, Failure> {
        let taken = self.taken.swap(false, Relaxed);
        if taken {
            self.failed = 0;
        }
        self.first = false;
        if !failure.may_pass() || self.failed >= self.restarts.most {
            return Err(self.told(failure));
        }
        let pause = self.restarts.pause_before(self.failed);
        self.failed += 1;
        self.talk.note(format!(
            "the pipeline has failed: {}; it goes on from its newest checkpoint in {} (restart {} of at most {} in a row)",
            failure.cause(),
            figures::took(pause),
            self.failed,
            self.restarts.most
        ));
        match self.stop.wait(pause) {
            true => Err(failure),
            false => Ok(taken),
        }
    }

    fn told(&self, failure: Failure) -> Failure {
        if self.failed > 0 && failure.may_pass() {
            self.talk.note(format!(
                "{} in a row have not helped: giving up",
                figures::counted(u64::from(self.failed), "restart")
            ));
        }
        failure
    }
}

impl Restarts {
    fn pause_before(&self, failed: u32) -> Duration {
        let factor = 1_u32.checked_shl(failed.min(16)).unwrap_or(u32::MAX);
        self.pause
            .saturating_mul(factor)
            .min(LONGEST_PAUSE.max(self.pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let restarts = Restarts {
            most: 10,
            pause: Duration::from_secs(1),
        };
        let pauses: Vec<u64> = (0..9).map(|n| restarts.pause_before(n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let long = Restarts {
            most: 2,
            pause: Duration::from_secs(600),
        };
        assert_eq!(long.pause_before(5), long.pause);
    }
}

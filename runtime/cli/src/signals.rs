//! SIGINT and SIGTERM: the first stops the run gracefully, the second ends the process at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use tidemill_engine::Stopper;

use crate::error::Failure;
use crate::talk::Talk;

/// Signals that are caught, not yet acted upon.
pub struct Caught(Signals);

/// What a signal stops: whatever runs when it comes, or is started after it.
#[derive(Clone, Default)]
pub struct Stop(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    asked: bool,
    running: Option<Stopper>,
}

impl Stop {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this is what runs.
    pub fn runs(&self, stopper: Stopper) {
        let mut state = self.state();
        if state.asked {
            stopper.stop();
        }
        state.running = Some(stopper);
    }

    /// Stops what runs, and what is started from now on.
    pub fn ask(&self) {
        let mut state = self.state();
        state.asked = true;
        if let Some(running) = &state.running {
            running.stop();
        }
        self.0.1.notify_all();
    }

    /// Waits so long, or until a signal has come. Whether one has.
    pub fn wait(&self, long: Duration) -> bool {
        let waited = self
            .0
            .1
            .wait_timeout_while(self.state(), long, |state| !state.asked);
        waited.unwrap_or_else(PoisonError::into_inner).0.asked
    }
}

/// A file that may not grow any more is an error of that write, which the run can go on after, not the process's end.
pub fn survive_file_limits() {
    // If the system refuses, everything is as it would have been without.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

impl Caught {
    /// Catches the two signals from now on.
    pub fn new() -> Result<Self, Failure> {
        let signals = Signals::new([SIGINT, SIGTERM]).context("signals cannot be caught")?;
        Ok(Self(signals))
    }

    /// Whether one has come since this was asked last.
    pub fn any(&mut self) -> bool {
        self.0.pending().next().is_some()
    }

    /// Acts upon them, in a thread of its own that lives as long as the process.
    pub fn stop(mut self, stop: Stop, talk: Talk) -> Result<(), Failure> {
        let act = move || {
            let mut asked = false;
            for signal in self.0.forever() {
                if std::mem::replace(&mut asked, true) {
                    std::process::exit(128 + signal);
                }
                talk.note(
                    "stopping: rows in flight are still written, open windows are not fired; \
                     the same signal again ends at once",
                );
                stop.ask();
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned());
        thread
            .spawn(act)
            .context("no thread could be started for signals")?;
        Ok(())
    }
}

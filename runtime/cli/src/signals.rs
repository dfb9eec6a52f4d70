//! SIGINT and SIGTERM: the first stops the run gracefully, the second ends the process at once.

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tidemill_engine::Stopper;

use crate::error::Failure;
use crate::talk::Talk;

/// Signals that are caught, not yet acted upon.
pub struct Caught(Signals);

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
    pub fn stop(mut self, stopper: Stopper, talk: Talk) -> Result<(), Failure> {
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
                stopper.stop();
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned());
        thread
            .spawn(act)
            .context("no thread could be started for signals")?;
        Ok(())
    }
}

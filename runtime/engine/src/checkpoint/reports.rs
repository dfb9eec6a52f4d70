//! How the coordinator waits: for what workers report, and for time to pass.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::worker::Report;

/// What workers report, and the clock by which the coordinator waits for it.
pub trait Reports: Send {
    /// What time it is.
    fn now(&self) -> Instant;

    /// The next report, if one comes within this time.
    ///
    /// # Errors
    /// If none came, or no worker is left that could report.
    fn recv_timeout(&mut self, at_most: Duration) -> Result<Report, RecvTimeoutError>;
}

/// Workers on threads of their own, and the machine's clock.
pub struct OfThreads(pub Receiver<Report>);

impl Reports for OfThreads {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn recv_timeout(&mut self, at_most: Duration) -> Result<Report, RecvTimeoutError> {
        self.0.recv_timeout(at_most)
    }
}

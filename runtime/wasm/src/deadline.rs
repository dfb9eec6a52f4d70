//! Deadlines in CPU time. A call is allowed so much of its thread's own time, however busy the machine is.
//!
//! The thread's clock costs a system call, so it is read only from the first epoch tick on: a call that ends within a
//! millisecond never reads it. The time before the first tick is not counted, which is at most about one tick.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::UpdateDeadline;

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The deadline of the call under way.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    allowed: Duration,
    since: Option<Duration>,
    expired: bool,
}

impl Watch {
    /// Starts a call that may take `allowed`.
    pub fn start(&mut self, allowed: Duration) {
        *self = Self {
            allowed,
            since: None,
            expired: false,
        };
    }

    /// An epoch tick: goes on, unless the call has used what it was allowed.
    pub fn tick(&mut self) -> UpdateDeadline {
        let now = thread_cpu();
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) >= self.allowed {
            self.expired = true;
            return UpdateDeadline::Interrupt;
        }
        UpdateDeadline::Continue(1)
    }

    /// Whether the call was cut.
    pub fn expired(&self) -> bool {
        self.expired
    }

    /// What the call was allowed.
    pub fn allowed(&self) -> Duration {
        self.allowed
    }
}

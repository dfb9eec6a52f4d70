//! The machine's clocks: what time it is, and how much of the processor this process has used.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// Microseconds since the Unix epoch.
pub fn now() -> i64 {
    // A clock before 1970 is a machine whose clock was never set.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as i64)
}

/// CPU time of all threads of this process, user and system.
pub fn cpu() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.max(0) as u64, spent.tv_nsec as u32)
}

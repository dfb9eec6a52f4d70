//! How fast a generator may go: a rate in rows per second of the clock, over all its splits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::split::Wake;

/// How often splits that wait are woken (`pace-interval`).
const INTERVAL: Duration = Duration::from_millis(5);

/// The pace of one source on one worker.
#[derive(Clone)]
pub(crate) struct Pace {
    rate: f64,
    /// The row that is due at the start.
    begin: u64,
    start: Instant,
    waiting: Arc<AtomicBool>,
}

impl Pace {
    /// Starts now, with this row. The thread that wakes ends when the last clone is dropped.
    pub fn start(rate: f64, begin: u64, wake: &Wake) -> Self {
        let waiting = Arc::new(AtomicBool::new(false));
        let (wake, watched) = (wake.clone(), Arc::downgrade(&waiting));
        let tick = move || {
            while let Some(waiting) = watched.upgrade() {
                if waiting.swap(false, Ordering::AcqRel) {
                    wake();
                }
                drop(waiting);
                std::thread::sleep(INTERVAL);
            }
        };
        crate::thread::start("tidemill-pace", tick);
        Self {
            rate,
            begin,
            start: Instant::now(),
            waiting,
        }
    }

    /// Before which row of the source all are due by now; the one to begin with is at once.
    pub fn due(&self) -> u64 {
        self.begin + (self.start.elapsed().as_secs_f64() * self.rate) as u64 + 1
    }

    /// Asks to be woken.
    pub fn wait(&self) {
        self.waiting.store(true, Ordering::Release);
    }
}

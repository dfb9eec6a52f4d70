//! Alignment of a source's splits over its workers (`max-drift`; semantics, Watermarks 8).
//!
//! Every worker says how far its slowest split is, and is woken when another has caught up while it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

use tidemill_connectors::Wake;
use tidemill_core::time;

/// What the workers of one source share.
pub struct Alignment {
    max_drift: i64,
    workers: Vec<Place>,
}

struct Place {
    /// The watermark of its slowest split.
    slowest: AtomicI64,
    /// Whether it has a split that waits.
    waits: AtomicBool,
    wake: Wake,
}

impl Alignment {
    /// An alignment of workers that are woken by these.
    pub fn new(max_drift: i64, wakes: Vec<Wake>) -> Arc<Self> {
        let place = |wake| Place {
            slowest: AtomicI64::new(time::MAX),
            waits: AtomicBool::new(false),
            wake,
        };
        Arc::new(Self {
            max_drift,
            workers: wakes.into_iter().map(place).collect(),
        })
    }
}

/// One worker's side of it.
pub struct Aligned {
    /// What is shared.
    pub with: Arc<Alignment>,
    /// Which worker it is.
    pub worker: usize,
}

impl Aligned {
    /// How far a split may be ahead, in microseconds.
    pub fn max_drift(&self) -> i64 {
        self.with.max_drift
    }

    /// How far the slowest split of the other workers is; [`time::MAX`] if there is none.
    pub fn elsewhere(&self) -> i64 {
        let others = self.with.workers.iter().enumerate();
        let others = others.filter(|(worker, _)| *worker != self.worker);
        let slowest = others.map(|(_, other)| other.slowest.load(SeqCst));
        slowest.min().unwrap_or(time::MAX)
    }

    /// Says how far this worker's slowest split is, and whether one of its splits waits for others.
    pub fn say(&self, slowest: i64, waits: bool) {
        let own = &self.with.workers[self.worker];
        own.waits.store(waits, SeqCst);
        if own.slowest.swap(slowest, SeqCst) == slowest {
            return;
        }
        for other in &self.with.workers {
            if other.waits.swap(false, SeqCst) {
                (other.wake)();
            }
        }
    }
}

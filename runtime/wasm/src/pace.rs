//! What a function lately needed per row, hence what a call of several rows is allowed, and how many rows a call takes.
//!
//! A call of several rows is cut at 20 times what was lately needed for so many, at least 1 ms, at most the deadline:
//! halving on must not cost a full deadline per step. No row is blamed for that (see [`crate::isolate`]); if all parts of
//! a call that was cut succeed, the next calls are smaller, and grow again when all is quiet.

use std::time::Duration;

const FACTOR: f64 = 20.0;
const LEAST: Duration = Duration::from_millis(1);
/// A fresh instance fills its caches first: that must not be taken for a hang.
const LEAST_FRESH: Duration = Duration::from_millis(20);
/// Calls are timed one in so many, since the thread's clock costs as much as a call.
const SAMPLE: u32 = 64;
/// Clean calls after which a shrunk batch doubles.
const CALM: u32 = 64;

/// The pace of one function on one worker.
#[derive(Debug)]
pub(crate) struct Pace {
    row_ns: Option<f64>,
    calls: u32,
    most_rows: usize,
    calm: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            row_ns: None,
            calls: 0,
            most_rows: usize::MAX,
            calm: 0,
        }
    }
}

impl Pace {
    /// CPU time that a call of `rows` rows is allowed.
    pub fn allowance(&self, rows: usize, fresh: bool, deadline: Duration) -> Duration {
        match self.row_ns {
            Some(row_ns) if rows > 1 => {
                let wanted = Duration::from_nanos((FACTOR * row_ns * rows as f64) as u64);
                wanted
                    .max(if fresh { LEAST_FRESH } else { LEAST })
                    .min(deadline)
            }
            _ => deadline,
        }
    }

    /// Whether the next call's time should be measured: the first few, then a sample, and every long one.
    pub fn samples(&mut self, rows: usize) -> bool {
        self.calls = self.calls.wrapping_add(1);
        let long = self
            .row_ns
            .is_some_and(|row_ns| row_ns * rows as f64 > 100_000.0);
        self.calls < 16 || self.calls.is_multiple_of(SAMPLE) || long
    }

    /// Takes note of what a call needed: rises at once, falls slowly.
    pub fn note(&mut self, rows: usize, spent: Duration) {
        let is = spent.as_nanos() as f64 / rows as f64;
        self.row_ns = Some(match self.row_ns {
            Some(was) if was > is => was * 0.9 + is * 0.1,
            _ => is,
        });
    }

    /// The most rows that a call should have.
    pub fn most_rows(&self) -> usize {
        self.most_rows
    }

    /// A call of `rows` rows failed although each of its parts succeeded.
    pub fn shrink(&mut self, rows: usize) {
        self.most_rows = self.most_rows.min((rows / 2).max(1));
        self.calm = 0;
    }

    /// A call succeeded.
    pub fn grow(&mut self) {
        if self.most_rows == usize::MAX {
            return;
        }
        self.calm += 1;
        if self.calm >= CALM {
            self.calm = 0;
            self.most_rows = self.most_rows.saturating_mul(2);
        }
    }
}

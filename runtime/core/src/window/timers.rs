//! When to look at which key again.
//!
//! Lazy: a timer is never taken out before it is due. Whoever gets one asks the key whether it still counts, so timers of
//! windows that moved, of keys that are gone and of undone batches do no harm.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{KeyId, family::NEVER};

/// Keys to look at, at one time. Sessions have about one key each, other windows thousands.
type Bucket = SmallVec<[KeyId; 4]>;

/// The timers of one operator.
#[derive(Debug)]
pub(crate) struct Timers {
    buckets: BTreeMap<i64, Bucket>,
    /// The first time in `buckets`, or [`NEVER`]: asked for every row.
    first: i64,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self {
            buckets: BTreeMap::new(),
            first: NEVER,
        }
    }

    /// The earliest time at which a key may have to be looked at.
    pub(crate) fn first(&self) -> i64 {
        self.first
    }

    /// Looks at `key` when W reaches `at`.
    pub(crate) fn set(&mut self, at: i64, key: KeyId) {
        self.first = self.first.min(at);
        self.buckets.entry(at).or_default().push(key);
    }

    /// The keys of the earliest time at or before `w`, in no order; some may be there twice.
    pub(crate) fn pop(&mut self, w: i64) -> Option<(i64, Bucket)> {
        if self.first > w {
            return None;
        }
        let bucket = self.buckets.pop_first();
        self.first = self.buckets.first_key_value().map_or(NEVER, |(&at, _)| at);
        bucket
    }
}

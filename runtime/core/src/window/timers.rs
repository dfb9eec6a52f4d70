//! When to look at which key again.
//!
//! Lazy: a timer is never taken out before it is due. Whoever gets one asks the key whether it still counts, so timers of
//! windows that moved, of keys that are gone and of undone batches do no harm.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{KeyId, family::NEVER};

/// So many keys of one time are few.
const FEW: usize = 8;

/// Keys to look at, at one time. Sessions have about one key each, other windows thousands.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// In no order; some may be there twice, or not count any more.
    pub(crate) loose: SmallVec<[KeyId; 4]>,
    /// Those for which one pass over keys in order has set timers, with what they are ordered by: still in order.
    pub(crate) run: Vec<(u64, KeyId)>,
    /// That pass.
    pub(crate) pass: Pass,
}

/// One pass over the keys of one time in their order: a number that no other pass has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pass(u64);

impl Pass {
    /// The next pass.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

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
        self.bucket(at).loose.push(key);
    }

    /// As [`Timers::set`], for the next key of a pass over keys in order; with what it is ordered by.
    pub(crate) fn set_in_order(&mut self, at: i64, key: (u64, KeyId), pass: Pass) {
        let bucket = self.bucket(at);
        if bucket.run.is_empty() {
            bucket.pass = pass;
        }
        if bucket.pass == pass {
            bucket.run.push(key);
        } else {
            bucket.loose.push(key.1);
        }
    }

    fn bucket(&mut self, at: i64) -> &mut Bucket {
        self.first = self.first.min(at);
        self.buckets.entry(at).or_default()
    }

    /// The keys that are due at or before `w`, up to the first time that has many: of these each can be seen coming.
    pub(crate) fn scattered(&self, w: i64) -> impl Iterator<Item = KeyId> {
        let due = self.buckets.range(..=w).map(|(_, bucket)| bucket);
        let few = due.take_while(|bucket| bucket.run.len() + bucket.loose.len() <= FEW);
        few.flat_map(|bucket| {
            let of_run = bucket.run.iter().map(|&(_, key)| key);
            of_run.chain(bucket.loose.iter().copied())
        })
    }

    /// The keys of the earliest time at or before `w`.
    pub(crate) fn pop(&mut self, w: i64) -> Option<(i64, Bucket)> {
        if self.first > w {
            return None;
        }
        let bucket = self.buckets.pop_first();
        self.first = self.buckets.first_key_value().map_or(NEVER, |(&at, _)| at);
        bucket
    }
}

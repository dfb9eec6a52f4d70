//! The one order in which what rows and timers give comes out, wherever batches are cut and in whatever steps W moves
//! (semantics, Independence).
//!
//! Results stand as if W moved between every two rows: by W where they were made; at the same W what rows made, in order of
//! arrival, each followed by what it made due at once; then what time made, which fires one after the other: first the first
//! timer of each key, in order of keys, then the second of each, and so on.

use std::cmp::Ordering;

use super::timers::Timer;
use crate::window::{KeyId, KeyOrder};

/// Where a result stands among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// W there, as what it made carries it.
    pub w: i64,
    /// The row that made it, or that made due what did; behind all rows: time.
    row: u32,
    /// How many timers of the key have fired before it for the same row, or at the same time.
    rank: u32,
    key: KeyId,
}

impl Place {
    /// That of a row with this number in its batch.
    pub fn row(row: u32, w: i64, key: KeyId) -> Self {
        Self {
            w,
            row,
            rank: 0,
            key,
        }
    }

    /// The key that it is of.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The same place, where its key has another number.
    #[must_use]
    pub fn with_key(self, key: KeyId) -> Self {
        Self { key, ..self }
    }

    /// Compares; `keys` says how keys do.
    pub fn cmp(&self, other: &Self, keys: &dyn KeyOrder) -> Ordering {
        let place = |at: &Self| (at.w, at.row, at.rank);
        place(self).cmp(&place(other)).then_with(|| {
            let prefix = |at: &Self| keys.prefix(at.key);
            prefix(self)
                .cmp(&prefix(other))
                .then_with(|| keys.cmp(self.key, other.key))
        })
    }
}

/// How many timers of each key have fired for the row, or at the time, of its last one. Ranks of different batches are never
/// compared, so nothing has to be forgotten in between but keys that lose their numbers.
#[derive(Debug, Default)]
pub struct Ranks {
    /// By key.
    last: Vec<Last>,
}

/// The last timer of a key that fired.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    fires: i64,
    row: u32,
    rank: u32,
}

impl Ranks {
    /// A key's number may be another's from now on.
    pub fn forget(&mut self, key: KeyId) {
        if let Some(last) = self.last.get_mut(key as usize) {
            *last = Last::default();
        }
    }

    /// The place of a timer's firing: the key's next.
    pub fn next(&mut self, key: KeyId, timer: &Timer) -> Place {
        let (fires, row, at) = (timer.fires, timer.row, key as usize);
        if at >= self.last.len() {
            self.last.resize(at + 1, Last::default());
        }
        let last = &mut self.last[at];
        let again = (last.fires, last.row) == (fires, row);
        let rank = if again { last.rank.wrapping_add(1) } else { 1 };
        *last = Last { fires, row, rank };
        Place {
            w: fires - 1,
            row,
            rank,
            key,
        }
    }
}

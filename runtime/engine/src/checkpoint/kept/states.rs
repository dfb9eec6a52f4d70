//! What process operators keep: the state of keys, as rows of the columns that their function declares, and their timers.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::super::restored::Damaged;
use super::{Lists, RowsKept};

/// What a process operator keeps on one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessKept {
    /// Where W stands; what was due by then has fired.
    pub watermark: i64,
    /// The clock as it was last told.
    pub now: i64,
    /// Whether the end round has been.
    pub ended: bool,
    /// How many keys there are.
    pub keys: u64,
    /// The names of slots, in the order in which blocks have them.
    pub slots: Vec<String>,
    /// The names of timers, as blocks number them.
    pub timers: Vec<String>,
}

/// What is kept for some keys of a process operator, instead of what blocks before it say of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatesKept {
    /// Keys for which nothing was kept any more, encoded. Some may have come again: then they stand below as well.
    pub gone: Lists<u8>,
    /// The keys, encoded (`tidemill_rows::key`).
    pub keys: Lists<u8>,
    /// The timers of each key, in order of time.
    pub timers: Lists<TimerKept>,
    /// What each slot holds for them.
    pub slots: Vec<SlotKept>,
}

impl StatesKept {
    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.keys.count() == 0 && self.gone.count() == 0
    }
}

/// A timer that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerKept {
    /// Its name, by number.
    pub name: u32,
    /// The time that it is set to.
    pub time: i64,
}

/// What one slot holds for some keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SlotKept {
    /// The entries of each key: of a value one or none, of a list from the oldest, of a map in order of sub-keys.
    pub entries: RowsKept,
    /// Per entry the time that it lives from; only where entries expire.
    pub clocks: Vec<i64>,
    /// Of a map, per entry its sub-key, encoded.
    pub sub_keys: Lists<u8>,
}

impl SlotKept {
    /// The rows of the entries of each of these keys, which stand at these places.
    pub fn ranges<K: Copy>(&self, own: &[(K, usize)]) -> Result<Vec<(K, Range<u32>)>, Damaged> {
        let range = |&(key, place): &(K, usize)| {
            let range = self.entries.of(place)?;
            Some((key, range.start as u32..range.end as u32))
        };
        own.iter().map(|own| range(own).ok_or(Damaged)).collect()
    }
}

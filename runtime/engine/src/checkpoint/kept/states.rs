//! What process operators keep: the state of keys, as rows of the columns that their function declares, and their timers.

use std::ops::Range;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::cut::Holds;
use super::super::restored::Damaged;
use super::packed::{self, Packed};
use super::{END_BYTES, Lists, RowsKept};

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
    /// What of it blocks hold: told to who writes them, and nowhere written.
    #[serde(skip)]
    pub holds: Holds,
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

    /// About how many bytes it is written as, and seldom more.
    pub(super) fn about_bytes(&self) -> usize {
        let lists = self.gone.about_bytes() + self.keys.about_bytes() + self.timers.about_bytes();
        let slots = self.slots.iter().map(SlotKept::about_bytes);
        lists + slots.sum::<usize>()
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

/// Timers as they are written: names, and times.
#[derive(Serialize, Deserialize)]
struct Timers {
    #[serde(with = "packed::words")]
    names: Vec<i64>,
    #[serde(with = "packed::words")]
    times: Vec<i64>,
}

impl Packed for TimerKept {
    fn pack<S: Serializer>(all: &[Self], to: S) -> Result<S::Ok, S::Error> {
        let timers = Timers {
            names: all.iter().map(|timer| timer.name.into()).collect(),
            times: all.iter().map(|timer| timer.time).collect(),
        };
        timers.serialize(to)
    }

    fn unpack<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Self>, D::Error> {
        let Timers { names, times } = Timers::deserialize(from)?;
        if names.len() != times.len() {
            return Err(D::Error::custom("as many timers have names as have times"));
        }
        let timer = |(name, time): (i64, i64)| {
            let name = u32::try_from(name).ok()?;
            Some(Self { name, time })
        };
        let all: Option<Vec<Self>> = names.into_iter().zip(times).map(timer).collect();
        all.ok_or_else(|| D::Error::custom("the number of a name has 32 bits"))
    }
}

/// What one slot holds for some keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SlotKept {
    /// The entries of each key: of a value one or none, of a list from the oldest, of a map in order of sub-keys.
    pub entries: RowsKept,
    /// Per entry the time that it lives from; only where entries expire.
    #[serde(with = "packed::words")]
    pub clocks: Vec<i64>,
    /// Of a map, per entry its sub-key, encoded.
    pub sub_keys: Lists<u8>,
}

impl SlotKept {
    fn about_bytes(&self) -> usize {
        let entries = self.entries.ends.len() * END_BYTES + self.entries.rows.about_bytes();
        entries + size_of_val(&self.clocks[..]) + self.sub_keys.about_bytes()
    }

    /// The rows of the entries of each of these keys, which stand at these places.
    pub fn ranges<K: Copy>(&self, own: &[(K, usize)]) -> Result<Vec<(K, Range<u32>)>, Damaged> {
        let range = |&(key, place): &(K, usize)| {
            let range = self.entries.of(place)?;
            Some((key, range.start as u32..range.end as u32))
        };
        own.iter().map(|own| range(own).ok_or(Damaged)).collect()
    }
}

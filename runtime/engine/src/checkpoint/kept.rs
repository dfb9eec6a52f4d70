//! What stations keep, as it is written and read: plain data, in columns, with declared meaning.
//!
//! The order of fields is the format (postcard, with lists as `packed.rs` has them): a change needs a new version of it.

mod blocks;
mod packed;
mod states;
mod tables;

use serde::{Deserialize, Serialize};
use tidemill_connectors::{Pending, Position};
use tidemill_wasm::{Failed, Reason};

pub use self::blocks::{Block, BlockFile, Blocks, buffers};
use self::packed::Packed;
pub use self::states::{ProcessKept, SlotKept, StatesKept, TimerKept};
pub use self::tables::TableKept;
use super::restored::Damaged;

/// What a source keeps on one worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceKept {
    /// The watermark that it has passed on.
    pub passed_on: i64,
    /// Its splits.
    pub splits: Vec<SplitKept>,
}

/// Where a split stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitKept {
    /// The split's name.
    pub name: String,
    /// Its watermark.
    pub watermark: i64,
    /// What it was doing.
    pub doing: Doing,
    /// Whether it counted for the source's watermark.
    pub counts: bool,
    /// The largest time of its rows, as `max-jump` sees it: before the chunk at hand.
    pub largest: i64,
    /// The state of the function that makes its watermarks: before the chunk at hand.
    pub custom: Option<TableKept>,
    /// Where the chunk at hand begins.
    #[serde(with = "as_text")]
    pub position: Position,
    /// The chunk that has not been given whole, if there is one.
    pub chunk: Option<ChunkKept>,
    /// The largest time of its rows, as lateness is measured by.
    pub newest: i64,
}

/// What a split was doing (semantics, Watermarks 6). Pausing follows from where splits stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doing {
    /// Delivered rows, or might have.
    Active,
    /// Was left out, for it had been silent.
    Idle,
    /// Had delivered all its rows.
    Finished,
}

/// Rows that were read and not given yet. They are read again, and judged as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkKept {
    /// How many records it has, bad ones included.
    pub records: u64,
    /// How many of its good rows were given.
    pub given: u64,
    /// The clock of reading.
    pub now: i64,
}

/// What a node keeps on one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeKept {
    /// Its watermark.
    pub watermark: i64,
    /// What the operator keeps.
    pub operator: OperatorKept,
}

/// What an operator or sink keeps on one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum OperatorKept {
    /// Nothing: it makes each row from a row.
    #[default]
    Nothing,
    /// Windows.
    Windows(WindowsKept),
    /// Output that is not published yet.
    Pending(#[serde(with = "as_text")] Pending),
    /// State and timers of keys.
    Process(ProcessKept),
}

/// What a window operator keeps on one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowsKept {
    /// W of the windows: the end of time after the end round.
    pub watermark: i64,
    /// The last tick of the clock.
    pub tick: Option<i64>,
    /// The keys, in blocks, so that no list outgrows its offsets.
    pub blocks: Vec<KeysKept>,
}

/// What is kept for some keys of a window operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeysKept {
    /// The keys, encoded (`tidemill_rows::key`).
    pub keys: Lists<u8>,
    /// What the core says of the windows of each key.
    pub words: Lists<i64>,
    /// The accumulators of each key, in the order in which the words mention them.
    pub accs: RowsKept,
    /// Accumulators of which a merge had failed: (row, why).
    pub poisoned: Vec<(u32, FailedKept)>,
    /// How many stored rows each key has, in the order in which the words mention them, and the rows (an Arrow IPC stream).
    pub stored: StoredKept,
    /// The results of each key that may be taken back: their firings, none where making the result had failed.
    pub sent: Lists<Option<FiringKept>>,
    /// The accumulator of each firing.
    pub sent_accs: TableKept,
    /// For functions of kind window, the rows of each firing instead.
    pub sent_rows: StoredKept,
}

/// Stored rows, in lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredKept {
    /// Where each list ends.
    #[serde(with = "packed::ends")]
    pub ends: Vec<u64>,
    /// All rows: an Arrow IPC stream, nothing where there are none.
    #[serde(with = "packed")]
    pub rows: Vec<u8>,
}

impl StoredKept {
    /// How many rows there are.
    pub fn count(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The rows of a list.
    pub fn of(&self, list: usize) -> Option<std::ops::Range<u32>> {
        let range = range(&self.ends, list)?;
        Some(u32::try_from(range.start).ok()?..u32::try_from(range.end).ok()?)
    }
}

/// What an end is written as, as long as no list is long.
const END_BYTES: usize = 1;

/// A list per key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Packed + Serialize"))]
#[serde(bound(deserialize = "T: Packed + Deserialize<'de>"))]
pub struct Lists<T> {
    /// Where each list ends.
    #[serde(with = "packed::ends")]
    ends: Vec<u64>,
    #[serde(with = "packed")]
    all: Vec<T>,
}

/// Words of the core: times and small numbers by turns, which would all be as wide as the widest.
impl Packed for i64 {}

impl Packed for Option<FiringKept> {}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self {
            ends: Vec::new(),
            all: Vec::new(),
        }
    }
}

impl<T: Copy> Lists<T> {
    /// No list, and room for so many of so many items together.
    pub fn with_room(lists: usize, items: usize) -> Self {
        Self {
            ends: Vec::with_capacity(lists),
            all: Vec::with_capacity(items),
        }
    }

    /// A list of each of these arrays.
    pub fn of_arrays<const N: usize>(arrays: Vec<[T; N]>) -> Self {
        Self {
            ends: (1..=arrays.len()).map(|i| (i * N) as u64).collect(),
            all: arrays.into_flattened(),
        }
    }

    /// So many lists with nothing in them.
    pub fn empty(lists: usize) -> Self {
        Self {
            ends: vec![0; lists],
            all: Vec::new(),
        }
    }

    /// Appends a list.
    pub fn push(&mut self, list: &[T]) {
        self.all.extend_from_slice(list);
        self.ends.push(self.all.len() as u64);
    }

    fn about_bytes(&self) -> usize {
        size_of_val(&self.all[..]) + self.ends.len() * END_BYTES
    }

    /// How many lists.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Gives each list, in order.
    pub fn each(&self, mut take: impl FnMut(&[T])) {
        (0..self.count())
            .filter_map(|i| self.get(i))
            .for_each(&mut take);
    }

    /// A list; nothing if what was read is damaged there.
    pub fn get(&self, i: usize) -> Option<&[T]> {
        self.all.get(range(&self.ends, i)?)
    }
}

/// Rows of a table per key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowsKept {
    /// Where each key's rows end.
    #[serde(with = "packed::ends")]
    pub ends: Vec<u64>,
    /// All of them.
    pub rows: TableKept,
}

impl RowsKept {
    /// The rows of a key.
    pub fn of(&self, key: usize) -> Option<std::ops::Range<usize>> {
        range(&self.ends, key).filter(|range| range.end <= self.rows.rows as usize)
    }
}

fn range(ends: &[u64], i: usize) -> Option<std::ops::Range<usize>> {
    let start = match i.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    let range = start as usize..*ends.get(i)? as usize;
    (range.start <= range.end).then_some(range)
}

/// A firing of a result that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiringKept {
    /// The window's start.
    pub start: i64,
    /// Its end.
    pub end: i64,
    /// Event time of the result.
    pub time: i64,
    /// 0 early, 1 on-time, 2 correction.
    pub moment: u8,
    /// Number of the firing.
    pub number: u32,
    /// Whether nothing could follow.
    pub last: bool,
    /// The W that fired it.
    pub at: i64,
}

/// Why a merge had failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedKept {
    /// The reason's word.
    pub reason: String,
    /// The function's own word.
    pub code: String,
    /// A sentence.
    pub message: String,
}

impl From<&Failed> for FailedKept {
    fn from(failed: &Failed) -> Self {
        Self {
            reason: failed.reason.name().to_owned(),
            code: failed.code.clone(),
            message: failed.message.clone(),
        }
    }
}

impl TryFrom<FailedKept> for Failed {
    type Error = Damaged;

    fn try_from(kept: FailedKept) -> Result<Self, Damaged> {
        Ok(Self {
            row: 0,
            reason: Reason::of_name(&kept.reason).ok_or(Damaged)?,
            code: kept.code,
            message: kept.message,
            backtrace: None,
            log: Vec::new(),
        })
    }
}

/// What is made to be JSON: as it is in JSON, as JSON text elsewhere.
mod as_text {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return value.serialize(serializer);
        }
        let text = serde_json::to_string(value).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        if deserializer.is_human_readable() {
            return T::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

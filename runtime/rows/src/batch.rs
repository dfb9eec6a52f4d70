//! A batch: rows in columns, and what every row carries beside its columns.
//!
//! Invariants:
//! 1. `times`, `stamps`, `w` (where present), `changes` (where present) and `origin` (where present) have one entry per row.
//! 2. Columns are of the six logical types only ([`crate::LogicalType`]).
//! 3. Rows stand in arrival order.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{ArrowError, SchemaRef};

/// The times that a row carries from its split. All in microseconds since the Unix epoch.
#[derive(Clone, Debug, Default)]
pub struct RowTimes {
    /// Event time.
    pub times: ScalarBuffer<i64>,
    /// The stamp: the watermark of the row's own split as of the row before it (semantics, Watermarks 2).
    pub stamps: ScalarBuffer<i64>,
    /// What the sender had at most passed on when it made the row (Watermarks 10). Absent: the same as the stamps.
    pub w: Option<ScalarBuffer<i64>>,
}

impl RowTimes {
    /// W at each row, as the sender knows it.
    pub fn w(&self) -> &[i64] {
        self.w.as_ref().unwrap_or(&self.stamps)
    }
}

/// Where rows were read: for reports, dead letters, and the way back.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Names of the source's splits, indexed by `split`. A file's path, a partition, `stdin`.
    pub names: Arc<[Arc<str>]>,
    /// Each row's split.
    pub split: ScalarBuffer<u32>,
    /// Each row's position in its split: the byte offset of its first byte in a file (after decompression), the number of
    /// a generated row.
    pub position: ScalarBuffer<u64>,
    /// Each row's line, from 1, where the split has lines.
    pub line: Option<ScalarBuffer<u64>>,
}

impl Origin {
    /// A row's place as people read it: `payments.jsonl:17 (byte 2048)`.
    pub fn describe(&self, row: usize) -> String {
        let name = &self.names[self.split[row] as usize];
        let position = self.position[row];
        match &self.line {
            Some(line) => format!("{name}:{} (byte {position})", line[row]),
            None => format!("{name} (row {position})"),
        }
    }
}

/// Rows in columns, with what each row carries.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The rows' columns.
    pub columns: RecordBatch,
    /// The rows' times.
    pub times: RowTimes,
    /// 0 insert, 1 update-before, 2 update-after, 3 delete. Absent: all are inserts.
    pub changes: Option<ScalarBuffer<u8>>,
    /// Where the rows were read. Absent once an operator with state has made them.
    pub origin: Option<Origin>,
}

impl Batch {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.columns.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns' schema.
    pub fn schema(&self) -> SchemaRef {
        self.columns.schema()
    }

    /// Rows `offset .. offset + len`, without copying.
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        self.map(self.columns.slice(offset, len), Slice { offset, len })
    }

    /// The rows named, in the order named; a row may be named several times.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn take(&self, rows: &[u32]) -> Self {
        let indices = UInt32Array::from(rows.to_vec());
        let columns = arrow_select::take::take_record_batch(&self.columns, &indices)
            .unwrap_or_else(|e| broken(e));
        self.map(columns, Take(rows))
    }

    fn map(&self, columns: RecordBatch, pick: impl Pick) -> Self {
        Self {
            columns,
            times: RowTimes {
                times: pick.of(&self.times.times),
                stamps: pick.of(&self.times.stamps),
                w: self.times.w.as_ref().map(|w| pick.of(w)),
            },
            changes: self.changes.as_ref().map(|c| pick.of(c)),
            origin: self.origin.as_ref().map(|o| Origin {
                names: o.names.clone(),
                split: pick.of(&o.split),
                position: pick.of(&o.position),
                line: o.line.as_ref().map(|l| pick.of(l)),
            }),
        }
    }
}

/// A choice of rows, applied to each list that goes with them.
trait Pick {
    fn of<T: arrow_buffer::ArrowNativeType>(&self, from: &ScalarBuffer<T>) -> ScalarBuffer<T>;
}

struct Slice {
    offset: usize,
    len: usize,
}

impl Pick for Slice {
    fn of<T: arrow_buffer::ArrowNativeType>(&self, from: &ScalarBuffer<T>) -> ScalarBuffer<T> {
        from.slice(self.offset, self.len)
    }
}

struct Take<'a>(&'a [u32]);

impl Pick for Take<'_> {
    fn of<T: arrow_buffer::ArrowNativeType>(&self, from: &ScalarBuffer<T>) -> ScalarBuffer<T> {
        self.0.iter().map(|&i| from[i as usize]).collect()
    }
}

fn broken(error: ArrowError) -> ! {
    panic!("rows of a batch could not be picked: {error}")
}

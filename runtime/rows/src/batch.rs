//! A batch: rows in columns, and what every row carries beside its columns.
//!
//! Invariants:
//! 1. `times`, `stamps`, `w` (where present), `changes` (where present) and `origin` (where present) have one entry per row.
//! 2. Columns are of the six logical types only ([`crate::LogicalType`]).
//! 3. Rows stand in arrival order.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, SchemaRef, TimeUnit};

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

/// Where rows were read: for reports, dead letters, and the way back. Few rows are ever asked about, so picking rows of a
/// batch copies none of it.
#[derive(Clone, Debug)]
pub struct Origin {
    names: Arc<[Arc<str>]>,
    split: ScalarBuffer<u32>,
    position: ScalarBuffer<u64>,
    line: Option<ScalarBuffer<u64>>,
    /// Which of the entries above each row has; absent: row i has entry i.
    rows: Option<ScalarBuffer<u32>>,
}

impl Origin {
    /// The origin of rows of these splits (indices of `names`, which are files' paths, partitions, `stdin`), at these positions
    /// in them: the byte offset of a row's first byte in a file (after decompression), the number of a generated row.
    pub fn new(
        names: Arc<[Arc<str>]>,
        split: ScalarBuffer<u32>,
        position: ScalarBuffer<u64>,
    ) -> Self {
        Self {
            names,
            split,
            position,
            line: None,
            rows: None,
        }
    }

    /// With each row's line, from 1, where the splits have lines.
    #[must_use]
    pub fn with_lines(self, line: Option<ScalarBuffer<u64>>) -> Self {
        Self { line, ..self }
    }

    /// Names of the source's splits.
    pub fn names(&self) -> &Arc<[Arc<str>]> {
        &self.names
    }

    /// A row's split, as an index of the names.
    pub fn split(&self, row: usize) -> u32 {
        self.split[self.entry(row)]
    }

    /// A row's position in its split.
    pub fn position(&self, row: usize) -> u64 {
        self.position[self.entry(row)]
    }

    /// A row's line, if it has one.
    pub fn line(&self, row: usize) -> Option<u64> {
        self.line.as_ref().map(|line| line[self.entry(row)])
    }

    /// A row's place as people read it: `payments.jsonl:17 (byte 2048)`.
    pub fn describe(&self, row: usize) -> String {
        let name = &self.names[self.split(row) as usize];
        let position = self.position(row);
        match self.line(row) {
            Some(line) => format!("{name}:{line} (byte {position})"),
            None => format!("{name} (row {position})"),
        }
    }

    fn entry(&self, row: usize) -> usize {
        self.rows.as_ref().map_or(row, |rows| rows[row] as usize)
    }

    fn slice(&self, offset: usize, len: usize) -> Self {
        let rows = match &self.rows {
            Some(rows) => rows.slice(offset, len),
            None => (offset as u32..(offset + len) as u32).collect(),
        };
        Self {
            rows: Some(rows),
            ..self.clone()
        }
    }

    fn take(&self, rows: &ScalarBuffer<u32>) -> Self {
        let rows = match &self.rows {
            Some(before) => pick(before, rows),
            None => rows.clone(),
        };
        Self {
            rows: Some(rows),
            ..self.clone()
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
        Self {
            columns: self.columns.slice(offset, len),
            times: RowTimes {
                times: self.times.times.slice(offset, len),
                stamps: self.times.stamps.slice(offset, len),
                w: self.times.w.as_ref().map(|w| w.slice(offset, len)),
            },
            changes: self.changes.as_ref().map(|c| c.slice(offset, len)),
            origin: self.origin.as_ref().map(|o| o.slice(offset, len)),
        }
    }

    /// The rows named, in the order named; a row may be named several times.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn take(&self, rows: &[u32]) -> Self {
        let rows: ScalarBuffer<u32> = rows.to_vec().into();
        let times = pick(&self.times.times, &rows);
        Self {
            columns: self.take_columns(&rows, &times),
            times: RowTimes {
                times,
                stamps: pick(&self.times.stamps, &rows),
                w: self.times.w.as_ref().map(|w| pick(w, &rows)),
            },
            changes: self.changes.as_ref().map(|c| pick(c, &rows)),
            origin: self.origin.as_ref().map(|o| o.take(&rows)),
        }
    }

    /// The columns of the rows named, whose times have been picked.
    fn take_columns(&self, rows: &ScalarBuffer<u32>, times: &ScalarBuffer<i64>) -> RecordBatch {
        let indices = UInt32Array::new(rows.clone(), None);
        let columns = self.columns.columns().iter().map(|column| {
            if self.is_event_time(column) {
                let times = TimestampMicrosecondArray::new(times.clone(), None);
                return Arc::new(times.with_data_type(column.data_type().clone())) as ArrayRef;
            }
            arrow_select::take::take(column, &indices, None).unwrap_or_else(|e| broken(e))
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(self.columns.schema(), columns.collect(), &options)
            .unwrap_or_else(|e| broken(e))
    }

    /// Whether a column is the event time itself, in the same memory.
    fn is_event_time(&self, column: &ArrayRef) -> bool {
        matches!(
            column.data_type(),
            DataType::Timestamp(TimeUnit::Microsecond, _)
        ) && column.null_count() == 0
            && column
                .as_primitive::<TimestampMicrosecondType>()
                .values()
                .ptr_eq(&self.times.times)
    }
}

/// The entries named.
fn pick<T: ArrowNativeType>(from: &[T], rows: &[u32]) -> ScalarBuffer<T> {
    rows.iter().map(|&row| from[row as usize]).collect()
}

fn broken(error: ArrowError) -> ! {
    panic!("rows of a batch could not be picked: {error}")
}

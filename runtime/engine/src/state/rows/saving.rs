//! Stored rows as bytes (an Arrow IPC stream: the kept columns, then time, stamp and change), and back.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, UInt8Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, UInt8Array, UInt32Array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Field, Schema};
use arrow_select::take::take;
use tidemill_core::window::RowId;

use super::segment::{Place, Segment};
use super::{Gathered, RowStore, SEGMENT_ROWS};
use crate::checkpoint::columns::{ColumnsChange, Unfit};
use crate::checkpoint::restored::Damaged;

impl RowStore {
    /// Rows as bytes, in the order named; nothing if none is named.
    ///
    /// # Panics
    /// If a row is not there.
    pub fn kept(&self, ids: &[RowId]) -> Vec<u8> {
        if ids.is_empty() {
            return Vec::new();
        }
        write(&self.gather(ids.iter()).as_batch())
    }

    /// Takes rows that were kept: (number, row among those kept). Numbers lie apart from all that are there.
    ///
    /// # Errors
    /// If the bytes are not rows of this store.
    pub fn restore(&mut self, kept: &[u8], mut rows: Vec<(RowId, u32)>) -> Result<(), Damaged> {
        if rows.is_empty() {
            return Ok(());
        }
        let all = Gathered::of_bytes(kept, self.columns.len()).ok_or(Damaged)?;
        if rows.iter().any(|&(_, row)| row as usize >= all.times.len()) {
            return Err(Damaged);
        }
        rows.sort_unstable_by_key(|&(id, _)| id);
        for rows in rows.chunks(SEGMENT_ROWS) {
            let picked: Vec<u32> = rows.iter().map(|&(_, row)| row).collect();
            let place = |row| Place { row, holds: 1 };
            let segment = Segment {
                ids: rows.iter().map(|&(id, _)| id).collect(),
                places: (0..rows.len() as u32).map(place).collect(),
                needed: rows.len(),
                rows: all.take(&picked),
            };
            self.put(rows[0].0, segment);
        }
        Ok(())
    }
}

/// Rows as bytes, with the columns that they have now; time, stamp and change stay.
///
/// # Errors
/// If something has no place in them, or the bytes are no rows.
pub fn with_columns(kept: &[u8], change: &ColumnsChange) -> Result<Vec<u8>, Unfit> {
    let no_rows = || Unfit("what is stored are no rows".to_owned());
    let batch = read(kept).ok_or_else(no_rows)?;
    let columns = change.arrays(batch.columns(), batch.num_rows())?;
    Ok(write(&numbered(columns)))
}

/// Columns that are called by their places.
fn numbered(columns: Vec<ArrayRef>) -> RecordBatch {
    let field = |(at, column): (usize, &ArrayRef)| {
        Field::new(at.to_string(), column.data_type().clone(), true)
    };
    let fields: Vec<Field> = columns.iter().enumerate().map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of the same rows")
}

fn write(rows: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = StreamWriter::try_new(&mut bytes, &rows.schema()).and_then(|mut writer| {
        writer.write(rows)?;
        writer.finish()
    });
    written.expect("rows are written to memory");
    bytes
}

/// The rows that stand in bytes; nothing if there are none.
pub fn read(bytes: &[u8]) -> Option<RecordBatch> {
    StreamReader::try_new(bytes, None).ok()?.next()?.ok()
}

impl Gathered {
    fn as_batch(&self) -> RecordBatch {
        let mut columns = self.columns.clone();
        columns.push(Arc::new(Int64Array::from(self.times.clone())));
        columns.push(Arc::new(Int64Array::from(self.stamps.clone())));
        if let Some(changes) = &self.changes {
            columns.push(Arc::new(UInt8Array::from(changes.clone())));
        }
        numbered(columns)
    }

    fn of_bytes(bytes: &[u8], columns: usize) -> Option<Self> {
        let batch = read(bytes)?;
        let (kept, more) = batch.columns().split_at_checked(columns)?;
        let words = |column: &ArrayRef| -> Option<Vec<i64>> {
            Some(column.as_primitive_opt::<Int64Type>()?.values().to_vec())
        };
        let (times, stamps, changes) = match more {
            [times, stamps] => (times, stamps, None),
            [times, stamps, changes] => {
                let changes = changes.as_primitive_opt::<UInt8Type>()?;
                (times, stamps, Some(changes.values().to_vec()))
            }
            _ => return None,
        };
        Some(Self {
            columns: kept.to_vec(),
            times: words(times)?,
            stamps: words(stamps)?,
            changes,
        })
    }

    fn take(&self, rows: &[u32]) -> Self {
        let indices = UInt32Array::from(rows.to_vec());
        let column = |column: &ArrayRef| {
            take(column, &indices, None).expect("rows that are named are there")
        };
        let of = |list: &[i64]| rows.iter().map(|&row| list[row as usize]).collect();
        let changes = self.changes.as_ref();
        Self {
            columns: self.columns.iter().map(column).collect(),
            times: of(&self.times),
            stamps: of(&self.stamps),
            changes: changes.map(|all| rows.iter().map(|&row| all[row as usize]).collect()),
        }
    }
}

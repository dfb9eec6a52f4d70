//! Columns being filled, row by row.
//!
//! A decoder first puts what it finds in a row into one [`Slot`] per column; only when the whole
//! row is good are the slots appended. So a bad row leaves nothing behind, and of a field given
//! twice the last one counts.

use std::sync::Arc;

use arrow_array::{
    BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use tidemill_rows::arrow_array::RecordBatchOptions;
use tidemill_rows::{ArrayRef, LogicalType, RecordBatch, SchemaRef};

use crate::ConnectorError;

/// What a row has for one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// Nothing.
    Missing,
    /// Null.
    Null,
    /// A bool (0 or 1), an integer, a time, or a float's bits.
    Word(u64),
    /// Bytes of the row itself.
    InRow {
        /// Their first.
        start: u32,
        /// How many.
        len: u32,
    },
    /// Bytes of the decoder's scratch: unescaped text, decoded base64.
    InScratch {
        /// Their first.
        start: u32,
        /// How many.
        len: u32,
    },
    /// Something that doesn't fit the column.
    Misfit {
        /// Where in the row it begins.
        at: u32,
        /// Why it doesn't fit.
        why: super::decode::Misfit,
    },
}

/// The values of a column so far.
enum Values {
    Bool(Vec<bool>),
    Words(Vec<i64>),
    Floats(Vec<f64>),
    Arena { ends: Vec<i32>, bytes: Vec<u8> },
}

struct Column {
    ty: LogicalType,
    values: Values,
    /// One per row once there is a null, empty until then.
    valid: Vec<bool>,
}

/// The columns of one chunk.
pub struct Columns {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
}

impl Columns {
    /// No rows yet.
    pub fn new(schema: SchemaRef) -> Self {
        let column = |ty: LogicalType| Column {
            ty,
            values: Values::empty(ty, 0),
            valid: Vec::new(),
        };
        let types = schema
            .fields()
            .iter()
            .map(|f| LogicalType::of(f.data_type()));
        Self {
            columns: types.map(column).collect(),
            schema,
            rows: 0,
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a row, whose slots are of the columns' types.
    ///
    /// # Panics
    /// If a slot is none of a value of its column's type, missing or null.
    pub fn push(&mut self, slots: &[Slot], row: &[u8], scratch: &[u8]) {
        for (column, slot) in self.columns.iter_mut().zip(slots) {
            column.push(*slot, row, scratch, self.rows);
        }
        self.rows += 1;
    }

    /// The rows so far as a batch; what stays is empty, with room for as many again.
    ///
    /// # Errors
    /// Internal only: if the columns do not make a batch of the schema.
    pub fn take(&mut self) -> Result<RecordBatch, ConnectorError> {
        let rows = std::mem::take(&mut self.rows);
        let internal = |e| ConnectorError::Internal(format!("decoded columns make no batch: {e}"));
        let arrays: Result<Vec<_>, _> = self.columns.iter_mut().map(|c| c.take(rows)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let arrays = arrays.map_err(internal)?;
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(internal)
    }
}

impl Column {
    #[inline]
    fn push(&mut self, slot: Slot, row: &[u8], scratch: &[u8], rows: usize) {
        if let (Values::Words(values), Slot::Word(word), true) =
            (&mut self.values, slot, self.valid.is_empty())
        {
            return values.push(word as i64);
        }
        let null = matches!(slot, Slot::Null | Slot::Missing);
        if null && self.valid.is_empty() {
            self.valid.resize(rows, true);
            self.valid.push(false);
        } else if null || !self.valid.is_empty() {
            self.valid.push(!null);
        }
        match (&mut self.values, slot) {
            (Values::Words(values), Slot::Word(word)) => values.push(word as i64),
            (Values::Floats(values), Slot::Word(word)) => values.push(f64::from_bits(word)),
            (Values::Bool(values), Slot::Word(word)) => values.push(word != 0),
            (Values::Arena { ends, bytes }, Slot::InRow { start, len }) => {
                append(ends, bytes, row, start, len);
            }
            (Values::Arena { ends, bytes }, Slot::InScratch { start, len }) => {
                append(ends, bytes, scratch, start, len);
            }
            (values, Slot::Null | Slot::Missing) => values.push_default(),
            (_, other) => panic!("{other:?} in a column of {}", self.ty),
        }
    }

    fn take(&mut self, rows: usize) -> Result<ArrayRef, arrow_schema::ArrowError> {
        let empty = Values::empty(self.ty, rows);
        let valid = std::mem::take(&mut self.valid);
        // A validity shorter than the rows cannot be: it is filled from the first null on.
        let nulls = (!valid.is_empty()).then(|| NullBuffer::new(BooleanBuffer::from(valid)));
        Ok(
            match (std::mem::replace(&mut self.values, empty), self.ty) {
                (Values::Bool(values), _) => {
                    Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
                }
                (Values::Words(values), LogicalType::Time) => Arc::new(
                    TimestampMicrosecondArray::new(ScalarBuffer::from(values), nulls)
                        .with_timezone("UTC"),
                ),
                (Values::Words(values), _) => {
                    Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls))
                }
                (Values::Floats(values), _) => {
                    Arc::new(Float64Array::new(ScalarBuffer::from(values), nulls))
                }
                (Values::Arena { ends, bytes }, ty) => {
                    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                    let bytes = Buffer::from_vec(bytes);
                    match ty {
                        LogicalType::Bytes => {
                            Arc::new(BinaryArray::try_new(offsets, bytes, nulls)?)
                        }
                        _ => Arc::new(StringArray::try_new(offsets, bytes, nulls)?),
                    }
                }
            },
        )
    }
}

/// Texts up to this are copied with one load and one store, where so much can be read.
const SHORT: usize = 32;

#[inline]
fn append(ends: &mut Vec<i32>, bytes: &mut Vec<u8>, from: &[u8], start: u32, len: u32) {
    let (start, len) = (start as usize, len as usize);
    match from[start..].first_chunk::<SHORT>() {
        Some(more) if len <= SHORT => {
            let end = bytes.len() + len;
            bytes.extend_from_slice(more);
            bytes.truncate(end);
        }
        _ => bytes.extend_from_slice(&from[start..start + len]),
    }
    // A chunk holds less than 2 GiB of text: lines and chunks are limited.
    ends.push(bytes.len() as i32);
}

impl Values {
    fn empty(ty: LogicalType, rows: usize) -> Self {
        match ty {
            LogicalType::Bool => Self::Bool(Vec::with_capacity(rows)),
            LogicalType::Integer | LogicalType::Time => Self::Words(Vec::with_capacity(rows)),
            LogicalType::Float => Self::Floats(Vec::with_capacity(rows)),
            LogicalType::Text | LogicalType::Bytes => {
                let mut ends = Vec::with_capacity(rows + 1);
                ends.push(0);
                Self::Arena {
                    ends,
                    bytes: Vec::new(),
                }
            }
        }
    }

    /// What stands under a null: 0 or nothing.
    fn push_default(&mut self) {
        match self {
            Self::Bool(values) => values.push(false),
            Self::Words(values) => values.push(0),
            Self::Floats(values) => values.push(0.0),
            Self::Arena { ends, bytes } => ends.push(bytes.len() as i32),
        }
    }
}

//! Arrow arrays to the boundary's columns, and back.
//!
//! On the way in, what has the same layout is lent (integers, times and floats without nulls; texts whose first offset
//! is 0) and only the rest is written into scratch that is kept from call to call: booleans (bits to bytes), validity,
//! columns with nulls (the value under a null must be 0 or empty). On the way back nothing is copied but booleans and
//! validity: the lists that the call returned become the arrays' buffers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ByteArrayType, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, GenericByteArray, PrimitiveArray, StringArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Field;
use tidemill_rows::LogicalType;

use crate::check;
use crate::wire::{Arena, ArenaRef, Column, ColumnRef, Table, Values, ValuesRef};

/// Space for what cannot be lent, one entry per column, kept between calls.
#[derive(Default)]
pub(crate) struct Scratch {
    columns: Vec<ScratchColumn>,
}

#[derive(Default)]
struct ScratchColumn {
    octets: Vec<u8>,
    words: Vec<i64>,
    floats: Vec<f64>,
    offsets: Vec<u32>,
    bytes: Vec<u8>,
    valid: Vec<u8>,
}

impl Scratch {
    /// The columns as a call takes them: borrowed from the arrays, or from this scratch.
    pub fn lend<'a>(&'a mut self, arrays: &'a [ArrayRef]) -> Vec<ColumnRef<'a>> {
        if self.columns.len() < arrays.len() {
            self.columns
                .resize_with(arrays.len(), ScratchColumn::default);
        }
        self.columns
            .iter_mut()
            .zip(arrays)
            .map(|(scratch, array)| scratch.lend(array))
            .collect()
    }
}

impl ScratchColumn {
    fn lend<'a>(&'a mut self, array: &'a ArrayRef) -> ColumnRef<'a> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let Self {
            octets,
            words,
            floats,
            offsets,
            bytes,
            valid,
        } = self;
        let values = match LogicalType::of(array.data_type()) {
            LogicalType::Bool => ValuesRef::Octets(booleans(array.as_boolean(), octets)),
            LogicalType::Integer => {
                ValuesRef::Words(numbers(array.as_primitive::<Int64Type>(), nulls, words))
            }
            LogicalType::Time => {
                let array = array.as_primitive::<TimestampMicrosecondType>();
                ValuesRef::Words(numbers(array, nulls, words))
            }
            LogicalType::Float => {
                ValuesRef::Floats(numbers(array.as_primitive::<Float64Type>(), nulls, floats))
            }
            LogicalType::Text => {
                ValuesRef::Arena(texts(array.as_string::<i32>(), nulls, offsets, bytes))
            }
            LogicalType::Bytes => {
                ValuesRef::Arena(texts(array.as_binary::<i32>(), nulls, offsets, bytes))
            }
        };
        ColumnRef {
            values,
            valid: nulls.map(|nulls| validity(nulls, valid)),
        }
    }
}

fn validity<'a>(nulls: &NullBuffer, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    scratch.clear();
    scratch.extend(nulls.iter().map(u8::from));
    scratch
}

fn booleans<'a>(array: &BooleanArray, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    scratch.clear();
    match array.nulls() {
        None => scratch.extend(array.values().iter().map(u8::from)),
        Some(nulls) => {
            scratch.extend(
                array
                    .values()
                    .iter()
                    .zip(nulls)
                    .map(|(b, valid)| u8::from(b & valid)),
            );
        }
    }
    scratch
}

fn numbers<'a, T: ArrowPrimitiveType>(
    array: &'a PrimitiveArray<T>,
    nulls: Option<&NullBuffer>,
    scratch: &'a mut Vec<T::Native>,
) -> &'a [T::Native] {
    let Some(nulls) = nulls else {
        return array.values();
    };
    scratch.clear();
    scratch.extend(
        array
            .values()
            .iter()
            .zip(nulls)
            .map(|(&value, valid)| if valid { value } else { T::Native::default() }),
    );
    scratch
}

fn texts<'a, T: ByteArrayType<Offset = i32>>(
    array: &'a GenericByteArray<T>,
    nulls: Option<&NullBuffer>,
    offsets: &'a mut Vec<u32>,
    bytes: &'a mut Vec<u8>,
) -> ArenaRef<'a> {
    let ends = array.value_offsets();
    let (first, last) = (ends[0], ends[array.len()]);
    let held = &array.value_data()[first as usize..last as usize];
    let Some(nulls) = nulls else {
        if first == 0 {
            // Offsets are never negative, so the same words are right without a sign.
            let same = array.offsets().inner().inner().typed_data::<u32>();
            return ArenaRef {
                offsets: same,
                bytes: held,
            };
        }
        offsets.clear();
        offsets.extend(ends.iter().map(|&end| (end - first) as u32));
        return ArenaRef {
            offsets,
            bytes: held,
        };
    };
    offsets.clear();
    bytes.clear();
    offsets.push(0);
    for (row, valid) in nulls.iter().enumerate() {
        if valid {
            let value: &[u8] = array.value(row).as_ref();
            bytes.extend_from_slice(value);
        }
        offsets.push(bytes.len() as u32);
    }
    ArenaRef { offsets, bytes }
}

/// An array of what a call returned.
///
/// The column must have been checked ([`crate::check::column`]) for this type: lengths, offsets and UTF-8 are trusted.
pub(crate) fn checked_to_arrow(column: Column, ty: LogicalType) -> ArrayRef {
    let nulls = column.valid.as_deref().and_then(null_buffer);
    match column.values {
        Values::Octets(octets) => {
            let bits = BooleanBuffer::collect_bool(octets.len(), |row| octets[row] != 0);
            Arc::new(BooleanArray::new(bits, nulls))
        }
        Values::Words(words) if ty == LogicalType::Time => {
            let array = TimestampMicrosecondArray::new(ScalarBuffer::from(words), nulls);
            Arc::new(array.with_data_type(ty.arrow()))
        }
        Values::Words(words) => Arc::new(PrimitiveArray::<Int64Type>::new(
            ScalarBuffer::from(words),
            nulls,
        )),
        Values::Floats(floats) => Arc::new(PrimitiveArray::<Float64Type>::new(
            ScalarBuffer::from(floats),
            nulls,
        )),
        Values::Arena(arena) => arena_to_arrow(arena, nulls, ty),
    }
}

fn arena_to_arrow(arena: Arena, nulls: Option<NullBuffer>, ty: LogicalType) -> ArrayRef {
    let entries = arena.offsets.len();
    let words = ScalarBuffer::<i32>::new(Buffer::from_vec(arena.offsets), 0, entries);
    // SAFETY: the check has seen that there is at least one offset, that the first is 0, that they ascend, and that the
    // last is the length of the bytes, which is below 2^31.
    let offsets = unsafe { OffsetBuffer::new_unchecked(words) };
    let bytes = Buffer::from_vec(arena.bytes);
    if ty == LogicalType::Text {
        // SAFETY: as above, and the check has seen that every value is UTF-8 by itself.
        Arc::new(unsafe { StringArray::new_unchecked(offsets, bytes, nulls) })
    } else {
        // SAFETY: as above.
        Arc::new(unsafe { BinaryArray::new_unchecked(offsets, bytes, nulls) })
    }
}

fn null_buffer(valid: &[u8]) -> Option<NullBuffer> {
    let bits = BooleanBuffer::collect_bool(valid.len(), |row| valid[row] != 0);
    Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
}

/// An array of a column of the declared field.
///
/// # Errors
/// If the column is malformed, or not of the field's type.
pub fn column_to_arrow(column: &Column, field: &Field, rows: usize) -> Result<ArrayRef, String> {
    check::column(column, field, rows).map_err(|e| format!("column {}: {e}", field.name()))?;
    Ok(checked_to_arrow(
        column.clone(),
        LogicalType::of(field.data_type()),
    ))
}

/// Arrays of a table of the declared fields, such as accumulators for a report.
///
/// # Errors
/// If a column is malformed, or not of its field's type.
pub fn table_to_arrow(table: &Table, fields: &[Field]) -> Result<Vec<ArrayRef>, String> {
    check::table("table", table, fields, table.rows as usize)?;
    let columns = table.columns.iter().zip(fields);
    columns
        .map(|(column, field)| column_to_arrow(column, field, table.rows as usize))
        .collect()
}

/// A table of `rows` rows with the values of the arrays.
pub fn table_from_arrow(arrays: &[ArrayRef], rows: usize) -> Table {
    let mut scratch = Scratch::default();
    let columns = scratch.lend(arrays).iter().map(owned).collect();
    Table {
        rows: rows as u32,
        columns,
    }
}

fn owned(column: &ColumnRef<'_>) -> Column {
    let values = match &column.values {
        ValuesRef::Octets(octets) => Values::Octets(octets.to_vec()),
        ValuesRef::Words(words) => Values::Words(words.to_vec()),
        ValuesRef::Floats(floats) => Values::Floats(floats.to_vec()),
        ValuesRef::Arena(ArenaRef { offsets, bytes }) => Values::Arena(Arena {
            offsets: offsets.to_vec(),
            bytes: bytes.to_vec(),
        }),
    };
    Column {
        values,
        valid: column.valid.map(<[u8]>::to_vec),
    }
}

//! Columns by their types, for whoever goes over the rows of a batch: what a type is is asked once per batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};

use crate::LogicalType;

/// A column by its type.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Bools.
    Bool(&'a BooleanArray),
    /// Integers.
    Integer(&'a Int64Array),
    /// Floats.
    Float(&'a Float64Array),
    /// Texts.
    Text(&'a StringArray),
    /// Bytes.
    Bytes(&'a BinaryArray),
    /// Times, in microseconds since 1970.
    Time(&'a TimestampMicrosecondArray),
}

impl<'a> Values<'a> {
    /// A column, which is of a logical type.
    pub fn of(column: &'a dyn Array) -> Self {
        match LogicalType::of(column.data_type()) {
            LogicalType::Bool => Self::Bool(column.as_boolean()),
            LogicalType::Integer => Self::Integer(column.as_primitive::<Int64Type>()),
            LogicalType::Float => Self::Float(column.as_primitive::<Float64Type>()),
            LogicalType::Text => Self::Text(column.as_string()),
            LogicalType::Bytes => Self::Bytes(column.as_binary()),
            LogicalType::Time => Self::Time(column.as_primitive::<TimestampMicrosecondType>()),
        }
    }

    /// Whether a row has nothing there.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bool(values) => values.is_null(row),
            Self::Integer(values) => values.is_null(row),
            Self::Float(values) => values.is_null(row),
            Self::Text(values) => values.is_null(row),
            Self::Bytes(values) => values.is_null(row),
            Self::Time(values) => values.is_null(row),
        }
    }
}

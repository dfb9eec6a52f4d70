//! Avro: records of a schema, in a file of the pipeline's or in a registry.
//!
//! - Columns are found by name in the writer's schema; a path leads through records. What the schema has not is missing.
//! - `integer` takes int and long, `float` these and float and double, `text` string and enum, `bytes` bytes, fixed and decimal,
//!   as it is written. `time` takes timestamps and dates by what they are, int and long by the column's `format`, and strings.
//! - A value is one datum: what is left behind it makes the row a bad row.
//!
//! Reasons are in `decisions/0033-avro-without-its-crate.md`.

pub(crate) mod plan;
mod reading;

use self::plan::Plan;
use self::reading::Reader;
use super::Refusal;
use super::planned::{self, PlannedDecoder};
use super::typed::Row;
use crate::ConnectorError;
use crate::format::{ColumnSpec, FileSchema};
use crate::registry::Registered;

/// A decoder of Avro.
pub type AvroDecoder = PlannedDecoder<Plan>;

impl planned::Plan for Plan {
    const KIND: [&'static str; 2] = ["Avro", "AVRO"];

    fn of_file(file: &FileSchema, columns: &[ColumnSpec]) -> Result<Self, ConnectorError> {
        let plan = Self::new(&file.read()?, &[], columns);
        plan.map_err(|why| file.refuse(&why))
    }

    fn of_registry(
        schema: &Registered,
        _place: &[u8],
        columns: &[ColumnSpec],
    ) -> Result<Self, String> {
        let references = schema.references.iter();
        let needed: Vec<&str> = references.map(|(_, text)| &text[..]).collect();
        Self::new(&schema.text, &needed, columns)
    }

    /// A schema is one type.
    #[inline]
    fn split_place(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
        Ok((&[], bytes))
    }

    #[inline]
    fn read(&self, value: &[u8], columns: &[ColumnSpec], row: &mut Row) -> Result<(), Refusal> {
        Reader::new(value, self, columns, row).all()
    }
}

#[cfg(test)]
mod tests;

//! What a slot can hold: a record that owns its values, or a single value.

use crate::Timestamp;
use crate::bindings::tidemill::operator::columns::{Column, Table};
use crate::record::Accumulator;
use crate::value::{ReadValue, Value, Writer};

/// What a slot of state can hold: a struct with `#[derive(Record, Clone)]` that owns its values, or
/// one `bool`, `i64`, `f64`, `String`, `Vec<u8>` or [`Timestamp`].
#[diagnostic::on_unimplemented(
    message = "a slot of state cannot hold `{Self}`",
    label = "not what a slot can hold",
    note = "write bool, i64, f64, String, Vec<u8>, Timestamp, or a struct with #[derive(Record, Clone)] \
            that owns its values"
)]
pub trait Entry: Clone + 'static {
    /// Columns that are being made.
    type Columns;

    /// Appends what `describe` says of the columns, as a JSON list.
    fn describe(json: &mut String);
    /// Empty columns with room for `rows` entries.
    fn with_rows(rows: usize) -> Self::Columns;
    /// Appends this entry.
    fn write(&self, columns: &mut Self::Columns);
    /// The finished columns.
    fn finish(columns: Self::Columns) -> Vec<Column>;
    /// The rows of a table; one without rows needs no columns.
    ///
    /// # Errors
    /// The table has other columns than declared.
    fn read(table: &Table) -> Result<Vec<Self>, String>;
}

impl<T: Accumulator + Clone + 'static> Entry for T {
    type Columns = T::Columns;

    fn describe(json: &mut String) {
        crate::record::describe_columns::<T>(json);
    }

    fn with_rows(rows: usize) -> Self::Columns {
        <T as crate::Record>::with_rows(rows)
    }

    #[inline(always)]
    fn write(&self, columns: &mut Self::Columns) {
        crate::Record::write(self, columns);
    }

    fn finish(columns: Self::Columns) -> Vec<Column> {
        <T as crate::Record>::finish(columns).columns
    }

    #[inline(always)]
    fn read(table: &Table) -> Result<Vec<Self>, String> {
        match table.rows {
            0 => Ok(Vec::new()),
            _ => crate::aggregate::decode(table),
        }
    }
}

/// The column of a slot that holds single values.
const COLUMN: &str = "value";

macro_rules! single {
    ($($value:ty),*) => {$(
        impl Entry for $value {
            type Columns = <$value as Value>::Writer;

            fn describe(json: &mut String) {
                *json += "[{\"name\":";
                crate::describe::text(json, COLUMN);
                *json += ",\"type\":";
                crate::describe::text(json, <$value as Value>::TYPE);
                *json += "}]";
            }

            fn with_rows(rows: usize) -> Self::Columns {
                Writer::with_rows(rows)
            }

            #[inline(always)]
            fn write(&self, columns: &mut Self::Columns) {
                Value::write(self, columns);
            }

            fn finish(columns: Self::Columns) -> Vec<Column> {
                vec![Writer::finish(columns)]
            }

            fn read(table: &Table) -> Result<Vec<Self>, String> {
                let rows = table.rows as usize;
                if rows == 0 {
                    return Ok(Vec::new());
                }
                let column = table.columns.first();
                let reader = column.and_then(|column| <$value as ReadValue<'_>>::open(column, rows));
                let reader = reader.ok_or("the host sent another column than the slot holds")?;
                // SAFETY: the reader was opened with this many rows.
                Ok((0..rows).map(|row| unsafe { <$value as ReadValue<'_>>::read(reader, row) }).collect())
            }
        }
    )*};
}

single!(bool, i64, f64, String, Vec<u8>, Timestamp);

/// Entries as the rows of a table.
pub fn table<'e, T: Entry>(entries: impl ExactSizeIterator<Item = &'e T>) -> Table {
    let rows = entries.len();
    let mut columns = T::with_rows(rows);
    entries.for_each(|entry| entry.write(&mut columns));
    Table {
        rows: rows as u32,
        columns: T::finish(columns),
    }
}

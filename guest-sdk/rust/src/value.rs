//! The types that a column can have, and how one value of each is read and written.
//!
//! A column is read where it lies: a [`ReadValue::Reader`] is resolved once per call, checks the
//! column's length there, and then gives each value with plain loads. Columns that a function makes
//! grow in a [`Writer`], which becomes the returned list without a copy.

mod arena;
#[cfg(feature = "encoded")]
pub mod encoded;
mod fixed;
mod option;

use crate::bindings::tidemill::operator::columns::Column;

pub use fixed::FixedWriter;

/// A type that a column can have.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold `{Self}`",
    label = "not the type of a column",
    note = "columns are bool, i64, f64, &str, String, &[u8], Vec<u8>, Timestamp, and Option of each",
    note = "an accumulator keeps any other serde type as bytes with #[record(encoded)]"
)]
pub trait Value {
    /// The logical type as `describe` names it, with `?` behind where null is allowed.
    const TYPE: &'static str;
    /// Collects values for a column.
    type Writer: Writer;

    /// Appends this value.
    fn write(&self, writer: &mut Self::Writer);
}

/// A [`Value`] that is not an `Option`.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold `Option<{Self}>`",
    label = "not the type of a column",
    note = "columns are bool, i64, f64, &str, String, &[u8], Vec<u8>, Timestamp, and Option of each"
)]
pub trait Plain: Value {
    /// The logical type where null is allowed.
    const NULLABLE: &'static str;

    /// Appends what stands under a null: 0 or empty.
    fn write_empty(writer: &mut Self::Writer);
}

/// A [`Value`] that can be read from columns that live for `'b`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a column",
    label = "cannot be read from a column",
    note = "columns are bool, i64, f64, &str, String, &[u8], Vec<u8>, Timestamp, and Option of each",
    note = "borrowed text and bytes take the lifetime of the struct: struct Payment<'a> {{ account: &'a str }}"
)]
pub trait ReadValue<'b>: Value {
    /// The column, resolved and checked to have at least as many values as rows are read from it.
    type Reader: Copy;

    /// Resolves a column of `rows` values. `None` if it has another layout or length.
    fn open(column: &'b Column, rows: usize) -> Option<Self::Reader>;

    /// Reads what was written so far.
    fn view(writer: &'b Self::Writer) -> Self::Reader;

    /// The value of row `row`.
    ///
    /// # Safety
    /// `row` is below the number of rows that the reader was opened with.
    unsafe fn read(reader: Self::Reader, row: usize) -> Self;
}

/// A column that is being made.
pub trait Writer {
    /// An empty column with room for `rows` values.
    fn with_rows(rows: usize) -> Self;
    /// Takes back all values from the one with this index on.
    fn truncate(&mut self, rows: usize);
    /// The finished column.
    fn finish(self) -> Column;
}

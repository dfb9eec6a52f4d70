//! Rows as structs: what `#[derive(Record)]` implements.

use crate::bindings::tidemill::operator::columns::{Batch, Column, Table};
use crate::change::Changes;
use crate::value::{ReadValue, Value};

/// A column that a record declares.
pub struct ColumnOf {
    /// The name in the schema.
    pub name: &'static str,
    /// The logical type, with `?` behind where null is allowed.
    pub logical: &'static str,
}

/// A struct whose fields are the columns of a row. Derived, never written by hand:
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Payment<'a> {
///     account: &'a str,
///     amount: f64,
///     #[record(name = "type")]
///     kind: Option<i64>,
///     #[record(event_time)]
///     at: Timestamp,
/// }
/// ```
///
/// Fields are `bool`, `i64`, `f64`, `&str` or `String`, `&[u8]` or `Vec<u8>`,
/// [`Timestamp`](crate::Timestamp), and `Option` of each, for columns that may be null. Columns are
/// found by name.
///
/// * `#[record(name = "…")]`: the column's name, where it differs from the field's.
/// * `#[record(event_time)]`: this `Timestamp` is the row's time, and no column. A row that comes
///   in shows its time there; a row that a transform makes is given it.
/// * `#[record(change)]`: this [`Change`](crate::Change) is what the row does to others, and no
///   column. A function whose rows have it declares that it takes rows that delete.
/// * `#[record(encoded)]`: any serde type, kept as bytes; for accumulators. Needs the feature
///   `encoded`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a record",
    label = "not a record",
    note = "a row is a struct of its columns: put #[derive(Record)] on it"
)]
pub trait Record {
    /// The declared columns, in order.
    const COLUMNS: &'static [ColumnOf];
    /// How rows of this type stand to the rows that caused them.
    const SHAPE: Shape = Shape::New;
    /// Whether rows say what they do to others.
    const CHANGES: bool = false;
    /// The same type whatever lifetime its texts have.
    type Family;
    /// Columns that are being made.
    type Columns;

    /// Empty columns with room for `rows` rows.
    fn with_rows(rows: usize) -> Self::Columns;
    /// Appends this row.
    fn write(&self, columns: &mut Self::Columns);
    /// Takes back all rows from the one with this index on.
    fn truncate(columns: &mut Self::Columns, rows: usize);
    /// The finished columns.
    fn finish(columns: Self::Columns) -> Made;
}

/// How the rows of an output stand to the rows that caused them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The row as it came, with all of its columns.
    Same,
    /// The row as it came, and the declared columns.
    Extended,
    /// The declared columns alone.
    New,
}

/// Finished columns, and the rows' times and changes where the record has them.
pub struct Made {
    /// One per declared column.
    pub columns: Vec<Column>,
    /// Microseconds since the Unix epoch, one per row.
    pub times: Option<Vec<i64>>,
    /// What each row does, as the interface says it.
    pub changes: Option<Vec<u8>>,
}

/// A [`Record`] that can be read from rows that live for `'b`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from rows",
    label = "not a record that can be read",
    note = "a row is a struct of its columns: put #[derive(Record)] on it",
    note = "its texts are `&'a str` with the struct's lifetime or `String`: a `&'static str` can only be written"
)]
pub trait FromRow<'b>: Record + Sized {
    /// The columns, resolved.
    type Reader: Copy;

    /// Resolves the columns.
    ///
    /// # Errors
    /// The rows have other columns than declared.
    fn open(rows: Rows<'b>) -> Result<Self::Reader, String>;

    /// Reads what was written so far.
    fn view(columns: &'b Self::Columns) -> Self::Reader;

    /// The row with index `row`.
    ///
    /// # Safety
    /// `row` is below the number of rows that the reader was opened with.
    unsafe fn read(reader: &Self::Reader, row: usize) -> Self;
}

/// A [`Record`] of columns alone: without `#[record(event_time)]` and `#[record(change)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has an event time or a change of its own, which has no meaning here",
    label = "has a field with #[record(event_time)] or #[record(change)], or is not a record",
    note = "accumulators and keys have neither; the host gives results of windows theirs"
)]
pub trait Bare: Record {}

/// A [`Record`] that owns its values, and so can be kept between calls.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an accumulator or kept as state",
    label = "cannot be kept",
    note = "what is kept is a struct without a lifetime that owns its values (`String`, not `&str`): \
            #[derive(Record, Default)]"
)]
pub trait Accumulator: Bare + for<'b> FromRow<'b> {
    /// Makes this a copy of `other`, reusing what it holds.
    fn copy_from(&mut self, other: &Self);
}

/// The rows of a call: columns with or without times and changes.
#[derive(Clone, Copy)]
pub struct Rows<'b> {
    rows: usize,
    times: &'b [i64],
    changes: Option<&'b [u8]>,
    columns: &'b [Column],
}

impl<'b> Rows<'b> {
    /// The column with this index.
    ///
    /// # Errors
    /// It is not there, or has another layout or length.
    pub fn column<T: ReadValue<'b>>(&self, index: usize) -> Result<T::Reader, String> {
        match self
            .columns
            .get(index)
            .and_then(|column| T::open(column, self.rows))
        {
            Some(reader) => Ok(reader),
            None => Err(misfit(index, T::TYPE)),
        }
    }

    /// The rows' times.
    ///
    /// # Errors
    /// There are fewer than rows.
    pub fn times(&self) -> Result<&'b [i64], String> {
        self.times
            .get(..self.rows)
            .ok_or_else(|| "the host sent fewer times than rows".to_owned())
    }

    /// What each row does to others.
    ///
    /// # Errors
    /// There are fewer than rows.
    pub fn changes(&self) -> Result<Changes<'b>, String> {
        Changes::open(self.changes, self.rows)
    }
}

#[cold]
fn misfit(index: usize, logical: &str) -> String {
    crate::describe::joined(&[
        "the host sent other columns than declared: expected a whole column of type ",
        logical,
        " at index ",
        &index.to_string(),
    ])
}

impl<'b> From<&'b Batch> for Rows<'b> {
    fn from(batch: &'b Batch) -> Self {
        Self {
            rows: batch.rows as usize,
            times: &batch.times,
            changes: batch.changes.as_deref(),
            columns: &batch.columns,
        }
    }
}

impl<'b> From<&'b Table> for Rows<'b> {
    fn from(table: &'b Table) -> Self {
        Self {
            rows: table.rows as usize,
            times: &[],
            changes: None,
            columns: &table.columns,
        }
    }
}

/// Appends what `describe` says of the columns of `T`, as a JSON list.
pub fn describe_columns<T: Record>(json: &mut String) {
    crate::describe::list(json, T::COLUMNS, |json, column| {
        *json += "{\"name\":";
        crate::describe::text(json, column.name);
        *json += ",\"type\":";
        crate::describe::text(json, column.logical);
        json.push('}');
    });
}

/// The type of a column that `T` can be, for the derive.
pub const fn column<T: Value>(name: &'static str) -> ColumnOf {
    ColumnOf {
        name,
        logical: T::TYPE,
    }
}

/// Appends what `describe` says of the rows that a function takes.
pub fn describe_input<R: Record>(json: &mut String) {
    crate::describe::member(json, "input", describe_columns::<R>);
    if R::CHANGES {
        crate::describe::member(json, "changes", |json| *json += "true");
    }
}

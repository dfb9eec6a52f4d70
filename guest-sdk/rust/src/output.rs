//! What functions give back: rows for the main output and for side outputs.

use crate::bindings::tidemill::operator::columns::Column;
use crate::bindings::tidemill::operator::outcome::{Emitted, Produced};
use crate::record::{Accumulator, Bare, ColumnOf, FromRow, Made, Record, Shape};

/// An output that takes rows of type `T`: a record, [`Extended`] or [`Same`].
///
/// In a unit test make one with `Output::default()`, and read what was pushed with
/// [`rows`](Self::rows):
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record, Debug, PartialEq)]
/// struct Word<'a> { word: &'a str }
///
/// let mut out = Output::<Word>::default();
/// "high tide".split(' ').for_each(|word| out.push(Word { word }));
/// assert_eq!(out.rows::<Word>(), [Word { word: "high" }, Word { word: "tide" }]);
/// ```
pub struct Output<T: Record> {
    columns: T::Columns,
    origins: Vec<u32>,
    /// The row that is being served, and how many rows there were before it.
    row: u32,
    before: usize,
}

impl<T: Record> Output<T> {
    /// An output with room for `rows` rows.
    pub(crate) fn with_rows(rows: usize) -> Self {
        Self {
            columns: T::with_rows(rows),
            origins: Vec::with_capacity(rows),
            row: 0,
            before: 0,
        }
    }

    /// Gives a row to this output. The row is copied, so its texts may be those of the row that
    /// came in.
    #[inline(always)]
    pub fn push<R>(&mut self, row: R)
    where
        R: Record<Family = T::Family, Columns = T::Columns>,
    {
        row.write(&mut self.columns);
        self.origins.push(self.row);
    }

    /// How many rows were given to this output.
    pub fn len(&self) -> usize {
        self.origins.len()
    }

    /// Whether no row was given to this output.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The rows that were given to this output, for unit tests.
    pub fn rows<'b, R>(&'b self) -> Vec<R>
    where
        R: FromRow<'b, Family = T::Family, Columns = T::Columns>,
    {
        let reader = R::view(&self.columns);
        // SAFETY: every row that is counted was written.
        (0..self.len())
            .map(|row| unsafe { R::read(&reader, row) })
            .collect()
    }

    /// From now on rows are caused by row `row` of the call.
    #[inline(always)]
    pub(crate) fn begin(&mut self, row: usize) {
        self.row = row as u32;
        self.before = self.origins.len();
    }

    /// Takes back what the current row has caused.
    #[cold]
    pub(crate) fn undo(&mut self) {
        self.origins.truncate(self.before);
        T::truncate(&mut self.columns, self.before);
    }

    /// Hands the rows over, unless there are none.
    pub(crate) fn emit(self, target: u32, emitted: &mut Vec<Emitted>) {
        if self.origins.is_empty() {
            return;
        }
        let Made {
            columns,
            times,
            changes,
        } = T::finish(self.columns);
        let columns = columns.into_iter().map(Produced::Made).collect();
        emitted.push(Emitted {
            target,
            origins: self.origins,
            times,
            changes,
            columns,
        });
    }
}

impl<T: Record> Default for Output<T> {
    fn default() -> Self {
        Self::with_rows(0)
    }
}

/// The row as it came, with all of its columns, also those that the function does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Same;

impl Record for Same {
    const COLUMNS: &'static [ColumnOf] = &[];
    const SHAPE: Shape = Shape::Same;
    type Family = Self;
    type Columns = ();

    fn with_rows(_rows: usize) -> Self::Columns {}
    #[inline(always)]
    fn write(&self, _columns: &mut Self::Columns) {}
    fn truncate(_columns: &mut Self::Columns, _rows: usize) {}
    fn finish(_columns: Self::Columns) -> Made {
        Made {
            columns: Vec::<Column>::new(),
            times: None,
            changes: None,
        }
    }
}

impl<'b> FromRow<'b> for Same {
    type Reader = ();

    fn open(_rows: crate::record::Rows<'b>) -> Result<Self::Reader, String> {
        Ok(())
    }
    fn view(_columns: &'b Self::Columns) -> Self::Reader {}
    unsafe fn read(_reader: &Self::Reader, _row: usize) -> Self {
        Self
    }
}

/// The row as it came, with all of its columns, and those of the record `T` added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extended<T>(pub T);

impl<T: Record> Record for Extended<T> {
    const COLUMNS: &'static [ColumnOf] = T::COLUMNS;
    const SHAPE: Shape = Shape::Extended;
    const CHANGES: bool = T::CHANGES;
    type Family = Extended<T::Family>;
    type Columns = T::Columns;

    fn with_rows(rows: usize) -> Self::Columns {
        T::with_rows(rows)
    }
    #[inline(always)]
    fn write(&self, columns: &mut Self::Columns) {
        self.0.write(columns);
    }
    fn truncate(columns: &mut Self::Columns, rows: usize) {
        T::truncate(columns, rows);
    }
    fn finish(columns: Self::Columns) -> Made {
        T::finish(columns)
    }
}

impl<'b, T: FromRow<'b>> FromRow<'b> for Extended<T>
where
    T::Columns: 'b,
{
    type Reader = T::Reader;

    fn open(rows: crate::record::Rows<'b>) -> Result<Self::Reader, String> {
        T::open(rows)
    }
    fn view(columns: &'b Self::Columns) -> Self::Reader {
        T::view(columns)
    }
    #[inline(always)]
    unsafe fn read(reader: &Self::Reader, row: usize) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { T::read(reader, row) })
    }
}

/// The side outputs of a transform: a struct of [`Output`]s. Derived, never written by hand:
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Payment { amount: f64 }
///
/// #[derive(Sides)]
/// struct Sides {
///     suspicious: Output<Same>,
/// }
///
/// #[derive(Config)]
/// struct Screen { limit: f64 }
///
/// #[transform]
/// impl Screen {
///     fn filter(&self, payment: Payment, sides: &mut Sides) -> bool {
///         if payment.amount > self.limit {
///             sides.suspicious.push(Same);
///         }
///         payment.amount > 0.0
///     }
/// }
///
/// let mut sides = Sides::default();
/// assert!(Screen { limit: 10.0 }.filter(Payment { amount: 11.0 }, &mut sides));
/// assert_eq!(sides.suspicious.len(), 1);
/// ```
///
/// Each field is a side output with the field's name, `operator.suspicious` in the pipeline file.
/// The derive also implements `Default`, for unit tests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name side outputs",
    label = "not a struct of side outputs",
    note = "side outputs are a struct of `Output<…>` fields with #[derive(Sides)]"
)]
pub trait Sides: Sized {
    /// Whether rows of one of them say what they do to others.
    const CHANGES: bool;

    /// Appends what `describe` says of them: a JSON list.
    fn describe(json: &mut String);
    /// Outputs with room for `rows` rows each.
    fn with_rows(rows: usize) -> Self;
    /// From now on rows are caused by row `row` of the call.
    fn begin(&mut self, row: usize);
    /// Takes back what the current row has caused.
    fn undo(&mut self);
    /// Hands the rows over.
    fn emit(self, emitted: &mut Vec<Emitted>);
}

/// What the derive of [`Sides`] calls for each of its fields.
#[diagnostic::on_unimplemented(
    message = "a side output cannot be `{Self}`",
    label = "not an output",
    note = "write `Output<T>`, T being a record, `Extended<…>` or `Same`"
)]
pub trait Side: Sized {
    /// Whether its rows say what they do to others.
    const CHANGES: bool;

    /// Appends what `describe` says of it.
    fn describe(name: &str, json: &mut String);
    /// An output with room for `rows` rows.
    fn side_with_rows(rows: usize) -> Self;
    /// From now on rows are caused by row `row` of the call.
    fn side_begin(&mut self, row: usize);
    /// Takes back what the current row has caused.
    fn side_undo(&mut self);
    /// Hands the rows over.
    fn side_emit(self, target: u32, emitted: &mut Vec<Emitted>);
}

impl<T: Record> Side for Output<T> {
    const CHANGES: bool = T::CHANGES;

    fn describe(name: &str, json: &mut String) {
        *json += "{\"name\":";
        crate::describe::text(json, name);
        *json += ",\"output\":";
        describe_output::<T>(json);
        json.push('}');
    }
    fn side_with_rows(rows: usize) -> Self {
        Self::with_rows(rows)
    }
    #[inline(always)]
    fn side_begin(&mut self, row: usize) {
        self.begin(row);
    }
    fn side_undo(&mut self) {
        self.undo();
    }
    fn side_emit(self, target: u32, emitted: &mut Vec<Emitted>) {
        self.emit(target, emitted);
    }
}

/// A transform without side outputs.
pub struct NoSides;

impl Sides for NoSides {
    const CHANGES: bool = false;

    fn describe(json: &mut String) {
        *json += "[]";
    }
    fn with_rows(_rows: usize) -> Self {
        Self
    }
    #[inline(always)]
    fn begin(&mut self, _row: usize) {}
    fn undo(&mut self) {}
    fn emit(self, _emitted: &mut Vec<Emitted>) {}
}

/// Appends what `describe` says of an output of rows of type `T`.
pub fn describe_output<T: Record>(json: &mut String) {
    match T::SHAPE {
        Shape::Same => *json += "\"same\"",
        Shape::Extended => described(json, "{\"extended\":", crate::record::describe_columns::<T>),
        Shape::New => described(json, "{\"new\":", crate::record::describe_columns::<T>),
    }
}

/// Refuses, when the module is compiled, outputs that say what their rows do of rows that do not: rows that delete would come
/// in unseen.
pub const fn made_by_rows<R: Record, O: Record, S: Sides>() {
    const {
        assert!(
            R::CHANGES || !(O::CHANGES || S::CHANGES),
            "an output says what its rows do to others, so the rows that come in must be asked too: give theirs a field with #[record(change)]"
        );
    }
}

/// Refuses, when the module is compiled, a row that says what it does where no such row comes.
pub const fn only_inserts<R: Record>() {
    const {
        assert!(
            !R::CHANGES,
            "how far time has come does not depend on what a row does to others: leave the field with #[record(change)] out"
        );
    }
}

/// Refuses, when the module is compiled, an output that timers cannot give rows to.
pub const fn made_by_timers<T: Record>() {
    const {
        assert!(
            matches!(T::SHAPE, Shape::New),
            "a timer has no row that could go on: give `Output` a record of its own, and rows that go on a side output"
        );
    }
}

fn described(json: &mut String, before: &str, columns: fn(&mut String)) {
    *json += before;
    columns(json);
    json.push('}');
}

/// The key of a function that does not ask for it, and the state of one that has none.
#[derive(Default)]
pub struct NoKey;

impl Accumulator for NoKey {
    fn copy_from(&mut self, _other: &Self) {}
}

impl Record for NoKey {
    const COLUMNS: &'static [ColumnOf] = &[];
    type Family = Self;
    type Columns = ();

    fn with_rows(_rows: usize) -> Self::Columns {}
    fn write(&self, _columns: &mut Self::Columns) {}
    fn truncate(_columns: &mut Self::Columns, _rows: usize) {}
    fn finish(_columns: Self::Columns) -> Made {
        Made {
            columns: Vec::new(),
            times: None,
            changes: None,
        }
    }
}

impl Bare for NoKey {}

impl<'b> FromRow<'b> for NoKey {
    type Reader = ();

    fn open(_rows: crate::record::Rows<'b>) -> Result<Self::Reader, String> {
        Ok(())
    }
    fn view(_columns: &'b Self::Columns) -> Self::Reader {}
    unsafe fn read(_reader: &Self::Reader, _row: usize) -> Self {
        Self
    }
}

//! How columns that were kept become those that are kept now: by name, where that is possible without guessing.
//!
//! | what has changed | what becomes of it |
//! |---|---|
//! | the order | nothing: columns are known by name |
//! | a column is new | it is null, or has what the function's `create` gives; refused where it has neither |
//! | an integer is a float now | the float of the same value; refused where there is none |
//! | a column may be null now | nothing |
//! | a column is gone | refused, unless a person has named it |
//! | anything else | refused |

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow_schema::{Field, Schema};
use tidemill_rows::LogicalType;
use tidemill_wasm::{Arena, Column, Table, Values};

/// A column, as a manifest says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: LogicalType,
    /// Whether it may hold nulls.
    pub nullable: bool,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The column that stood at this place.
    Was(usize),
    /// That one, whose integers are floats now.
    Widened(usize),
    /// None: it is new.
    New,
}

/// What new columns hold in rows that were kept before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum New {
    /// Null, so that they must be able to be.
    Null,
    /// What the function's `create` gives for no rows.
    Fresh,
}

/// How the columns of one table become those that it has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnsChange {
    /// The columns that were.
    pub was: Vec<Named>,
    /// For each column that is now, where its values come from.
    pub from: Vec<From>,
    /// The columns that are now.
    pub now: Vec<Named>,
}

impl Named {
    /// As a manifest says it: `total: float?`.
    pub fn word(&self) -> String {
        let mark = if self.nullable { "?" } else { "" };
        format!("{}: {}{mark}", self.name, self.ty.name())
    }

    /// The inverse; nothing if it is of a type that is not known.
    pub fn read(word: &str) -> Option<Self> {
        let (name, ty) = word.rsplit_once(": ")?;
        let nullable = ty.ends_with('?');
        Some(Self {
            name: name.to_owned(),
            ty: LogicalType::from_name(ty.trim_end_matches('?'))?,
            nullable,
        })
    }

    fn ty_word(&self) -> String {
        let mark = if self.nullable { "?" } else { "" };
        format!("{}{mark}", self.ty.name())
    }
}

impl std::convert::From<&Field> for Named {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name().clone(),
            ty: LogicalType::of(field.data_type()),
            nullable: field.is_nullable(),
        }
    }
}

/// What is found between columns that were and those that are.
#[derive(Debug, Default)]
pub struct Compared {
    /// Why the one cannot become the other.
    pub refused: Vec<String>,
    /// What is worth saying of how it does.
    pub notes: Vec<String>,
    /// How it does; nothing if they are the same.
    pub change: Option<ColumnsChange>,
}

/// Compares columns: `of` says whose they are (`its accumulator`); of those that are gone, `drop` says whether that is meant.
pub fn compare(
    (was, now): (Vec<Named>, Vec<Named>),
    of: &str,
    new: New,
    drop: &mut dyn FnMut(&str) -> bool,
) -> Compared {
    let mut compared = Compared::default();
    if was == now {
        return compared;
    }
    let mut from = Vec::new();
    for column in &now {
        let place = was.iter().position(|old| old.name == column.name);
        let Some(place) = place else {
            from.push(From::New);
            compared.say_of_new(column, of, new);
            continue;
        };
        let old = &was[place];
        let widened = (old.ty, column.ty) == (LogicalType::Integer, LogicalType::Float);
        from.push(match widened {
            true => From::Widened(place),
            false => From::Was(place),
        });
        let fits = (old.ty == column.ty || widened) && (column.nullable || !old.nullable);
        if !fits {
            compared.refused.push(format!(
                "column `{}` of {of} was {} and is {} now",
                column.name,
                old.ty_word(),
                column.ty_word()
            ));
        }
    }
    for old in &was {
        let gone = now.iter().all(|column| column.name != old.name);
        if gone && !drop(&old.name) {
            compared.refused.push(format!(
                "column `{}` of {of} is gone, and holds something",
                old.name
            ));
        } else if gone {
            compared
                .notes
                .push(format!("column `{}` of {of} is dropped", old.name));
        }
    }
    compared.change = Some(ColumnsChange { was, from, now });
    compared
}

impl Compared {
    fn say_of_new(&mut self, column: &Named, of: &str, new: New) {
        let name = &column.name;
        match new {
            New::Fresh => self.notes.push(format!(
                "column `{name}` of {of} is new: what is kept begins with what `create` gives"
            )),
            New::Null if column.nullable => self.notes.push(format!(
                "column `{name}` of {of} is new, and null in what is kept"
            )),
            New::Null => self.refused.push(format!(
                "column `{name}` of {of} is new, and what is kept has no value for it: make it `{}?`",
                column.ty.name()
            )),
        }
    }
}

/// A column whose integers have no float of the same value, or that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

impl ColumnsChange {
    /// The same rows with the columns that are now. `fresh` is one row with what new ones hold.
    ///
    /// # Errors
    /// If an integer has no float of the same value, or the table has not the columns that were.
    pub fn table(&self, mut was: Table, fresh: Option<&Table>) -> Result<Table, Unfit> {
        if was.rows == 0 && was.columns.is_empty() {
            return Ok(was);
        }
        if was.columns.len() != self.was.len() {
            return Err(Unfit("it has other columns than it says".to_owned()));
        }
        let rows = was.rows as usize;
        let mut columns = Vec::new();
        for (i, from) in self.from.iter().enumerate() {
            columns.push(match *from {
                From::Was(at) => std::mem::replace(&mut was.columns[at], nothing()),
                From::Widened(at) => self.widened(at, &was.columns[at])?,
                From::New => match fresh.and_then(|fresh| fresh.columns.get(i)) {
                    Some(fresh) => repeated(fresh, rows),
                    None => nulls(self.now[i].ty, rows),
                },
            });
        }
        Ok(Table {
            rows: was.rows,
            columns,
        })
    }

    /// The same for Arrow columns; those behind the columns that were are left as they are.
    ///
    /// # Errors
    /// As [`ColumnsChange::table`].
    pub fn arrays(&self, was: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>, Unfit> {
        let Some((was, more)) = was.split_at_checked(self.was.len()) else {
            return Err(Unfit("it has other columns than it says".to_owned()));
        };
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (i, from) in self.from.iter().enumerate() {
            columns.push(match *from {
                From::Was(at) => was[at].clone(),
                From::Widened(at) => {
                    let integers = was[at].as_primitive_opt::<Int64Type>();
                    let integers = integers.ok_or_else(|| self.other_type(at))?;
                    let floats = integers.iter().map(|value| match value {
                        Some(value) => self.float(at, value).map(Some),
                        None => Ok(None),
                    });
                    Arc::new(floats.collect::<Result<Float64Array, Unfit>>()?)
                }
                From::New => new_null_array(&self.now[i].ty.arrow(), rows),
            });
        }
        columns.extend(more.iter().cloned());
        Ok(columns)
    }

    fn other_type(&self, at: usize) -> Unfit {
        Unfit(format!("column `{}` holds no integers", self.was[at].name))
    }

    fn float(&self, at: usize, value: i64) -> Result<f64, Unfit> {
        let float = value as f64;
        match float as i128 == i128::from(value) {
            true => Ok(float),
            false => Err(Unfit(format!(
                "column `{}` holds {value}, which no float is equal to",
                self.was[at].name
            ))),
        }
    }

    fn widened(&self, at: usize, column: &Column) -> Result<Column, Unfit> {
        let Values::Words(words) = &column.values else {
            return Err(self.other_type(at));
        };
        let floats = words.iter().map(|&value| self.float(at, value));
        Ok(Column {
            values: Values::Floats(floats.collect::<Result<_, _>>()?),
            valid: column.valid.clone(),
        })
    }
}

/// A table of physical columns as a batch with these names and types; nothing if it has others.
pub fn arrow(named: &[Named], table: &Table) -> Option<RecordBatch> {
    if named.len() != table.columns.len() || named.is_empty() {
        return None;
    }
    let fields = named
        .iter()
        .map(|one| one.ty.field(one.name.as_str(), true));
    let columns = named.iter().zip(&table.columns);
    let columns = columns.map(|(one, column)| array(one.ty, column));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.collect::<Option<_>>()?).ok()
}

fn array(ty: LogicalType, column: &Column) -> Option<ArrayRef> {
    let valid = |row: usize| column.valid.as_ref().is_none_or(|valid| valid[row] != 0);
    let valued = |rows: usize| (0..rows).map(valid);
    Some(match (ty, &column.values) {
        (LogicalType::Bool, Values::Octets(v)) => {
            let values = valued(v.len())
                .zip(v)
                .map(|(valid, v)| valid.then_some(*v != 0));
            Arc::new(values.collect::<BooleanArray>())
        }
        (LogicalType::Integer, Values::Words(v)) => {
            let values = valued(v.len()).zip(v).map(|(valid, v)| valid.then_some(*v));
            Arc::new(values.collect::<Int64Array>())
        }
        (LogicalType::Time, Values::Words(v)) => {
            let values = valued(v.len()).zip(v).map(|(valid, v)| valid.then_some(*v));
            let times = values.collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_data_type(ty.arrow()))
        }
        (LogicalType::Float, Values::Floats(v)) => {
            let values = valued(v.len()).zip(v).map(|(valid, v)| valid.then_some(*v));
            Arc::new(values.collect::<Float64Array>())
        }
        (LogicalType::Text, Values::Arena(arena)) => {
            let texts = slices(arena).map(|bytes| std::str::from_utf8(bytes).ok());
            let texts: Vec<&str> = texts.collect::<Option<_>>()?;
            let values = valued(texts.len())
                .zip(texts)
                .map(|(valid, v)| valid.then_some(v));
            Arc::new(values.collect::<StringArray>())
        }
        (LogicalType::Bytes, Values::Arena(arena)) => {
            let rows = arena.offsets.len().saturating_sub(1);
            let values = valued(rows)
                .zip(slices(arena))
                .map(|(valid, v)| valid.then_some(v));
            Arc::new(values.collect::<BinaryArray>())
        }
        _ => return None,
    })
}

fn slices(arena: &Arena) -> impl Iterator<Item = &[u8]> {
    let range = |pair: &[u32]| pair[0] as usize..pair[1] as usize;
    let slices = arena.offsets.windows(2).map(range);
    slices.map(|range| arena.bytes.get(range).unwrap_or_default())
}

fn nothing() -> Column {
    Column {
        values: Values::Octets(Vec::new()),
        valid: None,
    }
}

/// The one value of a column, so many times.
fn repeated(one: &Column, rows: usize) -> Column {
    let table = Table {
        rows: 1,
        columns: vec![one.clone()],
    };
    let mut many = table.gather(&vec![0; rows]);
    many.columns.pop().unwrap_or_else(nothing)
}

fn nulls(ty: LogicalType, rows: usize) -> Column {
    Column {
        values: match ty {
            LogicalType::Bool => Values::Octets(vec![0; rows]),
            LogicalType::Integer | LogicalType::Time => Values::Words(vec![0; rows]),
            LogicalType::Float => Values::Floats(vec![0.0; rows]),
            LogicalType::Text | LogicalType::Bytes => Values::Arena(Arena {
                offsets: vec![0; rows + 1],
                bytes: Vec::new(),
            }),
        },
        valid: Some(vec![0; rows]),
    }
}

#[cfg(test)]
mod tests;

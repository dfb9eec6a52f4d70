//! Values of a fixed size: bool, integer, float, time.

use super::{Plain, ReadValue, Value, Writer};
use crate::Timestamp;
use crate::bindings::tidemill::operator::columns::{Column, Values};

/// A column of numbers that is being made.
pub struct FixedWriter<T>(Vec<T>);

/// What a list of the interface can hold.
pub trait Word: Copy {
    /// The column's values, if the layout is this one's.
    fn list(values: &Values) -> Option<&[Self]>
    where
        Self: Sized;
    /// A column's values of this layout.
    fn values(list: Vec<Self>) -> Values
    where
        Self: Sized;
}

macro_rules! word {
    ($word:ty, $layout:ident) => {
        impl Word for $word {
            fn list(values: &Values) -> Option<&[Self]> {
                match values {
                    Values::$layout(list) => Some(list),
                    _ => None,
                }
            }

            fn values(list: Vec<Self>) -> Values {
                Values::$layout(list)
            }
        }
    };
}

word!(u8, Octets);
word!(i64, Words);
word!(f64, Floats);

impl<T: Word> Writer for FixedWriter<T> {
    fn with_rows(rows: usize) -> Self {
        Self(Vec::with_capacity(rows))
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows);
    }

    fn finish(self) -> Column {
        Column {
            values: T::values(self.0),
            valid: None,
        }
    }
}

/// The plain list, for what is not a column: event times, and what rows do.
impl<T> FixedWriter<T> {
    /// Appends a value.
    #[inline(always)]
    pub fn push(&mut self, value: T) {
        self.0.push(value);
    }

    /// What was written so far.
    pub fn list(&self) -> &[T] {
        &self.0
    }

    /// All that was written.
    pub fn into_list(self) -> Vec<T> {
        self.0
    }
}

macro_rules! fixed {
    ($value:ty, $word:ty, $name:literal, $to:expr, $from:expr) => {
        impl Value for $value {
            const TYPE: &'static str = $name;
            type Writer = FixedWriter<$word>;

            #[inline(always)]
            fn write(&self, writer: &mut Self::Writer) {
                let to: fn(&$value) -> $word = $to;
                writer.0.push(to(self));
            }
        }

        impl Plain for $value {
            const NULLABLE: &'static str = concat!($name, "?");

            #[inline(always)]
            fn write_empty(writer: &mut Self::Writer) {
                writer.0.push(<$word>::default());
            }
        }

        impl<'b> ReadValue<'b> for $value {
            type Reader = &'b [$word];

            fn open(column: &'b Column, rows: usize) -> Option<Self::Reader> {
                <$word>::list(&column.values)?.get(..rows)
            }

            fn view(writer: &'b Self::Writer) -> Self::Reader {
                &writer.0
            }

            #[inline(always)]
            unsafe fn read(reader: Self::Reader, row: usize) -> Self {
                let from: fn($word) -> $value = $from;
                // SAFETY: the caller's: `open` has checked that there are as many words as rows.
                from(unsafe { *reader.get_unchecked(row) })
            }
        }
    };
}

fixed!(bool, u8, "bool", |value| u8::from(*value), |word| word != 0);
fixed!(i64, i64, "integer", |value| *value, |word| word);
fixed!(f64, f64, "float", |value| *value, |word| word);
fixed!(
    Timestamp,
    i64,
    "time",
    |value| value.micros(),
    Timestamp::from_micros
);

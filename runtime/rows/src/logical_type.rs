//! What a column means. Six types, the same words in pipeline files, in `describe` and in scenarios.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};

/// The meaning of a column. Nullability is the field's, written as a `?` behind the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogicalType {
    /// True or false.
    Bool,
    /// Signed 64-bit integer.
    Integer,
    /// IEEE 754 double.
    Float,
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Bytes,
    /// A moment in UTC, in microseconds since the Unix epoch.
    Time,
}

impl LogicalType {
    /// All types, in the order in which messages list them.
    pub const ALL: [Self; 6] = [
        Self::Bool,
        Self::Integer,
        Self::Float,
        Self::Text,
        Self::Bytes,
        Self::Time,
    ];

    /// The type's word: `bool`, `integer`, `float`, `text`, `bytes`, `time`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Time => "time",
        }
    }

    /// The type of a word, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// The Arrow type that holds it in a batch.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
        }
    }

    /// The logical type of an Arrow column of a batch.
    ///
    /// # Panics
    /// If the column is of none of the six types: batches are only made with [`LogicalType::arrow`].
    pub fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Bool,
            DataType::Int64 => Self::Integer,
            DataType::Float64 => Self::Float,
            DataType::Utf8 => Self::Text,
            DataType::Binary => Self::Bytes,
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Time,
            other => panic!("a batch holds a column of {other}, which is no logical type"),
        }
    }

    /// A field of this type.
    pub fn field(self, name: impl Into<String>, nullable: bool) -> Field {
        Field::new(name, self.arrow(), nullable)
    }

    /// A field's type as people write it: `text`, or `text?` where nulls are allowed.
    pub fn word(field: &Field) -> String {
        let name = Self::of(field.data_type()).name();
        if field.is_nullable() {
            format!("{name}?")
        } else {
            name.to_owned()
        }
    }
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! From the bytes of one row to the slots of its columns.
//!
//! Rules that hold in every format (each format's own are in its module):
//! 1. A value that doesn't fit its column's type makes the row a bad row. It is never made to fit:
//!    no text becomes a number, no number loses its fraction, nothing becomes 0.
//! 2. Integers lie in the range of `i64`. Floats are the double nearest to the digits; digits that
//!    no double reaches (`1e400`) do not fit. Times lie in the years 1 to 9999.
//! 3. A column that is not nullable must be there and not null.

pub mod avro;
pub mod csv;
pub mod json;
mod number;
mod planned;
pub mod protobuf;
mod text;
mod typed;
pub mod values;
pub(crate) mod varint;

use std::ops::Range;

use tidemill_rows::time_text::TimeError;

use crate::columns::Slot;
use crate::format::{ColumnSpec, FormatKind, FormatSpec, TimeFormat};
use crate::{ConnectorError, LogicalType};

/// Why a row could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// One of: `syntax`, `utf-8`, `not-an-object`, `depth`, `type`, `range`, `time`, `base64`,
    /// `surrogate`, `missing`, `null`, `unknown-field`, `fields`, `quote`, `too-long`, `cut-short`,
    /// `schema`.
    pub code: &'static str,
    /// What is wrong, where, and what was expected.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// Why a value doesn't fit its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It is of another type.
    Type,
    /// It is a number with a fraction or an exponent, or `-0`, for an integer.
    NotWhole,
    /// It is a number beyond the type's range.
    Range,
    /// It is no time of the column's format.
    Time(TimeError),
    /// It is not base64.
    Base64,
    /// It is a text with half a surrogate pair, which UTF-8 cannot hold.
    Surrogate,
    /// It stands where an object with the column's field was expected.
    NotAnObject,
}

impl Misfit {
    fn code(self) -> &'static str {
        match self {
            Self::Type | Self::NotWhole => "type",
            Self::Range => "range",
            Self::Time(TimeError::Years) => "range",
            Self::Time(_) => "time",
            Self::Base64 => "base64",
            Self::Surrogate => "surrogate",
            Self::NotAnObject => "not-an-object",
        }
    }

    /// The refusal of a row in which `found` stands where `column` is read.
    fn refusal(self, column: &ColumnSpec, found: &str) -> Refusal {
        let place = place(column);
        let expected = expected(column);
        let message = match self {
            Self::Type => format!("{place}: expected {expected}, found {found}"),
            Self::NotWhole => {
                format!("{place}: expected {expected} without a fraction, found {found}")
            }
            Self::Range => format!("{place}: {found} is beyond the range of {expected}"),
            Self::Time(why) => format!("{place}: expected {expected}; {found} {}", why.reason()),
            Self::Base64 => format!("{place}: expected {expected}, found {found}"),
            Self::Surrogate => {
                format!("{place}: half a surrogate pair, which no text can hold, in {found}")
            }
            Self::NotAnObject => format!("{place}: expected an object on the way, found {found}"),
        };
        Refusal::new(self.code(), message)
    }
}

/// A column as messages name it, with its path where that differs.
fn place(column: &ColumnSpec) -> String {
    match &column.path[..] {
        [only] if *only == column.name => format!("column `{}`", column.name),
        path => format!("column `{}` (field `{}`)", column.name, path.join(".")),
    }
}

/// What a column expects, as messages name it.
fn expected(column: &ColumnSpec) -> &'static str {
    match (column.ty, column.time_format) {
        (LogicalType::Bool, _) => "bool",
        (LogicalType::Integer, _) => "integer",
        (LogicalType::Float, _) => "float",
        (LogicalType::Text, _) => "text",
        (LogicalType::Bytes, _) => "bytes as base64 text",
        (LogicalType::Time, TimeFormat::Rfc3339) => "time as text like 2013-01-01T10:15:00Z",
        (LogicalType::Time, TimeFormat::Sql) => "time as text like 2013-01-01 10:15:00",
        (LogicalType::Time, TimeFormat::Epoch(unit)) => match unit.micros() {
            1 => "time as microseconds since 1970 (epoch-us)",
            1_000 => "time as milliseconds since 1970 (epoch-ms)",
            _ => "time as seconds since 1970 (epoch-s)",
        },
    }
}

fn missing(column: &ColumnSpec) -> Refusal {
    let message = format!(
        "{} is missing; give it the type `{}?` if it may be",
        place(column),
        column.ty
    );
    Refusal::new("missing", message)
}

fn null(column: &ColumnSpec) -> Refusal {
    let message = format!(
        "{} is null; give it the type `{}?` if it may be",
        place(column),
        column.ty
    );
    Refusal::new("null", message)
}

/// Bytes that were to be text; `of` says whose they are, behind a blank.
#[cold]
pub(crate) fn not_utf8(bytes: &[u8], of: &str) -> Refusal {
    let at = std::str::from_utf8(bytes)
        .err()
        .map_or(0, |e| e.valid_up_to());
    let byte = bytes.get(at).copied().unwrap_or_default();
    let message = format!("byte {at}{of}, 0x{byte:02X}, is not part of UTF-8 text");
    Refusal::new("utf-8", message)
}

/// A piece of a row for a message, cut to some 60 bytes.
fn excerpt(bytes: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    if bytes.len() > LONGEST {
        format!("{text}…")
    } else {
        text.into_owned()
    }
}

/// A decoder for one split. Remembers what helps with the next row, never what decides about it.
pub enum Decoder {
    /// JSON lines.
    Json(Box<json::JsonDecoder>),
    /// CSV records.
    Csv(Box<csv::CsvDecoder>),
    /// Avro values.
    Avro(Box<avro::AvroDecoder>),
    /// Protobuf messages.
    Protobuf(Box<protobuf::ProtobufDecoder>),
}

impl Decoder {
    /// A decoder of a format.
    ///
    /// # Errors
    /// If the format cannot be: see [`FormatSpec::check`].
    pub fn new(format: &FormatSpec) -> Result<Self, ConnectorError> {
        format.check()?;
        Ok(match format.kind {
            FormatKind::Json => Self::Json(Box::new(json::JsonDecoder::new(format))),
            FormatKind::Csv { .. } => Self::Csv(Box::new(csv::CsvDecoder::new(format))),
            FormatKind::Avro => {
                let avro = avro::AvroDecoder::new(&format.columns, &format.schema)?;
                Self::Avro(Box::new(avro))
            }
            FormatKind::Protobuf => {
                let protobuf = protobuf::ProtobufDecoder::new(&format.columns, &format.schema)?;
                Self::Protobuf(Box::new(protobuf))
            }
        })
    }

    /// The same decoder without the instructions that only some processors have: for tests that
    /// hold both to the same.
    #[must_use]
    pub fn portable(self) -> Self {
        match self {
            Self::Json(json) => Self::Json(Box::new(json.portable())),
            other => other,
        }
    }

    /// Has at hand what a value is to be decoded with.
    ///
    /// # Errors
    /// If a registry cannot be asked for its schema.
    #[inline]
    pub fn prepare(&mut self, value: &[u8]) -> Result<(), ConnectorError> {
        match self {
            Self::Json(_) | Self::Csv(_) => Ok(()),
            Self::Avro(avro) => avro.prepare(value),
            Self::Protobuf(protobuf) => protobuf.prepare(value),
        }
    }

    /// Decodes a row of valid UTF-8 into slots.
    ///
    /// # Errors
    /// If it is a bad row.
    pub fn decode(&mut self, row: &[u8]) -> Result<Decoded<'_>, Refusal> {
        self.decode_within(row, 0..row.len())
    }

    /// Decodes a row of valid UTF-8, a range of a buffer, into slots. What follows it there is not
    /// of the row; with the newline there, JSON is decoded without copying it.
    ///
    /// # Errors
    /// If it is a bad row.
    #[inline]
    pub fn decode_within(
        &mut self,
        buffer: &[u8],
        row: Range<usize>,
    ) -> Result<Decoded<'_>, Refusal> {
        match self {
            Self::Json(json) => json.decode(buffer, row),
            Self::Csv(csv) => csv.decode(&buffer[row]),
            Self::Avro(avro) => avro.decode(&buffer[row]),
            Self::Protobuf(protobuf) => protobuf.decode(&buffer[row]),
        }
    }

    /// Decodes the line that begins a text of valid UTF-8 and says how long it is, if that can be
    /// done without looking for its end first; otherwise it must be decoded as any row. There is a
    /// newline in the text, and `PADDING` bytes behind it.
    #[inline]
    pub(crate) fn decode_ahead(&mut self, text: &[u8]) -> Option<(usize, Decoded<'_>)> {
        match self {
            Self::Json(json) => json.decode_ahead(text),
            Self::Csv(_) | Self::Avro(_) | Self::Protobuf(_) => None,
        }
    }
}

/// What a row has for each column.
pub struct Decoded<'a> {
    /// One slot per column.
    pub slots: &'a [Slot],
    /// The bytes that slots in the scratch mean.
    pub scratch: &'a [u8],
}

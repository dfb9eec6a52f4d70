//! From a record to the slots of its columns: those of its value by the format, those of the rest of it from there.

use std::ffi::CString;

use super::queue::{Record, RecordTime};
use crate::ConnectorError;
use crate::LogicalType;
use crate::columns::{Columns, Slot};
use crate::decode::json::line::PADDING;
use crate::decode::{Decoder, Refusal, not_utf8};
use crate::format::{ColumnSpec, FormatKind, FormatSpec};

/// What of a record a column holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RecordField {
    /// A field of its value, by the format.
    #[default]
    Field,
    /// Its value as it is.
    Value,
    /// Its key as it is.
    Key,
    /// The last of its headers with this name, as it is.
    Header(String),
    /// The name of its topic.
    Topic,
    /// The number of its partition.
    Partition,
    /// Its offset.
    Offset,
    /// When it came about, whoever says so.
    Timestamp,
    /// When it was made, as its producer says; null where its broker says the time.
    CreateTime,
    /// When its broker took it; null where its producer says the time.
    AppendTime,
}

impl RecordField {
    fn name(&self) -> String {
        match self {
            Self::Field => "field".to_owned(),
            Self::Value => "value".to_owned(),
            Self::Key => "key".to_owned(),
            Self::Header(name) => format!("header `{name}`"),
            Self::Topic => "topic".to_owned(),
            Self::Partition => "partition".to_owned(),
            Self::Offset => "offset".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::CreateTime => "create time".to_owned(),
            Self::AppendTime => "append time".to_owned(),
        }
    }
}

/// Makes rows of the records of one partition.
pub(super) struct RecordDecoder {
    /// Of the columns that are fields of the value; none if no column is.
    decoder: Option<Decoder>,
    kind: FormatKind,
    line_limit: usize,
    columns: Vec<From>,
    /// Whether every column is a field of the value.
    plain: bool,
    topic: String,
    partition: i32,
    /// The row at hand: its value, a newline, room for the decoder's loads, then whatever columns need beside it.
    row: Vec<u8>,
    slots: Vec<Slot>,
}

/// Where a column is from.
struct From {
    spec: ColumnSpec,
    /// The name of its header, as librdkafka wants it.
    header: CString,
}

impl RecordDecoder {
    /// A decoder for one partition.
    pub fn new(
        format: &FormatSpec,
        (topic, partition): (&str, i32),
    ) -> Result<Self, ConnectorError> {
        let mut fields = format.clone();
        fields
            .columns
            .retain(|column| column.from == RecordField::Field);
        let decoder = match fields.columns.is_empty() {
            true => None,
            false => Some(decoder(&fields)?),
        };
        let from = |spec: &ColumnSpec| {
            let name = match &spec.from {
                RecordField::Header(name) => name.as_str(),
                _ => "",
            };
            let header = CString::new(name).map_err(|_| {
                ConnectorError::Configuration(format!("no header can be called {name:?}"))
            })?;
            Ok(From {
                spec: spec.clone(),
                header,
            })
        };
        let columns: Result<Vec<From>, ConnectorError> = format.columns.iter().map(from).collect();
        Ok(Self {
            decoder,
            kind: format.kind,
            line_limit: format.line_limit,
            plain: fields.columns.len() == format.columns.len(),
            columns: columns?,
            topic: topic.to_owned(),
            partition,
            row: Vec::new(),
            slots: Vec::new(),
        })
    }

    /// Whether rows can be made of records without a value.
    pub fn needs_no_value(&self) -> bool {
        self.decoder.is_none()
    }

    /// Has at hand what a value is to be decoded with.
    ///
    /// # Errors
    /// If a registry cannot be asked for its schema.
    #[inline]
    pub fn prepare(&mut self, value: &[u8]) -> Result<(), ConnectorError> {
        match &mut self.decoder {
            Some(decoder) => decoder.prepare(value),
            None => Ok(()),
        }
    }

    /// Appends the row that a record with this value is.
    ///
    /// # Errors
    /// If it is a bad row; nothing is appended then.
    pub fn decode(
        &mut self,
        record: &Record,
        value: &[u8],
        columns: &mut Columns,
    ) -> Result<(), Refusal> {
        if value.len() > self.line_limit {
            let limit = self.line_limit;
            let message = format!("the value is longer than `line-limit`, {limit} bytes");
            return Err(Refusal::new("too-long", message));
        }
        self.lay(value);
        let Some(mut decoder) = self.decoder.take() else {
            return self.with(record, Some(value), (&[], &[]), columns);
        };
        let text = match (self.kind, value) {
            (FormatKind::Csv { .. }, [text @ .., b'\r', b'\n'] | [text @ .., b'\n']) => text.len(),
            _ => value.len(),
        };
        let checked = match self.kind.is_binary() {
            true => Ok(()),
            false => utf8(value),
        };
        let decoded = checked.and_then(|()| decoder.decode_within(&self.row, 0..text));
        let pushed = decoded.and_then(|decoded| {
            if self.plain {
                columns.push(decoded.slots, &self.row, decoded.scratch);
                return Ok(());
            }
            self.with(
                record,
                Some(value),
                (decoded.slots, decoded.scratch),
                columns,
            )
        });
        self.decoder = Some(decoder);
        pushed
    }

    /// Appends the row that a record without a value is: what would be of the value is null.
    ///
    /// # Errors
    /// If it is a bad row, since such a column may not be null; nothing is appended then.
    pub fn without_value(&mut self, record: &Record, columns: &mut Columns) -> Result<(), Refusal> {
        self.lay(&[]);
        let nulls = [Slot::Null].repeat(self.columns.len());
        self.with(record, None, (&nulls, &[]), columns)
    }

    /// Lays a value where the decoder can load what follows it. A newline stands between the lines of a value that was written
    /// for people: to JSON it is a blank like a tab, and as wrong as that within a text.
    fn lay(&mut self, value: &[u8]) {
        self.row.clear();
        self.row.extend_from_slice(value);
        if self.kind == FormatKind::Json {
            let newlines = memchr::memchr_iter(b'\n', value);
            newlines.for_each(|at| self.row[at] = b'\t');
        }
        self.row.push(b'\n');
        self.row.resize(value.len() + 1 + PADDING, 0);
    }

    /// Appends a row of the fields of the value that were decoded and of the rest of the record.
    fn with(
        &mut self,
        record: &Record,
        value: Option<&[u8]>,
        (fields, scratch): (&[Slot], &[u8]),
        columns: &mut Columns,
    ) -> Result<(), Refusal> {
        self.slots.clear();
        let mut fields = fields.iter();
        for column in &self.columns {
            let slot = match &column.spec.from {
                RecordField::Field => *fields.next().expect("a slot for each field"),
                RecordField::Value => text(&mut self.row, column, value)?,
                RecordField::Key => text(&mut self.row, column, record.key())?,
                RecordField::Header(_) => {
                    text(&mut self.row, column, record.header(&column.header))?
                }
                RecordField::Topic => text(&mut self.row, column, Some(self.topic.as_bytes()))?,
                RecordField::Partition => Slot::Word(self.partition as u64),
                RecordField::Offset => Slot::Word(record.offset() as u64),
                of => time(of, record.time()),
            };
            if slot == Slot::Null && !column.spec.nullable {
                return Err(absent(&column.spec));
            }
            self.slots.push(slot);
        }
        columns.push(&self.slots, &self.row, scratch);
        Ok(())
    }
}

fn decoder(format: &FormatSpec) -> Result<Decoder, ConnectorError> {
    let mut decoder = Decoder::new(format)?;
    if let (FormatKind::Csv { delimiter }, Decoder::Csv(csv)) = (format.kind, &mut decoder) {
        // A record has no header: its fields are the columns in their order.
        let names: Vec<&str> = format.columns.iter().map(|c| c.path[0].as_str()).collect();
        let header = names.join(&char::from(delimiter).to_string());
        csv.header(header.as_bytes())
            .map_err(|refusal| ConnectorError::Configuration(refusal.message))?;
    }
    Ok(decoder)
}

/// Bytes of the record as a column; they go behind the row.
fn text(row: &mut Vec<u8>, column: &From, bytes: Option<&[u8]>) -> Result<Slot, Refusal> {
    let Some(bytes) = bytes else {
        return Ok(Slot::Null);
    };
    if column.spec.ty == LogicalType::Text {
        utf8(bytes).map_err(|refusal| {
            let of = column.spec.from.name();
            Refusal::new(
                refusal.code,
                format!("column `{}` ({of}): {}", column.spec.name, refusal.message),
            )
        })?;
    }
    let start = row.len() as u32;
    row.extend_from_slice(bytes);
    Ok(Slot::InRow {
        start,
        len: bytes.len() as u32,
    })
}

fn time(of: &RecordField, time: RecordTime) -> Slot {
    let millis = match (of, time) {
        (RecordField::Timestamp | RecordField::CreateTime, RecordTime::Created(millis))
        | (RecordField::Timestamp | RecordField::AppendTime, RecordTime::Appended(millis)) => {
            millis
        }
        _ => return Slot::Null,
    };
    Slot::Word(millis.saturating_mul(1000) as u64)
}

fn utf8(bytes: &[u8]) -> Result<(), Refusal> {
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        return Ok(());
    }
    Err(not_utf8(bytes, ""))
}

#[cold]
fn absent(column: &ColumnSpec) -> Refusal {
    let message = format!(
        "column `{}`: the record has no {}; give it the type `{}?` if that may be",
        column.name,
        column.from.name(),
        column.ty
    );
    Refusal::new("missing", message)
}

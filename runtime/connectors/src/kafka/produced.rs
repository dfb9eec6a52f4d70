//! From the rows of a batch to records: topic, key, value, headers, time.

use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use tidemill_rows::arrow_array::{Array, ArrayRef};
use tidemill_rows::{Batch, LogicalType, RecordBatch, Schema, SchemaRef, json, time_text};

use super::letters::headers::Part;
use super::sink::{KafkaSinkSpec, TopicOf};
use crate::ConnectorError;
use crate::encode::value::ValueWriter;

/// What rows do to a table, where they say so.
const UPDATE_BEFORE: u8 = 1;
const DELETE: u8 = 3;

/// The column that says it, of an output that has such rows.
const CHANGE: &str = "change";

/// Records in the order of their rows, their bytes in one place.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    records: Vec<Made>,
}

/// A record, as ranges of the bytes.
#[derive(Clone, Debug)]
struct Made {
    topic: Option<(usize, usize)>,
    key: Option<(usize, usize)>,
    /// None for a tombstone.
    value: Option<(usize, usize)>,
    /// Each its value, in the order of [`KafkaSinkSpec::header_names`].
    headers: Vec<Option<(usize, usize)>>,
    /// Milliseconds since 1970.
    time: Option<i64>,
}

/// A record that is to be written.
pub(super) struct OneRecord<'a> {
    /// Where it goes, if that is not the same for all.
    pub topic: Option<&'a str>,
    pub key: Option<&'a [u8]>,
    /// None for a tombstone.
    pub value: Option<&'a [u8]>,
    pub time: Option<i64>,
    pub headers: Vec<Option<&'a [u8]>>,
}

impl Records {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }

    /// How much memory its rows take.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.records.len() * std::mem::size_of::<Made>()
    }

    /// Puts those of another behind these.
    pub fn append(&mut self, other: &mut Self) {
        let base = self.bytes.len();
        let moved = |range: (usize, usize)| (range.0 + base, range.1 + base);
        self.bytes.append(&mut other.bytes);
        self.records
            .extend(other.records.drain(..).map(|record| Made {
                topic: record.topic.map(moved),
                key: record.key.map(moved),
                value: record.value.map(moved),
                headers: record.headers.iter().map(|h| h.map(moved)).collect(),
                time: record.time,
            }));
    }

    /// All records in order.
    pub fn iter(&self) -> impl Iterator<Item = OneRecord<'_>> {
        let at = |range: (usize, usize)| &self.bytes[range.0..range.1];
        self.records.iter().map(move |record| OneRecord {
            topic: record
                .topic
                .map(|range| std::str::from_utf8(at(range)).expect("a topic from a text column")),
            key: record.key.map(at),
            value: record.value.map(at),
            time: record.time,
            headers: record.headers.iter().map(|h| h.map(at)).collect(),
        })
    }
}

/// Makes records of rows of one schema.
#[derive(Clone)]
pub(super) struct RecordMaker {
    layout: Layout,
    writer: ValueWriter,
}

/// Where the parts of records are.
#[derive(Clone)]
pub(super) struct Layout {
    topic: Option<usize>,
    key: Option<usize>,
    time: Option<usize>,
    headers: Vec<(usize, Part)>,
    /// The columns of the value.
    value: Vec<usize>,
    schema: SchemaRef,
    /// Whether the newest record of a key is all that counts: then nobody asks what was there before.
    is_table: bool,
}

impl Layout {
    /// Where they are in rows of this schema.
    ///
    /// # Errors
    /// If the sink names a column that there is not, or of a type that it cannot be.
    fn new(spec: &KafkaSinkSpec, schema: &SchemaRef) -> Result<Self, ConnectorError> {
        let column =
            |role: &str, name: &str, types: &[LogicalType]| column(schema, role, name, types);
        let of = |role: &str, name: &Option<String>, types: &[LogicalType]| {
            name.as_deref()
                .map(|name| column(role, name, types))
                .transpose()
        };
        let topic = match &spec.topic {
            TopicOf::Named(_) => None,
            TopicOf::Column(name) => Some(column("topic-column", name, &[LogicalType::Text])?),
        };
        let headers = spec.headers.iter();
        let headers = headers.map(|(_, name)| Ok((column("headers", name, &[])?, Part::Whole)));
        let of_letter = spec.letter_headers();
        let of_letter =
            of_letter.map(|header| Ok((column(header.name, header.column, &[])?, header.part)));
        for name in &spec.omit {
            column("omit", name, &[])?;
        }
        let kept = |index: &usize| !spec.omit.contains(schema.field(*index).name());
        let value: Vec<usize> = (0..schema.fields().len()).filter(kept).collect();
        let written: Schema = schema
            .project(&value)
            .map_err(|e| ConnectorError::Internal(e.to_string()))?;
        Ok(Self {
            topic,
            key: of("key", &spec.key, &[])?,
            time: of("timestamp", &spec.timestamp, &[LogicalType::Time])?,
            headers: headers.chain(of_letter).collect::<Result<_, _>>()?,
            value,
            schema: written.into(),
            is_table: spec.key.is_some() && spec.omit.iter().any(|name| name == CHANGE),
        })
    }
}

impl RecordMaker {
    /// What is wrong with a sink for rows of this schema, as far as that is known without asking anybody.
    ///
    /// # Errors
    /// If the sink names a column that there is not, or of a type that it cannot be, or values cannot be written so.
    pub fn check(spec: &KafkaSinkSpec, schema: &SchemaRef) -> Result<(), ConnectorError> {
        spec.format.check(&Layout::new(spec, schema)?.schema)
    }

    /// A maker for rows of this schema.
    ///
    /// # Errors
    /// As [`Self::check`], and if a registry cannot be asked or does not take the schema of values.
    pub fn new(spec: &KafkaSinkSpec, schema: &SchemaRef) -> Result<Self, ConnectorError> {
        let layout = Layout::new(spec, schema)?;
        let writer = spec.format.open(&layout.schema)?;
        Ok(Self { layout, writer })
    }

    /// Appends the records of a batch's rows.
    ///
    /// # Errors
    /// If a row names no topic, or does not fit the schema of values.
    pub fn make(&self, batch: &Batch, out: &mut Records) -> Result<(), ConnectorError> {
        let layout = &self.layout;
        let columns = batch.columns.columns();
        let written = layout.value.iter().map(|&index| columns[index].clone());
        let written = RecordBatch::try_new(layout.schema.clone(), written.collect())
            .map_err(|e| ConnectorError::Internal(e.to_string()))?;
        let values = self.writer.of(&written);
        for row in 0..batch.len() {
            let change = batch.changes.as_ref().map_or(0, |changes| changes[row]);
            if change == UPDATE_BEFORE && layout.is_table {
                continue;
            }
            let value = match change {
                DELETE if layout.key.is_some() => None,
                _ => {
                    let start = out.bytes.len();
                    values.write(row, &mut out.bytes)?;
                    Some((start, out.bytes.len()))
                }
            };
            let text = |column: Option<usize>, out: &mut Vec<u8>| match column {
                Some(column) => as_bytes(&columns[column], row, out),
                None => None,
            };
            let topic = text(layout.topic, &mut out.bytes);
            if layout.topic.is_some() && topic.is_none_or(|(from, to)| from == to) {
                return Err(ConnectorError::Data(
                    "a row names no topic: `topic-column` is null or empty".to_owned(),
                ));
            }
            let key = text(layout.key, &mut out.bytes);
            if value.is_none() && key.is_none() {
                return Err(ConnectorError::Data(
                    "a row deletes what has its key, and its key is null".to_owned(),
                ));
            }
            let header = |&(column, part): &(usize, Part)| {
                let whole = as_bytes(&columns[column], row, &mut out.bytes)?;
                part.of(&out.bytes, whole)
            };
            let headers = layout.headers.iter().map(header).collect();
            let time = layout.time.and_then(|column| {
                let times = columns[column].as_primitive::<TimestampMicrosecondType>();
                times
                    .is_valid(row)
                    .then(|| times.value(row).div_euclid(1000))
            });
            out.records.push(Made {
                topic,
                key,
                value,
                headers,
                time,
            });
        }
        Ok(())
    }
}

fn column(
    schema: &Schema,
    role: &str,
    name: &str,
    types: &[LogicalType],
) -> Result<usize, ConnectorError> {
    let Ok(index) = schema.index_of(name) else {
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        return Err(ConnectorError::Configuration(format!(
            "`{role}` names column `{name}`, and there is none; there are {}",
            names.join(", ")
        )));
    };
    let ty = LogicalType::of(schema.field(index).data_type());
    if !types.is_empty() && !types.contains(&ty) {
        return Err(ConnectorError::Configuration(format!(
            "`{role}` names column `{name}`, which is of type {ty} and must be {}",
            types[0]
        )));
    }
    Ok(index)
}

/// A value outside a record's own value: a text as it is, bytes as they are, others as in CSV; nothing of null.
fn as_bytes(column: &ArrayRef, row: usize, out: &mut Vec<u8>) -> Option<(usize, usize)> {
    if column.is_null(row) {
        return None;
    }
    let start = out.len();
    match LogicalType::of(column.data_type()) {
        LogicalType::Text => out.extend(column.as_string::<i32>().value(row).as_bytes()),
        LogicalType::Bytes => out.extend(column.as_binary::<i32>().value(row)),
        LogicalType::Bool => out.extend(column.as_boolean().value(row).to_string().as_bytes()),
        LogicalType::Integer => {
            json::write_integer(column.as_primitive::<Int64Type>().value(row), out);
        }
        LogicalType::Float => {
            json::write_float(column.as_primitive::<Float64Type>().value(row), out);
        }
        LogicalType::Time => {
            let time = column.as_primitive::<TimestampMicrosecondType>().value(row);
            time_text::write_rfc3339(time, out);
        }
    }
    Some((start, out.len()))
}

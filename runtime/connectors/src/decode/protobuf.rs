//! Protobuf: messages of a schema, in a file of the pipeline's or in a registry.
//!
//! - Columns are fields by name; a path leads through messages. What the schema has not is missing, and so is a field that is not set,
//!   where that can be told from its default (`optional`, `oneof`, messages, proto2). Where it cannot, it is the default.
//! - `integer` takes all integers and the numbers of enums, `float` these and float and double, `text` string and the names of enums,
//!   `bytes` bytes. `time` takes `google.protobuf.Timestamp`, integers by the column's `format`, and strings, an empty one where
//!   nothing is set being missing. A wrapper (`google.protobuf.Int64Value`) is what it wraps.
//! - Fields that no column is are passed over, known or not. Of a field that stands twice the last counts; messages are merged; of a
//!   oneof the last one set is there.
//!
//! Reasons are in `decisions/0035-protobuf-without-its-crates.md`.

mod plan;
mod reading;

use std::path::Path;

use self::plan::Plan;
use self::reading::Reader;
use super::Refusal;
use super::planned::{self, PlannedDecoder};
use super::typed::Row;
use super::varint;
use crate::ConnectorError;
use crate::format::{ColumnSpec, FileSchema};
use crate::proto::Types;
use crate::registry::Registered;

/// How deep messages may be nested whose place stands in front of a value.
const DEEPEST: usize = 64;

/// A decoder of Protobuf.
pub type ProtobufDecoder = PlannedDecoder<Plan>;

impl planned::Plan for Plan {
    const KIND: [&'static str; 2] = ["Protobuf", "PROTOBUF"];

    fn of_file(file: &FileSchema, columns: &[ColumnSpec]) -> Result<Self, ConnectorError> {
        let types = types_of_file(&file.path)?;
        let message = types.message_named(file.message.as_deref().unwrap_or_default());
        let plan = message.and_then(|message| Self::new(&types, message, columns));
        plan.map_err(|why| file.refuse(&why))
    }

    fn of_registry(
        schema: &Registered,
        place: &[u8],
        columns: &[ColumnSpec],
    ) -> Result<Self, String> {
        let types = types_of(&schema.text, &schema.references)?;
        let place = place_at(place).map(|(place, _)| place).unwrap_or_default();
        let message = types.message_at(&place);
        let message = message.ok_or_else(|| format!("it has no message at {place:?}"))?;
        Self::new(&types, message, columns)
    }

    #[inline]
    fn split_place(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
        // Nearly always it is the first.
        let length = match bytes {
            [0, ..] => 1,
            _ => place_at(bytes).ok_or_else(no_place)?.1,
        };
        Ok(bytes.split_at(length))
    }

    #[inline]
    fn read(&self, value: &[u8], columns: &[ColumnSpec], row: &mut Row) -> Result<(), Refusal> {
        Reader::new(value, columns, row).all(self)
    }
}

/// The types of a file: what it imports stands beside it.
///
/// # Errors
/// If it cannot be read; what is wrong with it.
pub(crate) fn types_of_file(path: &Path) -> Result<Types, ConnectorError> {
    let file = FileSchema {
        path: path.to_owned(),
        message: None,
    };
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let find = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    Types::new(&file.read()?, &find).map_err(|why| file.refuse(&why))
}

/// The types of a schema with what it needs.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn types_of(text: &str, references: &[(String, String)]) -> Result<Types, String> {
    let find = |name: &str| {
        let found = references.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.clone())
    };
    Types::new(text, &find)
}

/// Which message that is, and how many bytes say so: how many numbers, then those, as Avro writes them; a zero is the first one.
fn place_at(bytes: &[u8]) -> Option<(Vec<usize>, usize)> {
    let mut at = 0;
    let count = small(bytes, &mut at)?;
    if count == 0 {
        return Some((vec![0], at));
    }
    if count > DEEPEST {
        return None;
    }
    let place: Option<Vec<usize>> = (0..count).map(|_| small(bytes, &mut at)).collect();
    Some((place?, at))
}

/// A count or a number of a place: none is large.
fn small(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let (word, length) = varint::short(&bytes[*at..])?;
    *at += length;
    let number = usize::try_from(varint::signed(word)).ok();
    number.filter(|_| length <= 5)
}

#[cold]
fn no_place() -> Refusal {
    Refusal::new(
        "schema",
        "the value does not say which message of its schema it is",
    )
}

#[cfg(test)]
mod tests;

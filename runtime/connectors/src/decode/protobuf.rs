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

use std::collections::HashMap;
use std::path::Path;

use self::plan::Plan;
use self::reading::Reader;
use super::typed::Row;
use super::{Decoded, Refusal};
use crate::ConnectorError;
use crate::format::{ColumnSpec, FileSchema, SchemaSpec};
use crate::proto::Types;
use crate::registry::{Registered, Registry, numbered};

/// How deep messages may be nested whose place stands in front of a value.
const DEEPEST: usize = 64;

/// How values of a schema are read, by what says which message of it they are; or why they cannot be.
type Plans = HashMap<Box<[u8]>, Result<Plan, Refusal>>;

/// A decoder of Protobuf.
pub struct ProtobufDecoder {
    columns: Vec<ColumnSpec>,
    row: Row,
    schemas: Schemas,
}

enum Schemas {
    One(Plan),
    Numbered {
        registry: Registry,
        /// By the number of their schema.
        plans: HashMap<u32, Plans>,
    },
}

impl ProtobufDecoder {
    /// A decoder of these columns.
    ///
    /// # Errors
    /// If a file's schema is none, or has no such message.
    pub fn new(columns: &[ColumnSpec], schema: &SchemaSpec) -> Result<Self, ConnectorError> {
        let schemas = match schema {
            SchemaSpec::None => return Err(super::no_schema()),
            SchemaSpec::File(file) => {
                let types = types_of_file(&file.path)?;
                let message = types.message_named(file.message.as_deref().unwrap_or_default());
                let plan = message.and_then(|message| Plan::new(&types, message, columns));
                Schemas::One(plan.map_err(|why| file.refuse(&why))?)
            }
            SchemaSpec::Registry(registry) => Schemas::Numbered {
                registry: registry.clone(),
                plans: HashMap::new(),
            },
        };
        Ok(Self {
            columns: columns.to_vec(),
            row: Row::default(),
            schemas,
        })
    }

    /// Has the schema of a value at hand.
    ///
    /// # Errors
    /// If the registry cannot be asked.
    pub fn prepare(&mut self, value: &[u8]) -> Result<(), ConnectorError> {
        if let Schemas::Numbered { registry, plans } = &mut self.schemas
            && let Some((number, rest)) = numbered(value)
            && let Some((place, _)) = split_place(rest)
            && !plans.get(&number).is_some_and(|of| of.contains_key(place))
            && let Some(schema) = registry.schema(number)?
        {
            let plan = of_registry(&schema, place, &self.columns);
            let plan =
                plan.map_err(|why| Refusal::new("schema", format!("schema {number}: {why}")));
            plans.entry(number).or_default().insert(place.into(), plan);
        }
        Ok(())
    }

    /// Decodes a value, whose schema is at hand if there is one.
    ///
    /// # Errors
    /// If it is a bad row.
    pub fn decode(&mut self, value: &[u8]) -> Result<Decoded<'_>, Refusal> {
        let (plan, message) = match &self.schemas {
            Schemas::One(plan) => (plan, value),
            Schemas::Numbered { plans, registry } => {
                let (number, rest) = numbered(value).ok_or_else(super::not_numbered)?;
                let (place, message) = split_place(rest).ok_or_else(no_place)?;
                let plan = plans.get(&number).and_then(|of| of.get(place));
                let plan = plan.ok_or_else(|| super::unknown_schema(number, registry))?;
                (plan.as_ref().map_err(Clone::clone)?, message)
            }
        };
        self.row.begin(self.columns.len());
        Reader::new(message, &self.columns, &mut self.row).all(plan)?;
        self.row.whole(&self.columns)
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

fn of_registry(schema: &Registered, place: &[u8], columns: &[ColumnSpec]) -> Result<Plan, String> {
    if schema.kind != "PROTOBUF" {
        return Err(format!("expected Protobuf, found {}", schema.kind));
    }
    let types = types_of(&schema.text, &schema.references)?;
    let place = place_at(place).map(|(place, _)| place).unwrap_or_default();
    let message = types.message_at(&place);
    Plan::new(
        &types,
        message.ok_or_else(|| format!("it has no message at {place:?}"))?,
        columns,
    )
}

/// The bytes that say which message of its schema a value is, and the value.
fn split_place(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // Nearly always it is the first.
    if let [0, ..] = bytes {
        return Some(bytes.split_at(1));
    }
    let (_, length) = place_at(bytes)?;
    Some(bytes.split_at(length))
}

/// Which message that is, and how many bytes say so: how many numbers, then those, as Avro writes them; a zero is the first one.
fn place_at(bytes: &[u8]) -> Option<(Vec<usize>, usize)> {
    let mut at = 0;
    let count = zigzag(bytes, &mut at)?;
    if count == 0 {
        return Some((vec![0], at));
    }
    if count > DEEPEST {
        return None;
    }
    let place: Option<Vec<usize>> = (0..count).map(|_| zigzag(bytes, &mut at)).collect();
    Some((place?, at))
}

fn zigzag(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut word = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        word |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            // An odd one is negative.
            return (word & 1 == 0).then_some((word >> 1) as usize);
        }
    }
    None
}

fn no_place() -> Refusal {
    Refusal::new(
        "schema",
        "the value does not say which message of its schema it is",
    )
}

#[cfg(test)]
mod tests;

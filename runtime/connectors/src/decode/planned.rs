//! Decoders of formats whose values are of a schema: that of a file, or those that a registry has, by the number in front of each
//! value.
//!
//! A schema becomes a *plan* for the columns, once; a value is gone over by that. What stands in front of a value says its plan:
//!
//! ```text
//! of a file       the value itself
//! of a registry   0 | number u32, big-endian | [of Protobuf: which message of the schema] | the value itself
//! ```

use std::collections::HashMap;

use super::typed::Row;
use super::{Decoded, Refusal};
use crate::ConnectorError;
use crate::format::{ColumnSpec, FileSchema, SchemaSpec};
use crate::registry::{Registered, Registry, numbered};

/// How many plans are kept at most; beyond, they are made anew. What stands in front of values is for those to decide who write
/// them.
const MOST_PLANS: usize = 10_000;

/// How values of one schema are read for columns.
pub trait Plan: Sized {
    /// What its schemas are called by people, and by registries.
    const KIND: [&'static str; 2];

    /// The plan of a file's schema.
    ///
    /// # Errors
    /// If it is none, or has nothing of that name.
    fn of_file(file: &FileSchema, columns: &[ColumnSpec]) -> Result<Self, ConnectorError>;

    /// The plan of a registry's schema, of what in it `place` says.
    ///
    /// # Errors
    /// What is wrong with it.
    fn of_registry(
        schema: &Registered,
        place: &[u8],
        columns: &[ColumnSpec],
    ) -> Result<Self, String>;

    /// Parts what says of which part of its schema a value is from the value itself.
    ///
    /// # Errors
    /// If nothing says so.
    fn split_place(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal>;

    /// Reads a value.
    ///
    /// # Errors
    /// If it is a bad row.
    fn read(&self, value: &[u8], columns: &[ColumnSpec], row: &mut Row) -> Result<(), Refusal>;
}

/// A decoder of values by plans.
pub struct PlannedDecoder<P> {
    columns: Vec<ColumnSpec>,
    row: Row,
    schemas: Schemas<P>,
}

enum Schemas<P> {
    One(P),
    Numbered {
        registry: Registry,
        /// By what stands in front of values; or why those cannot be read.
        plans: HashMap<Box<[u8]>, Result<P, Refusal>>,
    },
}

/// A value of a registry's schema.
struct Numbered<'a> {
    /// The number of its schema.
    number: u32,
    /// Of which part of that it is.
    place: &'a [u8],
    /// Both as they stand there.
    front: &'a [u8],
    /// The value itself.
    value: &'a [u8],
}

impl<P: Plan> PlannedDecoder<P> {
    /// A decoder of these columns.
    ///
    /// # Errors
    /// If a file's schema is none, or has nothing of that name.
    pub fn new(columns: &[ColumnSpec], schema: &SchemaSpec) -> Result<Self, ConnectorError> {
        let schemas = match schema {
            SchemaSpec::None => {
                let message = "`schema` or `registry` says where the schema of values is";
                return Err(ConnectorError::Configuration(message.into()));
            }
            SchemaSpec::File(file) => Schemas::One(P::of_file(file, columns)?),
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
            && let Ok(value) = Numbered::of::<P>(value)
            && !plans.contains_key(value.front)
            && let Some(schema) = registry.schema(value.number)?
        {
            if plans.len() == MOST_PLANS {
                plans.clear();
            }
            plans.insert(value.front.into(), value.plan(&schema, &self.columns));
        }
        Ok(())
    }

    /// Decodes a value, whose schema is at hand if there is one.
    ///
    /// # Errors
    /// If it is a bad row.
    pub fn decode(&mut self, value: &[u8]) -> Result<Decoded<'_>, Refusal> {
        let (plan, own) = match &self.schemas {
            Schemas::One(plan) => (plan, value),
            Schemas::Numbered { plans, registry } => {
                let Numbered {
                    number,
                    front,
                    value,
                    ..
                } = Numbered::of::<P>(value)?;
                let plan = plans.get(front);
                let plan = plan.ok_or_else(|| unknown(number, registry))?;
                (plan.as_ref().map_err(Clone::clone)?, value)
            }
        };
        self.row.begin(value, self.columns.len());
        plan.read(own, &self.columns, &mut self.row)?;
        self.row.whole(&self.columns)
    }
}

impl<'a> Numbered<'a> {
    fn of<P: Plan>(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let (number, rest) = numbered(bytes).ok_or_else(not_numbered)?;
        let (place, value) = P::split_place(rest)?;
        Ok(Self {
            number,
            place,
            front: &bytes[..bytes.len() - value.len()],
            value,
        })
    }

    fn plan<P: Plan>(&self, schema: &Registered, columns: &[ColumnSpec]) -> Result<P, Refusal> {
        let [kind, registered] = P::KIND;
        let plan = match schema.kind == registered {
            true => P::of_registry(schema, self.place, columns),
            false => Err(format!("expected {kind}, found {}", schema.kind)),
        };
        plan.map_err(|why| Refusal::new("schema", format!("schema {}: {why}", self.number)))
    }
}

/// A value without the number of its schema.
#[cold]
fn not_numbered() -> Refusal {
    let message = "the value does not begin with the number of its schema, as those do that were written with a registry; \
                   `schema` names a file for others";
    Refusal::new("schema", message)
}

#[cold]
fn unknown(number: u32, registry: &Registry) -> Refusal {
    let url = registry.url();
    let message = format!("the registry at {url} has no schema {number}");
    Refusal::new("schema", message)
}

//! Avro: records of a schema, in a file of the pipeline's or in a registry.
//!
//! - Columns are found by name in the writer's schema; a path leads through records. What the schema has not is missing.
//! - `integer` takes int and long, `float` these and float and double, `text` string and enum, `bytes` bytes, fixed and decimal,
//!   as it is written. `time` takes timestamps and dates by what they are, int and long by the column's `format`, and strings.
//! - A value is one datum: what is left behind it makes the row a bad row.
//!
//! Reasons are in `decisions/0033-avro-without-its-crate.md`.

pub(crate) mod plan;
mod reading;

use std::collections::HashMap;
use std::sync::Arc;

use self::plan::Plan;
use self::reading::Reader;
use super::typed::Row;
use super::{Decoded, Refusal};
use crate::ConnectorError;
use crate::format::{ColumnSpec, SchemaSpec};
use crate::registry::{Registered, Registry, numbered};

/// A decoder of Avro.
pub struct AvroDecoder {
    columns: Vec<ColumnSpec>,
    row: Row,
    schemas: Schemas,
}

enum Schemas {
    One(Plan),
    Numbered {
        registry: Registry,
        /// Those that there were, or why they cannot be used.
        plans: HashMap<u32, Result<Plan, Refusal>>,
    },
}

impl AvroDecoder {
    /// A decoder of these columns.
    ///
    /// # Errors
    /// If a file's schema is none.
    pub fn new(columns: &[ColumnSpec], schema: &SchemaSpec) -> Result<Self, ConnectorError> {
        let schemas = match schema {
            SchemaSpec::None => return Err(super::no_schema()),
            SchemaSpec::File(file) => {
                let plan = Plan::new(&file.read()?, &[], columns);
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
            && let Some((number, _)) = numbered(value)
            && !plans.contains_key(&number)
            && let Some(schema) = registry.schema(number)?
        {
            plans.insert(number, plan(number, &schema, &self.columns));
        }
        Ok(())
    }

    /// Decodes a value, whose schema is at hand if there is one.
    ///
    /// # Errors
    /// If it is a bad row.
    pub fn decode(&mut self, value: &[u8]) -> Result<Decoded<'_>, Refusal> {
        let (plan, datum) = match &self.schemas {
            Schemas::One(plan) => (plan, value),
            Schemas::Numbered { plans, registry } => {
                let (number, datum) = numbered(value).ok_or_else(super::not_numbered)?;
                let plan = plans.get(&number);
                let plan = plan.ok_or_else(|| super::unknown_schema(number, registry))?;
                (plan.as_ref().map_err(Clone::clone)?, datum)
            }
        };
        self.row.begin(self.columns.len());
        let mut reader = Reader::new(datum, plan, &self.columns, &mut self.row);
        reader.all()?;
        self.row.whole(&self.columns)
    }
}

fn plan(number: u32, schema: &Arc<Registered>, columns: &[ColumnSpec]) -> Result<Plan, Refusal> {
    let refuse = |why: String| Refusal::new("schema", format!("schema {number}: {why}"));
    if schema.kind != "AVRO" {
        return Err(refuse(format!("expected Avro, found {}", schema.kind)));
    }
    let needed: Vec<&str> = schema
        .references
        .iter()
        .map(|(_, text)| &text[..])
        .collect();
    Plan::new(&schema.text, &needed, columns).map_err(refuse)
}

#[cfg(test)]
mod tests;

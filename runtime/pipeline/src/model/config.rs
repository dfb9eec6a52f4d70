//! The `config` of an operator: what its function is configured with.

use crate::place::Span;
use crate::tree::{Entry, Value};

/// A function's configuration, every value with its place. The planner holds it against what the function declares.
#[derive(Clone, Debug)]
pub struct Config {
    /// The fields in file order.
    pub fields: Vec<Entry>,
    /// The value of `config`.
    pub span: Span,
}

impl Config {
    /// The configuration as one JSON object, as written: no defaults filled in.
    pub fn to_json(&self) -> serde_json::Value {
        Value::Table(self.fields.clone()).to_json()
    }

    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.fields.iter().find(|field| field.key.value == name)
    }
}

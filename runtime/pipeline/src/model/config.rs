//! The `config` of an operator: what its function is configured with.

use crate::place::Span;
use crate::tree::{Entry, Node, Value};

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
        self.as_node().to_json()
    }

    /// The same as messages may show it: without what variables and secrets held.
    pub fn to_shown_json(&self) -> serde_json::Value {
        self.as_node().to_shown_json()
    }

    fn as_node(&self) -> Node {
        Node::new(Value::Table(self.fields.clone()), self.span.clone())
    }

    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.fields.iter().find(|field| field.key.value == name)
    }
}

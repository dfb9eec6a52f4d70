//! What `serde_json` makes of a line, and what the decoder makes of it: shared by the property test and the fuzz target.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tidemill_connectors::decode::Decoder;
use tidemill_connectors::{ColumnSpec, FormatKind, FormatSpec, LogicalType, Slot};

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// The bits: -0.0 is not 0.0.
    Float(u64),
    Text(String),
}

/// Columns of most types, at the top and inside.
pub fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("i", LogicalType::Integer, false),
        ColumnSpec::new("f", LogicalType::Float, true),
        ColumnSpec::new("t", LogicalType::Text, true),
        ColumnSpec::new("b", LogicalType::Bool, true),
        ColumnSpec::new("ni", LogicalType::Integer, true).at("n.i"),
        ColumnSpec::new("nt", LogicalType::Text, true).at("n.m.t"),
    ]
}

type Object = BTreeMap<String, Box<RawValue>>;

/// What `serde_json` makes of a line; `None` if it refuses it.
pub fn expected(line: &str) -> Option<Vec<Value>> {
    let row: Object = serde_json::from_str(line).ok()?;
    columns()
        .iter()
        .map(|column| column_of(&row, &column.path, column))
        .collect()
}

fn column_of(row: &Object, path: &[String], column: &ColumnSpec) -> Option<Value> {
    let (name, rest) = path.split_first()?;
    let Some(raw) = row.get(name).map(|raw| raw.get()) else {
        return column.nullable.then_some(Value::Null);
    };
    if raw == "null" {
        return column.nullable.then_some(Value::Null);
    }
    if !rest.is_empty() {
        let inner: Object = serde_json::from_str(raw).ok()?;
        return column_of(&inner, rest, column);
    }
    Some(match column.ty {
        LogicalType::Bool => Value::Bool(serde_json::from_str(raw).ok()?),
        LogicalType::Integer => Value::Integer(serde_json::from_str(raw).ok()?),
        LogicalType::Text => Value::Text(serde_json::from_str(raw).ok()?),
        _ => {
            // Accepted by the one, read by the other: `serde_json` is not always exact to the last
            // bit.
            serde_json::from_str::<f64>(raw).ok()?;
            Value::Float(raw.parse::<f64>().ok()?.to_bits())
        }
    })
}

/// What the decoder makes of a line.
pub fn found(decoder: &mut Decoder, line: &str) -> Option<Vec<Value>> {
    let decoded = decoder.decode(line.as_bytes()).ok()?;
    let text = |from: &[u8], start: u32, len: u32| {
        let bytes = &from[start as usize..(start + len) as usize];
        Value::Text(String::from_utf8(bytes.to_vec()).expect("text is UTF-8"))
    };
    let value = |(slot, column): (&Slot, &ColumnSpec)| match (*slot, column.ty) {
        (Slot::Word(word), LogicalType::Bool) => Value::Bool(word == 1),
        (Slot::Word(word), LogicalType::Integer) => Value::Integer(word as i64),
        (Slot::Word(word), _) => Value::Float(word),
        (Slot::InRow { start, len }, _) => text(line.as_bytes(), start, len),
        (Slot::InScratch { start, len }, _) => text(decoded.scratch, start, len),
        (Slot::Null | Slot::Missing, _) => Value::Null,
        (Slot::Misfit { .. }, _) => panic!("a misfit in a good row"),
    };
    Some(decoded.slots.iter().zip(&columns()).map(value).collect())
}

/// A decoder for them.
pub fn decoder() -> Decoder {
    Decoder::new(&FormatSpec::new(FormatKind::Json, columns())).expect("the format is good")
}

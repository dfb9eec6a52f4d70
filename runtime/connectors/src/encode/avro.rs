//! Rows as Avro: a datum each, a record whose fields are the columns.
//!
//! | column | written as | derived |
//! |---|---|---|
//! | bool | boolean | boolean |
//! | integer | long; int, where it fits | long |
//! | float | double | double |
//! | text | string; enum, where it is one of its symbols | string |
//! | bytes | bytes, decimal; fixed, where it is as long | bytes |
//! | time | timestamps of all units, date, whatever is smaller cut off; string as RFC 3339 | long, timestamp-micros |
//! | may be null | a union with null | the same, null first and the default |
//!
//! A schema that was not derived may have its fields in any order, and more of them if those may be null. What does not fit a field
//! is an error of the run: a sink has nowhere to put a bad row.

mod writing;

use serde_json::{Map, Value, json};
use tidemill_rows::{LogicalType, RecordBatch, Schema, values};

use crate::decode::avro::plan::{Leaf, Node, Plan};
use crate::encode::written::Written;
use crate::format::ColumnSpec;

/// Writes rows of one schema as Avro.
#[derive(Clone, Debug)]
pub struct AvroWriter {
    /// What stands in front of each datum.
    head: Vec<u8>,
    fields: Vec<Field>,
}

/// A field of the record, in its order.
#[derive(Clone, Debug)]
struct Field {
    /// Where its value is; none for one that is always null.
    column: Option<usize>,
    name: String,
    /// Which type of the union is null, where there is one.
    null: Option<u8>,
    /// Which type of the union the value is, where there is one.
    value: Option<u8>,
    leaf: Leaf,
}

/// The rows of one batch, ready to be written.
pub struct AvroRows<'a> {
    head: &'a [u8],
    fields: &'a [Field],
    /// The column of each field, where it has one.
    values: Vec<Option<values::Values<'a>>>,
}

/// The schema that follows from columns, as a record of this name.
///
/// # Errors
/// If a column has a name that no field can have.
pub fn derived(schema: &Schema, name: &str) -> Result<String, String> {
    let mut fields = Vec::new();
    for field in schema.fields() {
        if !is_name(field.name()) {
            return Err(format!(
                "no field of Avro can be called `{}`: rename the column, or leave it out with `omit`",
                field.name()
            ));
        }
        let ty = match LogicalType::of(field.data_type()) {
            LogicalType::Bool => json!("boolean"),
            LogicalType::Integer => json!("long"),
            LogicalType::Float => json!("double"),
            LogicalType::Text => json!("string"),
            LogicalType::Bytes => json!("bytes"),
            LogicalType::Time => json!({ "type": "long", "logicalType": "timestamp-micros" }),
        };
        fields.push(match field.is_nullable() {
            true => json!({ "name": field.name(), "type": ["null", ty], "default": null }),
            false => json!({ "name": field.name(), "type": ty }),
        });
    }
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let name = match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{name}"),
        false => name,
    };
    Ok(json!({ "type": "record", "name": name, "fields": fields }).to_string())
}

/// Letters, digits and `_`, no digit first.
fn is_name(name: &str) -> bool {
    let letter = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    name.as_bytes().first().is_some_and(letter)
        && name.bytes().all(|b| b.is_ascii_digit() || letter(&b))
}

impl AvroWriter {
    /// A writer of rows of `schema` by a schema of Avro.
    ///
    /// # Errors
    /// What is wrong with it, or how the columns do not fit it.
    pub fn new(schema: &Schema, written: &Written) -> Result<Self, String> {
        let columns: Vec<ColumnSpec> = schema
            .fields()
            .iter()
            .map(|field| {
                let ty = LogicalType::of(field.data_type());
                ColumnSpec::new(field.name(), ty, field.is_nullable())
            })
            .collect();
        let needed: Vec<&str> = written
            .references
            .iter()
            .map(|(_, text)| &text[..])
            .collect();
        let plan = Plan::new(&written.text, &needed, &columns)?;
        let Node::Record(nodes) = &plan.root else {
            return Err("expected a record, whose fields are columns".to_owned());
        };
        let names = names(&written.text)?;
        let fields = nodes.iter().zip(&names);
        let fields: Vec<Field> = fields
            .map(|(node, name)| field(node, name, &columns))
            .collect::<Result<_, String>>()?;
        for (at, column) in columns.iter().enumerate() {
            if !fields.iter().any(|field| field.column == Some(at)) {
                return Err(format!(
                    "it has no field `{0}`, and the rows have a column `{0}`: leave it out with `omit`",
                    column.name
                ));
            }
        }
        Ok(Self {
            head: written.head.clone(),
            fields,
        })
    }

    /// Sets the batch whose rows are to be written.
    pub fn of<'a>(&'a self, rows: &'a RecordBatch) -> AvroRows<'a> {
        let values = |field: &Field| Some(values::Values::of(rows.column(field.column?)));
        AvroRows {
            head: &self.head,
            fields: &self.fields,
            values: self.fields.iter().map(values).collect(),
        }
    }
}

/// The names of the fields of a record's schema, in order.
fn names(text: &str) -> Result<Vec<String>, String> {
    let schema: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("it is no record: {error}"))?;
    let fields = schema.get("fields").and_then(Value::as_array);
    let name = |field: &Value| field.get("name")?.as_str().map(str::to_owned);
    let names = fields.into_iter().flatten().map(name).collect();
    Option::ok_or(names, "a field has no name".to_owned())
}

fn field(node: &Node, name: &str, columns: &[ColumnSpec]) -> Result<Field, String> {
    let variants = match node {
        Node::Union(variants) => &variants[..],
        one => std::slice::from_ref(one),
    };
    if variants.len() > 127 {
        return Err(format!("field `{name}` is a union of more than 127 types"));
    }
    let in_union = |at: usize| matches!(node, Node::Union(_)).then_some(at as u8);
    let null = variants
        .iter()
        .position(|variant| matches!(variant, Node::Leaf(Leaf::Null, _)));
    let Some(at) = columns.iter().position(|column| column.name == name) else {
        let null = null.ok_or_else(|| {
            format!("field `{name}` may not be null, and the rows have no column `{name}`")
        })?;
        return Ok(Field {
            column: None,
            name: name.to_owned(),
            null: in_union(null),
            value: None,
            leaf: Leaf::Null,
        });
    };
    let column = &columns[at];
    let value = variants
        .iter()
        .enumerate()
        .find_map(|(i, variant)| match variant {
            Node::Leaf(leaf, _) if takes(leaf, column.ty) => Some((i, leaf)),
            _ => None,
        });
    let Some((value, leaf)) = value else {
        return Err(format!(
            "field `{name}` takes no {}, which the column is: {}",
            column.ty,
            expected(column.ty)
        ));
    };
    if column.nullable && null.is_none() {
        return Err(format!(
            "field `{name}` may not be null, and the column may: make the field a union with null"
        ));
    }
    Ok(Field {
        column: Some(at),
        name: name.to_owned(),
        null: null.and_then(in_union),
        value: in_union(value),
        leaf: leaf.clone(),
    })
}

fn takes(leaf: &Leaf, ty: LogicalType) -> bool {
    match ty {
        LogicalType::Bool => matches!(leaf, Leaf::Bool),
        LogicalType::Integer => matches!(leaf, Leaf::Int | Leaf::Long),
        LogicalType::Float => matches!(leaf, Leaf::Double),
        LogicalType::Text => matches!(leaf, Leaf::Text | Leaf::Enum(_)),
        LogicalType::Bytes => matches!(leaf, Leaf::Bytes | Leaf::Fixed(_)),
        LogicalType::Time => matches!(
            leaf,
            Leaf::Moment(_) | Leaf::Nanos | Leaf::Days | Leaf::Text
        ),
    }
}

fn expected(ty: LogicalType) -> &'static str {
    match ty {
        LogicalType::Bool => "expected boolean",
        LogicalType::Integer => "expected long or int",
        LogicalType::Float => "expected double",
        LogicalType::Text => "expected string or an enum",
        LogicalType::Bytes => "expected bytes or a fixed",
        LogicalType::Time => "expected a timestamp, a date or string",
    }
}

#[cfg(test)]
mod tests;

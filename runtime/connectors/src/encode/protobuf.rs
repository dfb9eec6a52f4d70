//! Rows as Protobuf: a message each, whose fields are the columns.
//!
//! | column | field |
//! |---|---|
//! | bool | bool |
//! | integer | all integers, where it fits |
//! | float | double |
//! | text | string; enum, where it is one of its names |
//! | bytes | bytes |
//! | time | `google.protobuf.Timestamp`; string as RFC 3339 |
//!
//! A column that may be null needs a field that can be told from its default: an `optional` one, one of proto2 or of a oneof, a wrapper
//! (`google.protobuf.Int64Value`) or a timestamp. Fields stand in the order of their numbers, and one that cannot be told from its
//! default is left out where it is that, as all writers of Protobuf have it. Fields that no column has are not set.

mod writing;

use tidemill_rows::{LogicalType, RecordBatch, Schema, values};

use super::written::Written;
use crate::proto::known::{MOMENT, is_wrapper};
use crate::proto::{self, Label, Message, Named, Scalar, Type, Types, Wire};

/// Writes rows of one schema as Protobuf.
#[derive(Clone, Debug)]
pub struct ProtobufWriter {
    /// What stands in front of each message.
    head: Vec<u8>,
    /// In the order of their numbers.
    fields: Vec<Field>,
}

/// A field of the message.
#[derive(Clone, Debug)]
struct Field {
    column: usize,
    name: String,
    number: u32,
    kind: Kind,
    /// Whether it is left out where it is the default of its type.
    is_implicit: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Scalar(Scalar),
    /// The numbers that stand for texts.
    Enum(Vec<(String, i32)>),
    Moment,
    /// A message around one value.
    Wrapper(Scalar),
}

/// The rows of one batch, ready to be written.
pub struct ProtobufRows<'a> {
    writer: &'a ProtobufWriter,
    /// The column of each field.
    values: Vec<values::Values<'a>>,
}

impl ProtobufWriter {
    /// A writer of rows of `schema` as messages of this name. Behind the head that is given stands which message of its file that is,
    /// where there is a head.
    ///
    /// # Errors
    /// If there is no such message, or how the columns do not fit it.
    pub fn new(
        schema: &Schema,
        (types, name): (&Types, &str),
        written: &Written,
    ) -> Result<Self, String> {
        let message = types.message_named(name)?;
        let mut fields = Vec::new();
        for (column, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            let found = message.fields.iter().find(|field| field.name == *name);
            let found = found.ok_or_else(|| {
                format!(
                    "message {} has no field `{name}`, and the rows have a column `{name}`: leave it out with `omit`",
                    message.name
                )
            })?;
            let ty = LogicalType::of(field.data_type());
            let kind = kind(types, message, found)?;
            if !takes(&kind, ty) {
                return Err(format!(
                    "field `{name}` takes no {ty}, which the column is: {}",
                    expected(ty)
                ));
            }
            let is_told =
                found.label == Label::Explicit || matches!(kind, Kind::Moment | Kind::Wrapper(_));
            if field.is_nullable() && (!is_told || found.label == Label::Required) {
                return Err(format!(
                    "field `{name}` is never null, and the column may be: make the field `optional`, or a wrapper"
                ));
            }
            fields.push(Field {
                column,
                name: name.clone(),
                number: found.number,
                kind,
                is_implicit: found.label == Label::Implicit,
            });
        }
        left_out(message, &fields)?;
        fields.sort_by_key(|field| field.number);
        let mut head = written.head.clone();
        if !head.is_empty() {
            let place = types.place_of(message);
            let place = place.ok_or_else(|| format!("message {name} is of another file"))?;
            writing::place(&place, &mut head);
        }
        Ok(Self { head, fields })
    }

    /// Sets the batch whose rows are to be written.
    pub fn of<'a>(&'a self, rows: &'a RecordBatch) -> ProtobufRows<'a> {
        let values = |field: &Field| values::Values::of(rows.column(field.column));
        ProtobufRows {
            writer: self,
            values: self.fields.iter().map(values).collect(),
        }
    }
}

/// What cannot be left out, or stand beside another one.
fn left_out(message: &Message, fields: &[Field]) -> Result<(), String> {
    let has = |field: &proto::Field| fields.iter().any(|has| has.number == field.number);
    for field in &message.fields {
        if field.label == Label::Required && !has(field) {
            return Err(format!(
                "field `{0}` must be there, and the rows have no column `{0}`",
                field.name
            ));
        }
        let other = message
            .fields
            .iter()
            .find(|other| other.number != field.number && other.oneof == field.oneof && has(other));
        if let (Some(_), Some(other), true) = (field.oneof, other, has(field)) {
            return Err(format!(
                "`{}` and `{}` are of one oneof, of which one at most is there: leave the other out with `omit`",
                field.name, other.name
            ));
        }
    }
    Ok(())
}

fn kind(types: &Types, message: &Message, field: &proto::Field) -> Result<Kind, String> {
    let name = &field.name;
    match (&field.ty, field.label) {
        (_, Label::Repeated) => Err(format!(
            "field `{name}` is a list or a map, which no column is"
        )),
        (Type::Map, _) => Err(format!("field `{name}` is a map, which no column is")),
        (Type::Scalar(scalar), _) => Ok(Kind::Scalar(*scalar)),
        (Type::Named(of), _) => match types.resolve(of, message)? {
            Named::Enum(number) => Ok(Kind::Enum(types.enumeration(number).values.clone())),
            Named::Message(number) => {
                let inner = types.message(number);
                match &inner.fields[..] {
                    _ if inner.name == MOMENT => Ok(Kind::Moment),
                    [
                        proto::Field {
                            ty: Type::Scalar(scalar),
                            ..
                        },
                    ] if is_wrapper(&inner.name) => Ok(Kind::Wrapper(*scalar)),
                    _ => Err(format!("field `{name}` is a message, which no column is")),
                }
            }
        },
    }
}

fn takes(kind: &Kind, ty: LogicalType) -> bool {
    match (ty, kind) {
        (LogicalType::Text, Kind::Enum(_)) | (LogicalType::Time, Kind::Moment) => true,
        (ty, Kind::Scalar(scalar) | Kind::Wrapper(scalar)) => match scalar {
            Scalar::Bool => ty == LogicalType::Bool,
            Scalar::Double => ty == LogicalType::Float,
            Scalar::Float => false,
            Scalar::String => matches!(ty, LogicalType::Text | LogicalType::Time),
            Scalar::Bytes => ty == LogicalType::Bytes,
            _ => ty == LogicalType::Integer,
        },
        _ => false,
    }
}

fn expected(ty: LogicalType) -> &'static str {
    match ty {
        LogicalType::Bool => "expected bool",
        LogicalType::Integer => "expected an integer such as int64",
        LogicalType::Float => "expected double",
        LogicalType::Text => "expected string or an enum",
        LogicalType::Bytes => "expected bytes",
        LogicalType::Time => "expected google.protobuf.Timestamp or string",
    }
}

/// How the values of a kind stand in a message.
fn wire(kind: &Kind) -> Wire {
    match kind {
        Kind::Scalar(scalar) => scalar.wire(),
        Kind::Enum(_) => Wire::Varint,
        Kind::Moment | Kind::Wrapper(_) => Wire::Counted,
    }
}

#[cfg(test)]
mod tests;

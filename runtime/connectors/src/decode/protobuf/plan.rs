//! How messages of a schema are gone over: where columns are read; everything else is passed over by how it is written.

use crate::LogicalType;
use crate::decode::typed::Found;
use crate::format::ColumnSpec;
use crate::proto::known::{MOMENT, is_wrapper};
use crate::proto::{Enum, Field, Label, Message, Named, Scalar, Type, Types};

/// How messages of one type are read.
#[derive(Debug, Default)]
pub struct Plan {
    /// Fields that are read, or take others back, by number.
    fields: Vec<FieldPlan>,
    /// What columns hold where the message is there and their fields are not.
    pub defaults: Vec<(usize, Default)>,
}

/// How a field is read.
#[derive(Debug)]
pub struct FieldPlan {
    number: u32,
    /// Its name, for messages.
    pub name: String,
    /// Columns of the others of its oneof.
    pub others: Vec<usize>,
    /// What becomes of it.
    pub way: Way,
}

/// What becomes of a field.
#[derive(Debug)]
pub enum Way {
    /// It is passed over.
    Past,
    /// A value, for these columns.
    Scalar(Scalar, Vec<usize>),
    /// A number, for which these stand.
    Enum(Vec<(String, i32)>, Vec<usize>),
    /// Fields of it are read.
    Message(Plan),
    /// Seconds and nanoseconds since 1970.
    Moment(Vec<usize>),
    /// What these columns cannot be.
    Misplaced(&'static str, Vec<usize>),
    /// What has no fields, and these columns are fields of it.
    Fieldless(Vec<usize>),
}

/// What a field is that is not there, where that cannot be told from its default.
#[derive(Clone, Debug)]
pub enum Default {
    Bool,
    Integer,
    Float,
    Text(String),
    Bytes,
}

/// A column, and what is left of its path.
type Target<'c> = (usize, &'c [String]);

impl Plan {
    /// How messages are read for columns.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn new(types: &Types, message: &Message, columns: &[ColumnSpec]) -> Result<Self, String> {
        let targets: Vec<Target<'_>> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| (i, &column.path[..]))
            .collect();
        Planner { types, columns }.message(message, &targets)
    }

    /// What becomes of the field of a number.
    #[inline]
    pub fn field(&self, number: u32) -> Option<&FieldPlan> {
        self.fields.iter().find(|field| field.number == number)
    }
}

struct Planner<'p> {
    types: &'p Types,
    columns: &'p [ColumnSpec],
}

impl Planner<'_> {
    fn message(&self, message: &Message, targets: &[Target<'_>]) -> Result<Plan, String> {
        let mut plan = Plan::default();
        for field in &message.fields {
            let inside = inside(targets, &field.name);
            let others: Vec<usize> = message
                .fields
                .iter()
                .filter(|other| field.oneof.is_some() && other.oneof == field.oneof)
                .filter(|other| other.number != field.number)
                .flat_map(|other| columns(&self::inside(targets, &other.name)))
                .collect();
            if inside.is_empty() && others.is_empty() {
                continue;
            }
            let way = match inside.is_empty() {
                true => Way::Past,
                false => self.way(message, field, &inside)?,
            };
            if field.label == Label::Implicit {
                self.defaults(&way, &mut plan.defaults);
            }
            plan.fields.push(FieldPlan {
                number: field.number,
                name: field.name.clone(),
                others,
                way,
            });
        }
        Ok(plan)
    }

    fn way(&self, message: &Message, field: &Field, targets: &[Target<'_>]) -> Result<Way, String> {
        let all = columns(targets);
        let name = match (&field.ty, field.label) {
            (Type::Map, _) => return Ok(Way::Misplaced("a map", all)),
            (_, Label::Repeated) => return Ok(Way::Misplaced("a list", all)),
            (Type::Scalar(_), _) if !ends(targets) => return Ok(Way::Fieldless(all)),
            (Type::Scalar(scalar), _) => return Ok(Way::Scalar(*scalar, all)),
            (Type::Named(name), _) => name,
        };
        Ok(match self.types.resolve(name, message)? {
            Named::Enum(_) if !ends(targets) => Way::Fieldless(all),
            Named::Enum(number) => {
                let Enum { values } = self.types.enumeration(number);
                Way::Enum(values.clone(), all)
            }
            Named::Message(number) => {
                let inner = self.types.message(number);
                match ends(targets) {
                    true if inner.name == MOMENT => Way::Moment(all),
                    true if is_wrapper(&inner.name) => {
                        let value = ["value".to_owned()];
                        let targets: Vec<Target<'_>> =
                            all.iter().map(|&column| (column, &value[..])).collect();
                        Way::Message(self.message(inner, &targets)?)
                    }
                    true => Way::Misplaced("a message", all),
                    false => Way::Message(self.message(inner, targets)?),
                }
            }
        })
    }

    /// What the columns of a field hold where it is not there and cannot say so.
    fn defaults(&self, way: &Way, into: &mut Vec<(usize, Default)>) {
        let (default, columns): (Default, &[usize]) = match way {
            Way::Scalar(scalar, columns) => {
                let default = match scalar {
                    Scalar::Bool => Default::Bool,
                    Scalar::Float | Scalar::Double => Default::Float,
                    Scalar::String => Default::Text(String::new()),
                    Scalar::Bytes => Default::Bytes,
                    _ => Default::Integer,
                };
                (default, columns)
            }
            Way::Enum(values, columns) => {
                let zero = values.iter().find(|(_, number)| *number == 0);
                let zero = zero.or(values.first());
                let name = zero.map(|(name, _)| name.clone());
                (Default::Text(name.unwrap_or_default()), columns)
            }
            _ => return,
        };
        for &column in columns {
            let default = match (&default, self.columns[column].ty, way) {
                // No time is written so.
                (Default::Text(_), LogicalType::Time, _) => continue,
                (_, LogicalType::Integer, Way::Enum(..)) => Default::Integer,
                (default, ..) => default.clone(),
            };
            into.push((column, default));
        }
    }
}

impl Default {
    /// As what it is found.
    pub fn found(&self) -> Found<'_> {
        match self {
            Self::Bool => Found::Bool(false),
            Self::Integer => Found::Integer(0),
            Self::Float => Found::Float(0.0),
            Self::Text(text) => Found::Text(text),
            Self::Bytes => Found::Bytes(&[]),
        }
    }
}

/// The targets that lie in a field.
fn inside<'c>(targets: &[Target<'c>], field: &str) -> Vec<Target<'c>> {
    let within = |&(column, path): &Target<'c>| {
        let (first, rest) = path.split_first()?;
        (first == field).then_some((column, rest))
    };
    targets.iter().filter_map(within).collect()
}

/// Whether the paths have come to their end: no column is a value and another one a field of it.
fn ends(targets: &[Target<'_>]) -> bool {
    targets.iter().all(|(_, path)| path.is_empty())
}

fn columns(targets: &[Target<'_>]) -> Vec<usize> {
    targets.iter().map(|&(column, _)| column).collect()
}

//! How data of a schema are gone over: where columns are read, and what is passed over.
//!
//! The schema is read as it is (JSON, by the specification of Avro 1.12), without defaults, aliases and orders, which mean nothing to
//! who reads by the schema that a value was written with.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidemill_rows::time_text::EpochUnit;

use crate::format::ColumnSpec;

/// How data of one schema are read.
pub struct Plan {
    pub root: Node,
    /// What has a name, by number, for what names it: to be passed over.
    pub named: Vec<Node>,
}

/// How a part of a datum is read.
#[derive(Debug)]
pub enum Node {
    /// A value, for these columns.
    Leaf(Leaf, Vec<usize>),
    /// Its parts, one after the other.
    Record(Vec<Node>),
    /// A number, and the one of these that it says.
    Union(Vec<Node>),
    Array(Box<Node>),
    Map(Box<Node>),
    /// As what has this number among those with names.
    Named(usize),
    /// What these columns cannot be: an array, say.
    Misplaced(&'static str, Vec<usize>),
    /// What has no fields, and these columns are fields of it.
    Fieldless(Leaf, Vec<usize>),
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Leaf {
    Null,
    Bool,
    /// An integer of 32 bits.
    Int,
    /// One of 64.
    Long,
    /// A moment, as so many of a unit.
    Moment(EpochUnit),
    Nanos,
    Days,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Vec<String>),
}

/// A column, and what is left of its path.
type Target<'c> = (usize, &'c [String]);

/// A definition of a name: what stands there, and the namespace within it.
type Definition<'s> = (&'s Map<String, Value>, String);

#[derive(Default)]
struct Names<'s>(BTreeMap<String, Definition<'s>>);

impl Plan {
    /// How data of a schema are read for columns; `needed` are schemas whose names it uses.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn new(text: &str, needed: &[&str], columns: &[ColumnSpec]) -> Result<Self, String> {
        let parse = |text: &str| -> Result<Value, String> {
            serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
        };
        let schema = parse(text)?;
        let needed: Result<Vec<Value>, String> = needed.iter().map(|text| parse(text)).collect();
        let needed = needed?;
        let mut names = Names::default();
        for schema in needed.iter().chain([&schema]) {
            names.collect(schema, "")?;
        }
        let definitions = names.0.values();
        let named: Result<Vec<Node>, String> = definitions
            .map(|(object, within)| names.definition(object, within, &[]))
            .collect();
        let column = |(i, column): (usize, &'_ ColumnSpec)| (i, column.path.clone());
        let paths: Vec<(usize, Vec<String>)> = columns.iter().enumerate().map(column).collect();
        let targets: Vec<Target<'_>> = paths.iter().map(|(i, path)| (*i, &path[..])).collect();
        match names.node(&schema, "", &targets)? {
            root @ Node::Record(_) => Ok(Self {
                root,
                named: named?,
            }),
            _ => Err("expected a record, whose fields are columns".to_owned()),
        }
    }
}

impl<'s> Names<'s> {
    /// Finds what has a name.
    fn collect(&mut self, schema: &'s Value, within: &str) -> Result<(), String> {
        match schema {
            Value::Array(variants) => variants.iter().try_for_each(|v| self.collect(v, within)),
            Value::Object(object) => match kind(object) {
                Some("record" | "error" | "enum" | "fixed") => self.define(object, within),
                Some("array") => self.collect(member(object, "items")?, within),
                Some("map") => self.collect(member(object, "values")?, within),
                Some(_) => Ok(()),
                None => self.collect(member(object, "type")?, within),
            },
            _ => Ok(()),
        }
    }

    fn define(&mut self, object: &'s Map<String, Value>, within: &str) -> Result<(), String> {
        let name = text(object, "name")?;
        let namespace = object.get("namespace").and_then(Value::as_str);
        let name = full_name(name, namespace.unwrap_or(within));
        let within = name
            .rsplit_once('.')
            .map_or("", |(space, _)| space)
            .to_owned();
        for field in object
            .get("fields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let field = field.as_object().ok_or("a field is no object")?;
            self.collect(member(field, "type")?, &within)?;
        }
        match self.0.insert(name.clone(), (object, within)) {
            None => Ok(()),
            Some(_) => Err(format!("it defines {name} twice")),
        }
    }

    fn node(
        &self,
        schema: &'s Value,
        within: &str,
        targets: &[Target<'_>],
    ) -> Result<Node, String> {
        match schema {
            Value::String(name) => match leaf(name, None) {
                Some(leaf) => Ok(value(leaf, targets)),
                None => self.of_name(name, within, targets),
            },
            Value::Array(variants) => {
                let variants = variants.iter();
                let nodes = variants.map(|variant| self.node(variant, within, targets));
                Ok(Node::Union(nodes.collect::<Result<_, String>>()?))
            }
            Value::Object(object) => self.object(object, within, targets),
            other => Err(format!("{other} is no type")),
        }
    }

    fn of_name(&self, name: &str, within: &str, targets: &[Target<'_>]) -> Result<Node, String> {
        let name = full_name(name, within);
        let number = self.0.keys().position(|known| *known == name);
        let number = number.ok_or_else(|| format!("it has no type {name}"))?;
        if targets.is_empty() {
            return Ok(Node::Named(number));
        }
        let (object, within) = &self.0[&name];
        self.definition(object, within, targets)
    }

    fn object(
        &self,
        object: &'s Map<String, Value>,
        within: &str,
        targets: &[Target<'_>],
    ) -> Result<Node, String> {
        let misplaced = |what, node: Node| match targets.is_empty() {
            true => node,
            false => Node::Misplaced(what, columns(targets)),
        };
        let Some(kind) = kind(object) else {
            return self.node(member(object, "type")?, within, targets);
        };
        match kind {
            "record" | "error" | "enum" | "fixed" => {
                let namespace = object.get("namespace").and_then(Value::as_str);
                let name = full_name(text(object, "name")?, namespace.unwrap_or(within));
                let within = name.rsplit_once('.').map_or("", |(space, _)| space);
                self.definition(object, within, targets)
            }
            "array" => {
                let items = self.node(member(object, "items")?, within, &[])?;
                Ok(misplaced("an array", Node::Array(Box::new(items))))
            }
            "map" => {
                let values = self.node(member(object, "values")?, within, &[])?;
                Ok(misplaced("a map", Node::Map(Box::new(values))))
            }
            name => {
                let logical = object.get("logicalType").and_then(Value::as_str);
                match leaf(name, logical) {
                    Some(leaf) => Ok(value(leaf, targets)),
                    None => self.of_name(name, within, targets),
                }
            }
        }
    }

    /// What has a name of its own, with this namespace within it.
    fn definition(
        &self,
        object: &'s Map<String, Value>,
        within: &str,
        targets: &[Target<'_>],
    ) -> Result<Node, String> {
        match kind(object) {
            Some("enum") => {
                let symbols = member(object, "symbols")?.as_array().into_iter().flatten();
                let symbols = symbols.filter_map(Value::as_str).map(str::to_owned);
                Ok(value(Leaf::Enum(symbols.collect()), targets))
            }
            Some("fixed") => {
                let size = member(object, "size")?.as_u64();
                let size = size.and_then(|size| usize::try_from(size).ok());
                Ok(value(
                    Leaf::Fixed(size.ok_or("a size is no number")?),
                    targets,
                ))
            }
            _ => {
                let whole: Vec<Target<'_>> = targets.iter().copied().filter(ends).collect();
                if !whole.is_empty() {
                    return Ok(Node::Misplaced("a record", columns(&whole)));
                }
                let fields = member(object, "fields")?.as_array().into_iter().flatten();
                let field = |field: &'s Value| {
                    let field = field.as_object().ok_or("a field is no object")?;
                    let inside = inside(targets, text(field, "name")?);
                    self.node(member(field, "type")?, within, &inside)
                };
                Ok(Node::Record(
                    fields.map(field).collect::<Result<_, String>>()?,
                ))
            }
        }
    }
}

/// What an object says of its type in a word.
fn kind(object: &Map<String, Value>) -> Option<&str> {
    object.get("type").and_then(Value::as_str)
}

fn member<'s>(object: &'s Map<String, Value>, name: &str) -> Result<&'s Value, String> {
    object
        .get(name)
        .ok_or_else(|| format!("something has no `{name}`"))
}

fn text<'s>(object: &'s Map<String, Value>, name: &str) -> Result<&'s str, String> {
    let text = member(object, name)?.as_str();
    text.ok_or_else(|| format!("`{name}` of something is no text"))
}

fn full_name(name: &str, within: &str) -> String {
    match name.contains('.') || within.is_empty() {
        true => name.to_owned(),
        false => format!("{within}.{name}"),
    }
}

fn value(leaf: Leaf, targets: &[Target<'_>]) -> Node {
    match (&leaf, targets.iter().all(ends)) {
        // Of nothing, every field is nothing.
        (Leaf::Null, _) | (_, true) => Node::Leaf(leaf, columns(targets)),
        _ => Node::Fieldless(leaf, columns(targets)),
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

/// Whether a target's path has come to its end.
fn ends((_, path): &Target<'_>) -> bool {
    path.is_empty()
}

fn columns(targets: &[Target<'_>]) -> Vec<usize> {
    targets.iter().map(|&(column, _)| column).collect()
}

/// A type that has no parts and no name of its own. A logical type that is not known is what it is written as.
fn leaf(name: &str, logical: Option<&str>) -> Option<Leaf> {
    Some(match (name, logical.unwrap_or_default()) {
        ("null", _) => Leaf::Null,
        ("boolean", _) => Leaf::Bool,
        ("int", "date") => Leaf::Days,
        ("long", "timestamp-millis" | "local-timestamp-millis") => Leaf::Moment(EpochUnit::Millis),
        ("long", "timestamp-micros" | "local-timestamp-micros") => Leaf::Moment(EpochUnit::Micros),
        ("long", "timestamp-nanos" | "local-timestamp-nanos") => Leaf::Nanos,
        ("int", _) => Leaf::Int,
        ("long", _) => Leaf::Long,
        ("float", _) => Leaf::Float,
        ("double", _) => Leaf::Double,
        ("bytes", _) => Leaf::Bytes,
        ("string", _) => Leaf::Text,
        _ => return None,
    })
}

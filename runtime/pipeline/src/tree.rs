//! A TOML document as a tree in which every value keeps its place and every table the order of the file.

mod syntax;

pub(crate) use syntax::{parse_document, parse_value};

use std::fmt::Write as _;

use toml::de::{DeTable, DeValue};

use crate::diagnostics::Diagnostics;
use crate::place::{Span, Spanned};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
    /// The text as the file has it, where variables or secrets were filled in: what messages may show.
    pub raw: Option<String>,
}

impl Node {
    /// A value at a place, as the file has it.
    pub fn new(value: Value, span: Span) -> Self {
        Self {
            value,
            span,
            raw: None,
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        self.value.as_json(Self::to_json)
    }

    /// The value as JSON as messages may show it: texts as the file has them, before anything was filled in.
    pub fn to_shown_json(&self) -> serde_json::Value {
        match &self.raw {
            Some(raw) => raw.as_str().into(),
            None => self.value.as_json(Self::to_shown_json),
        }
    }

    /// What there is, for messages: `the text "abc"`, `a list`. Never what a variable or a secret held.
    pub fn found(&self) -> String {
        match &self.raw {
            Some(raw) => format!("the text {}", quoted(raw)),
            None => self.value.found(),
        }
    }
}

/// A key of a table and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// Its value.
    pub node: Node,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `"…"`.
    Text(String),
    /// A number without a point.
    Integer(i64),
    /// A number with one.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A date or time without quotes.
    Datetime(String),
    /// `[…]`.
    List(Vec<Node>),
    /// `{…}` or a `[section]`.
    Table(Vec<Entry>),
}

impl Value {
    fn found(&self) -> String {
        match self {
            Self::Text(text) if text.is_empty() => "an empty text".to_owned(),
            Self::Text(text) => format!("the text {}", quoted(text)),
            Self::Integer(number) => format!("the integer {number}"),
            Self::Float(number) => format!("the number {number:?}"),
            Self::Bool(value) => format!("`{value}`"),
            Self::Datetime(text) => format!("the date {text}"),
            Self::List(items) if items.is_empty() => "an empty list".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }

    /// The value as JSON; each entry as `each` says. A number that JSON cannot hold (NaN, infinite) is null; a date is text.
    fn as_json(&self, each: fn(&Node) -> serde_json::Value) -> serde_json::Value {
        match self {
            Self::Text(text) | Self::Datetime(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Bool(value) => (*value).into(),
            Self::List(items) => items.iter().map(each).collect(),
            Self::Table(entries) => entries
                .iter()
                .map(|entry| (entry.key.value.clone(), each(&entry.node)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// A text in quotes, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::from("\"");
    for (n, c) in text.chars().enumerate() {
        if n == LONGEST {
            out.push('…');
            break;
        }
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "{}", c.escape_default());
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Copies a parsed table; `base` is added to its places.
fn table(table: &DeTable<'_>, base: usize, d: &mut Diagnostics) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: Spanned::new(key.get_ref().to_string(), shift(key.span(), base)),
            node: node(value.get_ref(), shift(value.span(), base), base, d),
        })
        .collect();
    // The parser sorts by name; the file's order is the one that means something.
    entries.sort_by_key(|entry| entry.key.span.start);
    entries
}

fn node(value: &DeValue<'_>, span: Span, base: usize, d: &mut Diagnostics) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => integer(number, &span, d),
        DeValue::Float(number) => float(number.as_str(), &span, d),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| node(item.get_ref(), shift(item.span(), base), base, d))
                .collect(),
        ),
        DeValue::Table(entries) => Value::Table(table(entries, base, d)),
    };
    Node::new(value, span)
}

fn integer(number: &toml::de::DeInteger<'_>, span: &Span, d: &mut Diagnostics) -> Value {
    Value::Integer(
        i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
            d.error(span, "the number is too large")
                .label(format!("expected a number of 64 bits, found {number}"))
                .help(format!("the range is {} to {}", i64::MIN, i64::MAX));
            // A stand-in that most keys take, so that nothing more is said about it.
            1
        }),
    )
}

fn float(text: &str, span: &Span, d: &mut Diagnostics) -> Value {
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    if number.is_infinite() && !text.contains("inf") {
        d.error(span, "the number is too large")
            .label(format!(
                "expected a number of at most {:e}, found {text}",
                f64::MAX
            ))
            .help("write `inf` if infinity is meant");
    }
    Value::Float(number)
}

fn shift(span: Span, base: usize) -> Span {
    span.start + base..span.end + base
}

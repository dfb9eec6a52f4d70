//! A table of the file being read by its [`Shape`]: unknown keys, types, defaults.
//!
//! Each reader method adds a problem where a value is not of its key's type and then gives nothing, so that reading goes on
//! and everything wrong is found in one go.

mod values;

use crate::diagnostics::Diagnostics;
use crate::keys::{Default, Key, Kind, Shape};
use crate::nearest::{nearest, suggestion};
use crate::place::Span;
use crate::tree::{Entry, Node, Value, parse_value};

/// A table being read.
pub(crate) struct Section<'a> {
    shape: &'static Shape,
    /// How messages name it: source `payments`.
    pub(crate) title: String,
    /// Where it begins.
    pub(crate) span: Span,
    entries: &'a [Entry],
}

impl<'a> Section<'a> {
    /// Opens a table; reports keys that its shape does not have.
    pub(crate) fn open(
        shape: &'static Shape,
        title: String,
        node: (&'a [Entry], Span),
        d: &mut Diagnostics,
    ) -> Self {
        let (entries, span) = node;
        let this = Self {
            shape,
            title,
            span,
            entries,
        };
        for entry in entries {
            this.check_key(entry, d);
        }
        this
    }

    fn check_key(&self, entry: &Entry, d: &mut Diagnostics) {
        let name = entry.key.value.as_str();
        match self.shape.key(name) {
            Some(Key {
                kind: Kind::Later,
                example,
                ..
            }) => {
                not_built_yet(&entry.key.span, &format!("`{name}` of {}", self.title), d)
                    .help(format!("in this version {example}"));
            }
            Some(_) => {}
            None => {
                let names = self.shape.names();
                d.error(
                    &entry.key.span,
                    format!("{} has no key `{name}`", self.title),
                )
                .label("not known here")
                .help(suggestion(name, &names));
            }
        }
    }

    /// Whether a key that is not known was probably meant to be this one: then it is not missed too.
    pub(crate) fn meant(&self, name: &str) -> bool {
        let names = self.shape.names();
        let mut unknown = self
            .entries
            .iter()
            .filter(|e| self.shape.key(&e.key.value).is_none());
        unknown.any(|entry| nearest(&entry.key.value, names.iter().copied()) == Some(name))
    }

    /// Whether one of these keys is there, or was meant.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name) || self.meant(name))
    }

    /// Whether the file has the key.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// The key and its value, if the file has it.
    pub(crate) fn entry(&self, name: &str) -> Option<&'a Entry> {
        debug_assert!(
            self.shape.key(name).is_some(),
            "{} has no {name}",
            self.shape.name
        );
        self.entries.iter().find(|entry| entry.key.value == name)
    }

    /// Where the value of a key stands; where it does not, the table.
    pub(crate) fn place(&self, name: &str) -> Span {
        self.entry(name)
            .map_or_else(|| self.span.clone(), |entry| entry.node.span.clone())
    }

    /// The entries that name one of several choices.
    pub(crate) fn chosen(&self, names: &[&str]) -> Vec<&'a Entry> {
        self.entries
            .iter()
            .filter(|entry| names.contains(&entry.key.value.as_str()))
            .collect()
    }

    /// The key's row in the table of keys.
    ///
    /// # Panics
    /// If the shape has no such key.
    fn key(&self, name: &str) -> &'static Key {
        self.shape
            .key(name)
            .unwrap_or_else(|| panic!("{} has no key {name}", self.shape.name))
    }

    /// The value of a key, or its default at the table's place. A required key that is missing is reported.
    fn node(&self, name: &str, d: &mut Diagnostics) -> Option<Node> {
        if let Some(entry) = self.entry(name) {
            return Some(entry.node.clone());
        }
        let key = self.key(name);
        match key.default {
            Default::Said(_) => None,
            Default::Required if self.meant(name) => None,
            Default::Value(text) => {
                let mut node = parse_value(text, 0, d).expect("defaults are TOML");
                node.span = self.span.clone();
                Some(node)
            }
            Default::Required => {
                d.error(&self.span, format!("{} has no `{name}`", self.title))
                    .label(format!("expected a key `{name}` in here"))
                    .help(format!("add it, for example `{name} = {}`", key.example));
                None
            }
        }
    }

    /// Reports a value that is not of its key's type.
    fn wrong(&self, name: &str, node: &Node, d: &mut Diagnostics) {
        let key = self.key(name);
        d.error(
            &node.span,
            format!("`{name}` of {} is of the wrong type", self.title),
        )
        .label(format!(
            "expected {}, found {}",
            key.kind.expected(),
            node.found()
        ))
        .help(format!("for example `{name} = {}`", key.example));
    }

    /// Opens the table under a key, if it is there and one.
    pub(crate) fn table(
        &self,
        name: &str,
        shape: &'static Shape,
        d: &mut Diagnostics,
    ) -> Option<Section<'a>> {
        let entry = self.entry(name)?;
        let Value::Table(entries) = &entry.node.value else {
            self.wrong(name, &entry.node, d);
            return None;
        };
        let title = format!("`{name}` of {}", self.title);
        Some(Section::open(
            shape,
            title,
            (entries, entry.key.span.clone()),
            d,
        ))
    }
}

/// A problem with something that is known but not there yet.
pub(crate) fn not_built_yet<'d>(
    span: &Span,
    what: &str,
    d: &'d mut Diagnostics,
) -> &'d mut crate::diagnostics::Problem {
    let problem = d.error(span, format!("{what} is not built yet"));
    problem.label("not in this version of tidemill");
    problem
}

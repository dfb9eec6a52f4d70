//! TOML text to trees, and TOML's errors as problems that say what to do.

use toml::de::{DeTable, DeValue};

use super::{Entry, Node, node, table};
use crate::diagnostics::Diagnostics;

/// A document; nothing if its syntax is wrong, with the errors added.
pub(crate) fn parse_document(text: &str, d: &mut Diagnostics) -> Option<Vec<Entry>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        add(error, text, 0, d);
    }
    errors.is_empty().then(|| table(root.get_ref(), 0, d))
}

/// A single value whose text starts at `base`; nothing if its syntax is wrong, which is not reported.
pub(crate) fn parse_value(text: &str, base: usize, d: &mut Diagnostics) -> Option<Node> {
    let (root, errors) = DeValue::parse_recoverable(text);
    let span = base..base + text.len();
    errors.is_empty().then(|| node(root.get_ref(), span, base, d))
}

fn add(error: &toml::de::Error, text: &str, base: usize, d: &mut Diagnostics) {
    let span = error.span().unwrap_or(0..0);
    let first = error.message().lines().next().unwrap_or_default();
    let (title, expected) = match first.split_once(", expected ") {
        Some((title, expected)) => (title, Some(expected)),
        None => (first, None),
    };
    let found = text.get(span.clone()).unwrap_or_default();
    let label = match expected {
        Some(expected) => format!("expected {}", plain(expected)),
        None => "here".to_owned(),
    };
    let problem = d.error(&(span.start + base..span.end + base), format!("not TOML: {title}"));
    problem.label(label);
    if let Some(help) = help(title, found) {
        problem.help(help);
    }
}

/// TOML's parser names a line's end by its character.
fn plain(expected: &str) -> String {
    expected.replace("`\n`", "the end of the line").replace("`#`", "a comment (`#`)")
}

/// What to do about the errors that people make most.
fn help(title: &str, found: &str) -> Option<&'static str> {
    let known: &[(&str, &str)] = &[
        ("duplicate key", "a key or a [section] stands once in a file: put both together, or rename one"),
        ("key with no value", "write `key = value`; a section's name stands in brackets, as in `[sinks.out]`"),
        ("missing value", "write a value behind the `=`; text stands in quotes, as in `format = \"json\"`"),
        ("unclosed table", "close the section's name with `]`, as in `[sources.payments]`"),
        ("unclosed array", "close the list with `]`, as in `input = [\"a\", \"b\"]`"),
        ("unclosed inline table", "close the table with `}`, as in `window = { tumble = \"1h\" }`"),
        ("missing comma", "separate the values by commas"),
        ("invalid basic string", "close the text with a quote on the same line; write `\\\\` for a backslash"),
        ("invalid literal string", "close the text with a quote on the same line"),
        ("string values must be quoted", "put the text in quotes, as in `format = \"json\"`"),
        ("unexpected key or value", "one setting stands on a line; text stands in quotes"),
        ("cannot extend", "a value is either a table in braces or a [section], not both"),
    ];
    if let Some((_, help)) = known.iter().find(|(start, _)| title.starts_with(start)) {
        return Some(help);
    }
    let quoteless = found.chars().next().is_some_and(|c| c.is_alphabetic() || c == '/' || c == '.');
    quoteless.then_some("text stands in quotes, as in `format = \"json\"`")
}

//! TOML text to trees, and TOML's errors as problems that say what to do.
//!
//! After an error the parser goes on and finds more, most of which only follow from the first: those are left out.

use std::ops::Range;

use toml::de::{DeTable, DeValue, Error};

use super::{Entry, Node, node, quoted, table};
use crate::diagnostics::Diagnostics;
use crate::place::Span;

/// A document; nothing if its syntax is wrong, with the errors added.
pub(crate) fn parse_document(text: &str, d: &mut Diagnostics) -> Option<Vec<Entry>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(table(root.get_ref(), 0, d));
    }
    let mut errors: Vec<(Span, String)> = errors
        .iter()
        .map(|error| place_and_text(error, text))
        .collect();
    errors.sort_by_key(|(span, _)| span.start);
    if !report_unclosed(&errors, text, d) {
        report_each(&errors, text, d);
    }
    None
}

/// A single value whose text starts at `base`; nothing if its syntax is wrong, which is not reported.
pub(crate) fn parse_value(text: &str, base: usize, d: &mut Diagnostics) -> Option<Node> {
    let (root, errors) = DeValue::parse_recoverable(text);
    let span = base..base + text.len();
    errors
        .is_empty()
        .then(|| node(root.get_ref(), span, base, d))
}

fn place_and_text(error: &Error, text: &str) -> (Span, String) {
    let Range { start, end } = error.span().unwrap_or(0..0);
    let message = error.message().lines().next().unwrap_or_default();
    (
        start.min(text.len())..end.min(text.len()),
        message.to_owned(),
    )
}

/// A list or table that is not closed swallows what follows: one problem, at the bracket that was opened.
fn report_unclosed(errors: &[(Span, String)], text: &str, d: &mut Diagnostics) -> bool {
    let (first, _) = &errors[0];
    let unclosed = |start: &str| errors.iter().any(|(_, message)| message.starts_with(start));
    let (open, close, what) = if unclosed("unclosed array,") {
        ('[', ']', "list")
    } else if unclosed("unclosed inline table") {
        ('{', '}', "table")
    } else {
        return false;
    };
    let Some(at) = text[..first.start].rfind(open) else {
        return false;
    };
    d.error(&(at..at + 1), format!("not TOML: a {what} is not closed"))
        .label(format!("expected a `{close}` for this one"))
        .also(first, "it is still open here")
        .help(format!("close the {what} with `{close}`"));
    true
}

/// The first problem of each line; of a section that stands twice, nothing of what it holds.
fn report_each(errors: &[(Span, String)], text: &str, d: &mut Diagnostics) {
    let mut last_line = None;
    let mut twice_until = 0;
    for (span, message) in errors {
        let line = line_start(text, span.start);
        if last_line.replace(line) == Some(line) || span.start < twice_until {
            continue;
        }
        let duplicate = message.starts_with("duplicate key");
        if duplicate {
            if text[line..].trim_start().starts_with('[') {
                twice_until = text[span.end..]
                    .find("\n[")
                    .map_or(text.len(), |at| span.end + at);
            }
            report_twice(span, line, text, d);
        } else {
            report(span, message, text, d);
        }
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..text.floor_char_boundary(at)]
        .rfind('\n')
        .map_or(0, |newline| newline + 1)
}

fn report_twice(span: &Span, line: usize, text: &str, d: &mut Diagnostics) {
    let name = text.get(span.clone()).unwrap_or_default();
    let first = first_of(line, name, text);
    let problem = d.error(span, format!("not TOML: `{name}` stands twice"));
    problem.label("a second time here");
    if let Some(first) = first {
        problem.also(&first, "first here");
    }
    problem.help("put both together, or rename one");
}

/// Where a key or section that stands twice stood first, if that is easily seen.
fn first_of(line: usize, name: &str, text: &str) -> Option<Span> {
    let header = text[line..].lines().next()?.trim();
    let section = header.starts_with('[');
    let mut start = line;
    for earlier in text[..line].split_inclusive('\n').rev() {
        start -= earlier.len();
        let same = match section {
            true => earlier.trim() == header,
            false => earlier.trim_start().split([' ', '=', '\t']).next() == Some(name),
        };
        if same {
            let at = start + earlier.find(name)?;
            return Some(at..at + name.len());
        }
        if !section && earlier.starts_with('[') {
            return None;
        }
    }
    None
}

fn report(span: &Span, message: &str, text: &str, d: &mut Diagnostics) {
    let found = text.get(span.clone()).unwrap_or_default();
    let (title, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    if title == "string values must be quoted" || title == "missing value" {
        return report_value(span, found, d);
    }
    let label = match expected {
        "" => "here".to_owned(),
        // The parser names a line's end by its character.
        _ => format!("expected {expected}").replace("`\n`", "the end of the line"),
    };
    let problem = d.error(span, format!("not TOML: {title}"));
    problem.label(label);
    problem.help(help(title));
}

/// A value that is missing, or a text without quotes.
fn report_value(span: &Span, found: &str, d: &mut Diagnostics) {
    if found.trim().is_empty() {
        d.error(span, "not TOML: a value is missing")
            .label("expected a value behind the `=`")
            .help("for example `format = \"json\"`");
    } else {
        d.error(span, "not TOML: a text without quotes")
            .label(format!("expected {}, found {found}", quoted(found)))
            .help(format!("write {}", quoted(found)));
    }
}

/// What to do about the errors that people make most.
fn help(title: &str) -> &'static str {
    const KNOWN: [(&str, &str); 12] = [
        (
            "key with no value",
            "write `key = value`; a section's name stands in brackets, as in `[sinks.out]`",
        ),
        ("invalid unquoted key", "write `key = value`"),
        (
            "unclosed table",
            "close the section's name with `]`, as in `[sources.payments]`",
        ),
        (
            "unclosed array table",
            "close the section's name with `]`, as in `[sources.payments]`",
        ),
        ("missing comma", "separate the values by commas"),
        (
            "invalid basic string",
            "close the text with a quote on the same line",
        ),
        (
            "invalid literal string",
            "close the text with a quote on the same line",
        ),
        (
            "missing escaped value",
            "write `\\\\` for a backslash, or put the text in single quotes",
        ),
        (
            "too few unicode",
            "write `\\\\` for a backslash, or put the text in single quotes",
        ),
        (
            "unexpected key or value",
            "one setting stands on a line; text stands in quotes",
        ),
        (
            "cannot extend",
            "a value is either a table in braces or a [section], not both",
        ),
        (
            "cannot recurse",
            "tables and lists may be nested about 80 deep",
        ),
    ];
    let known = KNOWN.iter().find(|(start, _)| title.starts_with(start));
    known.map_or(
        "text stands in quotes, as in `format = \"json\"`",
        |(_, help)| help,
    )
}

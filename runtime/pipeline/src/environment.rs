//! `${NAME}` in texts: environment variables, so that secrets stay out of the file.
//!
//! Messages show the file's text, hence the name, never the value.

use crate::diagnostics::Diagnostics;
use crate::place::Span;
use crate::tree::{Entry, Node, Value};

/// Replaces `${NAME}` in every text by the variable's value; `$${` stays `${`.
pub(crate) fn fill_in(
    entries: &mut [Entry],
    environment: &dyn Fn(&str) -> Option<String>,
    d: &mut Diagnostics,
) {
    for entry in entries {
        node(&mut entry.node, environment, d);
    }
}

fn node(node_: &mut Node, environment: &dyn Fn(&str) -> Option<String>, d: &mut Diagnostics) {
    match &mut node_.value {
        Value::Text(text) if text.contains("${") => {
            let filled = filled(text, &node_.span, environment, d);
            node_.raw = Some(std::mem::replace(text, filled));
        }
        Value::List(items) => items.iter_mut().for_each(|item| node(item, environment, d)),
        Value::Table(entries) => fill_in(entries, environment, d),
        _ => {}
    }
}

fn filled(
    text: &str,
    span: &Span,
    environment: &dyn Fn(&str) -> Option<String>,
    d: &mut Diagnostics,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        if out.ends_with('$') {
            out.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        let Some((name, behind)) = rest[at + 2..].split_once('}') else {
            d.error(span, "a variable's name is not closed")
                .label("expected a `}` behind `${`")
                .help("write `${NAME}`; to mean the characters themselves, write `$${`");
            return text.to_owned();
        };
        match environment(name) {
            Some(value) => out.push_str(&value),
            None => missing(name, span, d),
        }
        rest = behind;
    }
    out + rest
}

fn missing(name: &str, span: &Span, d: &mut Diagnostics) {
    d.error(span, format!("environment variable `{name}` is not set"))
        .label("expected it to hold a part of this text")
        .help(format!("set it, as in `{name}=... tidemill run ...`; to mean the characters themselves, write `$${{`"));
}

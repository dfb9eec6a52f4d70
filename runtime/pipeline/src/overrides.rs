//! `--set key=value`: values from the command line in place of the file's.

use crate::diagnostics::Diagnostics;
use crate::nearest::{nearest, suggestion};
use crate::place::{Span, Spanned};
use crate::tree::{Entry, Node, Value, parse_value};

/// Puts each override's value where its dotted key says. A value that is not TOML is taken as text.
pub(crate) fn apply(overrides: &[(String, String)], root: &mut Vec<Entry>, d: &mut Diagnostics) {
    for (key, value) in overrides {
        let start = d.text_mut().push_override(&format!("{key}={value}"));
        let key_span = start..start + key.len();
        let base = key_span.end + 1;
        let text = || Node::new(Value::Text(value.clone()), base..base + value.len());
        let node = parse_value(value, base, d).unwrap_or_else(text);
        let path: Vec<&str> = key.split('.').collect();
        if path.iter().any(|name| name.is_empty()) {
            d.error(&key_span, "the key of an override is not a key")
                .label("expected names with single points between them")
                .help("for example `--set sources.payments.files=other.jsonl`");
            continue;
        }
        if is_misspelt(root, &path, &key_span, d) {
            continue;
        }
        put(root, &path, &key_span, node, d);
    }
}

/// Sections of named things. An override may add one, but not where it is more likely that a name of the file was meant.
const NAMED: [(&str, &str); 4] = [
    ("modules", "module"),
    ("sources", "source"),
    ("operators", "operator"),
    ("sinks", "sink"),
];

fn is_misspelt(root: &[Entry], path: &[&str], span: &Span, d: &mut Diagnostics) -> bool {
    let [section, name, _, ..] = path else {
        return false;
    };
    let Some((_, kind)) = NAMED.iter().find(|(named, _)| named == section) else {
        return false;
    };
    let names: Vec<&str> = root
        .iter()
        .filter(|entry| entry.key.value == *section)
        .filter_map(|entry| match &entry.node.value {
            Value::Table(inner) => Some(inner),
            _ => None,
        })
        .flatten()
        .map(|entry| entry.key.value.as_str())
        .collect();
    if names.contains(name) || nearest(name, names.iter().copied()).is_none() {
        return false;
    }
    d.error(span, format!("there is no {kind} `{name}` to override"))
        .label("not in the pipeline file")
        .help(suggestion(name, &names));
    true
}

fn put(entries: &mut Vec<Entry>, path: &[&str], span: &Span, node: Node, d: &mut Diagnostics) {
    let [name, rest @ ..] = path else { return };
    let at = entries
        .iter()
        .position(|entry| entry.key.value == *name)
        .unwrap_or_else(|| {
            let value = Value::Table(Vec::new());
            let key = Spanned::new((*name).to_owned(), span.clone());
            entries.push(Entry {
                key,
                node: Node::new(value, span.clone()),
            });
            entries.len() - 1
        });
    let entry = &mut entries[at];
    if rest.is_empty() {
        entry.node = node;
        return;
    }
    let found = entry.node.found();
    match &mut entry.node.value {
        Value::Table(inner) => put(inner, rest, span, node, d),
        _ => {
            d.error(
                span,
                format!("the override looks for a key inside `{name}`"),
            )
            .label("expected a table there")
            .also(&entry.node.span, format!("found {found}"))
            .help("set the key itself");
        }
    }
}

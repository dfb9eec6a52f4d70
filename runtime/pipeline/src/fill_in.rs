//! `${NAME}` in texts: environment variables, and `${secrets.NAME}`: what the files of secrets hold, so that neither stands in
//! the pipeline file.
//!
//! Messages show the file's text, hence the name, never the value.

use std::path::Path;

use crate::Settings;
use crate::diagnostics::Diagnostics;
use crate::nearest::nearest;
use crate::place::Span;
use crate::secrets::{PREFIX, Secrets, TABLE};
use crate::tree::{Entry, Node, Value};

/// Where values come from.
struct Filler<'a> {
    settings: &'a Settings<'a>,
    secrets: Secrets,
}

/// Replaces `${NAME}` in every text by the variable's or secret's value; `$${` stays `${`. Paths of secrets are relative to
/// `folder`.
pub(crate) fn fill_in(
    root: &mut [Entry],
    (settings, folder): (&Settings<'_>, &Path),
    d: &mut Diagnostics,
) {
    let is_secrets = |entry: &Entry| entry.key.value == TABLE;
    let mut filler = Filler {
        settings,
        secrets: Secrets::default(),
    };
    // Where secrets lie may be a variable's to say.
    for entry in root.iter_mut().filter(|entry| is_secrets(entry)) {
        filler.node(&mut entry.node, d);
        filler.secrets = Secrets::of(&entry.node, folder);
    }
    for entry in root.iter_mut().filter(|entry| !is_secrets(entry)) {
        filler.node(&mut entry.node, d);
    }
}

impl Filler<'_> {
    fn node(&mut self, node: &mut Node, d: &mut Diagnostics) {
        match &mut node.value {
            Value::Text(text) if text.contains("${") => {
                let filled = self.filled(text, &node.span, d);
                node.raw = Some(std::mem::replace(text, filled));
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.node(item, d)),
            Value::Table(entries) => {
                let nodes = entries.iter_mut().map(|entry| &mut entry.node);
                nodes.for_each(|node| self.node(node, d));
            }
            _ => {}
        }
    }

    fn filled(&mut self, text: &str, span: &Span, d: &mut Diagnostics) -> String {
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
            match name.strip_prefix(PREFIX) {
                Some(secret) => out.push_str(&self.secret(secret, span, d)),
                None => match (self.settings.environment)(name) {
                    Some(value) => out.push_str(&value),
                    None => missing(name, span, d),
                },
            }
            rest = behind;
        }
        out + rest
    }

    /// The value of a secret; nothing if it cannot be had, which is said.
    fn secret(&mut self, name: &str, span: &Span, d: &mut Diagnostics) -> String {
        let Some(file) = self.secrets.file(name) else {
            let help = match nearest(name, self.secrets.names()) {
                Some(near) => format!("did you mean `${{{PREFIX}{near}}}`?"),
                None => format!("say where it lies: `[{TABLE}.{name}]` with `file = \"...\"`"),
            };
            d.error(span, format!("there is no secret `{name}`"))
                .label("expected it to hold a part of this text")
                .help(help);
            return String::new();
        };
        let read = (self.settings.secret)(file);
        read.unwrap_or_else(|why| {
            let file = file.display();
            d.error(span, format!("secret `{name}` cannot be read"))
                .label(format!("its file {file}: {why}"))
                .help(format!(
                    "`[{TABLE}.{name}]` says where its value lies, as text in a file of its own"
                ));
            String::new()
        })
    }
}

fn missing(name: &str, span: &Span, d: &mut Diagnostics) {
    d.error(span, format!("environment variable `{name}` is not set"))
        .label("expected it to hold a part of this text")
        .help(format!("set it, as in `{name}=... tidemill run ...`; to mean the characters themselves, write `$${{`"));
}

//! Single values of a table.

use std::time::Duration;

use super::Section;
use crate::diagnostics::Diagnostics;
use crate::keys::{Kind, quoted_words};
use crate::model::Word;
use crate::nearest::nearest;
use crate::place::Spanned;
use crate::tree::{Node, Value, quoted};
use crate::units;

/// A key as TOML has it: names with points stand in quotation marks.
fn bare(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match key.chars().all(plain) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

impl Section<'_> {
    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<String>> {
        let node = self.node(name, d)?;
        match node.value {
            Value::Text(text) if !text.is_empty() => Some(Spanned::new(text, node.span)),
            _ => self.refuse(name, &node, d),
        }
    }

    /// A text, or a list of them: never empty, unless something is wrong with it or the key is not there.
    pub(crate) fn texts(&self, name: &str, d: &mut Diagnostics) -> Vec<Spanned<String>> {
        let Some(node) = self.node(name, d) else {
            return Vec::new();
        };
        self.texts_of(name, &node, d)
    }

    /// The texts of a value.
    pub(crate) fn texts_of(
        &self,
        name: &str,
        node: &Node,
        d: &mut Diagnostics,
    ) -> Vec<Spanned<String>> {
        let one = std::slice::from_ref(node);
        let items = match &node.value {
            Value::List(items) if !items.is_empty() => items,
            _ => one,
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) if !text.is_empty() => {
                    texts.push(Spanned::new(text.clone(), item.span.clone()));
                }
                _ => self.wrong(name, item, d),
            }
        }
        texts
    }

    /// Texts by name, in file order; none if the key is not there.
    pub(crate) fn texts_by_name(
        &self,
        name: &str,
        d: &mut Diagnostics,
    ) -> Vec<(Spanned<String>, Spanned<String>)> {
        let Some(entry) = self.entry(name) else {
            return Vec::new();
        };
        let Value::Table(entries) = &entry.node.value else {
            return self.refuse(name, &entry.node, d).unwrap_or_default();
        };
        let mut texts = Vec::new();
        for entry in entries {
            let node = &entry.node;
            if let Value::Text(text) = &node.value {
                let text = Spanned::new(text.clone(), node.span.clone());
                texts.push((entry.key.clone(), text));
                continue;
            }
            d.error(
                &node.span,
                format!("`{name}` of {} holds no text", self.title),
            )
            .label(format!("expected a text, found {}", node.found()))
            .help(format!(
                "as in `{name} = {{ {} = \"...\" }}`",
                bare(&entry.key)
            ));
        }
        texts
    }

    /// `true` or `false`.
    pub(crate) fn bool(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<bool>> {
        let node = self.node(name, d)?;
        match node.value {
            Value::Bool(value) => Some(Spanned::new(value, node.span)),
            _ => self.refuse(name, &node, d),
        }
    }

    /// A whole number in the key's range.
    pub(crate) fn whole(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<i64>> {
        let node = self.node(name, d)?;
        let Kind::Whole(min, max) = self.key(name).kind else {
            panic!("{name} is declared as something else")
        };
        let Value::Integer(number) = node.value else {
            return self.refuse(name, &node, d);
        };
        if (min..=max).contains(&number) {
            return Some(Spanned::new(number, node.span));
        }
        let bound = if number < min {
            ("small", "least", min)
        } else {
            ("large", "most", max)
        };
        d.error(
            &node.span,
            format!("`{name}` of {} is too {}", self.title, bound.0),
        )
        .label(format!(
            "expected at {} {}, found {number}",
            bound.1, bound.2
        ))
        .help(format!("for example `{name} = {}`", self.key(name).example));
        None
    }

    /// A number above 0.
    pub(crate) fn rate(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<f64>> {
        let node = self.node(name, d)?;
        let number = number(&node.value).filter(|number| *number > 0.0 && number.is_finite());
        match number {
            Some(number) => Some(Spanned::new(number, node.span)),
            None => self.refuse(name, &node, d),
        }
    }

    /// A number.
    pub(crate) fn number(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<f64>> {
        let node = self.node(name, d)?;
        match number(&node.value) {
            Some(number) => Some(Spanned::new(number, node.span)),
            None => self.refuse(name, &node, d),
        }
    }

    /// A duration in microseconds, as the key's type allows.
    pub(crate) fn duration(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<i64>> {
        let node = self.node(name, d)?;
        let Value::Text(text) = &node.value else {
            return self.bare_duration(name, &node, d);
        };
        let micros = match units::duration(text) {
            Ok(micros) => micros,
            Err(why) => return self.bad_unit(name, &node, ("duration", &why), d),
        };
        let allowed = match self.key(name).kind {
            Kind::Offset => true,
            Kind::Duration(zero) => micros > 0 || (zero && micros == 0),
            _ => micros > 0,
        };
        if allowed {
            return Some(Spanned::new(micros, node.span));
        }
        let which = if micros < 0 { "negative" } else { "zero" };
        d.error(&node.span, format!("`{name}` of {} is {which}", self.title))
            .label(format!(
                "expected {}, found {}",
                self.key(name).kind.expected(),
                node.found()
            ))
            .help(format!("for example `{name} = {}`", self.key(name).example));
        None
    }

    /// A duration above 0 in microseconds; the word `none` is nothing, inside something.
    pub(crate) fn duration_or_none(&self, name: &str, d: &mut Diagnostics) -> Option<Option<i64>> {
        let node = self.node(name, d)?;
        if matches!(&node.value, Value::Text(text) if text == "none") {
            return Some(None);
        }
        self.duration(name, d).map(|micros| Some(micros.value))
    }

    /// A duration as the standard library has it.
    pub(crate) fn std_duration(
        &self,
        name: &str,
        d: &mut Diagnostics,
    ) -> Option<Spanned<Duration>> {
        let micros = self.duration(name, d)?;
        Some(micros.map(|micros| Duration::from_micros(micros.unsigned_abs())))
    }

    fn bare_duration<T>(&self, name: &str, node: &Node, d: &mut Diagnostics) -> Option<T> {
        let Value::Integer(number) = node.value else {
            return self.refuse(name, node, d);
        };
        d.error(
            &node.span,
            format!("`{name}` of {} has no unit", self.title),
        )
        .label(format!(
            "expected a duration in quotes, found the integer {number}"
        ))
        .help(format!(
            "write `{name} = \"{number}s\"` for seconds, `\"{number}ms\"` for milliseconds"
        ));
        None
    }

    /// A number of bytes above 0.
    pub(crate) fn size(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<u64>> {
        let node = self.node(name, d)?;
        let Value::Text(text) = &node.value else {
            return self.bare_size(name, &node, d);
        };
        match units::size(text) {
            Ok(0) => self.refuse(name, &node, d),
            Ok(bytes) => Some(Spanned::new(bytes, node.span)),
            Err(why) => self.bad_unit(name, &node, ("size", &why), d),
        }
    }

    fn bare_size<T>(&self, name: &str, node: &Node, d: &mut Diagnostics) -> Option<T> {
        let Value::Integer(number) = node.value else {
            return self.refuse(name, node, d);
        };
        d.error(
            &node.span,
            format!("`{name}` of {} has no unit", self.title),
        )
        .label(format!(
            "expected a size in quotes, found the integer {number}"
        ))
        .help(format!(
            "write `{name} = \"{number}MiB\"`, or `\"{number}B\"` for bytes"
        ));
        None
    }

    fn bad_unit<T>(
        &self,
        name: &str,
        node: &Node,
        (what, why): (&str, &str),
        d: &mut Diagnostics,
    ) -> Option<T> {
        d.error(
            &node.span,
            format!("`{name}` of {} is not a {what}", self.title),
        )
        .label(format!(
            "expected a {what} such as {}, found {}",
            self.key(name).example,
            node.found()
        ))
        .help(why.to_owned());
        None
    }

    /// One of the key's words.
    pub(crate) fn word<W: Word>(&self, name: &str, d: &mut Diagnostics) -> Option<Spanned<W>> {
        let word = self.one_of(name, W::WORDS, d)?;
        W::from_word(&word.value).map(|value| Spanned::new(value, word.span))
    }

    /// One of these words, as text.
    pub(crate) fn one_of(
        &self,
        name: &str,
        words: &[&str],
        d: &mut Diagnostics,
    ) -> Option<Spanned<String>> {
        let node = self.node(name, d)?;
        let Value::Text(text) = &node.value else {
            return self.refuse(name, &node, d);
        };
        if words.contains(&text.as_str()) {
            return Some(Spanned::new(text.clone(), node.span));
        }
        let problem = d.error(
            &node.span,
            format!("`{name}` of {} is not known", self.title),
        );
        problem.label(format!(
            "expected {}, found {}",
            quoted_words(words),
            node.found()
        ));
        match nearest(text, words.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{name} = \"{near}\"`?")),
            None => problem.help(format!("for example `{name} = {}`", self.key(name).example)),
        };
        None
    }

    /// Checks that a key's value is an empty table.
    pub(crate) fn empty(&self, name: &str, d: &mut Diagnostics) {
        let Some(entry) = self.entry(name) else {
            return;
        };
        match &entry.node.value {
            Value::Table(entries) if entries.is_empty() => {}
            Value::Table(entries) => {
                d.error(
                    &entries[0].key.span,
                    format!("`{name}` of {} has no settings", self.title),
                )
                .label("not known here")
                .help(format!(
                    "write `{name} = {{}}`; other settings stand beside it, not in it"
                ));
            }
            _ => self.wrong(name, &entry.node, d),
        }
    }

    /// Reports a value of the wrong type and gives nothing.
    pub(crate) fn refuse<T>(&self, name: &str, node: &Node, d: &mut Diagnostics) -> Option<T> {
        self.wrong(name, node, d);
        None
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

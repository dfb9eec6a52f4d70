//! A place in the text of `describe`, with the value that stands there: what errors point at.

use serde_json::{Map, Value};

/// A value and its place: `functions[0] velocity, input[1]`.
pub(super) struct Place<'a> {
    pub value: &'a Value,
    path: String,
}

impl<'a> Place<'a> {
    /// The whole text.
    pub fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// An error at this place.
    pub fn error(&self, message: impl std::fmt::Display) -> String {
        if self.path.is_empty() {
            format!("{message}")
        } else {
            format!("{}: {message}", self.path)
        }
    }

    fn mistyped(&self, wanted: &str) -> String {
        let is = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.error(format!("expected {wanted}, found {is}"))
    }

    /// The object here, whose fields must be among `known`.
    pub fn object(&self, known: &[&str]) -> Result<&'a Map<String, Value>, String> {
        let Value::Object(fields) = self.value else {
            return Err(self.mistyped("an object"));
        };
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(fields),
            Some(unknown) => Err(self.error(format!(
                "unknown field {unknown:?}: this host knows {} (a newer SDK needs a newer host)",
                known.join(", ")
            ))),
        }
    }

    /// A field of the object here.
    pub fn field(&self, name: &str) -> Option<Place<'a>> {
        let value = self.value.get(name)?;
        let dot = if self.path.is_empty() { "" } else { "." };
        Some(Place {
            value,
            path: format!("{}{dot}{name}", self.path),
        })
    }

    /// A field that must be there.
    pub fn required(&self, name: &str) -> Result<Place<'a>, String> {
        self.field(name)
            .ok_or_else(|| self.error(format!("field {name:?} is missing")))
    }

    /// The list here, at most `most` long; entries that are objects with a name are called by it.
    pub fn list(&self, most: usize) -> Result<Vec<Place<'a>>, String> {
        let Value::Array(items) = self.value else {
            return Err(self.mistyped("a list"));
        };
        if items.len() > most {
            return Err(self.error(format!("{} entries, at most {most}", items.len())));
        }
        let place = |(at, value): (usize, &'a Value)| {
            let name = value.get("name").and_then(Value::as_str);
            let name = name.map(|name| format!("({name:.64})")).unwrap_or_default();
            Place {
                value,
                path: format!("{}[{at}]{name}", self.path),
            }
        };
        Ok(items.iter().enumerate().map(place).collect())
    }

    /// The text here.
    pub fn text(&self) -> Result<&'a str, String> {
        self.value.as_str().ok_or_else(|| self.mistyped("a text"))
    }

    /// The boolean here.
    pub fn flag(&self) -> Result<bool, String> {
        self.value
            .as_bool()
            .ok_or_else(|| self.mistyped("true or false"))
    }
}

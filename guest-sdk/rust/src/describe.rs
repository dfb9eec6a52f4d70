//! What a module says of itself: one JSON text, `wit/describe.schema.json`.

use crate::module::Entry;

/// The version of the interface that this SDK was built against.
const INTERFACE: &str = "0.1.0";

/// The text for a module of these functions.
pub fn module(functions: &[Entry]) -> String {
    let mut json = String::with_capacity(1024);
    json += "{\"interface\":";
    text(&mut json, INTERFACE);
    json += ",\"sdk\":";
    text(
        &mut json,
        concat!("tidemill-rust ", env!("CARGO_PKG_VERSION")),
    );
    json += ",\"functions\":";
    list(&mut json, functions, |json, function| {
        (function.describe)(json)
    });
    json.push('}');
    json
}

/// What is said of every function, whatever its kind. The object is left open.
pub fn begin(json: &mut String, name: &str, kind: &str, doc: &str) {
    *json += "{\"name\":";
    text(json, name);
    *json += ",\"kind\":";
    text(json, kind);
    if !doc.is_empty() {
        *json += ",\"doc\":";
        text(json, doc);
    }
}

/// One more member of an open object.
pub fn member(json: &mut String, name: &str, value: fn(&mut String)) {
    *json += ",\"";
    *json += name;
    *json += "\":";
    value(json);
}

/// A JSON list.
pub fn list<T>(json: &mut String, items: &[T], mut item: impl FnMut(&mut String, &T)) {
    json.push('[');
    for (index, each) in items.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        item(json, each);
    }
    json.push(']');
}

/// A JSON text.
pub fn text(json: &mut String, text: &str) {
    let digit = |value: u32| char::from_digit(value, 16).unwrap_or_default();
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                json.push('\\');
                json.push(character);
            }
            '\n' => *json += "\\n",
            '\0'..='\x1f' => {
                *json += "\\u00";
                json.push(digit(character as u32 >> 4));
                json.push(digit(character as u32 & 15));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

/// Texts end to end.
pub fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    parts.iter().for_each(|part| text += part);
    text
}

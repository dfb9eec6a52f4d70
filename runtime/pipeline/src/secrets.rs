//! Secrets: names for what files hold, as containers and service managers hand passwords over.
//!
//! A secret's file is read when a text of the pipeline file names it, and its value is in no message.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::tree::{Node, Value};

/// The table of the file that names secrets.
pub(crate) const TABLE: &str = "secrets";
/// What stands before a secret's name in `${...}`.
pub(crate) const PREFIX: &str = "secrets.";
/// A secret has at most so many bytes.
const LONGEST: u64 = 64 << 10;

/// Where each secret lies.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(String, PathBuf)>);

impl Secrets {
    /// Those of the table. What is wrong with it is said where it is read by its keys.
    pub(crate) fn of(table: &Node, folder: &Path) -> Self {
        let Value::Table(entries) = &table.value else {
            return Self::default();
        };
        let mut secrets = Vec::new();
        for entry in entries {
            let Value::Table(settings) = &entry.node.value else {
                continue;
            };
            let file = settings.iter().find(|setting| setting.key.value == "file");
            if let Some(Value::Text(file)) = file.map(|file| &file.node.value) {
                secrets.push((entry.key.value.clone(), folder.join(file)));
            }
        }
        Self(secrets)
    }

    pub(crate) fn file(&self, name: &str) -> Option<&Path> {
        let found = self.0.iter().find(|(secret, _)| secret == name);
        found.map(|(_, file)| file.as_path())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// What a secret's file holds, without the newline at its end, which editors leave there.
///
/// # Errors
/// Why it cannot be had; never with what it holds.
pub fn read_file(file: &Path) -> Result<String, String> {
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = opened.take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

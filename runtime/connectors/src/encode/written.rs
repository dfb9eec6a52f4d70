//! The schema that values are written with: from a file, from columns, from a registry, and what stands in front of values then.

use std::path::{Path, PathBuf};

use tidemill_rows::Schema;

use super::avro;
use crate::ConnectorError;
use crate::decode::protobuf::types_of_file;
use crate::registry::Registry;

/// Where the schema of a sink's values is from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenSchema {
    /// The file that has it. Without, it follows from the columns, or is the newest of its subject.
    pub path: Option<PathBuf>,
    /// Which message of it values are, of Protobuf.
    pub message: Option<String>,
    /// Where its number is from; without, values stand alone.
    pub registration: Option<Registration>,
}

/// Where the schema of values has a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// There.
    pub registry: Registry,
    /// Under this subject.
    pub subject: String,
    /// Whether it is put there.
    pub registering: Registering,
}

/// Whether a schema is put into a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registering {
    /// If it is not there yet.
    Allowed,
    /// It is there: that of the file, or else the newest.
    Forbidden,
}

/// A schema that values are written with.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The schema.
    pub text: String,
    /// What it needs by name.
    pub references: Vec<(String, String)>,
    /// What stands in front of each value.
    pub head: Vec<u8>,
    /// Where it is from, for messages.
    pub place: String,
}

impl WrittenSchema {
    /// The schema of Avro as far as it is known without asking anybody.
    ///
    /// # Errors
    /// If there is none, or a file cannot be read.
    pub fn avro_here(&self, rows: &Schema) -> Result<Option<Written>, ConnectorError> {
        match (&self.path, &self.registration) {
            (Some(path), _) => read(path).map(Some),
            (None, None) => Err(ConnectorError::Configuration(
                "`schema` or `registry` says where the schema of values is".into(),
            )),
            (None, Some(registration)) => {
                let name = registration.subject.trim_end_matches("-value");
                let text = avro::derived(rows, name).map_err(ConnectorError::Configuration)?;
                let here = registration.registering == Registering::Allowed;
                Ok(here.then(|| Written {
                    text,
                    place: "of the columns".to_owned(),
                    ..Written::default()
                }))
            }
        }
    }
}

impl WrittenSchema {
    /// The schema of Protobuf as far as it is known without asking anybody.
    ///
    /// # Errors
    /// If there is none, or a file cannot be read, or cannot be registered.
    pub fn protobuf_here(&self) -> Result<Option<Written>, ConnectorError> {
        let registration = self.registration.as_ref();
        let registers = registration.is_some_and(|of| of.registering == Registering::Allowed);
        let Some(path) = &self.path else {
            return match registration {
                Some(_) if !registers => Ok(None),
                _ => Err(ConnectorError::Configuration(
                    "`schema` names the file with the message: none follows from columns".into(),
                )),
            };
        };
        let imports = types_of_file(path)?.needs();
        if registration.is_some() && !imports.is_empty() {
            return Err(ConnectorError::Configuration(format!(
                "schema {}: it imports {}, which a sink does not register: register it with what it imports, and leave `schema` out \
                 and `register = false`",
                path.display(),
                imports.join(", ")
            )));
        }
        read(path).map(Some)
    }

    /// What values are written with: what is known here, with its number where a registry has it, or what that has.
    ///
    /// # Errors
    /// If the registry cannot be asked, or does not take it, or has it not.
    pub fn numbered(&self, kind: &str, here: Option<Written>) -> Result<Written, ConnectorError> {
        match &self.registration {
            Some(registration) => registration.numbered(kind, here),
            None => Ok(here.unwrap_or_default()),
        }
    }
}

/// The schema of a file.
fn read(path: &Path) -> Result<Written, ConnectorError> {
    let text = std::fs::read_to_string(path);
    Ok(Written {
        text: text.map_err(|error| ConnectorError::reading(path, error))?,
        place: path.display().to_string(),
        ..Written::default()
    })
}

impl Registration {
    /// What values are written with: what is known here, now with its number, or the newest of the subject.
    fn numbered(&self, kind: &str, here: Option<Written>) -> Result<Written, ConnectorError> {
        let (subject, registry) = (&self.subject, &self.registry);
        let (number, written) = match (here, self.registering) {
            (Some(written), Registering::Allowed) => {
                (registry.register(subject, kind, &written.text)?, written)
            }
            (Some(written), Registering::Forbidden) => {
                (registry.find(subject, kind, &written.text)?, written)
            }
            (None, _) => self.newest(kind)?,
        };
        let head = [&[0][..], &number.to_be_bytes()].concat();
        Ok(Written { head, ..written })
    }

    fn newest(&self, kind: &str) -> Result<(u32, Written), ConnectorError> {
        let (number, schema) = self.registry.newest(&self.subject)?;
        let place = format!(
            "{number}, the newest of subject `{}` at {}",
            self.subject,
            self.registry.url()
        );
        if schema.kind != kind {
            return Err(ConnectorError::Configuration(format!(
                "schema {place}: expected {kind}, found {}",
                schema.kind
            )));
        }
        let written = Written {
            text: schema.text,
            references: schema.references,
            head: Vec::new(),
            place,
        };
        Ok((number, written))
    }
}

impl Written {
    /// That rows do not fit it.
    pub fn refuse(&self, why: &str) -> ConnectorError {
        ConnectorError::Configuration(format!("schema {}: {why}", self.place))
    }
}

/// That a value does not fit its field.
#[cold]
pub(super) fn misfit(field: &str, found: &str, expected: &str) -> ConnectorError {
    ConnectorError::Data(format!(
        "a row does not fit the schema: field `{field}` expects {expected}, found {found}"
    ))
}

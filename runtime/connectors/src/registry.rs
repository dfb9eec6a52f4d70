//! A schema registry, as Confluent's and those that speak like it: what a record's schema is, by the number in front of it.
//!
//! ```text
//! record   0 | number u32, big-endian | [of Protobuf: which message of the file] | the value itself
//! ```
//!
//! A schema never changes under its number, so each is asked for once. Those that values are written with are found, or put, under
//! a *subject*, whose rules say which ones may follow which.

mod http;
mod subjects;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use self::http::Client;
use crate::ConnectorError;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is believed that there is no schema of a number: a registry of several machines may know it a little later.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);

/// How many schemas one may name that it needs, and those in turn.
const MOST_REFERENCES: usize = 100;

/// The longest schema.
const LONGEST: usize = 16 << 20;

/// Where a registry is, and how one is known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrySpec {
    /// Its address: `http://localhost:8081`.
    pub url: String,
    /// Who asks.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
}

/// A registry. A clone is the same one, and knows what the others have asked for.
#[derive(Clone)]
pub struct Registry {
    spec: Arc<RegistrySpec>,
    client: Arc<OnceLock<Client>>,
    known: Arc<Mutex<HashMap<u32, Known>>>,
}

/// A schema, and those that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// `AVRO`, `PROTOBUF` or `JSON`.
    pub kind: String,
    /// The schema.
    pub text: String,
    /// What it needs by name, those first that others need.
    pub references: Vec<(String, String)>,
}

#[derive(Clone)]
enum Known {
    Schema(Arc<Registered>),
    NoneSince(Instant),
}

/// What the registry answers.
#[derive(Deserialize)]
struct Answer {
    schema: String,
    #[serde(rename = "schemaType", default = "avro")]
    kind: String,
    /// Some registries say null where there are none.
    #[serde(default)]
    references: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i64,
}

fn avro() -> String {
    "AVRO".to_owned()
}

impl PartialEq for Registry {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its password is nobody's business.
        write!(f, "the registry at {}", self.spec.url)
    }
}

impl Registry {
    /// A registry. It is not spoken to before a schema is asked for.
    pub fn new(spec: RegistrySpec) -> Self {
        Self {
            spec: Arc::new(spec),
            client: Arc::default(),
            known: Arc::default(),
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.spec.url
    }

    /// The schema of a number; nothing if there is none.
    ///
    /// # Errors
    /// If the registry cannot be asked, or does not answer as one.
    pub fn schema(&self, number: u32) -> Result<Option<Arc<Registered>>, ConnectorError> {
        match self.lock().get(&number) {
            Some(Known::Schema(schema)) => return Ok(Some(schema.clone())),
            Some(Known::NoneSince(at)) if at.elapsed() < UNKNOWN_FOR => return Ok(None),
            _ => {}
        }
        let found = match self.ask(&format!("schemas/ids/{number}"))? {
            Some(answer) => Some(Arc::new(self.whole(answer)?)),
            None => None,
        };
        let known = match &found {
            Some(schema) => Known::Schema(schema.clone()),
            None => Known::NoneSince(Instant::now()),
        };
        self.lock().insert(number, known);
        Ok(found)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A schema with all that it needs.
    fn whole(&self, answer: Answer) -> Result<Registered, ConnectorError> {
        let mut references = Vec::new();
        let mut seen = BTreeMap::new();
        self.needed(&answer, &mut seen, &mut references)?;
        Ok(Registered {
            kind: answer.kind,
            text: answer.schema,
            references,
        })
    }

    fn needed(
        &self,
        answer: &Answer,
        seen: &mut BTreeMap<String, ()>,
        into: &mut Vec<(String, String)>,
    ) -> Result<(), ConnectorError> {
        for reference in answer.references.iter().flatten() {
            if seen.insert(reference.name.clone(), ()).is_some() {
                continue;
            }
            if seen.len() > MOST_REFERENCES {
                let text = format!("a schema needs more than {MOST_REFERENCES} others");
                return Err(self.odd(&text));
            }
            let (subject, version) = (escaped(&reference.subject), reference.version);
            let path = format!("subjects/{subject}/versions/{version}");
            let Some(needed) = self.ask::<Answer>(&path)? else {
                let text = format!("it has no `{path}`, which a schema needs");
                return Err(self.odd(&text));
            };
            self.needed(&needed, seen, into)?;
            into.push((reference.name.clone(), needed.schema));
        }
        Ok(())
    }
}

/// The schema's number in front of a value, and what is behind it.
pub fn numbered(value: &[u8]) -> Option<(u32, &[u8])> {
    let (&[0, a, b, c, d], rest) = value.split_first_chunk::<5>()? else {
        return None;
    };
    Some((u32::from_be_bytes([a, b, c, d]), rest))
}

/// A part of a path.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;

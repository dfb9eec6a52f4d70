//! Schemas that values are written with: which number they have under a subject.

use serde::Deserialize;

use super::{Answer, Registered, Registry, escaped};
use crate::ConnectorError;

/// A number that a schema has.
#[derive(Deserialize)]
struct Numbered {
    id: u32,
}

/// The newest schema of a subject.
#[derive(Deserialize)]
struct Newest {
    id: u32,
    #[serde(flatten)]
    answer: Answer,
}

impl Registry {
    /// The number of a schema under a subject, which gets it if it has not got it yet.
    ///
    /// # Errors
    /// If the registry cannot be asked, or does not take it: the subject's rules say what may follow what it has.
    pub fn register(&self, subject: &str, kind: &str, text: &str) -> Result<u32, ConnectorError> {
        let path = format!("subjects/{}/versions", escaped(subject));
        let answer = self.tell::<Numbered>(&path, asked(kind, text))?;
        answer.map(|numbered| numbered.id).map_err(|why| ConnectorError::Registry {
            text: format!(
                "the schema registry at {} does not take the schema of rows under subject `{subject}`: {why}",
                self.url()
            ),
            hint: "make columns such that rows can follow what the subject has (new ones may be null), set another rule for the \
                   subject, or name another `subject`",
            may_pass: false,
        })
    }

    /// The number of a schema that a subject has.
    ///
    /// # Errors
    /// If the registry cannot be asked, or the subject has it not.
    pub fn find(&self, subject: &str, kind: &str, text: &str) -> Result<u32, ConnectorError> {
        let path = format!("subjects/{}", escaped(subject));
        let answer = self.tell::<Numbered>(&path, asked(kind, text))?;
        answer.map(|numbered| numbered.id).map_err(|why| ConnectorError::Registry {
            text: format!(
                "the schema registry at {} has not this schema under subject `{subject}`: {why}",
                self.url()
            ),
            hint: "register it, or let the sink do so with `register = true`",
            may_pass: false,
        })
    }

    /// The newest schema of a subject, and its number.
    ///
    /// # Errors
    /// If the registry cannot be asked, or has no such subject.
    pub fn newest(&self, subject: &str) -> Result<(u32, Registered), ConnectorError> {
        let path = format!("subjects/{}/versions/latest", escaped(subject));
        match self.ask::<Newest>(&path)? {
            Some(newest) => Ok((newest.id, self.whole(newest.answer)?)),
            None => Err(ConnectorError::Registry {
                text: format!(
                    "the schema registry at {} has no subject `{subject}`",
                    self.url()
                ),
                hint: "register a schema, or let the sink do so with `register = true`",
                may_pass: false,
            }),
        }
    }
}

/// What is asked with a schema. Avro is what all registries take it for if nothing is said, and some know no other word for it.
fn asked(kind: &str, text: &str) -> String {
    match kind {
        "AVRO" => serde_json::json!({ "schema": text }),
        kind => serde_json::json!({ "schema": text, "schemaType": kind }),
    }
    .to_string()
}

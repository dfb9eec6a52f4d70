//! What claims, manifests and notes say. All of it is JSON on disk, in versions: decisions/0018.
//!
//! What operators, sources and sinks say is theirs: JSON that this crate keeps and does not read.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::damage::Why;
use crate::life::Moment;
use crate::names::{Incarnation, Number};
use crate::part::{Part, hex};
use crate::text;

/// The version of each object's form that is written, and the newest that is read.
const VERSION: u64 = 1;

/// What a checkpoint consists of. Its name is its number alone; who made it stands inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline's id.
    pub pipeline_id: String,
    /// Its number.
    pub number: Number,
    /// The checkpoint whose state this one's grew from; nothing if that was a fresh start.
    pub continues: Option<Number>,
    /// Who made it.
    pub incarnation: Incarnation,
    /// When it was begun.
    pub begun: Moment,
    /// When this manifest was made, the last of it.
    pub made: Moment,
    /// What only the pipeline knows.
    pub contents: Contents,
}

/// What the pipeline gives for a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contents {
    /// Whether it goes by itself or is kept.
    pub kind: Kind,
    /// Which act makes it a confirmed one.
    pub decided_by: DecidedBy,
    /// Whether all input had ended, and been worked off.
    pub finished: bool,
    /// How many workers there were.
    pub workers: u32,
    /// Into how many key groups the keys are divided.
    pub max_parallelism: u32,
    /// Of each module its hash.
    pub modules: BTreeMap<String, String>,
    /// Every operator that has state.
    pub operators: Vec<Operator>,
    /// Of each source its positions and watermarks.
    pub sources: BTreeMap<String, Value>,
    /// Of each sink what is written and not published yet, and what is not written yet.
    pub pending: BTreeMap<String, Value>,
}

/// Whether a checkpoint goes by itself or is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One of many: it goes when newer ones have made it useless.
    Checkpoint,
    /// Asked for by a person, and kept until a person deletes it.
    Savepoint,
}

/// The external act that decides whether a checkpoint happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// Its manifest: a complete one is confirmed.
    Manifest,
    /// Something outside, a transaction say: until a note says that it was done, it is only prepared.
    Note,
}

/// What an operator's state consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Operator {
    /// Its name in the pipeline file.
    pub name: String,
    /// Its kind: `aggregate`, `process`, …
    pub kind: String,
    /// The schemas of its state.
    pub schemas: Value,
    /// Its data files, in the order in which they are to be read.
    pub parts: Vec<Part>,
    /// What is too small for a data file.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub more: Value,
}

/// That an incarnation has begun: from here on no older one can complete a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClaimNote {
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline's id.
    pub pipeline_id: String,
    /// The number that it takes.
    pub number: Number,
    /// The incarnation that begins.
    pub incarnation: Incarnation,
    /// What a person knows the process by.
    pub process: String,
    /// When it was made.
    pub made: Moment,
}

/// That a prepared checkpoint was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConfirmedNote {
    /// The pipeline's id.
    pub pipeline_id: String,
    /// The checkpoint's number.
    pub number: Number,
    /// Who made the checkpoint.
    pub incarnation: Incarnation,
    /// The checksum that stands in its manifest.
    #[serde(with = "hex")]
    pub manifest_crc32c: u32,
    /// When this note was made.
    pub made: Moment,
}

/// That a pipeline has this location, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PipelineNote {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its id, made once.
    pub pipeline_id: String,
    /// When it was made.
    pub made: Moment,
}

/// What stands under a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A claim.
    Claim(ClaimNote),
    /// A checkpoint or a savepoint, with the checksum of its manifest.
    Manifest(Box<Manifest>, u32),
}

impl Manifest {
    /// All data files that it needs.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.contents.operators.iter().flat_map(|o| &o.parts)
    }

    /// Bytes of all data files that it needs, and of those that it wrote itself.
    pub fn bytes(&self) -> (u64, u64) {
        self.parts().fold((0, 0), |(all, own), part| {
            let wrote = part.written_by == self.number;
            (all + part.bytes, own + if wrote { part.bytes } else { 0 })
        })
    }
}

/// An object's kind, and how its bytes are made and read.
pub(crate) trait Written: Serialize + DeserializeOwned {
    const KIND: &'static str;

    fn encode(&self) -> Result<(Vec<u8>, u32), String> {
        text::encode(Self::KIND, VERSION, self)
    }

    fn decode(bytes: &[u8]) -> Result<(Self, u32), Why> {
        let (envelope, crc32c) = text::open(bytes)?;
        match envelope.kind == Self::KIND {
            true => Ok((envelope.body(VERSION)?, crc32c)),
            false => Err(Why::Other {
                expected: format!("a {}", Self::KIND),
                found: format!("a {}", envelope.kind),
            }),
        }
    }
}

impl Written for Manifest {
    const KIND: &'static str = "manifest";
}

impl Written for ClaimNote {
    const KIND: &'static str = "claim";
}

impl Written for ConfirmedNote {
    const KIND: &'static str = "confirmed";
}

impl Written for PipelineNote {
    const KIND: &'static str = "pipeline";
}

impl Record {
    /// Reads what stands under a number.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Why> {
        match text::open(bytes)?.0.kind {
            ClaimNote::KIND => Ok(Self::Claim(ClaimNote::decode(bytes)?.0)),
            _ => {
                let (manifest, crc32c) = Manifest::decode(bytes)?;
                Ok(Self::Manifest(Box::new(manifest), crc32c))
            }
        }
    }

    /// The pipeline's id, the number and the incarnation that it says of itself.
    pub(crate) fn identity(&self) -> (&str, Number, Incarnation) {
        match self {
            Self::Claim(claim) => (&claim.pipeline_id, claim.number, claim.incarnation),
            Self::Manifest(manifest, _) => {
                (&manifest.pipeline_id, manifest.number, manifest.incarnation)
            }
        }
    }
}

//! Numbers, incarnations and ids, and the names of objects that are made of them.
//!
//! ```text
//! <location>/<pipeline>/
//!   lock                                        held by the running process (local folders only)
//!   pipeline.json                               the pipeline's id, made once
//!   probe                                       shows that the location refuses to overwrite
//!   manifests/000000000007.json                 a claim, a checkpoint or a savepoint
//!   confirmed/000000000007.json                 notes that a prepared checkpoint was confirmed
//!   data/6-00c0ffee00c0ffee/7.1.totals.0.3      claim-token / number.attempt.operator.worker.index
//! ```
//!
//! A pipeline that several processes share has, below `tasks/<partition number>/`, all of this for each of its tasks, and
//! `partitions/000000000004.json`, which says how many there are. What tasks are to go on from by a person's order is
//! `restores/000000000001.json`, and that one has obeyed `tasks/<number>/restored/000000000001.json`. Below `instances/<name>/`
//! a process has claims and requests, and nothing else.
//!
//! All of this is on disk and frozen: decisions/0018.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) const PIPELINE: &str = "pipeline.json";
pub(crate) const PROBE: &str = "probe";
pub(crate) const LOCK: &str = "lock";
pub(crate) const MANIFESTS: &str = "manifests";
pub(crate) const CONFIRMED: &str = "confirmed";
pub(crate) const DATA: &str = "data";
pub(crate) const TASKS: &str = "tasks";
pub(crate) const PARTITIONS: &str = "partitions";
pub(crate) const RESTORES: &str = "restores";
pub(crate) const RESTORED: &str = "restored";
pub(crate) const INSTANCES: &str = "instances";
pub(crate) const REQUESTS: &str = "requests";
pub(crate) const ANSWERS: &str = "answers";

/// The number of a claim, a checkpoint or a savepoint: 1, 2, 3, … in one sequence per pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub u64);

impl Number {
    /// Digits of a number in a name, so that names stand in the order of numbers.
    const DIGITS: usize = 12;

    /// The number after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The name of its claim or manifest.
    pub(crate) fn manifest(self) -> String {
        self.file(MANIFESTS)
    }

    /// The name of the note that it was confirmed.
    pub(crate) fn confirmed(self) -> String {
        self.file(CONFIRMED)
    }

    /// The name of its file in a folder.
    pub(crate) fn file(self, folder: &str) -> String {
        format!("{folder}/{:012}.json", self.0)
    }

    /// Reads the last part of such a name; nothing if it is none.
    pub(crate) fn of_file(file: &str) -> Option<Self> {
        let digits = file.strip_suffix(".json")?;
        let plain = digits.len() == Self::DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        let number = plain.then(|| digits.parse().ok()).flatten()?;
        (number > 0).then_some(Self(number))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One life of a process: the number that it claimed, and a random token. Later ones have greater claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation {
    /// The number of its claim.
    pub claim: Number,
    /// What tells it from others that have tried to claim the same number.
    pub token: u64,
}

impl Incarnation {
    /// The folder of its data files.
    pub(crate) fn folder(self) -> String {
        format!("{DATA}/{self}")
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.claim, self.token)
    }
}

impl FromStr for Incarnation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = || {
            let (claim, token) = text.split_once('-')?;
            let incarnation = Self {
                claim: Number(claim.parse().ok()?),
                token: u64::from_str_radix(token, 16).ok()?,
            };
            (incarnation.to_string() == text).then_some(incarnation)
        };
        parsed().ok_or_else(|| format!("no incarnation: {text:?}"))
    }
}

impl Serialize for Incarnation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Incarnation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What a data file is called: unique by the incarnation and the attempt, so that nothing is ever overwritten.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartName {
    /// Who writes it.
    pub incarnation: Incarnation,
    /// For which checkpoint.
    pub number: Number,
    /// In which attempt at it, from 1.
    pub attempt: u32,
    /// The operator whose state it holds.
    pub operator: String,
    /// The worker that wrote it.
    pub worker: u32,
    /// Which of that worker's files of that operator.
    pub index: u32,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            incarnation,
            number,
            attempt,
            operator,
            worker,
            index,
        } = self;
        let folder = incarnation.folder();
        write!(f, "{folder}/{number}.{attempt}.{operator}.{worker}.{index}")
    }
}

impl FromStr for PartName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = || {
            let (data, rest) = text.split_once('/')?;
            let (incarnation, file) = rest.split_once('/')?;
            let mut words = file.split('.');
            let name = Self {
                incarnation: incarnation.parse().ok()?,
                number: Number(words.next()?.parse().ok()?),
                attempt: words.next()?.parse().ok()?,
                operator: words.next()?.to_owned(),
                worker: words.next()?.parse().ok()?,
                index: words.next()?.parse().ok()?,
            };
            (data == DATA && name.to_string() == text).then_some(name)
        };
        parsed().ok_or_else(|| format!("no name of a data file: {text:?}"))
    }
}

/// Whether a pipeline or an operator may be called so: `[a-z][a-z0-9-]*`.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_not() {
        let number = Number(7);
        assert_eq!(number.manifest(), "manifests/000000000007.json");
        assert_eq!(Number::of_file("000000000007.json"), Some(number));
        for wrong in [
            "7.json",
            "000000000000.json",
            "000000000007",
            "00000000000x.json",
            "+00000000007.json",
        ] {
            assert_eq!(Number::of_file(wrong), None, "{wrong}");
        }

        let part = PartName {
            incarnation: Incarnation {
                claim: Number(6),
                token: 0xc0ffee,
            },
            number,
            attempt: 1,
            operator: "per-key".to_owned(),
            worker: 0,
            index: 3,
        };
        let text = "data/6-0000000000c0ffee/7.1.per-key.0.3";
        assert_eq!(part.to_string(), text);
        assert_eq!(text.parse(), Ok(part));
        for wrong in [
            "data/6-c0ffee/7.1.per-key.0.3",
            "data/6-0000000000c0ffee/7.1.per-key.0",
            "data/6-0000000000c0ffee/7.1.per-key.0.3.4",
            "data/6-0000000000c0ffee/07.1.per-key.0.3",
            "other/6-0000000000c0ffee/7.1.per-key.0.3",
        ] {
            assert!(wrong.parse::<PartName>().is_err(), "{wrong}");
        }
    }
}

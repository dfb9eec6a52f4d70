//! What letters are called on the command line, beside the pipeline file.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tidemill_connectors::kafka::letters::RecordAt;

use crate::args::{PipelineArgs, key_and_value};
use crate::error::Failure;

/// The pipeline file and letters, in any order.
#[derive(clap::Args, Clone, Debug)]
pub struct Words {
    /// The pipeline file [default: pipeline.toml], and letters such as `0:17` or `bad-payments-0:17`
    #[arg(value_name = "PIPELINE|LETTER")]
    words: Vec<String>,
    /// Sets a key of the pipeline file for this time, such as `sinks.bad.kafka.brokers=localhost:9092`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

/// A letter, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A record of a dead-letter topic; without a topic, of the only one.
    Record {
        topic: Option<String>,
        partition: i32,
        offset: i64,
    },
    /// A line of a file.
    Line { file: PathBuf, line: u64 },
}

impl Words {
    /// Which is what.
    ///
    /// # Errors
    /// If there is more than one pipeline file.
    pub fn sorted(&self) -> Result<(PipelineArgs, Vec<Name>), Failure> {
        let mut letters = Vec::new();
        let mut pipeline: Option<&String> = None;
        for word in &self.words {
            if let Some(name) = Name::read(word) {
                letters.push(name);
            } else if let Some(first) = pipeline.replace(word) {
                let error = anyhow!("two pipeline files: {first} and {word}");
                return Err(Failure::wrong(error).hint(
                    "a letter is PARTITION:OFFSET, such as 0:17; `tidemill dlq list` shows them",
                ));
            }
        }
        let pipeline = pipeline.map_or("pipeline.toml", String::as_str).into();
        let set = self.set.clone();
        Ok((PipelineArgs { pipeline, set }, letters))
    }
}

impl Name {
    /// Reads `0:17`, `bad-payments-0:17` or `out/bad.jsonl:3`.
    pub fn read(word: &str) -> Option<Self> {
        let (place, number) = word.rsplit_once(':')?;
        let offset: i64 = number.parse().ok().filter(|&number| number >= 0)?;
        let (topic, partition) = match place.rsplit_once('-') {
            Some((topic, partition)) if !topic.contains('/') => (Some(topic), partition),
            _ => (None, place),
        };
        if let Ok(partition) = partition.parse::<u16>() {
            return Some(Self::Record {
                topic: topic.map(str::to_owned),
                partition: partition.into(),
                offset,
            });
        }
        (!place.is_empty()).then(|| Self::Line {
            file: place.into(),
            line: offset as u64,
        })
    }

    /// The topic that it names.
    pub fn topic(&self) -> Option<&str> {
        match self {
            Self::Record { topic, .. } => topic.as_deref(),
            Self::Line { .. } => None,
        }
    }

    /// Whether it is that record's.
    pub fn is_of(&self, at: &RecordAt) -> bool {
        match self {
            Self::Record {
                topic,
                partition,
                offset,
            } => {
                topic.as_ref().is_none_or(|topic| *topic == at.topic)
                    && (*partition, *offset) == (at.partition, at.offset)
            }
            Self::Line { .. } => false,
        }
    }

    /// Whether it is that line's.
    pub fn is_line(&self, of: &Path, number: u64) -> bool {
        matches!(self, Self::Line { file, line } if *line == number && of.ends_with(file))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record {
                topic,
                partition,
                offset,
            } => {
                if let Some(topic) = topic {
                    write!(f, "{topic}-")?;
                }
                write!(f, "{partition}:{offset}")
            }
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn letters_are_told_from_pipeline_files() {
        let cases = [
            ("0:17", Some("0:17")),
            ("bad-payments-0:17", Some("bad-payments-0:17")),
            ("out/bad/part-0.jsonl:3", Some("out/bad/part-0.jsonl:3")),
            ("pipeline.toml", None),
            ("0:", None),
            ("0:-1", None),
            (":3", None),
        ];
        for (word, expected) in cases {
            let read = Name::read(word);
            let shown = read.as_ref().map(ToString::to_string);
            assert_eq!(shown.as_deref(), expected, "{word}");
            let is_line = matches!(read, Some(Name::Line { .. }));
            assert_eq!(is_line, word.starts_with("out/"), "{word}");
        }
    }
}

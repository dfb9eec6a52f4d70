//! Which topics are read, and which partitions they have now.

use std::collections::BTreeMap;

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use regex_lite::Regex;

use super::client::{ANSWER, Client};
use crate::ConnectorError;

/// Which topics are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// These.
    Named(Vec<String>),
    /// All whose whole name is like this regular expression; internal ones, which begin with `__`, are not.
    Like(String),
}

/// The partitions of topics that are there, by name. A topic that is not there has none.
pub(crate) type Found = BTreeMap<String, i32>;

impl Topics {
    /// What is wrong with them.
    ///
    /// # Errors
    /// A configuration error.
    pub(crate) fn check(&self) -> Result<(), ConnectorError> {
        match self {
            Self::Named(names) if names.is_empty() => Err(ConnectorError::Configuration(
                "a kafka source needs at least one topic".to_owned(),
            )),
            Self::Named(_) => Ok(()),
            Self::Like(pattern) => matcher(pattern).map(|_| ()),
        }
    }

    /// Whether a topic of this name is one of them.
    pub fn has(&self, topic: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|name| name == topic),
            Self::Like(pattern) => {
                let like = matcher(pattern);
                !topic.starts_with("__") && like.is_ok_and(|like| like.is_match(topic))
            }
        }
    }

    /// As messages name them.
    pub fn names(&self) -> String {
        match self {
            Self::Named(names) => names.join(", "),
            Self::Like(pattern) => format!("any like {pattern}"),
        }
    }

    /// Which of them are not among those that were found, as messages name them; of a pattern, it if none is.
    pub(crate) fn missing(&self, found: &Found) -> Option<String> {
        match self {
            Self::Named(names) => {
                let names = names.iter().filter(|name| !found.contains_key(*name));
                let names: Vec<&str> = names.map(String::as_str).collect();
                (!names.is_empty()).then(|| names.join(", "))
            }
            Self::Like(pattern) => found.is_empty().then(|| format!("like {pattern}")),
        }
    }

    /// The topics that are there now, with the numbers of their partitions.
    ///
    /// # Errors
    /// If the cluster cannot be asked, or refuses.
    pub(crate) fn find(&self, client: &Client) -> Result<Found, ConnectorError> {
        match self {
            Self::Named(names) => {
                let found: Result<Vec<_>, _> = names.iter().map(|name| one(client, name)).collect();
                Ok(found?.into_iter().flatten().collect())
            }
            Self::Like(pattern) => {
                let like = matcher(pattern)?;
                let metadata = client.ask(
                    || "cannot list topics".to_owned(),
                    |asked| asked.fetch_metadata(None, ANSWER),
                )?;
                let topics = metadata.topics().iter();
                let topics = topics.filter(|topic| topic.error().is_none());
                let topics =
                    topics.map(|topic| (topic.name().to_owned(), topic.partitions().len()));
                Ok(topics
                    .filter(|(name, _)| !name.starts_with("__") && like.is_match(name))
                    .map(|(name, partitions)| (name, partitions as i32))
                    .collect())
            }
        }
    }
}

fn matcher(pattern: &str) -> Result<Regex, ConnectorError> {
    Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
        ConnectorError::Configuration(format!("`{pattern}` is no regular expression: {error}"))
    })
}

/// A topic and how many partitions it has; nothing if it is not there.
pub(super) fn one(client: &Client, name: &str) -> Result<Option<(String, i32)>, ConnectorError> {
    let what = || format!("cannot ask for topic {name}");
    let metadata = client.ask(what, |asked| asked.fetch_metadata(Some(name), ANSWER))?;
    let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
        return Ok(None);
    };
    match topic.error().map(RDKafkaErrorCode::from) {
        None => Ok(Some((name.to_owned(), topic.partitions().len() as i32))),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::LeaderNotAvailable,
        ) => Ok(None),
        Some(code) => Err(client.failed(&what(), &KafkaError::MetadataFetch(code))),
    }
}

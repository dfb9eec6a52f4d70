//! Topics that several processes share: partitions of one number belong together, so there must be as many of each.

use super::client::Client;
use super::source::KafkaSpec;
use super::topics::Found;
use crate::ConnectorError;

/// The topics of several sources, whose partitions of one number belong together.
pub struct Shared {
    sources: Vec<(KafkaSpec, Client)>,
}

/// What there is to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partitions {
    /// A topic is not there yet.
    Waits(String),
    /// Each topic has so many.
    Are(i32),
}

impl Shared {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// If a property is not accepted.
    pub fn of<'s>(sources: impl Iterator<Item = &'s KafkaSpec>) -> Result<Self, ConnectorError> {
        let client =
            |spec: &KafkaSpec| Ok((spec.clone(), Client::new(&spec.client, &spec.group, &[])?));
        Ok(Self {
            sources: sources.map(client).collect::<Result<_, _>>()?,
        })
    }

    /// How many partitions each topic has now.
    ///
    /// # Errors
    /// If they have different numbers, or the cluster cannot be asked.
    pub fn look(&self) -> Result<Partitions, ConnectorError> {
        let mut found = Found::new();
        for (spec, client) in &self.sources {
            let topics = spec.topics.find(client)?;
            if let Some(missing) = spec.topics.missing(&topics) {
                return Ok(Partitions::Waits(format!(
                    "topic {missing} at {}",
                    client.brokers()
                )));
            }
            found.extend(topics);
        }
        let counts: Vec<i32> = found.values().copied().collect();
        match counts.first() {
            Some(first) if counts.iter().all(|count| count == first) => Ok(Partitions::Are(*first)),
            _ => {
                let each: Vec<String> = found
                    .iter()
                    .map(|(topic, count)| format!("{topic} {count}"))
                    .collect();
                Err(ConnectorError::Kafka {
                    text: format!(
                        "the topics have different numbers of partitions: {}",
                        each.join(", ")
                    ),
                    hint: "processes share partition numbers, so that rows of one key meet: give all topics the same number",
                    may_pass: false,
                })
            }
        }
    }
}

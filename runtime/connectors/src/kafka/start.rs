//! Where reading begins, and where it ends.

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{ANSWER, Client, Heard};
use crate::ConnectorError;

/// Where a partition is begun that nothing is known of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At its oldest record.
    Earliest,
    /// Behind its newest record, as of the beginning.
    Latest,
    /// At its first record of this time or later, in microseconds since 1970; behind the newest if there is none.
    Time(i64),
    /// Where the group has committed that it stands; where it has not, at the oldest record.
    Group,
    /// At these offsets, by the names of splits (`payments-0`); those that are not named at their oldest records.
    Offsets(Vec<(String, i64)>),
}

/// Where a bounded source ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Behind what can be read as the run begins.
    Now,
    /// Before the first record of this time or later, in microseconds since 1970, as of the beginning.
    Time(i64),
}

/// A partition by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub number: i32,
}

impl Partition {
    /// The partition that a split is called after.
    pub fn named(split: &str) -> Option<Self> {
        let (topic, number) = split.rsplit_once('-')?;
        Some(Self {
            topic: topic.to_owned(),
            number: number.parse().ok()?,
        })
    }

    /// Whether a topic can be called so.
    pub(in crate::kafka) fn may_be(&self) -> bool {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        self.number >= 0 && !self.topic.ends_with('-') && self.topic.chars().all(fits)
    }

    /// As splits are called: `payments-0`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.topic, self.number)
    }
}

impl Start {
    /// The offset at which a partition is begun.
    pub(crate) fn of(&self, partition: &Partition, client: &Client) -> Result<i64, ConnectorError> {
        let name = partition.name();
        match self {
            Self::Earliest => Ok(ends(partition, client)?.0),
            Self::Latest => Ok(ends(partition, client)?.1),
            Self::Time(micros) => at_time(partition, *micros, client),
            Self::Group => match committed(partition, client)? {
                Some(offset) => Ok(offset),
                None => Ok(ends(partition, client)?.0),
            },
            Self::Offsets(offsets) => {
                let (first, behind) = ends(partition, client)?;
                match offsets.iter().find(|(named, _)| *named == name) {
                    None => Ok(first),
                    Some((_, offset)) if (first..=behind).contains(offset) => Ok(*offset),
                    Some((_, offset)) => Err(ConnectorError::Configuration(format!(
                        "`start` says {offset} of {name}, which has records from {first} to before {behind}"
                    ))),
                }
            }
        }
    }
}

impl Until {
    /// The offset before which a partition ends.
    pub(crate) fn of(self, partition: &Partition, client: &Client) -> Result<i64, ConnectorError> {
        match self {
            Self::Now => Ok(ends(partition, client)?.1),
            Self::Time(micros) => at_time(partition, micros, client),
        }
    }
}

/// The offsets of the oldest record, and behind the newest that can be read.
pub(crate) fn ends(partition: &Partition, client: &Client) -> Result<(i64, i64), ConnectorError> {
    let what = || format!("cannot ask for the offsets of {}", partition.name());
    let (topic, number) = (&partition.topic, partition.number);
    client.ask(what, |asked| asked.fetch_watermarks(topic, number, ANSWER))
}

fn at_time(partition: &Partition, micros: i64, client: &Client) -> Result<i64, ConnectorError> {
    // Records have milliseconds: the first that is not before.
    let millis = micros.div_euclid(1000) + i64::from(micros.rem_euclid(1000) > 0);
    let asked = |asked: &BaseConsumer<Heard>| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(millis))?;
        first(&asked.offsets_for_times(list, ANSWER)?)
    };
    let what = || {
        format!(
            "cannot ask for the offset of a time in {}",
            partition.name()
        )
    };
    match client.ask(what, asked)? {
        Offset::Offset(offset) => Ok(offset),
        _ => Ok(ends(partition, client)?.1),
    }
}

fn committed(partition: &Partition, client: &Client) -> Result<Option<i64>, ConnectorError> {
    let asked = |asked: &BaseConsumer<Heard>| {
        let mut list = TopicPartitionList::new();
        list.add_partition(&partition.topic, partition.number);
        first(&asked.committed_offsets(list, ANSWER)?)
    };
    let what = || format!("cannot ask where the group stands in {}", partition.name());
    Ok(match client.ask(what, asked)? {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    })
}

/// The offset of a list of one.
fn first(list: &TopicPartitionList) -> Result<Offset, KafkaError> {
    let elements = list.elements();
    let Some(element) = elements.first() else {
        return Ok(Offset::Invalid);
    };
    element.error()?;
    Ok(element.offset())
}

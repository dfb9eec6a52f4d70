//! Single records of topics, as they stand there.

use std::collections::BTreeMap;

use rdkafka::consumer::Consumer as _;
use rdkafka::{Offset, TopicPartitionList};

use super::reading::{Came, client, next};
use super::{RecordAt, Stored};
use crate::ConnectorError;
use crate::kafka::client::{Client, ClientSpec};
use crate::kafka::source::Isolation;
use crate::kafka::start::{Partition, ends};
use crate::kafka::topic_id;
use crate::kafka::topics::one;

/// Records nearer than this are read on to, rather than asked for anew.
const NEAR: i64 = 500;

/// Finds records by where they stand.
pub struct Originals {
    client: Client,
    /// How many partitions topics have, as far as that was asked; none where there is no such topic.
    topics: BTreeMap<String, Option<i32>>,
    /// The ids of topics, as far as these were asked.
    ids: BTreeMap<String, Option<String>>,
    /// Which partition is read, and the offset that comes next.
    at: Option<(Partition, i64)>,
}

impl Originals {
    /// Records of a cluster.
    ///
    /// # Errors
    /// If no client can be made.
    pub fn new(cluster: &ClientSpec, isolation: Isolation) -> Result<Self, ConnectorError> {
        Ok(Self {
            client: client(cluster, isolation)?,
            topics: BTreeMap::new(),
            ids: BTreeMap::new(),
            at: None,
        })
    }

    /// How many partitions a topic has; none if it is not there.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    pub fn partitions(&mut self, topic: &str) -> Result<Option<i32>, ConnectorError> {
        if let Some(known) = self.topics.get(topic) {
            return Ok(*known);
        }
        let found = one(&self.client, topic)?.map(|(_, partitions)| partitions);
        self.topics.insert(topic.to_owned(), found);
        Ok(found)
    }

    /// The id of a topic, where brokers have ids.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    pub fn id(&mut self, topic: &str) -> Result<Option<&str>, ConnectorError> {
        if !self.ids.contains_key(topic) {
            let name = topic.to_owned();
            let id = topic_id::of(&self.client, [&name].into_iter())?.remove(topic);
            self.ids.insert(name, id);
        }
        Ok(self.ids[topic].as_deref())
    }

    /// The record that stands there; none if it does not stand there any more. Fastest in the order of offsets.
    ///
    /// # Errors
    /// If the cluster does not give it.
    pub fn get(&mut self, wanted: &RecordAt) -> Result<Option<Stored>, ConnectorError> {
        let partition = wanted.split();
        let is_there = self.partitions(&wanted.topic)?;
        if is_there.is_none_or(|partitions| wanted.partition >= partitions) {
            return Ok(None);
        }
        let near = |next: i64| (next..next + NEAR).contains(&wanted.offset);
        if !matches!(&self.at, Some((at, next)) if *at == partition && near(*next)) {
            let (first, behind) = ends(&partition, &self.client)?;
            if !(first..behind).contains(&wanted.offset) {
                return Ok(None);
            }
            self.go_to(wanted)?;
        }
        self.read_to(wanted)
    }

    fn go_to(&mut self, wanted: &RecordAt) -> Result<(), ConnectorError> {
        let mut assigned = TopicPartitionList::new();
        let offset = Offset::Offset(wanted.offset);
        assigned
            .add_partition_offset(&wanted.topic, wanted.partition, offset)
            .and_then(|()| self.client.consumer.assign(&assigned))
            .map_err(|e| self.client.failed(&format!("cannot read {wanted}"), &e))?;
        self.at = Some((wanted.split(), wanted.offset));
        Ok(())
    }

    fn read_to(&mut self, wanted: &RecordAt) -> Result<Option<Stored>, ConnectorError> {
        loop {
            let came = next(&self.client, &format!("cannot read {wanted}"))?;
            match came {
                Came::Record(stored) if !same_partition(&stored.at, wanted) => {}
                Came::Record(stored) if stored.at.offset < wanted.offset => {}
                Came::Record(stored) if stored.at.offset == wanted.offset => {
                    self.at = Some((wanted.split(), wanted.offset + 1));
                    return Ok(Some(*stored));
                }
                Came::End(partition) if partition != wanted.partition => {}
                // What was read too far is read again when it is wanted.
                Came::Record(_) | Came::End(_) | Came::Gone => {
                    self.at = None;
                    return Ok(None);
                }
            }
        }
    }
}

fn same_partition(one: &RecordAt, other: &RecordAt) -> bool {
    (&one.topic, one.partition) == (&other.topic, other.partition)
}

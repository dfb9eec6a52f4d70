//! Consumer groups: where they stand, and what is said beside it. Nobody here is a member of one.

mod asked;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{ANSWER, Client, ClientSpec};
use super::lock;
use super::membership::Member;
use super::topics::Topics;
use crate::ConnectorError;

/// The groups of a cluster.
pub struct Groups {
    cluster: ClientSpec,
    /// Who asks on behalf of each.
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
}

/// Where each partition of a group stands, and what is said beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupOffsets {
    /// The consumer group.
    pub group: String,
    /// By topic and partition, the offset of the next record.
    pub next: Vec<(String, i32, i64)>,
}

/// Where a group stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// In each partition that it has an offset of.
    pub offsets: Vec<CommittedOffset>,
    /// Whether that is so for good. If not, the broker holds offsets of a transaction, has not ended it for as long as was waited,
    /// and these are those before it.
    pub settled: bool,
}

/// Where a group stands in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset of the next record.
    pub next: i64,
    /// What was said beside it.
    pub metadata: String,
}

impl Groups {
    /// Groups of a cluster. Nothing is asked yet.
    pub fn new(cluster: &ClientSpec) -> Self {
        Self {
            cluster: cluster.clone(),
            clients: Mutex::default(),
        }
    }

    /// The same, where this process is a member of one of them: only members can say where a group stands that has any.
    pub fn with_member(self, member: Option<&Member>) -> Self {
        if let Some(member) = member.filter(|member| member.brokers == self.cluster.brokers) {
            lock(&self.clients).insert(member.group.clone(), member.client.clone());
        }
        self
    }

    /// Which cluster.
    pub fn cluster(&self) -> &ClientSpec {
        &self.cluster
    }

    /// Says where a group stands, for who looks how far it is. Whether that arrives is not waited for.
    ///
    /// # Errors
    /// If the client cannot be told.
    pub fn follow(&self, offsets: &GroupOffsets) -> Result<(), ConnectorError> {
        let client = self.client(&offsets.group)?;
        let what = || format!("cannot say where group {} stands", offsets.group);
        client.ask(what, |asked| {
            asked.commit(&offsets.list("")?, CommitMode::Async)?;
            // What has become of earlier ones is taken from its queue.
            let _ = asked.poll(std::time::Duration::ZERO);
            Ok(())
        })
    }

    /// Who asks on behalf of a group. It is no member: the transactional id fences.
    pub(super) fn client(&self, group: &str) -> Result<Arc<Client>, ConnectorError> {
        let mut groups = lock(&self.clients);
        if let Some(client) = groups.get(group) {
            return Ok(client.clone());
        }
        let client = Arc::new(Client::new(&self.cluster, group, &SETTLED)?);
        groups.insert(group.to_owned(), client.clone());
        Ok(client)
    }

    /// What was committed of the partitions of topics, or of one of each, for a group, with what is said beside it.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    pub fn committed(
        &self,
        group: &str,
        (topics, only): (&Topics, Option<i32>),
    ) -> Result<Standing, ConnectorError> {
        let client = self.client(group)?;
        let list = partitions(&client, (topics, only))?;
        match committed(&client, group, &list) {
            Ok(offsets) => Ok(Standing {
                offsets,
                settled: true,
            }),
            // The broker does not say that they are not settled: the client asks until the time is over.
            Err(error) if error.may_pass() => {
                let client = Client::new(&self.cluster, group, &UNSETTLED)?;
                let offsets = committed(&client, group, &list).map_err(|_| error)?;
                let settled = false;
                Ok(Standing { offsets, settled })
            }
            Err(error) => Err(error),
        }
    }

    /// Every offset that the broker was asked to put down for a group, as far as it has not been compacted away, whatever has become
    /// of it: it is asked for all groups, so this takes its time. Nothing if that cannot be read.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    pub fn asked(&self, group: &str) -> Result<Option<Vec<CommittedOffset>>, ConnectorError> {
        match asked::all(&self.cluster, group) {
            Err(error) if !error.may_pass() => Ok(None),
            asked => asked,
        }
    }
}

/// Committed reading also asks only for offsets that no open transaction could change.
const SETTLED: [(&str, &str); 1] = [("isolation.level", "read_committed")];
const UNSETTLED: [(&str, &str); 1] = [("isolation.level", "read_uncommitted")];

/// All partitions of topics, or one of each.
fn partitions(
    client: &Client,
    (topics, only): (&Topics, Option<i32>),
) -> Result<TopicPartitionList, ConnectorError> {
    let found = topics.find(client)?;
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in &found {
        // Of others nothing may be known before somebody has ended their transactions.
        let wanted = |partition: &i32| only.is_none_or(|only| only == *partition);
        for partition in (0..*partitions).filter(wanted) {
            list.add_partition(topic, partition);
        }
    }
    Ok(list)
}

/// What was committed of these partitions for a group.
fn committed(
    client: &Client,
    group: &str,
    list: &TopicPartitionList,
) -> Result<Vec<CommittedOffset>, ConnectorError> {
    if list.count() == 0 {
        return Ok(Vec::new());
    }
    let what = || format!("cannot ask where group {group} stands");
    let found = client.ask(what, |asked| asked.committed_offsets(list.clone(), ANSWER))?;
    let mut committed = Vec::new();
    for element in found.elements() {
        element.error().map_err(|e| client.failed(&what(), &e))?;
        if let Offset::Offset(next) = element.offset() {
            committed.push(CommittedOffset {
                topic: element.topic().to_owned(),
                partition: element.partition(),
                next,
                metadata: element.metadata().to_owned(),
            });
        }
    }
    Ok(committed)
}

impl GroupOffsets {
    pub(super) fn list(&self, metadata: &str) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::with_capacity(self.next.len());
        for (topic, partition, next) in &self.next {
            let mut element = list.add_partition(topic, *partition);
            element.set_offset(Offset::Offset(*next))?;
            element.set_metadata(metadata);
        }
        Ok(list)
    }
}

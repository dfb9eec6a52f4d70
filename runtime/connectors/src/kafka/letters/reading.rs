//! A topic from its beginning to its end as of now.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::Stored;
use crate::ConnectorError;
use crate::kafka::client::{ANSWER, Client, ClientSpec};
use crate::kafka::error;
use crate::kafka::source::Isolation;
use crate::kafka::topics::one;

/// How long a record is waited for before time is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The name that librdkafka wants of whoever reads. Nothing is committed, so no group comes to be.
const NO_GROUP: &str = "tidemill-dlq";

/// A client that reads records here and there, as a member of nothing.
pub(super) fn client(cluster: &ClientSpec, isolation: Isolation) -> Result<Client, ConnectorError> {
    let isolation = match isolation {
        Isolation::ReadCommitted => "read_committed",
        Isolation::ReadUncommitted => "read_uncommitted",
    };
    let own = [
        ("isolation.level", isolation),
        ("enable.partition.eof", "true"),
        ("fetch.wait.max.ms", "20"),
    ];
    Client::new(cluster, NO_GROUP, &own)
}

/// What comes of waiting for a record.
pub(super) enum Came {
    Record(Box<Stored>),
    /// There is none behind what was read of this partition.
    End(i32),
    /// The offset is not there.
    Gone,
}

/// Waits for the next record of what is assigned.
///
/// # Errors
/// If nothing comes for too long, or the cluster refuses.
pub(super) fn next(client: &Client, what: &str) -> Result<Came, ConnectorError> {
    let began = Instant::now();
    loop {
        match client.consumer.poll(LOOK) {
            Some(Ok(message)) => return Ok(Came::Record(Box::new(Stored::read(&message)))),
            Some(Err(KafkaError::PartitionEOF(partition))) => return Ok(Came::End(partition)),
            Some(Err(error)) => match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                    return Ok(Came::Gone);
                }
                Some(code) if error::may_pass(code) && began.elapsed() < ANSWER => {}
                _ => return Err(client.failed(what, &error)),
            },
            None if began.elapsed() < ANSWER => {}
            None => {
                let late = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(client.failed(what, &late));
            }
        }
    }
}

/// Reads a topic from its beginning to where it ended when that was come to, each partition in order.
pub struct TopicReader {
    client: Client,
    topic: String,
    /// The partitions whose end was not come to.
    open: BTreeSet<i32>,
}

impl TopicReader {
    /// A reader of a topic's records; nothing if there is no such topic.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    pub fn open(
        cluster: &ClientSpec,
        topic: &str,
        isolation: Isolation,
    ) -> Result<Option<Self>, ConnectorError> {
        let client = client(cluster, isolation)?;
        let Some((_, partitions)) = one(&client, topic)? else {
            return Ok(None);
        };
        let mut assigned = TopicPartitionList::new();
        let assign = (0..partitions).try_for_each(|partition| {
            assigned.add_partition_offset(topic, partition, Offset::Beginning)
        });
        assign
            .and_then(|()| client.consumer.assign(&assigned))
            .map_err(|e| client.failed(&format!("cannot read {topic}"), &e))?;
        Ok(Some(Self {
            client,
            topic: topic.to_owned(),
            open: (0..partitions).collect(),
        }))
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// If the cluster does not give it.
    pub fn record(&mut self) -> Result<Option<Stored>, ConnectorError> {
        let what = format!("cannot read {}", self.topic);
        while !self.open.is_empty() {
            match next(&self.client, &what)? {
                // What has come behind an end is for the next time.
                Came::Record(stored) if self.open.contains(&stored.at.partition) => {
                    return Ok(Some(*stored));
                }
                Came::Record(_) => {}
                Came::End(partition) => drop(self.open.remove(&partition)),
                Came::Gone => {
                    return Err(ConnectorError::Kafka {
                        text: format!("{what}: its oldest records went while they were read"),
                        hint: "try again",
                        may_pass: true,
                    });
                }
            }
        }
        Ok(None)
    }
}

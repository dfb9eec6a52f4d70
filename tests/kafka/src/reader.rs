//! A reader that belongs to no group and commits nothing: a judge.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::client::{PATIENCE, client};
use crate::record::Record;

/// Which records are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Those of committed transactions, and those outside of any.
    Committed,
    /// All, also of transactions that are open or were aborted.
    Uncommitted,
}

/// Reads a topic from its beginning, and goes on where it was.
pub struct Reader {
    consumer: BaseConsumer,
    topic: String,
    /// The next offset of each partition, where one is known: the client forgets it when partitions are assigned anew.
    next: BTreeMap<i32, Offset>,
}

impl Reader {
    /// A reader of all partitions that the topic has now.
    ///
    /// # Panics
    /// If the broker does not tell them.
    pub fn new(address: &str, topic: &str, isolation: Isolation) -> Self {
        let mut config = client(address);
        let isolation = match isolation {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        };
        // Without a group nothing is committed; the name is needed all the same.
        config.set("group.id", "tidemill-test-reader");
        config.set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true");
        config.set("isolation.level", isolation);
        config.set("fetch.wait.max.ms", "20");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let partitions = partitions(&consumer, topic);
        let begin = |partition| (partition, Offset::Beginning);
        let reader = Self {
            consumer,
            topic: topic.to_owned(),
            next: partitions.into_iter().map(begin).collect(),
        };
        reader.assign();
        reader
    }

    /// The next record, if one comes within that time.
    ///
    /// # Panics
    /// If the topic cannot be read.
    pub fn next(&mut self, within: Duration) -> Option<Record> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.consumer.poll(left)? {
                Ok(message) => {
                    let record = Record::read(&message);
                    drop(message);
                    return Some(self.note(record));
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => panic!("{} cannot be read: {error}", self.topic),
            }
        }
    }

    /// So many records, in the order in which they come.
    ///
    /// # Panics
    /// If fewer come within 30 seconds.
    pub fn take(&mut self, count: usize) -> Vec<Record> {
        let until = Instant::now() + PATIENCE;
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let left = until.saturating_duration_since(Instant::now());
            let next = self.next(left);
            let got = taken.len();
            taken.push(next.unwrap_or_else(|| panic!("{}: {got} of {count} records", self.topic)));
        }
        taken
    }

    /// What is there from here to the end as of now, partition by partition. The end of a reader of committed records lies before
    /// the first record of a transaction that is open.
    ///
    /// # Panics
    /// If the end is not reached within 30 seconds.
    pub fn to_end(&mut self) -> Vec<Record> {
        let until = Instant::now() + PATIENCE;
        let mut read = Vec::new();
        let mut open: BTreeSet<i32> = self.next.keys().copied().collect();
        // The end is told again to a reader that begins again.
        self.assign();
        while !open.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            match self.consumer.poll(left) {
                Some(Ok(message)) => {
                    let record = Record::read(&message);
                    drop(message);
                    read.push(self.note(record));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(open.remove(&partition)),
                Some(Err(error)) if is_passing(&error) => {}
                Some(Err(error)) => panic!("{} cannot be read: {error}", self.topic),
                None => panic!("{}: no end of partitions {open:?}", self.topic),
            }
        }
        read.sort_by_key(|record| (record.partition, record.offset));
        read
    }

    fn note(&mut self, record: Record) -> Record {
        if let (Some(partition), Some(offset)) = (record.partition, record.offset) {
            self.next.insert(partition, Offset::Offset(offset + 1));
        }
        record
    }

    fn assign(&self) {
        let mut assigned = TopicPartitionList::new();
        for (partition, next) in &self.next {
            let added = assigned.add_partition_offset(&self.topic, *partition, *next);
            added.expect("a valid offset");
        }
        let done = self.consumer.assign(&assigned);
        done.expect("partitions are assigned");
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("topic", &self.topic)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// The client goes on by itself: a broker that is away comes back, or the reader's patience ends.
fn is_passing(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode::{
        AllBrokersDown, BrokerTransportFailure, OperationTimedOut, Resolve, UnknownTopicOrPartition,
    };
    let passing = [
        AllBrokersDown,
        BrokerTransportFailure,
        OperationTimedOut,
        Resolve,
        // A topic that was just made is not known everywhere yet.
        UnknownTopicOrPartition,
    ];
    matches!(error.rdkafka_error_code(), Some(code) if passing.contains(&code))
}

/// The topic's partitions; one that was made just now may need a moment until the broker tells them.
fn partitions(consumer: &BaseConsumer, topic: &str) -> BTreeSet<i32> {
    let until = Instant::now() + PATIENCE;
    loop {
        let told = consumer.fetch_metadata(Some(topic), PATIENCE);
        let told = told.unwrap_or_else(|error| panic!("{topic}: {error}"));
        let found = told.topics().iter().flat_map(|topic| topic.partitions());
        let found: BTreeSet<i32> = found
            .map(rdkafka::metadata::MetadataPartition::id)
            .collect();
        if !found.is_empty() {
            return found;
        }
        assert!(Instant::now() < until, "{topic}: no partitions");
        std::thread::sleep(Duration::from_millis(50));
    }
}

//! What a group has committed.

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::client::{PATIENCE, client};

/// What a group has committed of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The partition.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
    /// What was committed beside it.
    pub metadata: String,
}

/// What a group has committed of a topic's partitions 0 to `partitions`; those without an offset are left out.
/// Waits for the end of a transaction that holds such an offset.
///
/// # Panics
/// If the broker does not tell it within 30 seconds: such a transaction may be open.
pub fn committed_offsets(
    address: &str,
    group: &str,
    topic: &str,
    partitions: i32,
) -> Vec<Committed> {
    let mut config = client(address);
    config.set("group.id", group);
    config.set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(topic, 0, partitions - 1);
    let told = consumer
        .committed_offsets(asked, PATIENCE)
        .unwrap_or_else(|error| panic!("{group}: {error}"));
    let one = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        let Offset::Offset(offset) = element.offset() else {
            return None;
        };
        Some(Committed {
            partition: element.partition(),
            offset,
            metadata: element.metadata().to_owned(),
        })
    };
    told.elements().into_iter().filter_map(one).collect()
}

/// A transaction that holds an offset of a group, and is aborted when this goes.
pub struct Held(BaseProducer);

/// Puts the offset 0 of a partition into a transaction that stays open.
///
/// # Panics
/// If the broker does not take it.
pub fn hold(address: &str, group: &str, topic: &str, partition: i32) -> Held {
    let mut config = client(address);
    config.set("group.id", group);
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let member = consumer.group_metadata().expect("what librdkafka says");
    let mut config = client(address);
    config.set("transactional.id", format!("holds-{group}"));
    let producer: BaseProducer = config.create().expect("a producer");
    let mut offsets = TopicPartitionList::new();
    let added = offsets.add_partition_offset(topic, partition, Offset::Offset(0));
    added.expect("an offset");
    producer.init_transactions(PATIENCE).expect("the id");
    producer.begin_transaction().expect("a transaction");
    let sent = producer.send_offsets_to_transaction(&offsets, &member, PATIENCE);
    sent.unwrap_or_else(|error| panic!("{group}: {error}"));
    Held(producer)
}

impl Drop for Held {
    fn drop(&mut self) {
        // It ends with its time-out otherwise.
        let _ = self.0.abort_transaction(PATIENCE);
    }
}

/// Commits offsets by partition for a group that has no members, as somebody who sets them by hand does, with this beside each.
///
/// # Panics
/// If the broker does not take them.
pub fn commit(address: &str, group: &str, topic: &str, offsets: &[(i32, i64)], metadata: &str) {
    let mut config = client(address);
    config.set("group.id", group);
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        let mut element = list.add_partition(topic, *partition);
        element
            .set_offset(Offset::Offset(*offset))
            .expect("an offset");
        element.set_metadata(metadata);
    }
    consumer
        .commit(&list, CommitMode::Sync)
        .unwrap_or_else(|error| panic!("{group}: {error}"));
}

/// Has a broker forget a group with all its offsets, as it does by itself when they are too old.
///
/// # Panics
/// If the broker does not do it.
pub fn forget(address: &str, group: &str) {
    let admin: AdminClient<DefaultClientContext> = client(address).create().expect("a client");
    let asked = AdminOptions::new().request_timeout(Some(PATIENCE));
    let done = admin.delete_groups(&[group], &asked);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let done = runtime.expect("a runtime without drivers").block_on(done);
    let done = done.unwrap_or_else(|error| panic!("{group}: {error}"));
    for result in done {
        result.unwrap_or_else(|(group, code)| panic!("{group}: {code}"));
    }
}

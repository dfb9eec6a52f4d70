//! The helpers on the real broker: what goes in comes out, and an open transaction is not seen.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tidemill_test_kafka::{Isolation, Record, Topic, broker, committed_offsets};

#[test]
fn a_record_comes_out_as_it_went_in() {
    let topic = Topic::new("whole", 3);
    let records = [
        Record::new("a").key("k").partition(0).timestamp_ms(1_000),
        Record::tombstone("k").partition(0).timestamp_ms(2_000),
        Record::new("b")
            .partition(2)
            .timestamp_ms(3_000)
            .header("h", "1")
            .header("h", "2"),
    ];
    topic.produce(&records);
    let mut read = topic.committed();
    let offsets: Vec<_> = read.iter_mut().map(|record| record.offset.take()).collect();
    assert_eq!(offsets, [Some(0), Some(1), Some(0)]);
    assert_eq!(read, records);
}

#[test]
fn a_reader_goes_on_where_it_was() {
    let topic = Topic::new("on", 2);
    let mut reader = topic.reader(Isolation::Committed);
    assert_eq!(reader.to_end(), []);
    topic.produce(&[Record::new("a").partition(0), Record::new("b").partition(1)]);
    assert_eq!(reader.to_end().len(), 2);
    assert_eq!(reader.to_end(), []);
    topic.produce(&[Record::new("c").partition(1)]);
    let next = reader.next(Duration::from_secs(10)).expect("a record");
    assert_eq!((next.text(), next.offset), ("c", Some(1)));
    assert_eq!(reader.next(Duration::from_millis(100)), None);
}

#[test]
fn a_topic_goes_comes_again_and_grows() {
    let topic = Topic::new("again", 1);
    topic.produce(&[Record::new("a")]);
    assert!(topic.delete());
    assert!(!topic.delete(), "it is gone");
    topic.create(1);
    assert_eq!(topic.committed(), []);
    topic.grow(3);
    topic.produce(&[Record::new("b").partition(2)]);
    assert_eq!(topic.committed().len(), 1);
}

/// One transaction with a record and an offset with metadata, on which exactly-once output stands.
#[test]
fn a_transaction_is_seen_whole_or_not_at_all() {
    let (source, target) = (Topic::new("source", 1), Topic::new("target", 1));
    let group = source.name();
    let offsets = || committed_offsets(broker(), group, source.name(), 1);
    let producer: BaseProducer = config().create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("it is known");
    for commit in [false, true] {
        begin(&producer, &source, &target);
        assert_eq!(target.committed(), [], "the transaction is open");
        assert!(!target.reader(Isolation::Uncommitted).to_end().is_empty());
        match commit {
            true => producer.commit_transaction(PATIENCE).expect("a commit"),
            false => producer.abort_transaction(PATIENCE).expect("an abort"),
        }
        let told = if commit { 1 } else { 0 };
        assert_eq!((target.committed().len(), offsets().len()), (told, told));
    }
    let found = offsets().remove(0);
    assert_eq!((found.offset, found.metadata.as_str()), (7, "who and what"));
}

const PATIENCE: Duration = Duration::from_secs(30);

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker());
    config.set("transactional.id", format!("test-{}", std::process::id()));
    config
}

fn begin(producer: &BaseProducer, source: &Topic, target: &Topic) {
    producer.begin_transaction().expect("a transaction");
    let record: BaseRecord<'_, (), str> = BaseRecord::to(target.name()).payload("row");
    producer.send(record).map_err(|(e, _)| e).expect("sent");
    producer.flush(PATIENCE).expect("flushed");
    let mut group = ClientConfig::new();
    group.set("bootstrap.servers", broker());
    group.set("group.id", source.name());
    let consumer: BaseConsumer = group.create().expect("a consumer");
    let mut offsets = TopicPartitionList::new();
    let mut offset = offsets.add_partition(source.name(), 0);
    offset.set_offset(Offset::Offset(7)).expect("an offset");
    offset.set_metadata("who and what");
    let member = consumer.group_metadata().expect("a group");
    producer
        .send_offsets_to_transaction(&offsets, &member, PATIENCE)
        .expect("offsets are sent");
}

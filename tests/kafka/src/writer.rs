//! A producer of one topic.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::client::{PATIENCE, client};
use crate::record::Record;

/// Produces records in their order, each once, also where the broker is away for a while.
pub struct Writer {
    producer: BaseProducer,
    topic: String,
}

impl Writer {
    pub(crate) fn new(address: &str, topic: &str) -> Self {
        let mut config = client(address);
        config.set("partitioner", "murmur2_random");
        config.set("enable.idempotence", "true");
        config.set("message.max.bytes", "16777216");
        config.set("linger.ms", "1");
        Self {
            producer: config.create().expect("a producer"),
            topic: topic.to_owned(),
        }
    }

    /// Hands records over to the client.
    ///
    /// # Panics
    /// If it refuses one.
    pub fn write(&self, records: &[Record]) {
        for record in records {
            self.send(record);
        }
        self.producer.poll(Duration::ZERO);
    }

    /// Returns when the broker has all of them.
    ///
    /// # Panics
    /// If it has not within half a minute.
    pub fn flush(&self) {
        let flushed = self.producer.flush(PATIENCE);
        flushed.unwrap_or_else(|error| panic!("{}: {error}", self.topic));
        assert_eq!(self.producer.in_flight_count(), 0, "{}", self.topic);
    }

    fn send(&self, record: &Record) {
        let mut wanted = base(&self.topic, record);
        loop {
            wanted = match self.producer.send(wanted) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => back,
                Err((error, _)) => panic!("{}: {error}", self.topic),
            };
            self.producer.poll(Duration::from_millis(10));
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

fn base<'a>(topic: &'a str, record: &'a Record) -> BaseRecord<'a, [u8], [u8]> {
    let mut made = BaseRecord::to(topic);
    made.key = record.key.as_deref();
    made.payload = record.value.as_deref();
    made.partition = record.partition;
    made.timestamp = record.timestamp_ms;
    let add = |headers: OwnedHeaders, (key, value): &(String, Option<Vec<u8>>)| {
        let value = value.as_deref();
        headers.insert(Header { key, value })
    };
    if !record.headers.is_empty() {
        made.headers = Some(record.headers.iter().fold(OwnedHeaders::new(), add));
    }
    made
}

//! The broker of the bench, and what is put into it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tidemill_broker::{Broker, Options, Topics};
use tidemill_test_kafka::jars;

use crate::Places;
use crate::pipelines::{bids, data};

/// Partitions of every topic that is read.
pub const PARTITIONS: i32 = 4;

/// A record is as long as this, in bytes.
const RECORD: usize = 280;

/// A broker that lives as long as this.
pub struct Cluster {
    broker: Broker,
    topics: Topics,
}

impl Cluster {
    /// Starts one, with a heap that leaves it time for others than its collector.
    pub fn start() -> Result<Self> {
        let options = Options {
            heap_mb: 1024,
            ..Options::default()
        };
        let broker = Broker::start(&jars()?, &options)?;
        let topics = Topics::at(broker.address())?;
        Ok(Self { broker, topics })
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        self.broker.address()
    }

    /// Makes a topic.
    pub fn topic(&self, name: &str, partitions: i32) -> Result<()> {
        self.topics.create(name, partitions, &[])?;
        Ok(())
    }

    /// What reads a topic, as a line of a pipeline file.
    pub fn source(&self, topic: &str, more: &str) -> String {
        let address = self.address();
        let more = if more.is_empty() {
            String::new()
        } else {
            format!(", {more}")
        };
        format!("kafka = {{ brokers = \"{address}\", topics = [\"{topic}\"]{more} }}")
    }

    /// A client of it.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address());
        config
    }

    /// A topic with all bids of the bench, which go to its partitions in turn.
    pub fn bids(&self, places: &Places) -> Result<String> {
        let topic = "bids".to_owned();
        self.topic(&topic, PARTITIONS)?;
        bids(places)?;
        let mut config = self.client();
        config
            .set("linger.ms", "20")
            .set("batch.num.messages", "20000");
        config.set("enable.idempotence", "true");
        let producer: BaseProducer = config.create()?;
        let lines = BufReader::new(File::open(data(places)?.join("bids.jsonl"))?).lines();
        for (line, partition) in lines.zip((0..PARTITIONS).cycle()) {
            let line = fitted(&line?);
            send(&producer, &topic, partition, line.as_bytes())?;
        }
        producer.flush(Duration::from_secs(60))?;
        ensure!(
            producer.in_flight_count() == 0,
            "records are still on their way"
        );
        Ok(topic)
    }
}

/// Gives a record to a client, and lets it work while its queue is full.
pub fn send(producer: &BaseProducer, topic: &str, partition: i32, value: &[u8]) -> Result<()> {
    let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(topic).partition(partition);
    let mut record = record.payload(value);
    loop {
        record = match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => back,
            Err((error, _)) => return Err(error.into()),
        };
        producer.poll(Duration::from_millis(10));
    }
}

/// A bid whose last text is cut or padded, so that the whole is of the usual length.
fn fitted(line: &str) -> String {
    const END: &str = "\"}}";
    const LAST: &str = "\"extra\":\"";
    let least = line.find(LAST).map_or(line.len(), |at| at + LAST.len());
    let body = line.trim_end_matches(END);
    let wanted = (RECORD - END.len()).max(least);
    let kept = &body[..body.len().min(wanted)];
    format!("{kept:x<wanted$}{END}")
}

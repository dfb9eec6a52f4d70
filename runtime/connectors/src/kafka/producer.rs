//! The client that writes records, what became of them, and the thread that serves it.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use super::client::{ClientSpec, Heard};
use super::error;
use super::produced::{OneRecord, Records};
use super::sink::{KafkaSinkSpec, TopicOf};
use super::transactions::tried;
use crate::ConnectorError;

/// How long the serving thread waits for news.
const NEWS: Duration = Duration::from_millis(50);

/// How long a writer waits for room before it asks whether the client is broken.
const ROOM: Duration = Duration::from_millis(20);

/// A client that writes.
pub(super) struct Producer {
    pub client: BaseProducer<Outcomes>,
    pub brokers: String,
}

/// What becomes of records, as far as it is trouble.
#[derive(Clone, Default)]
pub(super) struct Outcomes {
    pub heard: Heard,
    /// The first record that was not written: its topic, and why.
    failure: Arc<OnceLock<(String, KafkaError)>>,
}

impl ClientContext for Outcomes {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.heard.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.heard.error(error, reason);
    }
}

impl ProducerContext for Outcomes {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else {
            return;
        };
        // What an aborted transaction takes back was not lost.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PurgeQueue)
            || error.rdkafka_error_code() == Some(RDKafkaErrorCode::PurgeInflight)
        {
            return;
        }
        let _ = self
            .failure
            .set((message.topic().to_owned(), error.clone()));
    }
}

impl Producer {
    /// A client, and its thread, which ends with it. `own` are properties that the sink needs.
    pub fn start(spec: &ClientSpec, own: &[(&str, &str)]) -> Result<Arc<Self>, ConnectorError> {
        let mut config = spec.config()?;
        config
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("delivery.report.only.error", "true");
        let said = |name: &str| spec.properties.0.iter().any(|(said, _)| said == name);
        // A lone row does not wait for others; under load batches fill by themselves.
        for (name, value) in [("linger.ms", "1"), ("queue.buffering.max.kbytes", "65536")] {
            if !said(name) {
                config.set(name, value);
            }
        }
        for (name, value) in own {
            config.set(*name, *value);
        }
        let client = config
            .create_with_context(Outcomes::default())
            .map_err(|e| error::configuration(&e))?;
        let producer = Arc::new(Self {
            client,
            brokers: spec.brokers.clone(),
        });
        let served = Arc::downgrade(&producer);
        crate::thread::start("tidemill-kafka", move || serve(&served));
        Ok(producer)
    }

    /// An error of this cluster.
    pub fn failed(&self, what: &str, error: &KafkaError) -> ConnectorError {
        error::failed(what, &self.brokers, error, &self.client.context().heard)
    }

    /// Takes the transactional id that it was started with, which fences whoever had it and aborts what that has left open.
    pub fn take_id(&self, within: Duration) -> Result<(), KafkaError> {
        /// Brokers that let nobody in do not say so to who waits.
        const LOOK: Duration = Duration::from_secs(1);
        let heard = &self.client.context().heard;
        tried(Instant::now() + within, |time| {
            let taken = self.client.init_transactions(time.min(LOOK));
            match heard.refusal() {
                Some(refusal) if taken.is_err() => Err(KafkaError::Global(refusal)),
                _ => taken,
            }
        })
    }

    /// Hands records to the client, in order.
    pub fn write(&self, spec: &KafkaSinkSpec, records: &Records) -> Result<(), ConnectorError> {
        self.check()?;
        records
            .iter()
            .try_for_each(|record| self.one(spec, &record))
    }

    fn one(&self, spec: &KafkaSinkSpec, record: &OneRecord<'_>) -> Result<(), ConnectorError> {
        let topic = match (&spec.topic, record.topic) {
            (TopicOf::Named(topic), _) => topic.as_str(),
            (TopicOf::Column(_), topic) => topic.unwrap_or_default(),
        };
        let mut one = BaseRecord::<[u8], [u8]>::to(topic);
        one.payload = record.value;
        one.key = record.key;
        one.timestamp = record.time;
        if !record.headers.is_empty() {
            one.headers = Some(headers(spec, record));
        }
        self.send(one)
    }

    /// Hands a record to the client, when it has room.
    pub fn send(&self, mut one: BaseRecord<'_, [u8], [u8]>) -> Result<(), ConnectorError> {
        let topic = one.topic;
        loop {
            match self.client.send(one) {
                Ok(()) => return Ok(()),
                Err((error, again)) => {
                    if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                        return Err(self.failed(&format!("cannot write a row to {topic}"), &error));
                    }
                    // The serving thread makes room.
                    std::thread::sleep(ROOM);
                    self.check()?;
                    one = again;
                }
            }
        }
    }

    /// What has become of records that were not written, if there are any.
    ///
    /// # Errors
    /// If there are.
    pub fn check(&self) -> Result<(), ConnectorError> {
        match self.client.context().failure.get() {
            Some((topic, error)) => {
                Err(self.failed(&format!("cannot write a row to {topic}"), error))
            }
            None => Ok(()),
        }
    }

    /// Waits until the brokers have everything.
    ///
    /// # Errors
    /// If they have not by then, or refuse something.
    pub fn drain(&self, within: Duration) -> Result<(), ConnectorError> {
        /// librdkafka's own waiting goes by steps of 100 ms.
        const STEP: Duration = Duration::from_millis(1);
        let began = Instant::now();
        // With a time-out of none it only stops waiting for batches to fill.
        let _ = self.client.flush(Duration::ZERO);
        while self.client.in_flight_count() > 0 {
            self.check()?;
            if began.elapsed() > within {
                let late = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(self.failed("cannot write all rows in time", &late));
            }
            self.client.poll(STEP);
        }
        self.check()
    }
}

fn headers(spec: &KafkaSinkSpec, record: &OneRecord<'_>) -> OwnedHeaders {
    let headers = OwnedHeaders::new_with_capacity(record.headers.len());
    let named = spec.header_names().zip(&record.headers);
    named.fold(headers, |headers, (key, value)| {
        headers.insert(Header { key, value: *value })
    })
}

fn serve(producer: &Weak<Producer>) {
    while let Some(producer) = producer.upgrade() {
        producer.client.poll(NEWS);
    }
}

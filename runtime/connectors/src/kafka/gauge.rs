//! How far a source of Kafka is behind its brokers, and what it waits for.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer as _;

use super::lock;
use super::reader::Reader;
use super::topics::{Found, Topics};
use crate::source::Gauge;

/// Trouble that librdkafka has not repeated for so long is over: it tries every ten seconds at least.
const FRESH: Duration = Duration::from_secs(12);

/// A source's gauge.
pub(super) struct KafkaGauge {
    reader: Weak<Reader>,
    missing: Missing,
}

/// The topics that are waited for.
#[derive(Clone, Default)]
pub(super) struct Missing(Arc<Mutex<Option<String>>>);

impl Missing {
    /// Notes which of these topics are not among those that were found.
    pub fn note(&self, topics: &Topics, found: &Found) {
        *lock(&self.0) = topics.missing(found);
    }

    fn topics(&self) -> Option<String> {
        lock(&self.0).clone()
    }
}

impl KafkaGauge {
    /// The gauge of a reader. It shows nothing any more when that has gone.
    pub fn of(reader: &Arc<Reader>, missing: &Missing) -> Arc<dyn Gauge> {
        Arc::new(Self {
            reader: Arc::downgrade(reader),
            missing: missing.clone(),
        })
    }
}

impl Gauge for KafkaGauge {
    fn backlog(&self) -> Option<u64> {
        let reader = self.reader.upgrade()?;
        let positions = reader.client.consumer.position().ok()?;
        let elements = positions.elements();
        let behind = elements.iter().filter_map(|at| {
            let Offset::Offset(next) = at.offset() else {
                return None;
            };
            // Where nothing is known of a partition, nothing is added.
            let newest = reader.newest(at.topic(), at.partition())?;
            Some(newest.saturating_sub(next).max(0).unsigned_abs())
        });
        Some(behind.sum())
    }

    fn news(&self) -> Option<String> {
        let reader = self.reader.upgrade()?;
        let at = reader.client.brokers();
        if let Some(trouble) = reader.client.trouble_within(FRESH) {
            return Some(format!("{trouble}; tried again until it answers"));
        }
        let missing = self.missing.topics()?;
        Some(format!("waits for topic {missing} at {at}"))
    }
}

//! Records go to their topics again, each in one transaction with its receipt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};

use super::Stored;
use super::headers::{REPLAY_OF, REPLAYED};
use super::receipts::{Receipt, Receipts, make_topic, receipts_topic};
use crate::ConnectorError;
use crate::kafka::client::ClientSpec;
use crate::kafka::producer::Producer;
use crate::kafka::transactions::{LONGEST, not_committed, tried};

/// A transaction that nobody ends is aborted after so long; until then readers of committed records wait at it
/// (`replay-transaction`).
const OPEN: Duration = Duration::from_secs(60);

/// How long giving up may take: who starts next does it otherwise.
const GIVING_UP: Duration = Duration::from_secs(5);

/// A process that sends records again. There is one per pipeline: who begins shuts out whoever began before.
pub struct Resending {
    producer: Arc<Producer>,
    transactional_id: String,
    receipts_topic: String,
    receipts: Receipts,
    /// Whether a transaction is open.
    open: bool,
}

impl Resending {
    /// So many records at most go into one transaction (`replay-records`).
    pub const MOST_RECORDS: usize = 500;

    /// About so many bytes at most go into one transaction (`replay-bytes`).
    pub const MOST_BYTES: usize = 8 << 20;

    /// Takes the pipeline's transactional id, and reads what was sent again before.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or refuses.
    pub fn begin(cluster: &ClientSpec, pipeline: &str) -> Result<Self, ConnectorError> {
        let transactional_id = format!("tidemill-{pipeline}-replay");
        let receipts_topic = receipts_topic(pipeline);
        make_topic(cluster, &receipts_topic)?;
        let open = OPEN.as_millis().to_string();
        let own = [
            ("transactional.id", transactional_id.as_str()),
            ("transaction.timeout.ms", &open),
            // What its topic has taken once is not too large: the brokers say what is.
            ("message.max.bytes", "1000000000"),
            ("queue.buffering.max.kbytes", "2097151"),
        ];
        let producer = Producer::start(cluster, &own)?;
        let what = format!("cannot take the transactional id {transactional_id}");
        let taken = producer.take_id(LONGEST);
        taken.map_err(|e| producer.failed(&what, &e))?;
        Ok(Self {
            receipts: Receipts::read(cluster, pipeline)?,
            producer,
            transactional_id,
            receipts_topic,
            open: false,
        })
    }

    /// What was sent again so far, with what this process has sent.
    pub fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// Sends a record again to the topic that it stands in or has stood in, to the same partition if there is one of `partitions`
    /// with its number. Nobody sees it before [`Self::commit`].
    ///
    /// # Errors
    /// If the client or a broker refuses it.
    pub fn send(
        &mut self,
        record: &Stored,
        (partitions, topic_id): (i32, Option<String>),
    ) -> Result<(), ConnectorError> {
        if !self.open {
            let begun = self.producer.client.begin_transaction();
            begun.map_err(|e| self.not_committed(&e))?;
            self.open = true;
        }
        let at = &record.at;
        let before = self.receipts.get(at, topic_id.as_deref());
        let receipt = Receipt {
            times: before.map_or(0, |receipt| receipt.times) + 1,
            at_ms: None,
            topic_id,
        };
        let number = Some(at.partition).filter(|&number| number < partitions);
        let copy = BaseRecord::<[u8], [u8]> {
            key: record.key.as_deref(),
            payload: record.value.as_deref(),
            partition: number,
            timestamp: record.time_ms,
            headers: Some(headers(record, receipt.times)),
            ..BaseRecord::to(&at.topic)
        };
        self.producer.send(copy)?;
        let (name, value) = (at.to_string(), receipt.value());
        let noted = BaseRecord::to(&self.receipts_topic)
            .key(name.as_bytes())
            .payload(value.as_slice());
        self.producer.send(noted)?;
        self.receipts.put(at, receipt);
        Ok(())
    }

    /// Commits what was sent, with its receipts.
    ///
    /// # Errors
    /// If it was not committed, or nobody knows: who begins again finds out.
    pub fn commit(&mut self) -> Result<(), ConnectorError> {
        if !self.open {
            return Ok(());
        }
        self.producer.drain(LONGEST)?;
        let until = Instant::now() + LONGEST;
        tried(until, |time| self.producer.client.commit_transaction(time))
            .map_err(|e| self.not_committed(&e))?;
        self.open = false;
        Ok(())
    }

    fn not_committed(&self, error: &KafkaError) -> ConnectorError {
        not_committed(&self.producer, &self.transactional_id, error)
    }
}

impl Drop for Resending {
    /// Readers of committed records need not wait for what is given up.
    fn drop(&mut self) {
        if self.open {
            let _ = self.producer.client.abort_transaction(GIVING_UP);
        }
    }
}

/// Those that the record has, with how often it was sent again by now, so often from where it stands, and of which record this is
/// the copy.
fn headers(record: &Stored, times: u32) -> OwnedHeaders {
    let ours = [REPLAYED, REPLAY_OF];
    let kept = record.headers.iter();
    let kept = kept.filter(|(name, _)| !ours.contains(&name.as_str()));
    let headers = kept.fold(OwnedHeaders::new(), |headers, (key, value)| {
        let value = value.as_deref();
        headers.insert(Header { key, value })
    });
    let times = record.replayed().saturating_add(times).to_string();
    let of = record.at.to_string();
    let ours = [(REPLAYED, times.as_str()), (REPLAY_OF, of.as_str())];
    ours.into_iter().fold(headers, |headers, (key, value)| {
        let value = Some(value);
        headers.insert(Header { key, value })
    })
}

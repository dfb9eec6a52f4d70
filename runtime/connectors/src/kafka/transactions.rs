//! Transactions: what all sinks on one cluster write between two checkpoints becomes visible at once, with the commit.
//!
//! ```text
//!   worker:       write write | cut | write (waits here) ...     write ...
//!   background:                        commit(offsets) -> begin, what waited is written
//! ```
//!
//! A process has one of these per cluster, shared by its workers and sinks: two producers would be two commits. Its
//! transactional id is the pipeline's, so a process that starts with it fences whoever had it before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::client::{AGAIN, ANSWER, ClientSpec};
use super::groups::{GroupOffsets, Groups};
use super::lanes::Lanes;
use super::producer::Producer;
use crate::ConnectorError;

/// See the module.
pub struct Transactions {
    pub(super) lanes: Lanes,
    transactional_id: String,
    groups: Groups,
}

/// How long a commit is tried again whose answer does not come (`kafka-commit`).
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// The property that says how long a transaction may be open.
const TIMEOUT: &str = "transaction.timeout.ms";

impl Transactions {
    /// Takes the transactional id, which fences whoever had it and aborts what that has left open, and begins the first
    /// transaction. A transaction may be open for `open` at most, unless a property says otherwise.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or refuses.
    pub fn start(
        cluster: &ClientSpec,
        transactional_id: &str,
        open: Duration,
    ) -> Result<Arc<Self>, ConnectorError> {
        let timeout = open.as_millis().to_string();
        let mut own = vec![("transactional.id", transactional_id)];
        match cluster
            .properties
            .0
            .iter()
            .find(|(name, _)| name == TIMEOUT)
        {
            None => own.push((TIMEOUT, &timeout)),
            Some((_, said)) => check_timeout(said, open)?,
        }
        let producer = taken(cluster, transactional_id, &own)?;
        let begun = producer.client.begin_transaction();
        begun.map_err(|e| producer.failed("cannot begin a transaction", &e))?;
        Ok(Arc::new(Self {
            lanes: Lanes::of(producer),
            transactional_id: transactional_id.to_owned(),
            groups: Groups::new(cluster),
        }))
    }

    /// Takes a transactional id only to abort what whoever had it has left open.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or refuses.
    pub fn abort(cluster: &ClientSpec, transactional_id: &str) -> Result<(), ConnectorError> {
        taken(
            cluster,
            transactional_id,
            &[("transactional.id", transactional_id)],
        )
        .map(|_| ())
    }

    /// Whether these are of the same cluster.
    pub fn is_on(&self, cluster: &ClientSpec) -> bool {
        self.groups.cluster().brokers == cluster.brokers
    }

    /// The id by which processes fence each other.
    pub fn transactional_id(&self) -> &str {
        &self.transactional_id
    }

    /// Commits all rows before the cut together with offsets, each with this text beside it; begins the next transaction, and
    /// writes what has waited for it.
    ///
    /// # Errors
    /// If it was not committed, or nobody knows.
    pub fn commit(&self, offsets: &[GroupOffsets], metadata: &str) -> Result<(), ConnectorError> {
        self.lanes.drain()?;
        let until = Instant::now() + LONGEST;
        let client = &self.lanes.producer.client;
        for of in offsets {
            let group = self.groups.client(&of.group)?;
            let Some(member) = group.consumer.group_metadata() else {
                let message = format!("group {} has no metadata in librdkafka", of.group);
                return Err(ConnectorError::Internal(message));
            };
            let list = of.list(metadata);
            let list = list.map_err(|e| self.lanes.producer.failed("cannot commit offsets", &e))?;
            tried(until, |time| {
                client.send_offsets_to_transaction(&list, &member, time)
            })
            .map_err(|e| self.not_committed(&e))?;
        }
        tried(until, |time| client.commit_transaction(time)).map_err(|e| self.not_committed(&e))?;
        let begun = client.begin_transaction();
        begun.map_err(|e| self.lanes.producer.failed("cannot begin a transaction", &e))?;
        self.lanes.release()
    }

    fn not_committed(&self, error: &KafkaError) -> ConnectorError {
        not_committed(&self.lanes.producer, &self.transactional_id, error)
    }

    /// The groups whose offsets are committed with them.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }
}

/// Why a transaction of this id was not committed.
pub(super) fn not_committed(producer: &Producer, id: &str, error: &KafkaError) -> ConnectorError {
    use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
    match error {
        KafkaError::Transaction(e)
            if matches!(e.code(), Fenced | InvalidProducerEpoch | ProducerFenced) =>
        {
            ConnectorError::Fenced(format!(
                "the transaction of {id} was not committed at {}: another process has its id now",
                producer.brokers
            ))
        }
        error => producer.failed(&format!("cannot commit the transaction of {id}"), error),
    }
}

/// Does something in the time that is left until then, as often as librdkafka says that it can be tried again: whether the try
/// before had come through or not.
pub(super) fn tried(
    until: Instant,
    act: impl Fn(Duration) -> Result<(), KafkaError>,
) -> Result<(), KafkaError> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match act(left.clamp(AGAIN, ANSWER)) {
            Err(KafkaError::Transaction(e)) if e.is_retriable() && left > AGAIN => {
                std::thread::sleep(AGAIN);
            }
            done => return done,
        }
    }
}

/// A client that has a transactional id.
fn taken(
    cluster: &ClientSpec,
    transactional_id: &str,
    own: &[(&str, &str)],
) -> Result<Arc<Producer>, ConnectorError> {
    let producer = Producer::start(cluster, own)?;
    let what = || format!("cannot take the transactional id {transactional_id}");
    let taken = producer.take_id(LONGEST);
    taken.map_err(|e| producer.failed(&what(), &e))?;
    Ok(producer)
}

fn check_timeout(said: &str, open: Duration) -> Result<(), ConnectorError> {
    let Ok(millis) = said.parse::<u128>() else {
        return Ok(());
    };
    if millis >= open.as_millis() {
        return Ok(());
    }
    Err(ConnectorError::Configuration(format!(
        "kafka property `{TIMEOUT}` is {millis}: a transaction is open from one checkpoint to the next, up to {} with \
         `interval` and `timeout` of `[checkpoints]`",
        open.as_millis()
    )))
}

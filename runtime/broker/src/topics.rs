//! A broker's topics: made, grown and deleted.

use std::future::Future;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use crate::error::BrokerError;

/// How long a request may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The topics of a broker.
pub struct Topics(AdminClient<DefaultClientContext>);

impl Topics {
    /// Those of the broker at `address`, such as `127.0.0.1:9092`.
    ///
    /// # Errors
    /// If no client can be made.
    pub fn at(address: &str) -> Result<Self, BrokerError> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        let client = config.create();
        client
            .map(Self)
            .map_err(|source| failed("reached", address, source))
    }

    /// Makes a topic with settings such as `("cleanup.policy", "compact")`. Whether it was not there before.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub fn create(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Result<bool, BrokerError> {
        let mut wanted = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (name, value) in settings {
            wanted = wanted.set(name, value);
        }
        let made = wait(self.0.create_topics([&wanted], &options()));
        done(made, RDKafkaErrorCode::TopicAlreadyExists).map_err(|e| failed("made", name, e))
    }

    /// Deletes a topic. Whether it was there.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub fn delete(&self, name: &str) -> Result<bool, BrokerError> {
        let deleted = wait(self.0.delete_topics(&[name], &options()));
        let absent = RDKafkaErrorCode::UnknownTopicOrPartition;
        done(deleted, absent).map_err(|e| failed("deleted", name, e))
    }

    /// Gives a topic more partitions, so many in all.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub fn grow(&self, name: &str, partitions: usize) -> Result<(), BrokerError> {
        let wanted = NewPartitions::new(name, partitions);
        let grown = wait(self.0.create_partitions([&wanted], &options()));
        done(grown, RDKafkaErrorCode::NoError)
            .map(drop)
            .map_err(|e| failed("grown", name, e))
    }
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topics").finish_non_exhaustive()
    }
}

fn failed(what: &'static str, topic: &str, source: KafkaError) -> BrokerError {
    let topic = topic.to_owned();
    BrokerError::Topic {
        what,
        topic,
        source,
    }
}

/// Whether something was done; not if the broker answers `needless`.
fn done(
    results: KafkaResult<Vec<TopicResult>>,
    needless: RDKafkaErrorCode,
) -> Result<bool, KafkaError> {
    match results?.into_iter().find_map(Result::err) {
        None => Ok(true),
        Some((_, code)) if code == needless => Ok(false),
        Some((_, code)) => Err(KafkaError::AdminOp(code)),
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE))
}

/// Answers come on a thread of the client's, so any runtime will do.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    // Without drivers there is nothing that the system could refuse.
    runtime.expect("a runtime without drivers").block_on(answer)
}

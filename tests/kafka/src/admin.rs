//! What is asked of the broker itself.

use std::future::Future;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

/// How long a request may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Settings of a client of the broker at `address`, to which tests add their own.
pub fn client(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    config
}

/// Makes a topic with settings such as `("cleanup.policy", "compact")`.
pub fn create(address: &str, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
    let mut wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for (name, value) in settings {
        wanted = wanted.set(name, value);
    }
    let made = wait(admin(address).create_topics([&wanted], &options()));
    check("made", topic, made);
}

/// Deletes a topic. Whether the broker did.
pub fn delete(address: &str, topic: &str) -> bool {
    let deleted = wait(admin(address).delete_topics(&[topic], &options()));
    deleted.is_ok_and(|results| results.iter().all(Result::is_ok))
}

/// Gives a topic more partitions, so many in all.
pub fn grow(address: &str, topic: &str, partitions: usize) {
    let wanted = NewPartitions::new(topic, partitions);
    let grown = wait(admin(address).create_partitions([&wanted], &options()));
    check("grown", topic, grown);
}

type Results = rdkafka::error::KafkaResult<Vec<rdkafka::admin::TopicResult>>;

fn check(what: &str, topic: &str, results: Results) {
    let results = results.unwrap_or_else(|error| panic!("{topic} cannot be {what}: {error}"));
    for result in results {
        result.unwrap_or_else(|(name, code)| panic!("{name} cannot be {what}: {code}"));
    }
}

fn admin(address: &str) -> AdminClient<DefaultClientContext> {
    client(address)
        .create()
        .expect("a client for administration")
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE))
}

/// Answers come on a thread of the client's, so any runtime will do.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(answer)
}

//! What producing and consuming have in common: which broker, and whether it has the topic.

use std::time::Duration;

use anyhow::anyhow;
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaError;

use crate::error::Failure;

/// How long a broker may take to answer: it is on this machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which broker, and which topic.
#[derive(clap::Args, Debug)]
pub struct TopicArgs {
    /// The topic
    pub topic: String,
    /// Where the broker listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub broker: String,
}

impl TopicArgs {
    /// Settings of a client of that broker.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.broker);
        // What goes wrong is told once, by the command.
        config.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        config
    }

    /// The topic's partitions.
    ///
    /// # Errors
    /// If the broker does not answer, or has no such topic.
    pub fn partitions<C: ClientContext>(&self, client: &Client<C>) -> Result<Vec<i32>, Failure> {
        let told = client.fetch_metadata(Some(&self.topic), PATIENCE);
        let told = told.map_err(|_| self.unreachable())?;
        let found = told.topics().iter().flat_map(|topic| topic.partitions());
        let found: Vec<i32> = found.map(|partition| partition.id()).collect();
        if found.is_empty() {
            let failure = Failure::from(anyhow!("no topic {} at {}", self.topic, self.broker));
            return Err(failure.hint(format!(
                "`tidemill dev kafka --topic {}` makes it",
                self.topic
            )));
        }
        Ok(found)
    }

    /// The client has failed.
    pub fn failed(&self, error: KafkaError) -> Failure {
        Failure::from(anyhow!(error).context(format!("topic {}", self.topic)))
    }

    fn unreachable(&self) -> Failure {
        let within = PATIENCE.as_secs();
        let failure = anyhow!("no Kafka answers at {} within {within} s", self.broker);
        Failure::from(failure)
            .hint("`tidemill dev kafka` starts one, `--broker` says where one listens")
    }
}

//! How a cluster is reached, as plain data, and what is said to librdkafka in its language.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;

use super::{error, lock};
use crate::ConnectorError;

/// How long a cluster is waited for, when something is asked of it (`kafka-answer`).
pub(crate) const ANSWER: Duration = Duration::from_secs(15);

/// Properties of librdkafka by name. Their values are shown nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(pub Vec<(String, String)>);

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// How a cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSpec {
    /// `host:port` of brokers to begin with, with commas between them.
    pub brokers: String,
    /// What else librdkafka is told: security, time-outs, sizes.
    pub properties: Properties,
}

/// Properties that Tidemill sets itself, and what to write instead.
const OURS: [(&str, &str); 15] = [
    ("bootstrap.servers", "`brokers` says it"),
    ("metadata.broker.list", "`brokers` says it"),
    ("group.id", "`group` says it"),
    ("group.instance.id", "`tidemill run --instance` says it"),
    (
        "partition.assignment.strategy",
        "it is always `cooperative-sticky`",
    ),
    ("isolation.level", "`isolation` says it"),
    ("auto.offset.reset", "`start` says where reading begins"),
    (
        "enable.auto.commit",
        "offsets are committed with checkpoints",
    ),
    (
        "enable.auto.offset.store",
        "offsets are committed with checkpoints",
    ),
    ("enable.partition.eof", "`until` says where reading ends"),
    ("transactional.id", "it is the pipeline's own"),
    ("enable.idempotence", "it is always on"),
    (
        "partitioner",
        "it is that of Java clients, `murmur2_random`",
    ),
    ("acks", "it is always `all`"),
    ("request.required.acks", "it is always `all`"),
];

impl ClientSpec {
    /// The configuration of a client, before what is a source's or a sink's own.
    ///
    /// # Errors
    /// If a property is set that is Tidemill's own.
    pub(crate) fn config(&self) -> Result<ClientConfig, ConnectorError> {
        let mut config = ClientConfig::new();
        for (name, value) in &self.properties.0 {
            if let Some((_, instead)) = OURS.iter().find(|(ours, _)| ours == name) {
                return Err(ConnectorError::Configuration(format!(
                    "kafka property `{name}` cannot be set: {instead}"
                )));
            }
            config.set(name, value);
        }
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.software.name", "tidemill");
        config.set_log_level(RDKafkaLogLevel::Error);
        Ok(config)
    }
}

/// How long before something is asked again.
pub(crate) const AGAIN: Duration = Duration::from_millis(50);

/// Whether who is responsible is only being found, or has just changed.
fn is_moving(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::WaitingForCoordinator
        )
    )
}

/// A client that asks a cluster, and may read from it.
pub(crate) struct Client {
    pub consumer: BaseConsumer<Heard>,
    brokers: String,
    heard: Heard,
}

impl Client {
    /// A client of a group. `own` are properties that it needs beside the group.
    pub fn new(
        spec: &ClientSpec,
        group: &str,
        own: &[(&str, &str)],
    ) -> Result<Self, ConnectorError> {
        let heard = Heard::default();
        let mut config = spec.config()?;
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error");
        for (name, value) in own {
            config.set(*name, *value);
        }
        let consumer = config.create_with_context(heard.clone());
        Ok(Self {
            consumer: consumer.map_err(|e| error::configuration(&e))?,
            brokers: spec.brokers.clone(),
            heard,
        })
    }

    /// Where it is.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Asks something of the cluster, again for a while where who answers is only being found.
    pub fn ask<T>(
        &self,
        what: impl FnOnce() -> String,
        asked: impl Fn(&BaseConsumer<Heard>) -> Result<T, KafkaError>,
    ) -> Result<T, ConnectorError> {
        let began = Instant::now();
        loop {
            match asked(&self.consumer) {
                Ok(answer) => return Ok(answer),
                Err(error) if is_moving(&error) && began.elapsed() < ANSWER => {
                    std::thread::sleep(AGAIN);
                }
                Err(error) => return Err(self.failed(&what(), &error)),
            }
        }
    }

    /// What a member of a group is to be answered, since this was asked last.
    pub fn rebalances(&self) -> Vec<Rebalance> {
        std::mem::take(&mut *lock(&self.heard.rebalances))
    }

    /// From now on rebalances are answered at once: whatever is asked back is given.
    pub fn answer_rebalances(&self) {
        self.heard.answers.store(true, Relaxed);
    }

    /// The newest trouble that is not older.
    pub fn trouble_within(&self, time: Duration) -> Option<String> {
        self.heard.trouble_within(time)
    }

    /// An error of this cluster.
    pub fn failed(&self, what: &str, error: &KafkaError) -> ConnectorError {
        error::failed(what, &self.brokers, error, &self.heard)
    }
}

/// What a client has to say beside answers: kept until somebody asks.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    trouble: Arc<Mutex<Option<Trouble>>>,
    rebalances: Arc<Mutex<Vec<Rebalance>>>,
    /// Whether rebalances are answered here.
    answers: Arc<AtomicBool>,
}

/// Something that a client has said.
#[derive(Clone)]
pub(crate) struct Trouble {
    at: Instant,
    pub text: String,
    /// What it is, where that is known.
    code: Option<RDKafkaErrorCode>,
}

/// What a group's coordinator says to a member, who answers with `incremental_assign` or `incremental_unassign`.
pub(crate) enum Rebalance {
    /// These are its own.
    Given(TopicPartitionList),
    /// These are wanted back.
    AskedBack(TopicPartitionList),
    /// Others may have these already.
    Lost(TopicPartitionList),
}

impl Heard {
    /// The newest trouble, if there was any.
    pub fn trouble(&self) -> Option<Trouble> {
        lock(&self.trouble).clone()
    }

    fn trouble_within(&self, time: Duration) -> Option<String> {
        let fresh = self.trouble().filter(|heard| heard.at.elapsed() < time);
        fresh.map(|trouble| trouble.text)
    }

    /// Why brokers let nobody in, or are not believed, if that was said lately: it will not pass.
    pub fn refusal(&self) -> Option<RDKafkaErrorCode> {
        /// A client tries again more often.
        const LATELY: Duration = Duration::from_secs(30);
        let heard = self.trouble()?;
        let code = heard.code.filter(|_| heard.at.elapsed() < LATELY)?;
        let refused = match code {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => true,
            // A broker that goes down in the middle of a handshake gives this code too.
            RDKafkaErrorCode::SSL => heard.text.contains("certificate"),
            _ => false,
        };
        refused.then_some(code)
    }

    fn note(&self, text: String, code: Option<RDKafkaErrorCode>) {
        let at = Instant::now();
        *lock(&self.trouble) = Some(Trouble { at, text, code });
    }
}

impl ClientContext for Heard {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // Why each of them is down was said before.
        let code = error.rdkafka_error_code();
        let all = code == Some(RDKafkaErrorCode::AllBrokersDown);
        let trouble = self.trouble().filter(|_| all);
        if let Some(trouble) = trouble {
            return self.note(trouble.text, trouble.code);
        }
        let text = match reason {
            "" => error.to_string(),
            // How often and after how long is different each time.
            reason => reason.split(" (after ").next().unwrap_or(reason).to_owned(),
        };
        self.note(text, code);
    }
}

impl ConsumerContext for Heard {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let given = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.answers.load(Relaxed) {
            // Who closes it has no use for an error.
            let _ = match given {
                true => consumer.incremental_assign(partitions),
                false => consumer.incremental_unassign(partitions),
            };
            return;
        }
        let partitions = partitions.clone();
        let rebalance = match given {
            true => Rebalance::Given(partitions),
            false if consumer.assignment_lost() => Rebalance::Lost(partitions),
            false => Rebalance::AskedBack(partitions),
        };
        lock(&self.rebalances).push(rebalance);
    }
}

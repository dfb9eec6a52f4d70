//! Receipts: which records were sent again, in a compacted topic of the pipeline's own, one per record. They come and go with
//! transactions of one id alone, which also carry the records.

use std::collections::HashMap;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde_json::{Value, json};

use super::reading::{TopicReader, client};
use super::{RecordAt, Stored};
use crate::ConnectorError;
use crate::kafka::client::{ANSWER, ClientSpec, Heard};
use crate::kafka::error;
use crate::kafka::source::Isolation;
use crate::kafka::topics::one;

/// The topic of a pipeline's receipts.
pub fn receipts_topic(pipeline: &str) -> String {
    format!("tidemill-{pipeline}-replayed")
}

/// That a record was sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How often, so far.
    pub times: u32,
    /// When it was last, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// The id of the topic that it was sent again to, where brokers have ids.
    pub topic_id: Option<String>,
}

impl Receipt {
    pub(super) fn value(&self) -> Vec<u8> {
        let value = json!({ "times": self.times, "topic-id": self.topic_id });
        value.to_string().into_bytes()
    }

    fn read(stored: &Stored) -> Option<Self> {
        let value: Value = serde_json::from_slice(stored.value.as_deref()?).ok()?;
        Some(Self {
            times: u32::try_from(value["times"].as_u64()?).ok()?,
            at_ms: stored.time_ms,
            topic_id: value["topic-id"].as_str().map(str::to_owned),
        })
    }
}

/// All receipts of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Receipts(HashMap<String, Receipt>);

impl Receipts {
    /// Those that there are now. Whoever wants to add to them takes the transactional id first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(cluster: &ClientSpec, pipeline: &str) -> Result<Self, ConnectorError> {
        let topic = receipts_topic(pipeline);
        let mut receipts = HashMap::new();
        let Some(mut reader) = TopicReader::open(cluster, &topic, Isolation::ReadCommitted)? else {
            return Ok(Self::default());
        };
        while let Some(stored) = reader.record()? {
            let name = stored.key.as_deref().map(std::str::from_utf8);
            let (Some(Ok(name)), Some(receipt)) = (name, Receipt::read(&stored)) else {
                // To pass over it could send a record twice.
                return Err(ConnectorError::Data(format!(
                    "{} is no receipt of a record that was sent again: that topic is this pipeline's alone",
                    stored.at
                )));
            };
            receipts.insert(name.to_owned(), receipt);
        }
        Ok(Self(receipts))
    }

    /// Whether nothing was ever sent again.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The receipt of a record, in the topic with this id.
    pub fn get(&self, of: &RecordAt, topic_id: Option<&str>) -> Option<&Receipt> {
        let receipt = self.0.get(&of.to_string())?;
        let another =
            matches!((&receipt.topic_id, topic_id), (Some(then), Some(now)) if then != now);
        (!another).then_some(receipt)
    }

    pub(super) fn put(&mut self, of: &RecordAt, receipt: Receipt) {
        self.0.insert(of.to_string(), receipt);
    }
}

/// Makes the topic of receipts unless it is there.
///
/// # Errors
/// If it cannot be made.
pub(super) fn make_topic(cluster: &ClientSpec, topic: &str) -> Result<(), ConnectorError> {
    // Whoever may not make topics may use one that somebody else has made.
    if one(&client(cluster, Isolation::ReadCommitted)?, topic)?.is_some() {
        return Ok(());
    }
    let heard = Heard::default();
    let failed = |error: &KafkaError| {
        let what = format!("cannot make topic {topic}, which holds what was sent again,");
        error::failed(what, &cluster.brokers, error, &heard)
    };
    let admin: AdminClient<DefaultClientContext> =
        cluster.config()?.create().map_err(|e| failed(&e))?;
    let wanted = NewTopic::new(topic, 1, TopicReplication::Fixed(-1))
        .set("cleanup.policy", "compact")
        .set("retention.ms", "-1");
    let options = AdminOptions::new().operation_timeout(Some(ANSWER));
    let made = admin.create_topics([&wanted], &options);
    // Answers come on a thread of the client's: a runtime without drivers will do.
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without drivers");
    let made = runtime.block_on(made).map_err(|e| failed(&e))?;
    match made.into_iter().find_map(Result::err) {
        None | Some((_, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(()),
        Some((_, code)) => Err(failed(&KafkaError::AdminOp(code))),
    }
}

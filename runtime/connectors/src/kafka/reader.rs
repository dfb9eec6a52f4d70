//! The client that reads a source's partitions, and the thread that serves it.

use std::ffi::CString;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafka;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{Client, ClientSpec};
use super::error;
use super::source::Isolation;
use crate::ConnectorError;

/// How long the serving thread waits for news.
const NEWS: Duration = Duration::from_millis(200);

/// A client that reads partitions.
pub(crate) struct Reader {
    pub client: Client,
    /// What has broken the client.
    failure: OnceLock<KafkaError>,
}

impl Reader {
    /// A client, and its thread, which ends with it. Reads nothing yet.
    pub fn start(
        spec: &ClientSpec,
        (group, isolation): (&str, Isolation),
        bounded: bool,
    ) -> Result<Arc<Self>, ConnectorError> {
        let own = [
            ("isolation.level", isolation.property()),
            (
                "enable.partition.eof",
                if bounded { "true" } else { "false" },
            ),
        ];
        let reader = Arc::new(Self {
            client: Client::new(spec, group, &own)?,
            failure: OnceLock::new(),
        });
        let served = Arc::downgrade(&reader);
        crate::thread::start("tidemill-kafka", move || serve(&served));
        Ok(reader)
    }

    /// The client as librdkafka knows it.
    pub fn native(&self) -> *mut RDKafka {
        self.client.consumer.client().native_ptr()
    }

    /// Begins to read partitions, each at an offset, beside those that are read.
    pub fn read(&self, partitions: &[(&str, i32, i64)]) -> Result<(), ConnectorError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        let added = partitions
            .iter()
            .try_for_each(|(topic, partition, offset)| {
                list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
            });
        added
            .and_then(|()| self.client.consumer.incremental_assign(&list))
            .map_err(|e| self.client.failed("cannot begin to read", &e))
    }

    /// The offset behind the newest record of a partition that is read, as far as a broker has said so by now.
    pub fn newest(&self, topic: &str, partition: i32) -> Option<i64> {
        let topic = CString::new(topic).ok()?;
        let (mut oldest, mut newest) = (-1, -1);
        // SAFETY: the client and the name live for the call, which fills in what is known.
        let error = unsafe {
            sys::rd_kafka_get_watermark_offsets(
                self.native(),
                topic.as_ptr(),
                partition,
                &mut oldest,
                &mut newest,
            )
        };
        let known = error == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && newest >= 0;
        known.then_some(newest)
    }

    /// What has broken the client, if something has.
    #[inline]
    pub fn check(&self) -> Result<(), ConnectorError> {
        match self.failure.get() {
            Some(error) => Err(self.client.failed("cannot read", error)),
            None => Ok(()),
        }
    }
}

/// Serves the client as long as there is one: records go to the partitions' queues, all else comes here.
fn serve(reader: &Weak<Reader>) {
    while let Some(reader) = reader.upgrade() {
        match reader.client.consumer.poll(NEWS) {
            // What passes is tried again by librdkafka, and noted in `heard`.
            Some(Err(error)) if error::is_final(&error) => {
                // The first one is what the others follow from.
                let _ = reader.failure.set(error);
            }
            Some(_) | None => {}
        }
    }
}

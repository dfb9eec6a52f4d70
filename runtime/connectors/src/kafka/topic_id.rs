//! Which topic it is, beside its name: one that was deleted and made again is another.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::ptr::{NonNull, null_mut};

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client::{ANSWER, Client};
use crate::ConnectorError;

/// The id that brokers without ids give.
const NONE: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// The ids of topics by name, where brokers have ids. A name may come more than once.
///
/// # Errors
/// If the cluster cannot be asked.
pub(super) fn of<'n>(
    client: &Client,
    names: impl Iterator<Item = &'n String>,
) -> Result<BTreeMap<String, String>, ConnectorError> {
    let names: BTreeSet<&String> = names.collect();
    let names = names.into_iter();
    let names: Vec<CString> = names
        .filter_map(|name| CString::new(name.as_str()).ok())
        .collect();
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let failed = |code| {
        let error = KafkaError::MetadataFetch(code);
        client.failed("cannot ask for the ids of topics", &error)
    };
    match Asked::new(client, &names).ids() {
        Ok(ids) => Ok(ids),
        // Brokers before 2.8 have none.
        Err(RDKafkaErrorCode::UnsupportedFeature | RDKafkaErrorCode::UnsupportedVersion) => {
            Ok(BTreeMap::new())
        }
        Err(code) => Err(failed(code)),
    }
}

/// A request, and what came of it.
struct Asked {
    queue: NonNull<sys::rd_kafka_queue_t>,
    event: *mut sys::rd_kafka_event_t,
}

impl Asked {
    /// Asks, and waits for the answer.
    fn new(client: &Client, names: &[CString]) -> Self {
        let native = client.consumer.client().native_ptr();
        let mut names: Vec<*const std::ffi::c_char> = names.iter().map(|n| n.as_ptr()).collect();
        let millis = ANSWER.as_millis() as i32;
        // SAFETY: the client and the names live for the call; what is made here is given back here, or by `drop`.
        unsafe {
            let queue = sys::rd_kafka_queue_new(native);
            let topics =
                sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
            let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
            let options = sys::rd_kafka_AdminOptions_new(native, operation);
            sys::rd_kafka_AdminOptions_set_request_timeout(options, millis, null_mut(), 0);
            sys::rd_kafka_DescribeTopics(native, topics, options, queue);
            let event = sys::rd_kafka_queue_poll(queue, 2 * millis);
            sys::rd_kafka_AdminOptions_destroy(options);
            sys::rd_kafka_TopicCollection_destroy(topics);
            let queue = NonNull::new(queue).expect("librdkafka makes queues");
            Self { queue, event }
        }
    }

    fn ids(&self) -> Result<BTreeMap<String, String>, RDKafkaErrorCode> {
        if self.event.is_null() {
            return Err(RDKafkaErrorCode::OperationTimedOut);
        }
        let none = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        let mut ids = BTreeMap::new();
        // SAFETY: everything here is the event's, which lives as long as `self`.
        unsafe {
            let error = sys::rd_kafka_event_error(self.event);
            if error != none {
                return Err(error.into());
            }
            let result = sys::rd_kafka_event_DescribeTopics_result(self.event);
            let mut count = 0;
            let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            for i in 0..count {
                let topic = *topics.add(i);
                let error = sys::rd_kafka_TopicDescription_error(topic);
                let id = sys::rd_kafka_TopicDescription_topic_id(topic);
                if sys::rd_kafka_error_code(error) != none || id.is_null() {
                    continue;
                }
                let text = |text| CStr::from_ptr(text).to_string_lossy().into_owned();
                let id = text(sys::rd_kafka_Uuid_base64str(id));
                if id != NONE {
                    ids.insert(text(sys::rd_kafka_TopicDescription_name(topic)), id);
                }
            }
        }
        Ok(ids)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // SAFETY: both are given back once.
        unsafe {
            if !self.event.is_null() {
                sys::rd_kafka_event_destroy(self.event);
            }
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

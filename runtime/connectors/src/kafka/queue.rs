//! The queue of one partition: records as librdkafka holds them, many at a time.

use std::ffi::{CStr, CString, c_void};
use std::ptr::NonNull;
use std::sync::Arc;

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafka;

use super::reader::Reader;
use crate::ConnectorError;
use crate::split::Wake;

/// A partition's records, as they come.
pub(crate) struct PartitionQueue {
    queue: NonNull<sys::rd_kafka_queue_t>,
    /// Calls the worker when the queue was empty and is not any more. Boxed: librdkafka holds its address.
    _wake: Box<Wake>,
    /// Records that were taken and not looked at, the next one last.
    taken: Vec<NonNull<sys::rd_kafka_message_t>>,
    /// The client must outlive its queues.
    _reader: Arc<Reader>,
}

// SAFETY: librdkafka's queues and messages may be used from any thread, by one at a time.
unsafe impl Send for PartitionQueue {}

/// At most so many records are taken from the queue at once.
const AT_ONCE: usize = 1024;

impl PartitionQueue {
    /// The queue of a partition that is not read yet, apart from the client's own. `wake` is called when it is not empty any
    /// more, from a thread of librdkafka.
    pub fn open(
        reader: &Arc<Reader>,
        topic: &str,
        partition: i32,
        wake: &Wake,
    ) -> Result<Self, ConnectorError> {
        let name = CString::new(topic).map_err(|_| {
            ConnectorError::Configuration(format!("no topic can be called `{topic}`"))
        })?;
        // SAFETY: the client lives as long as `reader`, and the name for the call.
        let queue =
            unsafe { sys::rd_kafka_queue_get_partition(reader.native(), name.as_ptr(), partition) };
        let queue = NonNull::new(queue).ok_or_else(|| {
            ConnectorError::Internal(format!("{topic}-{partition} has no queue in librdkafka"))
        })?;
        let wake = Box::new(wake.clone());
        let opaque = std::ptr::from_ref(&*wake).cast_mut().cast::<c_void>();
        // SAFETY: what is called back with lives until `drop` has taken the callback away.
        unsafe {
            sys::rd_kafka_queue_forward(queue.as_ptr(), std::ptr::null_mut());
            sys::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(wake_up), opaque);
        }
        Ok(Self {
            queue,
            _wake: wake,
            taken: Vec::new(),
            _reader: reader.clone(),
        })
    }

    /// The next record, if there is one just now.
    #[inline]
    pub fn next(&mut self) -> Option<Record> {
        if self.taken.is_empty() {
            self.take();
        }
        self.taken.pop().map(Record)
    }

    #[cold]
    fn take(&mut self) {
        let mut messages = [std::ptr::null_mut(); AT_ONCE];
        // SAFETY: there is room for as many as are asked for; each is destroyed once, by `Record` or by `drop`.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(
                self.queue.as_ptr(),
                0,
                messages.as_mut_ptr(),
                AT_ONCE,
            )
        };
        let count = usize::try_from(count).unwrap_or_default();
        let taken = messages[..count].iter().rev();
        self.taken.extend(taken.filter_map(|m| NonNull::new(*m)));
    }
}

unsafe extern "C" fn wake_up(_client: *mut RDKafka, opaque: *mut c_void) {
    // SAFETY: it is the `Wake` that the callback was enabled with, which lives.
    let wake = unsafe { &*opaque.cast::<Wake>() };
    wake();
}

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        self.taken
            .drain(..)
            .for_each(|message| drop(Record(message)));
        // SAFETY: after the first call nothing calls `_wake`; the queue is given back once.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, std::ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// A record, or what came in its place.
pub(crate) struct Record(NonNull<sys::rd_kafka_message_t>);

/// When a record came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordTime {
    /// It says nothing.
    None,
    /// In milliseconds since 1970, as its producer says.
    Created(i64),
    /// In milliseconds since 1970, as its broker says.
    Appended(i64),
}

impl RecordTime {
    /// In microseconds since 1970, whoever says it.
    pub fn micros(self) -> Option<i64> {
        match self {
            Self::None => None,
            Self::Created(millis) | Self::Appended(millis) => Some(millis.saturating_mul(1000)),
        }
    }
}

impl Record {
    fn message(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: it lives until `drop`.
        unsafe { self.0.as_ref() }
    }

    /// What came instead of a record, if something did.
    #[inline]
    pub fn error(&self) -> Option<RDKafkaErrorCode> {
        let error = self.message().err;
        let none = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        (error != none).then(|| error.into())
    }

    /// What librdkafka says of that.
    pub fn error_text(&self) -> String {
        // SAFETY: it is a text of the message.
        let text = unsafe { sys::rd_kafka_message_errstr(self.0.as_ptr()) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: as above.
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned()
    }

    /// Its offset.
    #[inline]
    pub fn offset(&self) -> i64 {
        self.message().offset
    }

    /// Its value; none of a tombstone.
    #[inline]
    pub fn value(&self) -> Option<&[u8]> {
        let message = self.message();
        bytes(message.payload, message.len)
    }

    /// Its key.
    pub fn key(&self) -> Option<&[u8]> {
        let message = self.message();
        bytes(message.key, message.key_len)
    }

    /// When it came about.
    pub fn time(&self) -> RecordTime {
        use sys::rd_kafka_timestamp_type_t as Type;
        let mut of = Type::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: it fills in what is there.
        let millis = unsafe { sys::rd_kafka_message_timestamp(self.0.as_ptr(), &mut of) };
        match of {
            _ if millis < 0 => RecordTime::None,
            Type::RD_KAFKA_TIMESTAMP_CREATE_TIME => RecordTime::Created(millis),
            Type::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => RecordTime::Appended(millis),
            _ => RecordTime::None,
        }
    }

    /// The last header of a name; none if there is none, or it has no value.
    pub fn header(&self, name: &CStr) -> Option<&[u8]> {
        let mut headers = std::ptr::null_mut();
        let (mut value, mut len) = (std::ptr::null(), 0);
        // SAFETY: the headers and their values are the message's.
        unsafe {
            let none = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
            if sys::rd_kafka_message_headers(self.0.as_ptr(), &mut headers) != none {
                return None;
            }
            if sys::rd_kafka_header_get_last(headers, name.as_ptr(), &mut value, &mut len) != none {
                return None;
            }
        }
        bytes(value, len)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // SAFETY: nobody else destroys it.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

fn bytes<'a>(from: *const c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: librdkafka gives so many bytes there, or none; whoever calls ties them to the message's life.
    (!from.is_null()).then(|| unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len) })
}

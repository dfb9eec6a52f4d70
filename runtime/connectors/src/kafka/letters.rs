//! Dead letters in a topic: the headers that say where each came from, and sending the records behind them again, once.
//!
//! ```text
//!   source topic ──► pipeline ──► dead-letter topic ──► reading: letters
//!        ▲                                                  │ where each came from
//!        │                        originals: records ◄──────┘
//!        └── resending: one transaction ──► receipts: which records were sent again
//! ```
//!
//! Invariants:
//! 1. A record is sent in the same transaction as its receipt. Who has seen all receipts knows which records were sent.
//! 2. Receipts are read after the transactional id was taken: from then on no other process can add one, and none is open.
//! 3. A receipt names the record that was sent again, not the letter: one record can have several letters, and is sent once
//!    for all of them. It also names the topic by its id, where brokers have ids: a topic that was made again is another one.

pub(super) mod headers;
mod originals;
mod reading;
mod receipts;
mod resending;

use std::fmt;

pub use headers::{Header, REPLAY_OF, REPLAYED};
pub use originals::Originals;
pub use reading::TopicReader;
pub use receipts::{Receipt, Receipts, receipts_topic};
pub use resending::Resending;

use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::start::Partition;

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordAt {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

impl RecordAt {
    fn split(&self) -> Partition {
        Partition {
            topic: self.topic.clone(),
            number: self.partition,
        }
    }
}

impl fmt::Display for RecordAt {
    /// As in `payments-0:17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}:{}", self.topic, self.partition, self.offset)
    }
}

/// A record as it stands in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where.
    pub at: RecordAt,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its time, in milliseconds since 1970.
    pub time_ms: Option<i64>,
}

impl Stored {
    fn read(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            let owned = |header: rdkafka::message::Header<'_, &[u8]>| {
                (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
            };
            headers.iter().map(owned).collect()
        });
        Self {
            at: RecordAt {
                topic: message.topic().to_owned(),
                partition: message.partition(),
                offset: message.offset(),
            },
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
            time_ms: message.timestamp().to_millis(),
        }
    }

    /// The last header of a name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rfind(|(named, _)| named == name);
        std::str::from_utf8(found?.1.as_deref()?).ok()
    }

    /// How often this record was sent again before it came to stand here.
    pub fn replayed(&self) -> u32 {
        let said = self.header(REPLAYED).and_then(|text| text.parse().ok());
        said.unwrap_or(0)
    }
}

//! A record, to be produced or as it was read.

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// A record. What is not given is the broker's or the client's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; without one it is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// In milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// Which partition.
    pub partition: Option<i32>,
    /// Where it lies there: only of records that were read.
    pub offset: Option<i64>,
}

impl Record {
    /// A record with a value.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::default()
        }
    }

    /// A record without a value.
    pub fn tombstone(key: impl Into<Vec<u8>>) -> Self {
        Self::default().key(key)
    }

    /// With this key.
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// In this partition.
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// With this time, in milliseconds since 1970.
    pub fn timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }

    /// With one more header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// The value as text.
    ///
    /// # Panics
    /// If there is none, or it is no text.
    pub fn text(&self) -> &str {
        let value = self.value.as_deref().expect("the record has a value");
        std::str::from_utf8(value).expect("the value is text")
    }

    pub(crate) fn read(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            let owned = |header: rdkafka::message::Header<'_, &[u8]>| {
                (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
            };
            headers.iter().map(owned).collect()
        });
        Self {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
            timestamp_ms: message.timestamp().to_millis(),
            partition: Some(message.partition()),
            offset: Some(message.offset()),
        }
    }
}

//! A topic of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::broker::broker;
use crate::client::topics;
use crate::reader::{Isolation, Reader};
use crate::record::Record;
use crate::writer::Writer;

/// A topic that no other test has. It goes with this value.
#[derive(Debug)]
pub struct Topic {
    name: String,
    address: String,
}

impl Topic {
    /// A topic with so many partitions on the broker that all tests share. Its name begins with `prefix`.
    pub fn new(prefix: &str, partitions: i32) -> Self {
        Self::at(broker(), prefix, partitions, &[])
    }

    /// A topic on the broker at `address`, with settings such as `("message.timestamp.type", "LogAppendTime")`.
    pub fn at(address: &str, prefix: &str, partitions: i32, settings: &[(&str, &str)]) -> Self {
        let topic = Self::named(address, &unique(prefix));
        let made = topics(address).create(&topic.name, partitions, settings);
        made.unwrap_or_else(|error| panic!("{error}"));
        topic
    }

    /// A topic of this name, which may not exist yet: a pipeline is to make it, or [`Topic::create`] does.
    pub fn named(address: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its broker listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes the topic, for instance after it was deleted.
    pub fn create(&self, partitions: i32) {
        let made = topics(&self.address).create(&self.name, partitions, &[]);
        assert!(
            made.unwrap_or_else(|error| panic!("{error}")),
            "{} is there",
            self.name
        );
    }

    /// Deletes the topic. Whether it was there.
    pub fn delete(&self) -> bool {
        let deleted = topics(&self.address).delete(&self.name);
        deleted.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Gives it more partitions, so many in all.
    pub fn grow(&self, partitions: usize) {
        let grown = topics(&self.address).grow(&self.name, partitions);
        grown.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Produces records in their order, and returns when the broker has them all. Those without a partition go where librdkafka's
    /// `murmur2_random` sends them, as Java's clients do.
    pub fn produce(&self, records: &[Record]) {
        let writer = self.writer();
        writer.write(records);
        writer.flush();
    }

    /// Produces records without waiting for the broker.
    pub fn writer(&self) -> Writer {
        Writer::new(&self.address, &self.name)
    }

    /// Everything that a reader of committed records sees now, in the order of offsets partition by partition.
    pub fn committed(&self) -> Vec<Record> {
        self.reader(Isolation::Committed).to_end()
    }

    /// A reader of this topic, from its beginning.
    pub fn reader(&self, isolation: Isolation) -> Reader {
        Reader::new(&self.address, &self.name, isolation)
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // A test that fails shows its own reason, and the broker may be gone.
        if !std::thread::panicking() {
            let _ = topics(&self.address).delete(&self.name);
        }
    }
}

/// A name that no other test uses, of this process or another, now or earlier.
fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let (now, process) = (now.map_or(0, |now| now.as_millis()), std::process::id());
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{now:x}-{process:x}-{next}")
}

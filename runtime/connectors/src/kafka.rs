//! Kafka: topics as sources, partitions as splits, and topics as sinks.
//!
//! ```text
//!  broker -> librdkafka's threads -> a queue per partition -> PartitionSplit -> record -> decode -> Chunk
//! ```
//!
//! Invariants:
//! 1. Where a partition is read on is decided here, never by librdkafka: it commits nothing, stores nothing, and an offset
//!    that is not there is an error (`auto.offset.reset = error`).
//! 2. A partition's queue is read by the worker that has its split, and by nobody else. Nothing of it blocks.
//! 3. The values of properties are in no message: they may be secrets.

pub mod client;
mod discovery;
mod error;
mod gauge;
pub mod groups;
mod lanes;
pub mod letters;
pub mod membership;
mod partition;
mod produced;
mod producer;
mod queue;
mod reader;
mod record;
mod shared;
pub mod sink;
pub mod source;
mod start;
mod topic_id;
mod topics;
pub mod transactions;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use client::{ClientSpec, Properties};
pub use groups::{CommittedOffset, GroupOffsets, Groups, Standing};
pub use membership::{Change, Member, Membership, MembershipSpec};
pub use record::RecordField;
pub use shared::{Partitions, Shared};
pub use sink::{KafkaSinkSpec, LettersOf, TopicOf};
pub use source::{Isolation, KafkaSpec, NullValues};
pub use start::{Partition, Start, Until};
pub use topics::Topics;
pub use transactions::Transactions;

/// What is in there is whole at any moment, also where a thread has panicked with it.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

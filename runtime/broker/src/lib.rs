//! A real Apache Kafka on this machine, for development and tests: one node in KRaft mode that listens on loopback alone.
//!
//! ```text
//!   who wants it ──stdin or a lock──► warden (sh) ──► java: broker and controller
//!                                        └─ removes the folder once the broker has ended
//! ```
//!
//! 1. A broker never outlives who wanted it, however that ended: the warden waits for the end of its standard input, or for the
//!    last lock on a file to go, and both come from the kernel.
//! 2. A temporary folder goes with its broker, in whichever way the process ended that asked for it.
//! 3. Jars are brought by Maven once, into the cache folder, and come to stand there whole or not at all.
//! 4. Nothing vanishes under a reader: records are kept for ever, since retention goes by the time of records.

mod broker;
mod error;
mod folder;
mod jars;
mod java;
mod ready;
mod security;
mod topics;
mod trust;

pub use broker::{Broker, Lifetime, Options, Place};
pub use error::BrokerError;
pub use jars::{Jars, VERSION};
pub use java::told as java;
pub use ready::answers;
pub use security::{Protocol, Security};
pub use topics::Topics;

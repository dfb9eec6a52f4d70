//! One real Kafka for all tests, and what tests do with it: topics of their own, records in, records out.
//!
//! `TIDEMILL_TEST_KAFKA=host:port` names a broker that runs; `make test` sets it. Without it the first test that asks starts one,
//! which all test processes of this user share and which ends about two seconds after the last of them: each holds a lock, and the
//! broker's warden waits until nobody does.
//!
//! ```no_run
//! use tidemill_test_kafka::{Record, Topic};
//!
//! let topic = Topic::new("payments", 4);
//! topic.produce(&[Record::new(r#"{"amount":1}"#).key("a").partition(2)]);
//! let read = topic.committed();
//! assert_eq!(read[0].value.as_deref(), Some(&b"{\"amount\":1}"[..]));
//! ```
//!
//! A schema registry is started by the first test of a process that asks for one, and ends with the process.
//!
//! Everything here panics where it fails: it is for tests, whose failure that is.

mod broker;
mod client;
mod group;
mod proxy;
mod reader;
mod record;
mod registry;
mod secured;
mod topic;
mod writer;

pub use broker::{broker, cache, jars};
pub use group::{Committed, Held, commit, committed_offsets, forget, hold};
pub use proxy::{Act, Point, Proxy, Request};
pub use reader::{Isolation, Reader};
pub use record::Record;
pub use registry::{SchemaRegistry, registry};
pub use secured::Secured;
pub use tidemill_broker::Protocol;
pub use topic::Topic;
pub use writer::Writer;

//! Rows in columns: the one form in which data moves inside the host.
//!
//! Owns schemas' logical types ([`LogicalType`]), batches ([`Batch`]), the encoding and hash of keys ([`key`]) and rows as
//! JSON text ([`json`]). Reads no clock and does no I/O. Event times are `i64` microseconds since the Unix epoch.

pub mod batch;
pub mod json;
pub mod key;
pub mod logical_type;
pub mod time_text;
pub mod values;
pub mod visible;

pub use arrow_array::{self, ArrayRef, RecordBatch};
pub use arrow_schema::{self, Field, Schema, SchemaRef};
pub use batch::{Batch, Origin, RowTimes};
pub use logical_type::LogicalType;

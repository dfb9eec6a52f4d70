//! Where rows come from and where they go: sources, formats and sinks.
//!
//! A source is opened by each worker and gives it its share of the *splits* ([`Split`]): files,
//! standard input, shares of a generator. A split is read in chunks of rows in columns, with each
//! row's position and the rows that could not be decoded. A sink is opened once and gives every
//! worker a writer ([`Sink`]).
//!
//! ```text
//!  input (plain, gzip, zstd, stdin) -> records (lines, CSV) -> decode (slots) -> columns -> Chunk
//!  Batch -> encode (JSON lines, CSV, table) -> stdout | file | folder | blackhole
//! ```
//!
//! Invariants:
//! 1. Rows in are rows out plus bad rows plus empty lines; nothing else is left out.
//! 2. Neither the size of chunks nor the number of workers changes a split's rows, positions or
//!    their order. From a [`Position`] on they are the same again, for whoever reads on.
//! 3. Live splits never block: a thread of the source calls [`Wake`] when a pending split may have
//!    rows.
//!
//! This crate decides nothing about time: event times, stamps and watermarks are made by who reads
//! the chunks.

mod columns;
pub mod datagen;
pub mod decode;
pub mod encode;
mod error;
pub mod format;
mod generated;
pub mod input;
pub mod kafka;
pub mod nexmark;
mod pace;
pub mod position;
pub mod proto;
mod random;
pub mod registry;
pub mod sink;
pub mod source;
mod split;
mod thread;

pub use columns::Slot;
pub use encode::Encoding;
pub use encode::value::ValueFormat;
pub use encode::written::{Registering, Registration, WrittenSchema};
pub use error::ConnectorError;
pub use format::{ColumnSpec, FormatKind, FormatSpec, TimeFormat, Unknown};
pub use input::files::FilesSpec;
pub use input::finder::Later;
pub use input::stdin::StdinSpec;
pub use input::text::decode_text;
pub use kafka::{KafkaSpec, RecordField};
pub use position::Position;
pub use sink::effects::{Disk, Effects};
pub use sink::pending::{Cut, Ending, Part, Pending, Segment};
pub use sink::{FolderSpec, Guarantee, Life, Missing, Roll, SharedSink, Sink, SinkSpec};
pub use source::{Gauge, Opened, SourceSpec, open, open_all, resume_all};
pub use split::{BAD_ROW_BYTES, BadRow, Chunk, Split, Then, Wake};
pub use tidemill_rows::LogicalType;
pub use tidemill_rows::time_text::EpochUnit;

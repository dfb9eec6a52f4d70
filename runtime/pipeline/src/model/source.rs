//! Sources: where rows come from, how they are decoded, and their time.

use crate::model::word::words;
use crate::model::{Column, Config, Connector, FailurePolicy, FunctionRef, Rename, ValueSchema};
use crate::place::Spanned;

words! {
    /// How a source's bytes are decoded.
    Format {
        /// One JSON object a line.
        Json = "json",
        /// Comma-separated values with a header.
        Csv = "csv",
        /// A datum of Avro each, of Kafka only.
        Avro = "avro",
        /// A message of Protobuf each, of Kafka only.
        Protobuf = "protobuf",
    }
}

words! {
    /// What happens to fields that no column names.
    UnknownFields {
        /// They are passed over.
        Ignore = "ignore",
        /// A row that has one is a bad row.
        Refuse = "refuse",
    }
}

words! {
    /// What a watermark does while all splits are idle.
    WhenIdle {
        /// It stays.
        Hold = "hold",
        /// It rises with the clock.
        Advance = "advance",
    }
}

/// What a row's event time is.
#[derive(Clone, Debug)]
pub enum EventTime {
    /// The first of these columns that is not null.
    Columns(Vec<Spanned<String>>),
    /// The clock of reading, as `time = "ingestion"` says.
    Ingestion,
    /// What the generator gives an event, column `time`: of `nexmark`, where nothing else is said.
    Own,
    /// Nothing is said: the clock of reading, and nothing may depend on it.
    Unstated,
}

/// How a split's watermark follows from its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The largest time so far, less this many microseconds, less one. `monotonic` is 0.
    OutOfOrderness(i64),
    /// What a function says: [`Source::watermark`].
    Custom,
    /// No watermark before the end.
    None,
}

/// A function that says how far event time has come.
#[derive(Clone, Debug)]
pub struct WatermarkFunction {
    /// The function.
    pub function: FunctionRef,
    /// Columns that it knows by other names.
    pub rename: Vec<Rename>,
    /// What it is configured with.
    pub config: Option<Config>,
}

/// A source of rows.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: Spanned<String>,
    /// Where rows come from; the place is the connector's key.
    pub connector: Spanned<Connector>,
    /// How bytes are decoded; means nothing for generators.
    pub format: Spanned<Format>,
    /// Where the schema of Avro and Protobuf values is from.
    pub schema: Option<ValueSchema>,
    /// What separates the fields of CSV.
    pub delimiter: u8,
    /// The longest line or record, in bytes.
    pub line_limit: Spanned<u64>,
    /// What happens to fields that no column names.
    pub unknown_fields: Spanned<UnknownFields>,
    /// The columns in file order; none for `nexmark`, which has its own.
    pub columns: Vec<Column>,
    /// What a row's event time is.
    pub event_time: EventTime,
    /// How a split's watermark follows from its rows. Where nothing is said: `None`, of ingestion time `OutOfOrderness(0)`.
    pub strategy: Spanned<Strategy>,
    /// The function that says how far event time has come, where the strategy is `Custom`.
    pub watermark: Option<WatermarkFunction>,
    /// Microseconds without a row after which a split is idle; absent: never.
    pub idle_timeout: Option<i64>,
    /// What the watermark does while all splits are idle.
    pub when_idle: Spanned<WhenIdle>,
    /// A row further ahead of the clock, in microseconds, is a bad row; absent: no bound.
    pub max_ahead: Option<i64>,
    /// A row further ahead of the largest time of its split, in microseconds, is a bad row; absent: no bound.
    pub max_jump: Option<i64>,
    /// A split further ahead of the slowest one, in microseconds, waits for it; absent: none does.
    pub max_drift: Option<i64>,
    /// What happens to rows that fail.
    pub failure: FailurePolicy,
}

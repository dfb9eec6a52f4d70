//! Columns that a source declares.

use tidemill_rows::LogicalType;

use crate::model::word::words;
use crate::place::{Span, Spanned};

words! {
    /// How a time is written in JSON and CSV.
    TimeFormat {
        /// `2013-01-01T10:15:00.25Z`, or with an offset.
        Rfc3339 = "rfc3339",
        /// `2013-01-01 10:15:00.25`, in UTC.
        Sql = "sql",
        /// Seconds since the Unix epoch, with or without a fraction.
        EpochSeconds = "epoch-s",
        /// Milliseconds since the Unix epoch.
        EpochMillis = "epoch-ms",
        /// Microseconds since the Unix epoch.
        EpochMicros = "epoch-us",
    }
}

words! {
    /// What of a record of Kafka a column holds.
    RecordPart {
        /// A field of its value, by the format.
        Field = "field",
        /// Its value as it is.
        Value = "value",
        /// Its key as it is.
        Key = "key",
        /// The header that `path` names.
        Header = "header",
        /// The name of its topic.
        Topic = "topic",
        /// The number of its partition.
        Partition = "partition",
        /// Its offset.
        Offset = "offset",
        /// When it came about, whoever says so.
        Timestamp = "timestamp",
        /// When it was made, where its producer says so.
        CreateTime = "create-time",
        /// When it was written, where its broker says so.
        AppendTime = "append-time",
    }
}

/// A column of a source.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the pipeline.
    pub name: Spanned<String>,
    /// What it holds.
    pub ty: LogicalType,
    /// Whether null, or a missing field, is allowed: a `?` behind the type.
    pub nullable: bool,
    /// Where the type is written.
    pub type_span: Span,
    /// Where the value is: field names from the outside in (JSON), or one name of the header (CSV). Never empty.
    pub path: Spanned<Vec<String>>,
    /// How a time is written.
    pub time_format: TimeFormat,
    /// What of a record of Kafka it holds; elsewhere a field.
    pub from: RecordPart,
    /// How `datagen` makes it.
    pub generator: Option<Generator>,
    /// The share of rows, 0 to 1, in which `datagen` makes it null; 0 unless null is allowed.
    pub nulls: f64,
}

/// How `datagen` makes a column's values. `i` is the row's number over all splits, from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    /// True or false, each as likely.
    Bools,
    /// Uniform over `min..=max`.
    IntegerRange {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// `min` in this share of the rows, in the others as `IntegerRange`.
    HotInteger {
        /// The smallest value, and the hot one.
        min: i64,
        /// The largest value.
        max: i64,
        /// The share, 0 to 1.
        hot: f64,
    },
    /// `start + i`.
    Sequence {
        /// The first row's value.
        start: i64,
    },
    /// Keys that come in bursts: `keys` of them in `groups` equal groups that take turns, each key with `rows` rows a turn.
    Bursts {
        /// How many keys; a multiple of `groups`.
        keys: u64,
        /// How many rows a key has in a turn.
        rows: u64,
        /// How many groups take turns.
        groups: u64,
    },
    /// Uniform over `min..max`.
    FloatRange {
        /// The smallest value.
        min: f64,
        /// What is not reached.
        max: f64,
    },
    /// Small letters.
    Letters {
        /// Number of characters.
        length: u32,
    },
    /// One of these texts, each as likely.
    OneOf {
        /// The texts.
        texts: Vec<String>,
    },
    /// `start + i * step`, less a random time up to `jitter`.
    Clock {
        /// The first row's time in microseconds since the Unix epoch.
        start: i64,
        /// Microseconds from row to row.
        step: i64,
        /// How far, at most and at random, a row lies back.
        jitter: i64,
    },
}

//! Keys of sources.

use tidemill_rows::LogicalType;

use super::Default::{Required, Said, Value};
use super::{FAILURES, KAFKA_SOURCE, Kind, Shape, key};
use crate::model::{
    Format, NexmarkKind, OnFailure, RecordPart, TimeFormat, UnknownFields, WhenIdle, Word,
};

/// A source.
pub static SOURCE: Shape = Shape {
    name: "source",
    keys: &[
        key(
            "files",
            Kind::TextsOr(&FILES),
            Said("one connector must be there"),
            r#""payments/*.jsonl""#,
        ),
        key(
            "stdin",
            Kind::Empty,
            Said("one connector must be there"),
            "{}",
        ),
        key(
            "kafka",
            Kind::Table(&KAFKA_SOURCE),
            Said("one connector must be there"),
            r#"{ brokers = "localhost:9092", topics = "payments" }"#,
        ),
        key(
            "nexmark",
            Kind::Table(&NEXMARK),
            Said("one connector must be there"),
            "{ events = 1_000_000 }",
        ),
        key(
            "datagen",
            Kind::Table(&DATAGEN),
            Said("one connector must be there"),
            "{ rows = 1_000_000 }",
        ),
        key(
            "format",
            Kind::Words(Format::WORDS),
            Value(r#""json""#),
            r#""csv""#,
        ),
        key("schema", Kind::Text, Said("none"), r#""payment.avsc""#),
        key("message", Kind::Text, Said("none"), r#""shop.Payment""#),
        key(
            "registry",
            Kind::Table(&REGISTRY),
            Said("none"),
            r#"{ url = "http://localhost:8081" }"#,
        ),
        key("delimiter", Kind::Text, Value(r#"",""#), r#"";""#),
        key("line-limit", Kind::Size, Value(r#""16MiB""#), r#""1MiB""#),
        key(
            "unknown-fields",
            Kind::Words(UnknownFields::WORDS),
            Value(r#""ignore""#),
            r#""refuse""#,
        ),
        key(
            "columns",
            Kind::Columns,
            Said("required but for `nexmark`"),
            r#"{ account = "text" }"#,
        ),
        key("event-time", Kind::Texts, Said("none"), r#""paid_at""#),
        key(
            "time",
            Kind::Words(&["ingestion"]),
            Said("none"),
            r#""ingestion""#,
        ),
        key(
            "out-of-orderness",
            Kind::Duration(true),
            Said("none"),
            r#""30s""#,
        ),
        key(
            "watermark",
            Kind::TextOr(&WATERMARK),
            Said("none"),
            r#""monotonic""#,
        ),
        key(
            "idle-timeout",
            Kind::DurationOrNone,
            Value(r#""1m""#),
            r#""10s""#,
        ),
        key(
            "when-idle",
            Kind::Words(WhenIdle::WORDS),
            Value(r#""hold""#),
            r#""advance""#,
        ),
        key(
            "max-ahead",
            Kind::DurationOrNone,
            Said("`\"1d\"` if live, else `\"none\"`"),
            r#""1h""#,
        ),
        key(
            "max-jump",
            Kind::DurationOrNone,
            Value(r#""none""#),
            r#""1d""#,
        ),
        key(
            "max-drift",
            Kind::DurationOrNone,
            Value(r#""none""#),
            r#""5m""#,
        ),
        key(
            "on-failure",
            Kind::Words(OnFailure::WORDS),
            Value(r#""fail""#),
            r#""dead-letter""#,
        ),
        key(
            "failures",
            Kind::Table(&FAILURES),
            Said("any number"),
            "{ most = 1000 }",
        ),
    ],
};

/// A schema registry.
pub static REGISTRY: Shape = Shape {
    name: "registry",
    keys: &[
        key("url", Kind::Text, Required, r#""http://localhost:8081""#),
        key("user", Kind::Text, Said("nobody"), r#""fraud""#),
        key("password", Kind::Text, Said("none"), r#""open sesame""#),
    ],
};

/// A schema registry that a sink's values have the number of their schema from.
pub static SINK_REGISTRY: Shape = Shape {
    name: "sink registry",
    keys: &[
        key("url", Kind::Text, Required, r#""http://localhost:8081""#),
        key("user", Kind::Text, Said("nobody"), r#""fraud""#),
        key("password", Kind::Text, Said("none"), r#""open sesame""#),
        key("register", Kind::Bool, Value("true"), "false"),
        key(
            "subject",
            Kind::Text,
            Said("the topic's name and `-value`"),
            r#""alerts-value""#,
        ),
    ],
};

/// A function that says how far event time has come.
pub static WATERMARK: Shape = Shape {
    name: "watermark",
    keys: &[
        key("function", Kind::Text, Required, r#""fraud/progress""#),
        key(
            "rename",
            Kind::Map,
            Said("none"),
            r#"{ amount = "total_amount" }"#,
        ),
        key("config", Kind::Any, Said("none"), "{ limit = 10_000.0 }"),
    ],
};

/// The settings of `files`.
pub static FILES: Shape = Shape {
    name: "files",
    keys: &[
        key(
            "path",
            Kind::Texts,
            Required,
            r#"["a.jsonl", "more/*.jsonl"]"#,
        ),
        key("follow", Kind::Bool, Value("false"), "true"),
    ],
};

/// The settings of `nexmark`.
pub static NEXMARK: Shape = Shape {
    name: "nexmark",
    keys: &[
        key(
            "events",
            Kind::Whole(1, i64::MAX),
            Said("no end"),
            "1_000_000",
        ),
        key(
            "rate",
            Kind::Rate,
            Said("as fast as rows are taken"),
            "10_000",
        ),
        key(
            "event-rate",
            Kind::Whole(1, 1_000_000),
            Value("10_000"),
            "1_000",
        ),
        key("seed", Kind::Whole(0, i64::MAX), Value("0"), "42"),
        key("splits", Kind::Whole(1, 1024), Value("1"), "4"),
        key(
            "only",
            Kind::Words(NexmarkKind::WORDS),
            Said("all three"),
            r#""bids""#,
        ),
        key(
            "start",
            Kind::Text,
            Value(r#""2015-07-15T00:00:00Z""#),
            r#""2013-01-01T00:00:00Z""#,
        ),
        key("shuffle", Kind::Whole(1, 1_000_000), Value("1"), "100"),
    ],
};

/// The settings of `datagen`.
pub static DATAGEN: Shape = Shape {
    name: "datagen",
    keys: &[
        key(
            "rows",
            Kind::Whole(1, i64::MAX),
            Said("no end"),
            "1_000_000",
        ),
        key(
            "rate",
            Kind::Rate,
            Said("as fast as rows are taken"),
            "10_000",
        ),
        key("seed", Kind::Whole(0, i64::MAX), Value("0"), "42"),
        key("splits", Kind::Whole(1, 1024), Value("1"), "4"),
    ],
};

/// Types of columns, with and without a `?`.
const TYPES: [&str; LogicalType::ALL.len()] = ["bool", "integer", "float", "text", "bytes", "time"];

/// A column; a text alone is its type.
pub static COLUMN: Shape = Shape {
    name: "column",
    keys: &[
        key("type", Kind::Words(&TYPES), Required, r#""time?""#),
        key(
            "path",
            Kind::Texts,
            Said("the column's name"),
            r#""address.city""#,
        ),
        key(
            "format",
            Kind::Words(TimeFormat::WORDS),
            Value(r#""rfc3339""#),
            r#""epoch-ms""#,
        ),
        key(
            "from",
            Kind::Words(RecordPart::WORDS),
            Value(r#""field""#),
            r#""key""#,
        ),
    ],
};

/// A column that `datagen` makes; a text alone is its type.
pub static GENERATED: Shape = Shape {
    name: "generated column",
    keys: &[
        key("type", Kind::Words(&TYPES), Required, r#""integer""#),
        key("nulls", Kind::Scalar, Value("0"), "0.1"),
        key("min", Kind::Scalar, Value("0"), "1"),
        key(
            "max",
            Kind::Scalar,
            Said("99,999 for integers, 1.0 for floats"),
            "6",
        ),
        key("hot", Kind::Scalar, Value("0"), "0.9"),
        key(
            "sequence",
            Kind::Whole(i64::MIN, i64::MAX),
            Said("none"),
            "1",
        ),
        key(
            "bursts",
            Kind::Table(&BURSTS),
            Said("none"),
            "{ keys = 1000, rows = 20, groups = 10 }",
        ),
        key("length", Kind::Whole(0, 65536), Value("10"), "20"),
        key("one-of", Kind::Texts, Said("none"), r#"["EWR", "JFK"]"#),
        key(
            "start",
            Kind::Text,
            Value(r#""2020-01-01T00:00:00Z""#),
            r#""2013-01-01T00:00:00Z""#,
        ),
        key("step", Kind::Duration(true), Value(r#""1ms""#), r#""1us""#),
        key("jitter", Kind::Duration(true), Value(r#""0s""#), r#""5s""#),
    ],
};

/// Keys that come in bursts.
pub static BURSTS: Shape = Shape {
    name: "bursts",
    keys: &[
        key("keys", Kind::Whole(1, i64::MAX), Required, "1000"),
        key("rows", Kind::Whole(1, 1_000_000), Required, "20"),
        key("groups", Kind::Whole(1, i64::MAX), Required, "10"),
    ],
};

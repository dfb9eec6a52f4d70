//! Keys of sinks.

use super::Default::{Required, Said, Value};
use super::{KAFKA_SINK, Kind, SINK_REGISTRY, Shape, key};
use crate::model::{SinkFormat, Word};

/// A sink.
pub static SINK: Shape = Shape {
    name: "sink",
    keys: &[
        key(
            "input",
            Kind::Texts,
            Required,
            r#"["payments.failed", "velocity.failed"]"#,
        ),
        key(
            "stdout",
            Kind::Empty,
            Said("one connector must be there"),
            "{}",
        ),
        key(
            "file",
            Kind::TextOr(&FILE),
            Said("one connector must be there"),
            r#""late.jsonl""#,
        ),
        key(
            "folder",
            Kind::TextOr(&FOLDER),
            Said("one connector must be there"),
            r#""bad""#,
        ),
        key(
            "kafka",
            Kind::Table(&KAFKA_SINK),
            Said("one connector must be there"),
            r#"{ brokers = "localhost:9092", topic = "alerts" }"#,
        ),
        key(
            "blackhole",
            Kind::Empty,
            Said("one connector must be there"),
            "{}",
        ),
        key(
            "format",
            Kind::Words(SinkFormat::WORDS),
            Value(r#""json""#),
            r#""table""#,
        ),
        key("schema", Kind::Text, Said("none"), r#""alert.avsc""#),
        key("message", Kind::Text, Said("none"), r#""shop.Alert""#),
        key(
            "registry",
            Kind::Table(&SINK_REGISTRY),
            Said("none"),
            r#"{ url = "http://localhost:8081" }"#,
        ),
    ],
};

/// The settings of `file`.
pub static FILE: Shape = Shape {
    name: "file",
    keys: &[key("path", Kind::Text, Required, r#""late.jsonl""#)],
};

/// The settings of `folder`.
pub static FOLDER: Shape = Shape {
    name: "folder",
    keys: &[
        key("path", Kind::Text, Required, r#""bad""#),
        key(
            "part-rows",
            Kind::Whole(1, i64::MAX),
            Value("1_000_000"),
            "10_000",
        ),
        key("part-size", Kind::Size, Value(r#""128MiB""#), r#""16MiB""#),
        key(
            "part-age",
            Kind::DurationOrNone,
            Value(r#""10m""#),
            r#""1m""#,
        ),
    ],
};

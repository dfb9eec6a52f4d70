//! Keys of Kafka, as a source and as a sink.

use super::Default::{Required, Said, Value};
use super::{Kind, Shape, key};
use crate::model::{Isolation, KafkaGuarantee, NullValues, Word};

/// The settings of a source's `kafka`.
pub static KAFKA_SOURCE: Shape = Shape {
    name: "kafka source",
    keys: &[
        key("brokers", Kind::Text, Required, r#""localhost:9092""#),
        key(
            "topics",
            Kind::Texts,
            Said("`topics` or `pattern` must be there"),
            r#"["payments", "refunds"]"#,
        ),
        key(
            "pattern",
            Kind::Text,
            Said("`topics` or `pattern` must be there"),
            r#""payments-.*""#,
        ),
        key(
            "group",
            Kind::Text,
            Said("the pipeline's name"),
            r#""fraud""#,
        ),
        key(
            "start",
            Kind::Text,
            Value(r#""earliest""#),
            r#""2013-01-01T00:00:00Z""#,
        ),
        key(
            "offsets",
            Kind::Any,
            Said("none"),
            "{ payments-0 = 17, payments-1 = 20 }",
        ),
        key("until", Kind::Text, Said("no end"), r#""now""#),
        key(
            "isolation",
            Kind::Words(Isolation::WORDS),
            Value(r#""read-committed""#),
            r#""read-uncommitted""#,
        ),
        key(
            "null-values",
            Kind::Words(NullValues::WORDS),
            Value(r#""refuse""#),
            r#""skip""#,
        ),
        key(
            "partitioned-by",
            Kind::Texts,
            Said("columns `from = \"key\"`"),
            r#""account""#,
        ),
        key(
            "properties",
            Kind::Map,
            Said("none"),
            r#"{ "security.protocol" = "SSL" }"#,
        ),
    ],
};

/// The settings of a sink's `kafka`.
pub static KAFKA_SINK: Shape = Shape {
    name: "kafka sink",
    keys: &[
        key("brokers", Kind::Text, Required, r#""localhost:9092""#),
        key(
            "topic",
            Kind::Text,
            Said("`topic` or `topic-column` must be there"),
            r#""alerts""#,
        ),
        key(
            "topic-column",
            Kind::Text,
            Said("`topic` or `topic-column` must be there"),
            r#""target""#,
        ),
        key("key", Kind::Text, Said("no key"), r#""account""#),
        key(
            "timestamp",
            Kind::Text,
            Said("the clock of writing"),
            r#""paid_at""#,
        ),
        key(
            "headers",
            Kind::Map,
            Said("none"),
            r#"{ trace = "trace_id" }"#,
        ),
        key("omit", Kind::Texts, Said("none"), r#"["target"]"#),
        key(
            "guarantee",
            Kind::Words(KafkaGuarantee::WORDS),
            Value(r#""exactly-once""#),
            r#""at-least-once""#,
        ),
        key("buffer", Kind::Size, Value(r#""64MiB""#), r#""16MiB""#),
        key(
            "properties",
            Kind::Map,
            Said("none"),
            r#"{ "compression.type" = "zstd" }"#,
        ),
    ],
};

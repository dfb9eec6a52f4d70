//! Keys of checkpoints.

use super::Default::{Said, Value};
use super::{Kind, Shape, key};

/// Checkpoints.
pub static CHECKPOINTS: Shape = Shape {
    name: "checkpoints",
    keys: &[
        key(
            "location",
            Kind::Text,
            Value(r#""checkpoints""#),
            r#""s3://bucket/mill""#,
        ),
        key(
            "settings",
            Kind::Map,
            Said("none"),
            r#"{ region = "eu-central-1" }"#,
        ),
        key(
            "interval",
            Kind::Duration(false),
            Value(r#""10s""#),
            r#""1m""#,
        ),
        key(
            "min-pause",
            Kind::Duration(true),
            Value(r#""500ms""#),
            r#""5s""#,
        ),
        key(
            "timeout",
            Kind::Duration(false),
            Value(r#""10m""#),
            r#""1m""#,
        ),
        key("keep", Kind::Whole(1, 1000), Value("3"), "10"),
        key("tolerated-failures", Kind::Whole(0, 1000), Value("3"), "0"),
        key("restarts", Kind::Whole(0, 1000), Value("10"), "0"),
        key(
            "restart-pause",
            Kind::Duration(false),
            Value(r#""1s""#),
            r#""10s""#,
        ),
    ],
};

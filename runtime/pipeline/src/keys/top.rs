//! Keys of the file itself and of modules.

use super::Default::{Required, Said, Value};
use super::{CHECKPOINTS, Kind, OPERATOR, SINK, SOURCE, STATE, Shape, key, later};
use crate::model::{Instances, Word};

/// The file.
pub static PIPELINE: Shape = Shape {
    name: "pipeline",
    keys: &[
        key("name", Kind::Text, Required, r#""fraud""#),
        key("workers", Kind::Whole(1, 1024), Said("one per core"), "2"),
        key(
            "instances",
            Kind::Words(Instances::WORDS),
            Value(r#""one""#),
            r#""several""#,
        ),
        key(
            "max-parallelism",
            Kind::Whole(1, 32768),
            Value("128"),
            "256",
        ),
        key(
            "checkpoints",
            Kind::Table(&CHECKPOINTS),
            Said("none are made"),
            r#"{ interval = "1m" }"#,
        ),
        key(
            "state",
            Kind::Table(&STATE),
            Said("it is held in memory"),
            r#"{ backend = "rocksdb" }"#,
        ),
        key(
            "modules",
            Kind::Named(&MODULE),
            Said("none"),
            r#"{ fraud = { file = "fraud.wasm" } }"#,
        ),
        key(
            "secrets",
            Kind::Named(&SECRET),
            Said("none"),
            r#"{ password = { file = "/run/secrets/password" } }"#,
        ),
        key(
            "sources",
            Kind::Named(&SOURCE),
            Required,
            r#"{ lines = { stdin = {} } }"#,
        ),
        key(
            "operators",
            Kind::Named(&OPERATOR),
            Said("none"),
            r#"{ large = { input = "lines" } }"#,
        ),
        key(
            "sinks",
            Kind::Named(&SINK),
            Required,
            r#"{ out = { input = "large", stdout = {} } }"#,
        ),
    ],
};

/// A secret.
pub static SECRET: Shape = Shape {
    name: "secret",
    keys: &[key(
        "file",
        Kind::Text,
        Required,
        r#""/run/secrets/password""#,
    )],
};

/// A module.
pub static MODULE: Shape = Shape {
    name: "module",
    keys: &[
        key("file", Kind::Text, Required, r#""fraud.wasm""#),
        key("source", Kind::Text, Said("none"), r#""rules""#),
        key(
            "limits",
            Kind::Table(&LIMITS),
            Said("the defaults"),
            r#"{ memory = "128MiB" }"#,
        ),
        later("grant", "a module has no access to anything outside"),
    ],
};

/// A module's limits.
pub static LIMITS: Shape = Shape {
    name: "limits",
    keys: &[
        key("memory", Kind::Size, Said("see limits.md"), r#""128MiB""#),
        key(
            "deadline",
            Kind::Duration(false),
            Said("see limits.md"),
            r#""2s""#,
        ),
        key("returned", Kind::Size, Said("see limits.md"), r#""32MiB""#),
        key("stack", Kind::Size, Said("see limits.md"), r#""1MiB""#),
        key(
            "module-size",
            Kind::Size,
            Said("see limits.md"),
            r#""64MiB""#,
        ),
        key(
            "compile-time",
            Kind::Duration(false),
            Said("see limits.md"),
            r#""2m""#,
        ),
        key(
            "compile-memory",
            Kind::Size,
            Said("see limits.md"),
            r#""2GiB""#,
        ),
    ],
};

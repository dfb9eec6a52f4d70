//! Keys of what holds state.

use super::Default::{Said, Value};
use super::{Kind, Shape, key};
use crate::model::{Backend, Word};

/// What holds state.
pub static STATE: Shape = Shape {
    name: "state",
    keys: &[
        key(
            "backend",
            Kind::Words(Backend::WORDS),
            Value(r#""memory""#),
            r#""rocksdb""#,
        ),
        key(
            "memory",
            Kind::Size,
            Said(r#"`"1GiB"` with `rocksdb`"#),
            r#""512MiB""#,
        ),
        key(
            "folder",
            Kind::Text,
            Said(r#"`"state"` with `rocksdb`"#),
            r#""/var/tmp/mill""#,
        ),
    ],
};

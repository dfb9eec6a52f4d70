//! Keys of operators.

use super::Default::{Required, Said, Value};
use super::{Kind, Shape, key, later};
use crate::model::{NullKey, OnFailure, Time, Word};

/// An operator.
pub static OPERATOR: Shape = Shape {
    name: "operator",
    keys: &[
        key("input", Kind::Texts, Required, r#""payments""#),
        later("left", "an operator has one `input`, which may be a list"),
        later("right", "an operator has one `input`, which may be a list"),
        key("function", Kind::Text, Required, r#""fraud/velocity""#),
        key("key", Kind::Texts, Said("none"), r#""account""#),
        key(
            "null-key",
            Kind::Words(NullKey::WORDS),
            Value(r#""keep""#),
            r#""skip""#,
        ),
        key(
            "window",
            Kind::TextOr(&WINDOW),
            Said("none"),
            r#"{ tumble = "1h" }"#,
        ),
        key(
            "time",
            Kind::Words(Time::WORDS),
            Value(r#""event""#),
            r#""processing""#,
        ),
        key("combine", Kind::Bool, Value("true"), "false"),
        key("rows-limit", Kind::Size, Value(r#""1GiB""#), r#""256MiB""#),
        key("state-limit", Kind::Size, Value(r#""1GiB""#), r#""4GiB""#),
        key(
            "rename",
            Kind::Map,
            Said("none"),
            r#"{ amount = "total_amount" }"#,
        ),
        key("config", Kind::Any, Said("none"), "{ limit = 10_000.0 }"),
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

/// A window.
pub static WINDOW: Shape = Shape {
    name: "window",
    keys: &[
        key(
            "tumble",
            Kind::Duration(false),
            Said("one kind must be there"),
            r#""1h""#,
        ),
        key(
            "hop",
            Kind::Duration(false),
            Said("one kind must be there"),
            r#""10m""#,
        ),
        key(
            "session",
            Kind::Duration(false),
            Said("one kind must be there"),
            r#""3h""#,
        ),
        key(
            "cumulate",
            Kind::Duration(false),
            Said("one kind must be there"),
            r#""1d""#,
        ),
        key(
            "rows",
            Kind::Whole(1, u32::MAX as i64),
            Said("one kind must be there"),
            "100",
        ),
        key("global", Kind::Bool, Said("one kind must be there"), "true"),
        key(
            "slide",
            Kind::Duration(false),
            Said("one kind must be there"),
            r#""1m""#,
        ),
        key(
            "step",
            Kind::Duration(false),
            Said("required with `hop` and `cumulate`"),
            r#""1m""#,
        ),
        key("offset", Kind::Offset, Value(r#""0s""#), r#""-8h""#),
        key(
            "lateness",
            Kind::Duration(true),
            Value(r#""0s""#),
            r#""2m""#,
        ),
        key(
            "mode",
            Kind::Words(&["accumulating", "discarding", "retract"]),
            Value(r#""accumulating""#),
            r#""discarding""#,
        ),
        key(
            "trigger",
            Kind::ListOf(&["at-end", "on-each-row"], &TRIGGER),
            Value(r#"["at-end"]"#),
            r#"["at-end", { every = "10s" }]"#,
        ),
        key(
            "keep",
            Kind::Table(&KEEP),
            Said("every row"),
            "{ newest = 10 }",
        ),
    ],
};

/// Which rows of a window its function sees.
pub static KEEP: Shape = Shape {
    name: "keep",
    keys: &[
        key(
            "newest",
            Kind::Whole(1, u32::MAX as i64),
            Said("this or `within`"),
            "10",
        ),
        key(
            "within",
            Kind::Duration(true),
            Said("this or `newest`"),
            r#""1m""#,
        ),
    ],
};

/// What fires a window beside its end.
pub static TRIGGER: Shape = Shape {
    name: "trigger",
    keys: &[
        key(
            "every",
            Kind::Duration(false),
            Said("this or `every-rows`"),
            r#""10s""#,
        ),
        key(
            "time",
            Kind::Words(&["event", "processing"]),
            Value(r#""event""#),
            r#""processing""#,
        ),
        key(
            "every-rows",
            Kind::Whole(1, u32::MAX as i64),
            Said("this or `every`"),
            "5",
        ),
    ],
};

/// How many failures are put up with.
pub static FAILURES: Shape = Shape {
    name: "failures",
    keys: &[key("most", Kind::Whole(0, i64::MAX), Required, "1000")],
};

//! A whole pipeline file, key by key, and what the values become.

use std::path::Path;

use tidemill_core::window::{WindowKind, WindowSpec};
use tidemill_pipeline::{
    Checked, Connector, EventTime, Format, NullKey, OnFailure, SinkConnector, SinkFormat, Strategy,
    TimeFormat, parse,
};
use tidemill_rows::LogicalType;

const SECOND: i64 = 1_000_000;

fn parsed(text: &str) -> Checked {
    parse(text, Path::new("here/fraud.toml")).unwrap_or_else(|report| panic!("{report}"))
}

const FRAUD: &str = r#"
name = "fraud"

[modules.fraud]
file = "fraud.wasm"
source = "rules"
limits = { memory = "64MiB", deadline = "1s" }

[sources.payments]
files = "payments/*.jsonl"
format = "json"
event-time = "paid_at"
out-of-orderness = "30s"
on-failure = "dead-letter"
[sources.payments.columns]
account = "text"
amount = "float"
city = { type = "text?", path = "address.city" }
paid_at = { type = "time", format = "epoch-ms" }

[operators.velocity]
input = "payments"
key = "account"
window = { hop = "10m", step = "1m", lateness = "2m" }
function = "fraud/velocity"
config = { limit = 10_000.0 }
on-failure = "dead-letter"

[sinks.alerts]
input = "velocity"
stdout = {}
format = "json"

[sinks.bad]
input = ["payments.failed", "velocity.failed"]
folder = "bad"
format = "json"

[sinks.late]
input = "velocity.late"
file = "late.jsonl"
format = "json"
"#;

#[test]
fn top_and_modules() {
    let pipeline = parsed(FRAUD).pipeline;
    assert_eq!(pipeline.name.value, "fraud");
    assert_eq!(
        (pipeline.workers.is_none(), pipeline.max_parallelism.value),
        (true, 128)
    );
    let module = &pipeline.modules[0];
    assert_eq!(module.file.value, Path::new("here/fraud.wasm"));
    assert_eq!(
        module.source.as_ref().unwrap().value,
        Path::new("here/rules")
    );
    assert_eq!(module.limits.memory.as_ref().unwrap().value, 64 << 20);
    assert_eq!(
        module.limits.deadline.as_ref().unwrap().value.as_millis(),
        1000
    );
    assert!(module.limits.stack.is_none() && module.declared);
}

#[test]
fn source() {
    let pipeline = parsed(FRAUD).pipeline;
    let source = &pipeline.sources[0];
    let Connector::Files(files) = &source.connector.value else {
        panic!("not files")
    };
    assert_eq!(files.patterns[0].value, "payments/*.jsonl");
    assert_eq!(
        (source.format.value, files.follow.value),
        (Format::Json, false)
    );
    let EventTime::Columns(columns) = &source.event_time else {
        panic!("no event time")
    };
    assert_eq!(columns[0].value, "paid_at");
    assert_eq!(source.strategy.value, Strategy::OutOfOrderness(30 * SECOND));
    assert_eq!(
        (source.idle_timeout, source.max_ahead),
        (Some(60 * SECOND), None)
    );
    let columns: Vec<(&str, LogicalType, bool)> = source
        .columns
        .iter()
        .map(|c| (c.name.value.as_str(), c.ty, c.nullable))
        .collect();
    assert_eq!(
        columns,
        [
            ("account", LogicalType::Text, false),
            ("amount", LogicalType::Float, false),
            ("city", LogicalType::Text, true),
            ("paid_at", LogicalType::Time, false),
        ]
    );
    assert_eq!(source.columns[2].path.value, ["address", "city"]);
    assert_eq!(source.columns[3].time_format, TimeFormat::EpochMillis);
}

#[test]
fn operator() {
    let pipeline = parsed(FRAUD).pipeline;
    let operator = &pipeline.operators[0];
    assert_eq!(operator.inputs[0].to_string(), "payments");
    assert_eq!(
        (operator.key[0].value.as_str(), operator.null_key.value),
        ("account", NullKey::Keep)
    );
    let kind = WindowKind::Hop {
        size: 600 * SECOND,
        step: 60 * SECOND,
        offset: 0,
    };
    let expected = WindowSpec {
        lateness: 120 * SECOND,
        ..WindowSpec::new(kind)
    };
    assert_eq!(operator.window.as_ref().unwrap().spec, expected);
    assert_eq!(
        (
            operator.function.module,
            operator.function.name.value.as_str()
        ),
        (0, "velocity")
    );
    assert_eq!(&FRAUD[operator.function.name.span.clone()], "velocity");
    assert_eq!(
        operator.config.as_ref().unwrap().to_json().to_string(),
        r#"{"limit":10000.0}"#
    );
    assert_eq!(operator.failure.action.value, OnFailure::DeadLetter);
}

#[test]
fn sinks() {
    let checked = parsed(FRAUD);
    assert!(
        checked.diagnostics.is_empty(),
        "{}",
        checked.diagnostics.render(false)
    );
    let sinks = &checked.pipeline.sinks;
    assert!(matches!(sinks[0].connector.value, SinkConnector::Stdout));
    assert_eq!(sinks[1].inputs.len(), 2);
    assert_eq!(sinks[1].inputs[1].to_string(), "velocity.failed");
    let SinkConnector::Folder(folder) = &sinks[1].connector.value else {
        panic!("no folder")
    };
    assert_eq!(folder.path, Path::new("here/bad"));
    assert_eq!(sinks[2].format.value, SinkFormat::Json);
}

/// Order of columns, several files, generators, modules that only a function names.
#[test]
fn other_forms() {
    let text = r#"
name = "forms"
workers = 2
max-parallelism = 16
[sources.made]
datagen = { rows = 40, rate = 2.5, splits = 4 }
event-time = ["b", "a"]
watermark = "monotonic"
[sources.made.columns]
z = "integer"
b = { type = "time?", step = "1us" }
a = "time"
[sources.lines]
files = { path = ["x.csv", "y.csv"], follow = true }
format = "csv"
delimiter = ";"
time = "ingestion"
columns = { "a.b" = { type = "text", path = "A.b" } }
[operators.one]
input = "made"
window = { session = "1m", mode = "discarding" }
function = "deep/er.wasm/f"
rename = { value = "z" }
[operators.two]
input = "lines"
function = "deep/er.wasm/g"
on-failure = "skip"
failures = { most = 5 }
[sinks.out]
input = ["one", "two"]
blackhole = {}
"#;
    let pipeline = parsed(text).pipeline;
    assert_eq!(
        (
            pipeline.workers.unwrap().value,
            pipeline.max_parallelism.value
        ),
        (2, 16)
    );
    let [made, lines] = &pipeline.sources[..] else {
        panic!("two sources")
    };
    let names: Vec<&str> = made.columns.iter().map(|c| c.name.value.as_str()).collect();
    assert_eq!(names, ["z", "b", "a"]);
    assert_eq!(
        (lines.delimiter, lines.max_ahead),
        (b';', Some(86_400 * SECOND))
    );
    assert_eq!(lines.columns[0].path.value, ["A.b"]);
    assert_eq!(lines.strategy.value, Strategy::OutOfOrderness(0));
    assert_eq!(pipeline.modules.len(), 1);
    assert!(!pipeline.modules[0].declared);
    assert_eq!(
        pipeline.operators[1].failure.most.as_ref().unwrap().value,
        5
    );
    assert_eq!(pipeline.operators[0].rename[0].input.value, "z");
}

/// More than a thousand operators, or columns beyond the limit, are refused, and soon.
#[test]
fn too_much() {
    let operators: String = (0..1001)
        .map(|i| format!("[operators.o{i}]\ninput = \"payments\"\nfunction = \"f.wasm/f\"\n"))
        .collect();
    let columns: String = (0..1100).map(|i| format!("c{i} = \"text\"\n")).collect();
    let many = FRAUD.replace(
        "account = \"text\"\n",
        &format!("account = \"text\"\n{columns}"),
    );
    let cases = [
        (
            format!("{FRAUD}{operators}"),
            "there are too many operators: 1002",
        ),
        (many, "source `payments` has too many columns: 1104"),
    ];
    for (text, expected) in cases {
        let report = parse(&text, Path::new("x.toml"))
            .expect_err("too much")
            .to_string();
        assert!(report.contains(expected), "{report}");
    }
}

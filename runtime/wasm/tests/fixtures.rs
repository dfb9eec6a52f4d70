//! Modules that were compiled long ago still run: everything of the published interfaces of `wit/`, in modules that are
//! kept as they were compiled (`wit/README.md`, "Fixtures").
//!
//! Both modules of transforms do the same, which `wit/fixtures/src/describe.json` says, so each test holds both against one
//! text. Those of aggregates and windows are run by `fixtures_windows.rs`.

mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidemill_rows::LogicalType;
use tidemill_rows::arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use tidemill_wasm::{
    CallError, Kind, Limits, Module, ModuleError, Outcome, Output, Reason, RowsIn, Settings,
    Transform,
};

/// The files of 0.1.0 and their SHA-256. A line is added for a new fixture; none is ever changed.
const FIXTURES: [(&str, &str); 6] = [
    (
        "0.1.0/rust-transform.wasm",
        "b0cc8fee49e5f1de75b616eaabf588efd6e90eea66e2c2bf0bed5f68efa7d4b6",
    ),
    (
        "0.1.0/c-transform.wasm",
        "d7b8f0cad41d6289872f49cf05e20a9af6e6f30481f67cba78d7fe208a41e4a9",
    ),
    (
        "0.1.0/rust-aggregate.wasm",
        "4779f1c3d2a4eb601e6101db209bca55981f0027169cb36f130dd0032b30a889",
    ),
    (
        "0.1.0/c-aggregate.wasm",
        "0682d9c34f9a9a2a18b2b6338717ce120e866319f7e36e5d771fe2ff1a8aab53",
    ),
    (
        "0.1.0/rust-window.wasm",
        "8d8c825c897cfad4aa2222d0df8cea66a8a8bbb4045b670acdf042c9a25cb3be",
    ),
    (
        "0.1.0/c-window.wasm",
        "05a08638137e82896360a4f7777ccb1bcbe685ae9896e1bca88395780fa6af90",
    ),
];

fn file(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/fixtures")).join(name)
}

fn each_module(check: impl Fn(&str, &Module)) {
    let host = shown::host();
    let transforms = FIXTURES.iter().map(|(name, _)| *name);
    for name in transforms.filter(|name| name.ends_with("-transform.wasm")) {
        let module = host.load(&file(name), &Limits::default());
        check(name, &module.expect(name));
    }
}

/// Function `function` of every fixture, configured with `config`.
fn each(function: &str, config: &str, check: impl Fn(&str, &mut Transform)) {
    each_module(|name, module| check(name, &mut transform(module, function, config).expect(name)));
}

fn transform(module: &Module, name: &str, config: &str) -> Result<Transform, ModuleError> {
    let (function, _) = module.description().function(name).expect(name);
    let (config, operator) = (config.to_owned(), name.to_owned());
    module.transform(Settings {
        function,
        config,
        limits: Limits::default(),
        operator,
    })
}

const TIMES: [i64; 8] = [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000];

fn rows(columns: &[ArrayRef], len: usize) -> RowsIn<'_> {
    RowsIn {
        times: &TIMES[..len],
        stamps: None,
        changes: None,
        columns,
        len,
    }
}

fn numbers(numbers: &[i64]) -> [ArrayRef; 1] {
    [Arc::new(Int64Array::from(numbers.to_vec()))]
}

fn apply(function: &mut Transform, numbers: &[i64]) -> Outcome {
    let columns = self::numbers(numbers);
    function
        .apply(&rows(&columns, numbers.len()))
        .expect("the call is served")
}

#[test]
fn the_files_are_those_that_were_published() {
    for (name, hash) in FIXTURES {
        let module = shown::host()
            .load(&file(name), &Limits::default())
            .expect(name);
        assert_eq!(
            module.hash(),
            hash,
            "{name} was changed; a published fixture never is"
        );
        let size = std::fs::metadata(file(name)).expect(name).len();
        assert!(size < 64 * 1024, "{name} has {size} bytes");
    }
}

#[test]
fn they_describe_themselves() {
    each_module(|name, module| {
        let description = module.description();
        assert_eq!(description.interface, "0.1.0", "{name}");
        let sdk = "none: a fixture of the published interface";
        assert_eq!(description.sdk.as_deref(), Some(sdk), "{name}");
        let names: Vec<&str> = description
            .functions
            .iter()
            .map(|f| f.name.as_str())
            .collect();
        let all = [
            "types",
            "outcomes",
            "repeats",
            "stamped",
            "sides",
            "configured",
            "hard",
        ];
        assert_eq!(names, all, "{name}");
        assert!(
            description
                .functions
                .iter()
                .all(|f| f.kind == Kind::Transform),
            "{name}"
        );
        let stamped = &description.functions[3];
        assert!(stamped.stamps && stamped.changes, "{name}");
        let words: Vec<String> = description.functions[5]
            .config
            .iter()
            .map(|f| f.word())
            .collect();
        let all = [
            "bool",
            "integer",
            "float",
            "text",
            "[text]",
            "[integer]",
            "float?",
        ];
        assert_eq!(words, all, "{name}");
        let sides: Vec<_> = description.functions[4]
            .sides
            .iter()
            .map(|s| &s.output)
            .collect();
        let doubled = LogicalType::Integer.field("twice", false);
        let named = LogicalType::Text.field("name", false);
        let expected = [
            Output::Same,
            Output::Extended(vec![doubled]),
            Output::New(vec![named]),
        ];
        assert_eq!(sides, expected.iter().collect::<Vec<_>>(), "{name}");
    });
}

/// Two rows with values, then one without where a column may be null.
fn every_type() -> Vec<ArrayRef> {
    let time = |values: Vec<Option<i64>>| -> ArrayRef {
        let ty = LogicalType::Time.arrow();
        Arc::new(TimestampMicrosecondArray::from(values).with_data_type(ty))
    };
    let (text, bytes) = ("grün", &[0xff, 0][..]);
    vec![
        Arc::new(BooleanArray::from(vec![true, false, true])),
        Arc::new(Int64Array::from(vec![0, -7, i64::MAX])),
        Arc::new(Float64Array::from(vec![0.5, -1e300, 3.25])),
        Arc::new(StringArray::from(vec!["a", text, ""])),
        Arc::new(BinaryArray::from(vec![bytes, b"", b"xy"])),
        time(vec![Some(0), Some(-1), Some(1_357_034_430_000_000)]),
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        Arc::new(Int64Array::from(vec![Some(1), Some(2), None])),
        Arc::new(Float64Array::from(vec![Some(1.5), Some(-0.0), None])),
        Arc::new(StringArray::from(vec![Some("b"), Some(""), None])),
        Arc::new(BinaryArray::from(vec![Some(&b"c"[..]), Some(b""), None])),
        time(vec![Some(999_999), Some(1), None]),
    ]
}

#[test]
fn every_type_goes_in_and_comes_back() {
    let expected = [
        concat!(
            r#"0 from 0: false 1 -0.5 "aa" "/wD/AA==" "1970-01-01T00:00:00.000001Z" "#,
            r#"false 2 -1.5 "bb" "Y2M=" "1970-01-01T00:00:01Z""#
        ),
        concat!(
            r#"0 from 1: true -6 1.0e300 "grüngrün" "" "1970-01-01T00:00:00Z" "#,
            r#"true 3 0.0 "" "" "1970-01-01T00:00:00.000002Z""#
        ),
        concat!(
            r#"0 from 2: false -9223372036854775808 -3.25 "" "eHl4eQ==" "#,
            r#""2013-01-01T10:00:30.000001Z" null null null null null null"#
        ),
    ];
    each("types", "{}", |name, types| {
        let columns = every_type();
        let outcome = types.apply(&rows(&columns, 3)).expect(name);
        assert_eq!(shown::outcome(&outcome), expected, "{name}");
    });
}

#[test]
fn a_batch_without_rows_comes_back_empty() {
    each("types", "{}", |name, types| {
        let columns: Vec<ArrayRef> = every_type()
            .iter()
            .map(|column| column.slice(1, 0))
            .collect();
        let outcome = types.apply(&rows(&columns, 0)).expect(name);
        assert!(shown::outcome(&outcome).is_empty(), "{name}");
    });
}

#[test]
fn failures_of_each_severity_leave_the_rest() {
    let expected = [
        "0 from 0: ",
        "0 from 5: ",
        "failed 1 invalid bad-input: severity 0",
        "failed 2 fatal broken: severity 1",
        "failed 3 retry not-now: severity 2",
    ];
    each("outcomes", "{}", |name, outcomes| {
        assert_eq!(
            shown::outcome(&apply(outcomes, &[5, -1, -2, -3, 0, 9])),
            expected,
            "{name}"
        );
        assert!(outcomes.take_log().is_empty(), "{name}");
    });
}

#[test]
fn every_level_is_logged() {
    let expected = [
        "error level 0",
        "warn level 1",
        "info level 2",
        "debug level 3",
        "debug level 9",
    ];
    each("outcomes", "{}", |name, outcomes| {
        apply(outcomes, &[100, 101, 102, 103, 109]);
        let log = outcomes.take_log();
        let lines: Vec<String> = log
            .iter()
            .map(|line| format!("{} {}", line.level.name(), line.text))
            .collect();
        assert_eq!(lines, expected, "{name}");
    });
}

#[test]
fn rows_are_repeated_with_times_changes_and_input_columns() {
    let expected = [
        "0 from 0: input(0) input(1) 0 at 1000 change 2",
        "0 from 2: input(0) input(1) 0 at 3000 change 2",
        "0 from 2: input(0) input(1) 1 at 3001 change 2",
        "0 from 2: input(0) input(1) 2 at 3002 change 2",
    ];
    each("repeats", "{}", |name, repeats| {
        let [numbers] = numbers(&[1, 0, 3]);
        let texts = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
        let outcome = repeats.apply(&rows(&[numbers, texts], 3)).expect(name);
        assert_eq!(shown::outcome(&outcome), expected, "{name}");
    });
}

#[test]
fn stamps_and_changes_are_passed() {
    let (before, first) = (i64::MIN, "1970-01-01T00:00:00.001Z");
    let with = [
        format!("0 from 0: \"{first}\" {before} 0"),
        "0 from 1: \"1970-01-01T00:00:00.002Z\" 900 3".to_owned(),
    ];
    let without = [format!("0 from 0: \"{first}\" {before} null")];
    each("stamped", "{}", |name, stamped| {
        let stamps = [before, 900];
        let given = RowsIn {
            stamps: Some(&stamps),
            changes: Some(&[0, 3]),
            ..rows(&[], 2)
        };
        assert_eq!(
            shown::outcome(&stamped.apply(&given).expect(name)),
            with,
            "{name}"
        );
        let given = RowsIn {
            stamps: Some(&stamps[..1]),
            ..rows(&[], 1)
        };
        assert_eq!(
            shown::outcome(&stamped.apply(&given).expect(name)),
            without,
            "{name}"
        );
    });
}

#[test]
fn sides_of_every_kind_are_emitted_to() {
    let expected = [
        "0 from 1: ",
        "1 from 0: ",
        "1 from 2: ",
        "2 from 0: 14",
        "2 from 1: -24",
        "2 from 2: 2",
        "3 from 0: \"n7\"",
        "3 from 1: \"n-12\"",
        "3 from 2: \"n1\"",
    ];
    each("sides", "{}", |name, sides| {
        assert_eq!(
            shown::outcome(&apply(sides, &[7, -12, 1])),
            expected,
            "{name}"
        );
    });
}

#[test]
fn configuration_arrives_as_declared() {
    let given = serde_json::json!({"flag": true, "word": "yes"});
    each_module(|name, module| {
        let (_, function) = module.description().function("configured").expect(name);
        let config = function
            .config_json(given.as_object().expect("an object"))
            .expect(name);
        let mut configured = transform(module, "configured", &config).expect(name);
        let outcome = configured.apply(&rows(&[], 1)).expect(name);
        let text = "{\"flag\":true,\"count\":3,\"share\":0.5,\"word\":\"yes\",\
                    \"words\":[\"a\",\"b\"],\"numbers\":[],\"maybe\":null}";
        let line = format!("0 from 0: {}", serde_json::Value::from(text));
        assert_eq!(shown::outcome(&outcome), [line], "{name}");
    });
}

#[test]
fn a_configuration_can_be_refused() {
    each_module(
        |name, module| match transform(module, "configured", "{\"word\":\"no\"}") {
            Err(ModuleError::Config { message, .. }) => assert_eq!(message, "word must not be no"),
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name}: it was accepted"),
        },
    );
}

#[test]
fn a_trap_fails_its_row_alone() {
    each("hard", "{}", |name, hard| {
        let outcome = apply(hard, &[1, 2, 13, 4, 5]);
        let origins: Vec<u32> = outcome
            .emitted
            .iter()
            .flat_map(|e| e.origins.clone())
            .collect();
        assert_eq!(origins, [0, 1, 3, 4], "{name}");
        let [failed] = outcome.failed.as_slice() else {
            panic!("{name}: {:?}", outcome.failed)
        };
        assert_eq!(
            (failed.row, failed.reason),
            (2, Reason::Panic),
            "{name}: {failed:?}"
        );
        assert!(
            failed.message.contains("13 is too hard"),
            "{name}: {}",
            failed.message
        );
        assert!(failed.backtrace.is_some(), "{name}");
    });
}

#[test]
fn a_call_can_be_refused() {
    each("hard", "{}", |name, hard| {
        match hard.apply(&rows(&numbers(&[1, 14]), 2)) {
            Err(CallError::Refused { message, .. }) => assert_eq!(message, "14 is refused"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(
            shown::outcome(&apply(hard, &[1])),
            ["0 from 0: "],
            "{name}: it goes on"
        );
    });
}

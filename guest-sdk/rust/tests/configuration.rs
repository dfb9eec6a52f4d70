//! Configuration through the calls that the host makes, on this machine.

use tidemill::native::{configure, describe};
use tidemill::prelude::*;

#[derive(Record)]
struct Row {}

/// Everything that a configuration can hold.
#[derive(Config, Debug)]
struct Everything {
    flag: bool,
    #[config(default = -3)]
    whole: i64,
    #[config(default = 10_000.5)]
    real: f64,
    #[config(default = "a \"b\"")]
    text: String,
    #[config(default = ["EUR", "USD"])]
    list: Vec<String>,
    maybe: Option<f64>,
    maybe_list: Option<Vec<i64>>,
}

#[transform]
impl Everything {
    fn filter(&self, _row: Row) -> bool {
        self.flag
    }
}

/// A function without configuration.
#[derive(Config)]
struct HTTPCount;

/// What is said at the block counts.
#[transform]
impl HTTPCount {
    fn map(&self, _row: Row) -> Result<Option<Extended<Row>>, Failure> {
        Ok(None)
    }
}

#[test]
fn is_described_with_its_defaults() {
    let json = describe::<Everything>();
    let expected = concat!(
        r#""config":[{"name":"flag","type":"bool"},{"name":"whole","type":"integer","default":-3},"#,
        r#"{"name":"real","type":"float","default":10000.5},"#,
        r#"{"name":"text","type":"text","default":"a \"b\""},"#,
        r#"{"name":"list","type":"[text]","default":["EUR","USD"]},"#,
        r#"{"name":"maybe","type":"float?"},{"name":"maybe_list","type":"[integer]?"}]"#,
    );
    assert!(json.contains(expected), "{json}");
    let json = describe::<HTTPCount>();
    let expected = concat!(
        r#"{"name":"http-count","kind":"transform","doc":"What is said at the block counts.","#,
        r#""input":[],"output":{"extended":[]},"config":[]}"#,
    );
    assert!(json.contains(expected), "{json}");
}

#[test]
fn is_read_by_name_with_defaults() {
    let config = r#"{"maybe_list": [1, -2], "flag": true, "maybe": null, "whole": 7}"#;
    let all: Everything = configure(config).unwrap();
    assert!(all.flag && all.maybe.is_none());
    assert_eq!(
        (all.whole, all.real, all.text.as_str()),
        (7, 10_000.5, "a \"b\"")
    );
    assert_eq!(
        (all.list, all.maybe_list),
        (vec!["EUR".into(), "USD".into()], Some(vec![1, -2]))
    );
    assert!(configure::<HTTPCount>("{}").is_ok());
}

#[test]
fn errors_name_the_field() {
    let cases = [
        ("{}", "field flag"),
        (r#"{"flag": 1}"#, "field flag"),
        (r#"{"flag": true, "whole": 1.5}"#, "field whole"),
        (r#"{"flag": true, "list": ["EUR", 1]}"#, "field list"),
        (r#"{"flag": true, "limit": 1}"#, "unknown field: limit"),
        ("[]", "not a JSON object"),
    ];
    for (config, expected) in cases {
        let error = configure::<Everything>(config).unwrap_err();
        assert!(error.contains(expected), "{config}: {error}");
    }
}

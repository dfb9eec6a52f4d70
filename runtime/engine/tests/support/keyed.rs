//! What process functions give for each key alone, as the SDK's harness has it.

#[path = "../../../../tests/guests/sdk-kinds/src/processes.rs"]
mod functions;

use std::collections::BTreeMap;

use functions::{Busy, Done, Keeping, Lasting, Row};
use tidemill::{Harness, Timestamp};

use crate::support::{self, ByKey, input};

/// Which function, and how it is told to behave.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// `busy`, `keeping` or `lasting`.
    pub function: &'static str,
    /// Of the first: how far ahead it sets timers.
    pub ahead: i64,
    /// How bad rows and timers fail.
    pub breaking: &'static str,
    pub out_of_orderness: i64,
}

impl Told {
    /// The function's configuration, for a pipeline file.
    pub fn config(&self) -> String {
        let Self {
            ahead, breaking, ..
        } = self;
        match self.function {
            "busy" => format!("{{ ahead = {ahead}, breaking = {breaking:?} }}"),
            _ => format!("{{ breaking = {breaking:?} }}"),
        }
    }
}

/// A process function's pipeline: its rows, the operator `busy`, what comes of it and what fails.
pub fn pipeline(told: &Told) -> String {
    let Told {
        out_of_orderness,
        function,
        ..
    } = told;
    let (config, columns) = (told.config(), input::COLUMNS);
    format!(
        r#"
[modules.kinds.limits]
deadline = "30ms"
memory = "16MiB"

[sources.rows]
files = "in-*.jsonl"
format = "json"
event-time = "at"
out-of-orderness = "{out_of_orderness}us"
{columns}
[operators.busy]
input = "rows"
key = "key"
function = "kinds/{function}"
config = {config}
on-failure = "dead-letter"

[sinks.out]
input = "busy"
file = "out.jsonl"
format = "json"

[sinks.failed]
input = "busy.failed"
file = "failed.jsonl"
format = "json"
"#
    )
}

/// Compares each key's sequence; shows the first difference.
pub fn same(is: &ByKey, expected: &ByKey, what: &str) {
    for key in is.keys().chain(expected.keys()) {
        let none = Vec::new();
        let (is, expected) = (
            is.get(key).unwrap_or(&none),
            expected.get(key).unwrap_or(&none),
        );
        let at = is.iter().zip(expected).take_while(|(a, b)| a == b).count();
        let rest = |rows: &[String]| {
            rows[at.saturating_sub(2)..]
                .iter()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n  ")
        };
        assert!(
            is == expected,
            "{what}: key {key}, row {at}:\n  {}\nexpected:\n  {}",
            rest(is),
            rest(expected)
        );
    }
}

/// What the function gave, without the key.
pub fn shown(rows: &ByKey) -> BTreeMap<String, Vec<String>> {
    let one = |line: &String| {
        let row = support::parse(line);
        format!("{} {} {}", row["what"], row["rows"], row["last"])
    };
    let of_key =
        |(key, rows): (&String, &Vec<String>)| (key.clone(), rows.iter().map(one).collect());
    rows.iter().map(of_key).collect()
}

/// What each key gives by itself: the harness is told of time as its rows would be.
pub fn expected(told: &Told, rows: &[input::Row]) -> BTreeMap<String, Vec<String>> {
    let mut harnesses: BTreeMap<String, Harness> = BTreeMap::new();
    let mut largest = i64::MIN;
    let mut watermark = i64::MIN;
    for row in rows {
        let key = serde_json::Value::from(row.key.clone()).to_string();
        let harness = harnesses.entry(key).or_insert_with(|| {
            let breaking = told.breaking.to_owned();
            match told.function {
                "busy" => Harness::new(Busy {
                    ahead: told.ahead,
                    breaking,
                }),
                "keeping" => Harness::new(Keeping { breaking }),
                _ => Harness::new(Lasting { breaking }),
            }
        });
        harness.advance_to(Timestamp::from_micros(watermark));
        harness.row("", Row::of(row.id, row.value, row.bad, row.at));
        largest = largest.max(row.at);
        watermark = largest - told.out_of_orderness - 1;
    }
    let ended = |(key, mut harness): (String, Harness)| {
        harness.advance_to(Timestamp::from_micros(watermark)).end();
        let rows: Vec<String> = harness.rows::<Done>().iter().map(Done::shown).collect();
        (key, rows)
    };
    let all = harnesses.into_iter().map(ended);
    all.filter(|(_, rows)| !rows.is_empty()).collect()
}

impl Row {
    fn of(id: i64, value: i64, bad: bool, at: i64) -> Self {
        Self {
            id,
            value,
            bad,
            at: Timestamp::from_micros(at),
        }
    }
}

impl Done {
    fn shown(&self) -> String {
        let last = self
            .last
            .map(|at| tidemill_rows::time_text::rfc3339(at.micros()).to_string());
        let json = |value: serde_json::Value| value.to_string();
        format!(
            "{} {} {}",
            json(self.what.clone().into()),
            self.rows,
            json(last.into())
        )
    }
}

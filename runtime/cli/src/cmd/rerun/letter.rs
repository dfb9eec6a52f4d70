//! A dead letter: a line that a sink of `<name>.failed` wrote.

use serde_json::{Map, Value};

use tidemill_rows::time_text;

/// What a dead letter says.
#[derive(Clone, Debug)]
pub struct Letter {
    pub operator: String,
    pub module_hash: Option<String>,
    pub reason: String,
    pub message: String,
    /// Where the row was read.
    pub place: Option<String>,
    pub time: Option<i64>,
    pub row: Option<String>,
}

impl Letter {
    /// Reads a line; what is wrong with it otherwise.
    pub fn parse(line: &str) -> Result<Self, String> {
        let letter: Map<String, Value> = serde_json::from_str(line)
            .map_err(|error| format!("this is no dead letter: {error}"))?;
        let text = |name: &str| letter.get(name).and_then(Value::as_str).map(str::to_owned);
        let needed =
            |name: &str| text(name).ok_or(format!("this is no dead letter: it has no {name}"));
        let time = text("time").map(|time| {
            let time = time_text::parse_rfc3339(time.as_bytes());
            time.map_err(|error| format!("its time {}", error.reason()))
        });
        let position = letter.get("position").and_then(Value::as_u64);
        Ok(Self {
            operator: needed("operator")?,
            module_hash: text("module_hash"),
            reason: needed("reason")?,
            message: needed("message")?,
            place: text("split").map(|split| match position {
                Some(position) => format!("{split}, position {position}"),
                None => split,
            }),
            time: time.transpose()?,
            row: text("row"),
        })
    }
}

//! A dead letter: a row of `<name>.failed`, as a sink has written it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use tidemill_connectors::kafka::letters::{Header, Stored};
use tidemill_rows::time_text;

/// What a dead letter says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    pub operator: String,
    pub function: Option<String>,
    pub module_hash: Option<String>,
    pub reason: String,
    pub message: String,
    /// The split that the row was read from, and its position there.
    pub split: Option<String>,
    pub position: Option<u64>,
    pub time: Option<i64>,
    pub row: Option<String>,
    /// What could not be read, or its beginning.
    pub bytes: Option<Vec<u8>>,
}

impl Letter {
    /// Reads a line of JSON; what is wrong with it otherwise.
    pub fn parse(line: &str) -> Result<Self, String> {
        let letter: Map<String, Value> = serde_json::from_str(line)
            .map_err(|error| format!("this is no dead letter: {error}"))?;
        let text = |name: &str| letter.get(name).and_then(Value::as_str).map(str::to_owned);
        let needed =
            |name: &str| text(name).ok_or(format!("this is no dead letter: it has no {name}"));
        let bytes = text("bytes").map(|bytes| STANDARD.decode(bytes));
        Ok(Self {
            operator: needed("operator")?,
            function: text("function"),
            module_hash: text("module_hash"),
            reason: needed("reason")?,
            message: needed("message")?,
            split: text("split"),
            position: letter.get("position").and_then(Value::as_u64),
            time: text("time").map(|time| instant(&time)).transpose()?,
            row: text("row"),
            bytes: bytes
                .transpose()
                .map_err(|error| format!("its bytes are no base64: {error}"))?,
        })
    }

    /// Reads a record of a dead-letter topic: its value, or what its headers say where that is not JSON with these columns.
    pub fn of(stored: &Stored) -> Result<Self, String> {
        let value = std::str::from_utf8(stored.value.as_deref().unwrap_or_default());
        let value = value.map_err(|error| format!("this is no dead letter: {error}"));
        let unread = match value.and_then(Self::parse) {
            Ok(letter) => return Ok(letter),
            Err(unread) => unread,
        };
        let header = |name: &str| stored.header(name).map(str::to_owned);
        let (Some(operator), Some(reason)) = (header(Header::OPERATOR), header(Header::REASON))
        else {
            return Err(unread);
        };
        let number = |name: &str| stored.header(name)?.parse::<u64>().ok();
        let topic = header(Header::TOPIC).zip(number(Header::PARTITION));
        let time = stored.header(Header::TIMESTAMP).map(instant);
        Ok(Self {
            operator,
            reason,
            module_hash: header(Header::MODULE),
            split: topic.map(|(topic, partition)| format!("{topic}-{partition}")),
            position: number(Header::OFFSET),
            time: time.transpose()?,
            ..Self::default()
        })
    }

    /// Where the row was read, for people.
    pub fn place(&self) -> Option<String> {
        let split = self.split.as_ref()?;
        Some(match self.position {
            Some(position) => format!("{split}, position {position}"),
            None => split.clone(),
        })
    }

    /// As a line of JSON has it.
    pub fn object(&self) -> Map<String, Value> {
        let object = json!({
            "operator": self.operator, "function": self.function, "module_hash": self.module_hash,
            "reason": self.reason, "message": self.message, "split": self.split, "position": self.position,
            "time": self.time.map(time_text::rfc3339), "row": self.row,
            "bytes": self.bytes.as_ref().map(|bytes| STANDARD.encode(bytes)),
        });
        match object {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }
}

fn instant(time: &str) -> Result<i64, String> {
    let time = time_text::parse_rfc3339(time.as_bytes());
    time.map_err(|error| format!("its time {}", error.reason()))
}

#[cfg(test)]
mod tests {
    use tidemill_connectors::kafka::letters::RecordAt;

    use super::*;

    fn record(value: &str, headers: &[(&str, &str)]) -> Stored {
        let header =
            |(name, value): &(&str, &str)| ((*name).to_owned(), Some(value.as_bytes().to_vec()));
        Stored {
            at: RecordAt {
                topic: "bad".to_owned(),
                partition: 0,
                offset: 17,
            },
            key: None,
            value: Some(value.as_bytes().to_vec()),
            headers: headers.iter().map(header).collect(),
            time_ms: None,
        }
    }

    #[test]
    fn a_letter_is_read_from_its_value_or_from_its_headers() {
        let json = r#"{"operator":"look","function":"f","module_hash":"ab","reason":"invalid","message":"no",
            "split":"payments-3","position":9,"time":"2024-01-01T00:00:00Z","row":"{}","bytes":"AAE="}"#;
        let letter = Letter::of(&record(json, &[])).expect("a letter");
        assert_eq!(letter.place().as_deref(), Some("payments-3, position 9"));
        assert_eq!(letter.time, Some(1_704_067_200_000_000));
        assert_eq!(letter.bytes.as_deref(), Some(&[0, 1][..]));
        let line = Value::Object(letter.object()).to_string();
        assert_eq!(Letter::parse(&line), Ok(letter.clone()));
        let headers = [
            (Header::TOPIC, "payments"),
            (Header::PARTITION, "3"),
            (Header::OFFSET, "9"),
            (Header::TIMESTAMP, "2024-01-01T00:00:00Z"),
            (Header::OPERATOR, "look"),
            (Header::MODULE, "ab"),
            (Header::REASON, "invalid"),
        ];
        let from_headers = Letter::of(&record("look,f,ab,invalid", &headers)).expect("a letter");
        let known = Letter {
            function: None,
            message: String::new(),
            row: None,
            bytes: None,
            ..letter
        };
        assert_eq!(from_headers, known);
    }

    #[test]
    fn what_is_no_letter_says_why() {
        let cases = [
            ("no json", "this is no dead letter: expected"),
            (r#"{"operator":"a","message":""}"#, "it has no reason"),
            (
                r#"{"operator":"a","reason":"b","message":"","bytes":"?"}"#,
                "its bytes are no base64",
            ),
            (
                r#"{"operator":"a","reason":"b","message":"","time":"now"}"#,
                "its time ",
            ),
        ];
        for (value, why) in cases {
            let error = Letter::of(&record(value, &[])).expect_err(value);
            assert!(error.contains(why), "{error}");
        }
    }
}

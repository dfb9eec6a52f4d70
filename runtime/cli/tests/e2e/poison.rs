//! Records of Kafka that nothing can be made of, in every format that there is: they go where the policy says, and nothing else with them.

use serde_json::{Value, json};
use tidemill_test_kafka::{Record, Topic, broker, registry};

use crate::support::{Ended, Folder};

/// Of Avro and Protobuf alike: a text, and an integer that may be null.
const AVRO: &str = r#"{"type":"record","name":"R","fields":[{"name":"name","type":"string"},{"name":"n","type":["null","long"]}]}"#;
const PROTOBUF: &str = r#"syntax = "proto3"; message R { string name = 1; optional int64 n = 2; }"#;

const TEN_MB: usize = 10 << 20;

/// What becomes of a record: a row that is called so; or the reason that is given, and a part of what is said.
type Outcome = Result<&'static str, (&'static str, &'static str)>;

/// Records of a topic, and what becomes of them.
struct Poisoned {
    topic: Topic,
    format: String,
    records: Vec<Outcome>,
}

impl Poisoned {
    fn new(format: String, records: Vec<(Record, Outcome)>) -> Self {
        let topic = Topic::new("poison", 1);
        let (values, records): (Vec<Record>, Vec<_>) = records.into_iter().unzip();
        topic.produce(&values);
        Self {
            topic,
            format,
            records,
        }
    }

    /// A run from an offset to the end, with this policy.
    fn run(&self, folder: &Folder, policy: &str, from: usize) -> Ended {
        let letters = match policy {
            "dead-letter" => "[sinks.bad]\ninput = \"rows.failed\"\nfile = \"bad.jsonl\"\n",
            _ => "",
        };
        let (name, brokers, format) = (self.topic.name(), broker(), &self.format);
        let pipeline = format!(
            r#"name = "poison"
[sources.rows]
kafka = {{ brokers = "{brokers}", topics = "{name}", until = "now", offsets = {{ {name}-0 = {from} }} }}
columns = {{ name = "text", n = "integer?" }}
line-limit = "12MiB"
on-failure = "{policy}"
{format}
[sinks.out]
input = "rows"
file = "out.jsonl"
{letters}"#
        );
        folder.write("pipeline.toml", &pipeline);
        folder.run(&["run"])
    }

    fn good(&self) -> Vec<&'static str> {
        self.records
            .iter()
            .filter_map(|record| record.ok())
            .collect()
    }

    fn bad(&self) -> Vec<(usize, &'static str, &'static str)> {
        let bad =
            |(at, record): (usize, &Outcome)| record.err().map(|(reason, said)| (at, reason, said));
        self.records.iter().enumerate().filter_map(bad).collect()
    }

    /// Goes through all policies.
    fn check(&self) {
        let folder = Folder::new();
        self.run(&folder, "skip", 0).expect(0);
        assert_eq!(names(&folder), self.good());
        let folder = Folder::new();
        self.run(&folder, "dead-letter", 0).expect(0);
        assert_eq!(names(&folder), self.good());
        let letters = lines(&folder, "bad.jsonl");
        assert_eq!(letters.len(), self.bad().len(), "{}", self.format);
        for (letter, (offset, reason, said)) in letters.iter().zip(self.bad()) {
            assert_eq!(letter["position"], json!(offset), "{letter}");
            assert_eq!(letter["reason"], json!("decode"), "{letter}");
            assert_eq!(letter["split"], json!(format!("{}-0", self.topic.name())));
            let message = letter["message"].as_str().expect("a message");
            assert!(message.starts_with(&format!("{reason}: ")), "{letter}");
            assert!(message.contains(said), "{letter}");
        }
        // Each of them ends a run that begins with it.
        for (offset, _, said) in self.bad() {
            let folder = Folder::new();
            let at = offset.to_string();
            self.run(&folder, "fail", offset)
                .expect(1)
                .says(&["source rows", said, &at, "hint: "]);
        }
    }
}

fn lines(folder: &Folder, name: &str) -> Vec<Value> {
    let text = folder.read(name);
    let line = |line: &str| serde_json::from_str(line).expect("JSON");
    text.lines().map(line).collect()
}

/// What the rows are called that came through; the length in place of a text that is very long.
fn names(folder: &Folder) -> Vec<String> {
    let name = |row: Value| match row["name"].as_str().expect("a name") {
        long if long.len() > 1000 => format!("{} bytes", long.len()),
        name => name.to_owned(),
    };
    lines(folder, "out.jsonl").into_iter().map(name).collect()
}

fn numbered(number: u32, value: &[u8]) -> Record {
    Record::new([&[0][..], &number.to_be_bytes(), value].concat())
}

#[test]
fn of_json() {
    let long = "x".repeat(TEN_MB);
    Poisoned::new(
        String::new(),
        vec![
            (Record::new(r#"{"name":"a","n":1}"#), Ok("a")),
            (
                Record::new(vec![0xff, 0xfe, 0]),
                Err(("utf-8", "is not part of UTF-8")),
            ),
            (
                Record::new(r#"{"name":"#),
                Err(("syntax", "found the end of the line")),
            ),
            (Record::new(r#"{"name":"b","n":null}"#), Ok("b")),
            (
                Record::tombstone("key"),
                Err(("null", "the record has no value")),
            ),
            (
                Record::new(long.clone()),
                Err(("syntax", "no JSON at byte")),
            ),
            (
                Record::new(format!(r#"{{"name":"{long}"}}"#)),
                Ok("10485760 bytes"),
            ),
            (
                Record::new(format!("{{\"name\":\"{}\"}}", "x".repeat(13 << 20))),
                Err(("too-long", "longer than `line-limit`, 12582912 bytes")),
            ),
            (Record::new(r#"{"name":"c"}"#), Ok("c")),
        ],
    )
    .check();
}

#[test]
fn of_avro() {
    let number = registry().register("poison-avro-value", "AVRO", AVRO);
    Poisoned::new(
        format!(
            "format = \"avro\"\nregistry = {{ url = \"{}\" }}",
            registry().url()
        ),
        vec![
            (numbered(number, &[2, b'a', 2, 10]), Ok("a")),
            (
                Record::new(r#"{"name":"a"}"#),
                Err(("schema", "does not begin with the number")),
            ),
            (
                numbered(4_000_000, &[2, b'x', 0]),
                Err(("schema", "has no schema 4000000")),
            ),
            (numbered(number, &[2, b'b', 0]), Ok("b")),
            (
                Record::tombstone("key"),
                Err(("null", "the record has no value")),
            ),
            (
                numbered(number, &vec![0xff; TEN_MB]),
                Err(("syntax", "byte")),
            ),
            (
                numbered(number, &[2, b'x']),
                Err(("syntax", "ends too early")),
            ),
            (numbered(number, &[2, b'c', 0]), Ok("c")),
        ],
    )
    .check();
}

#[test]
fn of_protobuf() {
    let number = registry().register("poison-protobuf-value", "PROTOBUF", PROTOBUF);
    Poisoned::new(
        format!(
            "format = \"protobuf\"\nregistry = {{ url = \"{}\" }}",
            registry().url()
        ),
        vec![
            (numbered(number, &[0, 10, 1, b'a', 16, 5]), Ok("a")),
            (
                Record::new(r#"{"name":"a"}"#),
                Err(("schema", "does not begin with the number")),
            ),
            (
                numbered(4_000_000, &[0, 10, 0]),
                Err(("schema", "has no schema 4000000")),
            ),
            (
                numbered(number, &[2, 8, 10, 0]),
                Err(("schema", "no message at [4]")),
            ),
            (numbered(number, &[0, 10, 1, b'b']), Ok("b")),
            (
                Record::tombstone("key"),
                Err(("null", "the record has no value")),
            ),
            (
                numbered(number, &[&[0][..], &vec![0xff; TEN_MB]].concat()),
                Err(("syntax", "byte")),
            ),
            (
                numbered(number, &[0, 10, 9, b'x']),
                Err(("syntax", "ends too early")),
            ),
            (numbered(number, &[0, 10, 1, b'c']), Ok("c")),
        ],
    )
    .check();
}

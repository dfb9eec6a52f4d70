//! Records without a value as rows that delete, and such rows as records without a value, on a real broker.

#[path = "support/topics.rs"]
mod topics;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tidemill_connectors::kafka::{KafkaSpec, NullValues};
use tidemill_connectors::{
    ColumnSpec, ConnectorError, FormatKind, FormatSpec, LogicalType, RecordField, SourceSpec, Then,
    ValueFormat, Wake, resume_all,
};
use tidemill_rows::arrow_array::{ArrayRef, Int64Array, StringArray};
use tidemill_rows::{RecordBatch, Schema, json};
use tidemill_test_kafka::{Record, Topic};

use self::topics::{sink, source, write};

fn columns() -> Vec<ColumnSpec> {
    let of = |name: &str, ty, from| ColumnSpec {
        from,
        ..ColumnSpec::new(name, ty, true)
    };
    vec![
        of("id", LogicalType::Text, RecordField::Key),
        of("n", LogicalType::Integer, RecordField::Field),
        of("all", LogicalType::Bytes, RecordField::Value),
        of(
            "why",
            LogicalType::Text,
            RecordField::Header("why".to_owned()),
        ),
        of("at", LogicalType::Time, RecordField::Timestamp),
    ]
}

fn deleting(topic: &Topic, columns: Vec<ColumnSpec>) -> KafkaSpec {
    KafkaSpec {
        null_values: NullValues::Delete,
        ..source(topic, FormatSpec::new(FormatKind::Json, columns))
    }
}

/// Rows as JSON behind what they do, and the codes of bad rows.
fn read(spec: KafkaSpec) -> Result<(Vec<String>, Vec<&'static str>), ConnectorError> {
    let wake: Wake = Arc::new(|| ());
    let spec = SourceSpec::Kafka(Box::new(spec));
    let mut opened = resume_all(&spec, &[wake], &[])?.swap_remove(0);
    let (_, split) = &mut opened.splits[0];
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    loop {
        let chunk = split.read(2)?;
        let changes = chunk.changes.expect("a source with deletes");
        assert_eq!(changes.len(), chunk.rows.num_rows());
        let of = |(row, change): (usize, &u8)| format!("{change} {}", json::row(&chunk.rows, row));
        rows.extend(changes.iter().enumerate().map(of));
        bad.extend(chunk.bad.iter().map(|bad| bad.code));
        match chunk.then {
            Then::End => return Ok((rows, bad)),
            Then::Pending => thread::sleep(Duration::from_millis(5)),
            Then::More => {}
        }
    }
}

#[test]
fn a_record_without_a_value_is_a_row_that_deletes() {
    let topic = Topic::new("deletes", 1);
    let at = 1_000;
    topic.produce(&[
        Record::new(r#"{"n":1}"#).key("a").timestamp_ms(at),
        Record::tombstone("a")
            .header("why", "gone")
            .timestamp_ms(at),
        Record::new("").key("b").timestamp_ms(at),
        Record::new("null").key("b").timestamp_ms(at),
        Record::tombstone("b").timestamp_ms(at),
        Record::new(r#"{"n":2}"#).key("a").timestamp_ms(at),
    ]);
    let (rows, bad) = read(deleting(&topic, columns())).expect("it is read");
    let time = r#""at":"1970-01-01T00:00:01Z""#;
    let expected = [
        format!(r#"0 {{"id":"a","n":1,"all":"eyJuIjoxfQ==","why":null,{time}}}"#),
        format!(r#"3 {{"id":"a","n":null,"all":null,"why":"gone",{time}}}"#),
        format!(r#"3 {{"id":"b","n":null,"all":null,"why":null,{time}}}"#),
        format!(r#"0 {{"id":"a","n":2,"all":"eyJuIjoyfQ==","why":null,{time}}}"#),
    ];
    assert_eq!(rows, expected);
    // An empty value is a value.
    assert_eq!(bad, ["syntax", "not-an-object"]);
    // Also where no column is a field.
    let key = columns().remove(0);
    let (rows, _) = read(deleting(&topic, vec![key])).expect("it is read");
    assert_eq!(rows[..2], [r#"0 {"id":"a"}"#, r#"3 {"id":"a"}"#]);
}

#[test]
fn columns_of_the_value_must_be_such_that_nothing_can_stand_there() {
    let topic = Topic::new("deletes-not", 1);
    for at in [1, 2] {
        let mut columns = columns();
        columns[at].nullable = false;
        let spec = SourceSpec::Kafka(Box::new(deleting(&topic, columns)));
        let said = spec.check().expect_err("it may not be null").to_string();
        assert!(said.contains("may not be null, and is where"), "{said}");
    }
    // What is of the record itself may be anything.
    let mut columns = columns();
    columns[0].nullable = false;
    let spec = SourceSpec::Kafka(Box::new(deleting(&topic, columns)));
    spec.check().expect("a source");
}

/// Rows of a table, with what they do in front.
fn changes(rows: &[(u8, Option<&str>, i64)]) -> (RecordBatch, Vec<u8>) {
    let words = ["insert", "update-before", "update-after", "delete"];
    let word = |&(change, ..): &(u8, Option<&str>, i64)| words[usize::from(change)];
    let columns: [(&str, bool, ArrayRef); 3] = [
        (
            "change",
            false,
            Arc::new(StringArray::from_iter_values(rows.iter().map(word))),
        ),
        (
            "id",
            true,
            Arc::new(StringArray::from_iter(rows.iter().map(|(_, id, _)| *id))),
        ),
        (
            "n",
            false,
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|(_, _, n)| *n),
            )),
        ),
    ];
    let fields = columns.iter().map(|(name, nullable, column)| {
        LogicalType::of(column.data_type()).field(*name, *nullable)
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let columns = columns.iter().map(|(_, _, column)| column.clone());
    let batch = RecordBatch::try_new(Arc::new(schema), columns.collect()).expect("rows");
    (batch, rows.iter().map(|(change, ..)| *change).collect())
}

/// The keys and values of a topic.
fn records(topic: &Topic) -> Vec<(String, Option<String>)> {
    let text = |bytes: Option<Vec<u8>>| bytes.map(|b| String::from_utf8(b).expect("text"));
    let record = |record: Record| (text(record.key).unwrap_or_default(), text(record.value));
    topic.committed().into_iter().map(record).collect()
}

#[test]
fn a_row_that_deletes_is_written_as_a_record_without_a_value() {
    let all = [
        (0, Some("a"), 1),
        (1, Some("a"), 1),
        (2, Some("a"), 2),
        (3, Some("a"), 2),
    ];
    let value = |change: &str, n: i64| Some(format!(r#"{{"change":"{change}","id":"a","n":{n}}}"#));
    let of = |value: Option<String>| ("a".to_owned(), value);
    // With a key.
    let topic = Topic::new("deleted", 1);
    let mut spec = sink(&topic, ValueFormat::Json);
    spec.key = Some("id".to_owned());
    let (rows, does) = changes(&all);
    write(spec, rows.clone(), Some(&does)).expect("it is written");
    let expected = [
        of(value("insert", 1)),
        of(value("update-before", 1)),
        of(value("update-after", 2)),
        of(None),
    ];
    assert_eq!(records(&topic), expected);
    // As a table, in which the newest of a key counts, without what was there before.
    let topic = Topic::new("deleted-table", 1);
    let mut spec = sink(&topic, ValueFormat::Json);
    spec.key = Some("id".to_owned());
    spec.omit = vec!["change".to_owned(), "id".to_owned()];
    write(spec.clone(), rows.clone(), Some(&does)).expect("it is written");
    let n = |n: i64| Some(format!(r#"{{"n":{n}}}"#));
    assert_eq!(records(&topic), [of(n(1)), of(n(2)), of(None)]);
    // Nothing has no key.
    let (rows_of_none, does_of_none) = changes(&[(3, None, 1)]);
    let said = write(spec, rows_of_none, Some(&does_of_none)).expect_err("no key");
    assert!(said.to_string().contains("its key is null"), "{said}");
    // Without a key all are values.
    let topic = Topic::new("deleted-log", 1);
    write(sink(&topic, ValueFormat::Json), rows, Some(&does)).expect("it is written");
    let last = records(&topic).pop().expect("a record");
    assert_eq!(last, (String::new(), value("delete", 2)));
}

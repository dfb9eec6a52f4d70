//! Kafka as a source and as a sink, on a real broker.

#[path = "support/topics.rs"]
mod topics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidemill_connectors::kafka::{KafkaSinkSpec, Properties, Start, TopicOf, Until};
use tidemill_connectors::{
    ColumnSpec, FormatKind, FormatSpec, Guarantee, KafkaSpec, LogicalType, Opened, Position,
    RecordField, SinkSpec, SourceSpec, Then, ValueFormat, Wake, resume_all,
};
use tidemill_rows::{Batch, RowTimes};
use tidemill_test_kafka::{Record, Topic, broker};

use topics::{PATIENCE, client};

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("name", LogicalType::Text, false),
        ColumnSpec::new("n", LogicalType::Integer, true),
    ]
}

fn from(name: &str, ty: LogicalType, from: RecordField) -> ColumnSpec {
    ColumnSpec {
        from,
        ..ColumnSpec::new(name, ty, true)
    }
}

fn source(topic: &Topic, columns: Vec<ColumnSpec>) -> KafkaSpec {
    topics::source(topic, FormatSpec::new(FormatKind::Json, columns))
}

fn open(spec: &KafkaSpec, kept: &[(Arc<str>, Position)]) -> Opened {
    let wake: Wake = Arc::new(|| ());
    let spec = SourceSpec::Kafka(Box::new(spec.clone()));
    let mut opened = resume_all(&spec, &[wake], kept).expect("a source");
    opened.swap_remove(0)
}

/// Rows and bad rows as text, in the order of splits, until all have ended or there are so many.
fn read(opened: &mut Opened, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let began = Instant::now();
    for (_, split) in &mut opened.splits {
        loop {
            assert!(began.elapsed() < PATIENCE, "only {lines:?}");
            let chunk = split.read(most - lines.len()).expect("read");
            let mut rows = Vec::new();
            let writer = tidemill_rows::json::RowWriter::new(&chunk.rows.schema());
            for row in 0..chunk.rows.num_rows() {
                writer.of(&chunk.rows).write(row, &mut rows);
                rows.push(b'\n');
            }
            let rows = String::from_utf8(rows).expect("UTF-8");
            let mut rows = rows.lines();
            let positions = chunk.positions.iter();
            let mut bad = chunk.bad.iter().peekable();
            for (i, position) in positions.enumerate() {
                while let Some(bad) = bad.next_if(|bad| bad.before <= i) {
                    lines.push(format!("{} {}: {}", bad.position, bad.code, bad.message));
                }
                lines.push(format!("{position} {}", rows.next().expect("a row")));
            }
            lines.extend(bad.map(|bad| format!("{} {}: {}", bad.position, bad.code, bad.message)));
            match chunk.then {
                Then::End => break,
                _ if lines.len() >= most => return lines,
                Then::Pending => std::thread::sleep(Duration::from_millis(5)),
                Then::More => {}
            }
        }
    }
    lines
}

fn positions(opened: &Opened) -> Vec<(Arc<str>, Position)> {
    let of = |(_, split): &(usize, Box<dyn tidemill_connectors::Split>)| {
        (split.name().clone(), split.position())
    };
    opened.splits.iter().map(of).collect()
}

#[test]
fn records_become_rows_and_those_that_do_not_become_bad_rows() {
    let topic = Topic::new("rows", 1);
    topic.produce(&[
        Record::new(r#"{"name":"a","n":1}"#),
        Record::new("{\n  \"name\": \"written for people\",\n  \"n\": 2\n}\n"),
        Record::new("not JSON"),
        Record::new(b"{\"name\":\"\xff\"}".to_vec()),
        Record::tombstone("key"),
        Record::new(""),
        Record::new("{\"name\":\"a newline\nwithin\"}"),
        Record::new(r#"{"name":"b"}"#),
    ]);
    let lines = read(&mut open(&source(&topic, columns()), &[]), usize::MAX);
    let shown: Vec<&str> = lines.iter().map(|l| l.split(':').next().unwrap()).collect();
    assert_eq!(
        shown,
        [
            r#"0 {"name""#,
            r#"1 {"name""#,
            "2 syntax",
            "3 utf-8",
            "4 null",
            "5 syntax",
            "6 syntax",
            r#"7 {"name""#,
        ],
        "{lines:#?}"
    );
    assert_eq!(lines[1], r#"1 {"name":"written for people","n":2}"#);
}

#[test]
fn columns_hold_every_part_of_a_record() {
    let topic = Topic::new("parts", 1);
    topic.produce(&[
        Record::new(r#"{"n":7}"#)
            .key("k")
            .timestamp_ms(1_704_067_200_123)
            .header("trace", "first")
            .header("trace", "last"),
        Record::new(r#"{"n":8}"#).timestamp_ms(1_704_067_200_124),
    ]);
    let columns = vec![
        from("key", LogicalType::Text, RecordField::Key),
        ColumnSpec::new("n", LogicalType::Integer, false),
        from(
            "trace",
            LogicalType::Text,
            RecordField::Header("trace".into()),
        ),
        from("topic", LogicalType::Text, RecordField::Topic),
        from("partition", LogicalType::Integer, RecordField::Partition),
        from("offset", LogicalType::Integer, RecordField::Offset),
        from("made", LogicalType::Time, RecordField::CreateTime),
        from("appended", LogicalType::Time, RecordField::AppendTime),
        from("value", LogicalType::Text, RecordField::Value),
    ];
    let lines = read(&mut open(&source(&topic, columns), &[]), usize::MAX);
    let name = topic.name();
    assert_eq!(
        lines,
        [
            format!(
                r#"0 {{"key":"k","n":7,"trace":"last","topic":"{name}","partition":0,"offset":0,"made":"2024-01-01T00:00:00.123Z","appended":null,"value":"{{\"n\":7}}"}}"#
            ),
            format!(
                r#"1 {{"key":null,"n":8,"trace":null,"topic":"{name}","partition":0,"offset":1,"made":"2024-01-01T00:00:00.124Z","appended":null,"value":"{{\"n\":8}}"}}"#
            ),
        ]
    );
}

#[test]
fn a_split_is_read_on_where_it_was_and_to_the_end_that_it_had() {
    let topic = Topic::new("resumed", 2);
    let record = |n: i32| Record::new(format!(r#"{{"name":"r","n":{n}}}"#)).partition(n % 2);
    topic.produce(&(0..10).map(record).collect::<Vec<_>>());
    let spec = source(&topic, columns());
    let mut first = open(&spec, &[]);
    assert_eq!(read(&mut first, 3).len(), 3);
    let kept = positions(&first);
    drop(first);
    // What comes later is not of this run.
    topic.produce(&(10..14).map(record).collect::<Vec<_>>());
    let mut second = open(&spec, &kept);
    assert_eq!(read(&mut second, usize::MAX).len(), 7);
    let kept = positions(&second);
    assert!(kept.iter().all(|(_, at)| at.is_finished()), "{kept:?}");
    // A run that begins when all had been read has the end that there is now.
    let mut third = open(&spec, &kept);
    assert_eq!(read(&mut third, usize::MAX).len(), 4);
}

#[test]
fn a_live_source_finds_topics_partitions_and_records_as_they_come() {
    let topic = Topic::named(broker(), &format!("late-{}", std::process::id()));
    let spec = KafkaSpec {
        until: None,
        ..source(&topic, columns())
    };
    let woken = Arc::new(AtomicU64::new(0));
    let counter = woken.clone();
    let wake: Wake = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let source = SourceSpec::Kafka(Box::new(spec));
    let mut opened = resume_all(&source, &[wake], &[]).expect("a source that waits");
    let mut opened = opened.swap_remove(0);
    assert!(opened.splits.is_empty());
    topic.create(1);
    topic.produce(&[Record::new(r#"{"name":"early"}"#)]);
    let later = opened.later.take().expect("it looks for partitions");
    let find = |opened: &mut Opened| {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "nothing was found");
            if let Some(found) = later.next() {
                let index = opened.splits.len();
                opened.splits.push((index, found.expect("a split")));
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    find(&mut opened);
    assert_eq!(read(&mut opened, 1), [r#"0 {"name":"early","n":null}"#]);
    topic.grow(2);
    find(&mut opened);
    opened.splits.remove(0);
    topic.produce(&[Record::new(r#"{"name":"grown"}"#).partition(1)]);
    assert_eq!(read(&mut opened, 1), [r#"0 {"name":"grown","n":null}"#]);
    assert!(woken.load(Ordering::Relaxed) > 0, "nobody was woken");
}

#[test]
fn offsets_that_are_gone_are_an_error() {
    let topic = Topic::new("gone", 1);
    topic.produce(&[Record::new(r#"{"name":"a"}"#)]);
    let spec = KafkaSpec {
        until: None,
        ..source(&topic, columns())
    };
    let at = serde_json::from_str(r#"{"of":"record","next":100}"#).expect("a position");
    let kept = [(format!("{}-0", topic.name()).into(), at)];
    let mut opened = open(&spec, &kept);
    let (_, split) = &mut opened.splits[0];
    let began = Instant::now();
    let error = loop {
        assert!(began.elapsed() < PATIENCE, "no error");
        match split.read(10) {
            Ok(_) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => break error,
        }
    };
    let text = error.to_string();
    assert!(text.contains("no record at offset 100"), "{text}");
    assert!(text.contains("from 0 to before 1"), "{text}");
    assert!(!error.may_pass());
}

#[test]
fn a_topic_that_was_made_again_is_another() {
    let topic = Topic::new("again", 1);
    topic.produce(&[
        Record::new(r#"{"name":"a"}"#),
        Record::new(r#"{"name":"b"}"#),
    ]);
    let spec = source(&topic, columns());
    let mut first = open(&spec, &[]);
    assert_eq!(read(&mut first, 1).len(), 1);
    let kept = positions(&first);
    drop(first);
    topic.delete();
    topic.create(1);
    topic.produce(&[
        Record::new(r#"{"name":"x"}"#),
        Record::new(r#"{"name":"y"}"#),
    ]);
    let wake: Wake = Arc::new(|| ());
    let spec = SourceSpec::Kafka(Box::new(spec));
    let error = resume_all(&spec, &[wake], &kept).err().expect("an error");
    let text = error.to_string();
    assert!(text.contains("before offset 1"), "{text}");
    assert!(text.contains("made again"), "{text}");
}

#[test]
fn where_reading_begins_and_ends_can_be_said() {
    let topic = Topic::new("begins", 1);
    let at = |n: i64| {
        Record::new(format!(r#"{{"name":"t","n":{n}}}"#)).timestamp_ms(1_704_067_200_000 + n * 1000)
    };
    topic.produce(&(0..6).map(at).collect::<Vec<_>>());
    let micros = |n: i64| 1_704_067_200_000_000 + n * 1_000_000;
    let spec = source(&topic, columns());
    let numbers = |start: Start, until: Until| {
        let until = Some(until);
        let spec = KafkaSpec {
            start,
            until,
            ..spec.clone()
        };
        let lines = read(&mut open(&spec, &[]), usize::MAX);
        let offset = |l: &String| l.split(' ').next().unwrap().parse::<i64>().unwrap();
        lines.iter().map(offset).collect::<Vec<_>>()
    };
    let name = format!("{}-0", topic.name());
    assert_eq!(numbers(Start::Earliest, Until::Now), [0, 1, 2, 3, 4, 5]);
    assert_eq!(numbers(Start::Latest, Until::Now), [0; 0]);
    assert_eq!(numbers(Start::Time(micros(2)), Until::Now), [2, 3, 4, 5]);
    assert_eq!(
        numbers(Start::Time(micros(2) + 1), Until::Time(micros(5))),
        [3, 4]
    );
    assert_eq!(numbers(Start::Time(micros(60)), Until::Now), [0; 0]);
    assert_eq!(numbers(Start::Offsets(vec![(name, 4)]), Until::Now), [4, 5]);
    assert_eq!(numbers(Start::Group, Until::Now), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn rows_become_records_with_key_headers_and_time() {
    let topic = Topic::new("written", 4);
    let made = Topic::new("made", 1);
    made.produce(&[
        Record::new(r#"{"name":"a","n":1}"#)
            .key("k1")
            .timestamp_ms(1_704_067_200_123),
        Record::new(r#"{"name":"b"}"#).timestamp_ms(1_704_067_200_124),
    ]);
    let mut columns = columns();
    columns.push(from("key", LogicalType::Text, RecordField::Key));
    columns.push(from("at", LogicalType::Time, RecordField::Timestamp));
    let mut opened = open(&source(&made, columns), &[]);
    let chunk = loop {
        let chunk = opened.splits[0].1.read(2).expect("read");
        if chunk.rows.num_rows() > 0 {
            break chunk;
        }
    };
    let sink = SinkSpec::Kafka(Box::new(KafkaSinkSpec {
        client: client(),
        topic: TopicOf::Named(topic.name().to_owned()),
        key: Some("key".to_owned()),
        timestamp: Some("at".to_owned()),
        headers: vec![("n".to_owned(), "n".to_owned())],
        letters: None,
        omit: vec!["key".to_owned(), "at".to_owned()],
        guarantee: Guarantee::AtLeastOnce,
        buffer: 1 << 20,
        format: ValueFormat::Json,
    }));
    let rows = chunk.rows.num_rows();
    let sink = sink.open(chunk.rows.schema(), false).expect("a sink");
    let mut writer = sink.writer(0);
    let times = RowTimes {
        times: vec![0; rows].into(),
        stamps: vec![0; rows].into(),
        w: None,
    };
    let batch = Batch {
        columns: chunk.rows,
        times,
        changes: None,
        origin: None,
    };
    writer.write(&batch).expect("written");
    writer.finish().expect("all there");
    let mut records = topic.committed();
    records.sort_by_key(|record| record.timestamp_ms);
    let expected = [
        Record::new(r#"{"name":"a","n":1}"#)
            .key("k1")
            .timestamp_ms(1_704_067_200_123)
            .header("n", "1"),
        Record::new(r#"{"name":"b","n":null}"#).timestamp_ms(1_704_067_200_124),
    ];
    for (record, expected) in records.iter().zip(&expected) {
        assert_eq!(record.key, expected.key);
        assert_eq!(record.text(), expected.text());
        assert_eq!(record.timestamp_ms, expected.timestamp_ms);
    }
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].headers, expected[0].headers);
    assert_eq!(records[1].headers, [("n".to_owned(), None)]);
    // Java's murmur2 puts `k1` of four there.
    assert_eq!(records[0].partition, Some(murmur2_partition(b"k1", 4)));
}

/// As `org.apache.kafka.common.utils.Utils.murmur2` and `toPositive` have it.
fn murmur2_partition(key: &[u8], partitions: i32) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut h: u32 = 0x9747_b28c ^ key.len() as u32;
    let mut blocks = key.chunks_exact(4);
    for block in &mut blocks {
        let mut k = u32::from_le_bytes(block.try_into().expect("four bytes")).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = blocks.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * i);
        }
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^= h >> 15;
    (h & 0x7fff_ffff) as i32 % partitions
}

#[test]
fn what_cannot_be_is_said_before_anything_is_read() {
    let topic = Topic::named("localhost:1", "nowhere");
    let property = |name: &str, value: &str| {
        let mut spec = source(&topic, columns());
        spec.client.properties = Properties(vec![(name.to_owned(), value.to_owned())]);
        let spec = SourceSpec::Kafka(Box::new(spec));
        let wake: Wake = Arc::new(|| ());
        let error = resume_all(&spec, &[wake], &[]).err().expect("an error");
        error.to_string()
    };
    assert_eq!(
        property("group.id", "mine"),
        "kafka property `group.id` cannot be set: `group` says it"
    );
    let unknown = property("sasl.pasword", "hush");
    assert!(unknown.contains("`sasl.pasword`"), "{unknown}");
    assert!(!unknown.contains("hush"), "{unknown}");
    let refused = property("security.protocol", "hush");
    assert!(refused.contains("`security.protocol`"), "{refused}");
    assert!(!refused.contains("hush"), "{refused}");
}

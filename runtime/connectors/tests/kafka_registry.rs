//! Values in Kafka with their schemas in a real registry: evolution in, registering out.

#[path = "support/topics.rs"]
mod topics;

use std::net::TcpListener;
use std::sync::Arc;

use tidemill_connectors::format::SchemaSpec;
use tidemill_connectors::{
    ColumnSpec, FormatKind, FormatSpec, LogicalType, Registering, Registration, ValueFormat,
    WrittenSchema,
};
use tidemill_rows::arrow_array::{
    ArrayRef, BinaryArray, Int64Array, StringArray, TimestampMicrosecondArray,
};
use tidemill_rows::{RecordBatch, Schema};
use tidemill_test_kafka::{Record, Topic, registry};

use self::topics::{read, registry_at, sink, source, write};

const V1: &str = r#"{"type":"record","name":"R","fields":[{"name":"name","type":"string"}]}"#;

/// A field more, in front, with a default.
const V2: &str = r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long","default":5},{"name":"name","type":"string"}]}"#;

fn format(kind: FormatKind, columns: Vec<ColumnSpec>) -> FormatSpec {
    let mut format = FormatSpec::new(kind, columns);
    format.schema = SchemaSpec::Registry(registry_at(registry().url()));
    format
}

fn column(name: &str, ty: LogicalType) -> ColumnSpec {
    ColumnSpec::new(name, ty, true)
}

/// A value behind the number of its schema.
fn numbered(number: u32, value: &[u8]) -> Record {
    Record::new([&[0][..], &number.to_be_bytes(), value].concat())
}

fn rows(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let field = |(name, column): &(&str, ArrayRef)| {
        LogicalType::of(column.data_type()).field(*name, column.null_count() > 0)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let columns = columns.iter().map(|(_, column)| column.clone());
    RecordBatch::try_new(Arc::new(schema), columns.collect()).expect("rows")
}

fn registered(subject: &str, registering: Registering) -> WrittenSchema {
    WrittenSchema {
        path: None,
        message: None,
        registration: Some(Registration {
            registry: registry_at(registry().url()),
            subject: subject.to_owned(),
            registering,
        }),
    }
}

fn names(names: &[&str]) -> (&'static str, ArrayRef) {
    ("name", Arc::new(StringArray::from(names.to_vec())))
}

fn numbers(name: &'static str, numbers: &[Option<i64>]) -> (&'static str, ArrayRef) {
    (name, Arc::new(Int64Array::from(numbers.to_vec())))
}

#[test]
fn records_are_read_by_the_schemas_that_they_were_written_with() {
    let topic = Topic::new("evolving", 1);
    let subject = format!("{}-value", topic.name());
    registry().rule(&subject, "BACKWARD");
    let (v1, v2) = (
        registry().register(&subject, "AVRO", V1),
        registry().register(&subject, "AVRO", V2),
    );
    topic.produce(&[
        numbered(v1, &[2, b'a']),
        numbered(v2, &[14, 2, b'b']),
        // A newline in a text is a newline.
        numbered(v1, &[4, b'c', b'\n']),
        numbered(999_999, &[2, b'd']),
        numbered(v2, &[2, b'e']),
        Record::new(r#"{"name":"f"}"#),
        Record::tombstone("g"),
        numbered(v1, &[0xff; 10 << 10]),
        numbered(v1, &[2, b'h']),
    ]);
    let columns = vec![
        column("name", LogicalType::Text),
        column("n", LogicalType::Integer),
    ];
    let (rows, bad) = read(source(&topic, format(FormatKind::Avro, columns))).expect("it is read");
    let expected = [
        r#"{"name":"a","n":null}"#,
        r#"{"name":"b","n":7}"#,
        r#"{"name":"c\n","n":null}"#,
        r#"{"name":"h","n":null}"#,
    ];
    assert_eq!(rows, expected);
    // No such number; a value that ends before its second field; no number; no value; and what is no datum of its schema.
    let expected = ["3 schema", "4 syntax", "5 schema", "6 null", "7 syntax"];
    assert_eq!(bad, expected);
}

#[test]
fn a_registry_that_is_not_there_is_no_bad_row() {
    let topic = Topic::new("avro-alone", 1);
    topic.produce(&[numbered(1, &[2, b'a'])]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let mut format = format(FormatKind::Avro, vec![column("name", LogicalType::Text)]);
    format.schema = SchemaSpec::Registry(registry_at(url.clone()));
    let error = read(source(&topic, format)).expect_err("nobody answers");
    assert!(
        error.may_pass() && error.to_string().contains(&url),
        "{error}"
    );
}

#[test]
fn a_sink_registers_what_follows_from_its_columns_once() {
    let topic = Topic::new("registered", 1);
    let subject = format!("{}-value", topic.name());
    let of = |registering| sink(&topic, ValueFormat::Avro(registered(&subject, registering)));
    let said = write(of(Registering::Forbidden), rows(&[names(&["a"])]), None);
    let said = said.expect_err("no subject").to_string();
    assert!(
        said.contains("has no subject") && said.contains(&subject),
        "{said}"
    );
    let times = TimestampMicrosecondArray::from(vec![1, -1]).with_timezone("UTC");
    let two = rows(&[
        names(&["a", "b ü"]),
        numbers("n", &[Some(-1 << 40), None]),
        ("at", Arc::new(times)),
    ]);
    for registering in [
        Registering::Allowed,
        Registering::Allowed,
        Registering::Forbidden,
    ] {
        write(of(registering), two.clone(), None).expect("it is written");
    }
    assert_eq!(registry().versions(&subject), 1);
    let columns = vec![
        column("name", LogicalType::Text),
        column("n", LogicalType::Integer),
        column("at", LogicalType::Time),
    ];
    let (read, bad) = read(source(&topic, format(FormatKind::Avro, columns))).expect("it is read");
    let expected = [
        r#"{"name":"a","n":-1099511627776,"at":"1970-01-01T00:00:00.000001Z"}"#,
        r#"{"name":"b ü","n":null,"at":"1969-12-31T23:59:59.999999Z"}"#,
    ];
    assert_eq!(read, [expected, expected, expected].concat());
    assert_eq!(bad, [""; 0]);
}

#[test]
fn a_schema_that_may_not_follow_is_refused_before_the_first_row() {
    let topic = Topic::new("refused", 1);
    let subject = format!("{}-value", topic.name());
    registry().rule(&subject, "BACKWARD");
    let of = |registering| sink(&topic, ValueFormat::Avro(registered(&subject, registering)));
    let allowed = || of(Registering::Allowed);
    write(allowed(), rows(&[names(&["a"])]), None).expect("the first is taken");
    // A column more that may be null can be read where it is not there.
    let more = rows(&[names(&["b"]), numbers("n", &[None])]);
    write(allowed(), more, None).expect("the second may follow");
    let other = rows(&[numbers("name", &[Some(1)]), numbers("n", &[None])]);
    let error = write(allowed(), other.clone(), None).expect_err("it may not follow");
    let said = error.to_string();
    assert!(
        said.contains(&subject) && said.contains("not compatible with writer type: STRING"),
        "{said}"
    );
    assert!(error.hint().is_some() && !error.may_pass());
    // Where it may not be registered, it must fit the newest.
    let said = write(of(Registering::Forbidden), other, None).expect_err("it does not fit");
    let said = said.to_string();
    assert!(
        said.contains("newest of subject") && said.contains("`name` takes no integer"),
        "{said}"
    );
    assert_eq!(registry().versions(&subject), 2);
    assert_eq!(topic.committed().len(), 2);
}

const PROTO_V1: &str = r#"syntax = "proto3"; package shop;
message Note {} message Payment { string name = 1; optional int64 n = 2; message Part { string name = 1; } }"#;

/// A field more.
const PROTO_V2: &str = r#"syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
message Note {} message Payment { string name = 1; optional int64 n = 2; google.protobuf.Timestamp at = 3; message Part { string name = 1; } }"#;

#[test]
fn messages_are_read_by_the_schemas_that_they_were_written_with() {
    let topic = Topic::new("messages", 1);
    let subject = format!("{}-value", topic.name());
    let v1 = registry().register(&subject, "PROTOBUF", PROTO_V1);
    let v2 = registry().register(&subject, "PROTOBUF", PROTO_V2);
    let avro = registry().register("messages-other-value", "AVRO", V1);
    topic.produce(&[
        // The second message of the file; the first of that; one that there is not; none.
        numbered(v1, &[2, 2, 0x0a, 1, b'a']),
        numbered(v2, &[2, 2, 0x0a, 1, b'b', 0x10, 7, 0x1a, 2, 0x08, 1]),
        numbered(v1, &[4, 2, 0, 0x0a, 1, b'c']),
        numbered(v1, &[2, 18]),
        numbered(v1, &[]),
        numbered(999_999, &[0]),
        numbered(avro, &[0]),
        numbered(v2, &[2, 2, 0x0a, 9, b'd']),
        numbered(v2, &[2, 2]),
    ]);
    let columns = vec![
        column("name", LogicalType::Text),
        column("n", LogicalType::Integer),
        column("at", LogicalType::Time),
    ];
    let (rows, bad) =
        read(source(&topic, format(FormatKind::Protobuf, columns))).expect("it is read");
    let expected = [
        r#"{"name":"a","n":null,"at":null}"#,
        r#"{"name":"b","n":7,"at":"1970-01-01T00:00:01Z"}"#,
        r#"{"name":"c","n":null,"at":null}"#,
        r#"{"name":"","n":null,"at":null}"#,
    ];
    assert_eq!(rows, expected);
    let expected = ["3 schema", "4 schema", "5 schema", "6 schema", "7 syntax"];
    assert_eq!(bad, expected);
}

#[test]
fn a_sink_registers_the_file_of_its_message() {
    let topic = Topic::new("payments", 1);
    let subject = format!("{}-value", topic.name());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("payment.proto");
    std::fs::write(&path, PROTO_V2).expect("a file");
    let of = |registering, path| {
        let schema = WrittenSchema {
            path,
            message: Some("shop.Payment".to_owned()),
            ..registered(&subject, registering)
        };
        sink(&topic, ValueFormat::Protobuf(schema))
    };
    let times = TimestampMicrosecondArray::from(vec![1, -1]).with_timezone("UTC");
    let two = rows(&[
        names(&["a", ""]),
        numbers("n", &[Some(0), None]),
        ("at", Arc::new(times)),
    ]);
    for (registering, path) in [
        (Registering::Allowed, Some(&path)),
        (Registering::Forbidden, Some(&path)),
        (Registering::Forbidden, None),
    ] {
        write(of(registering, path.cloned()), two.clone(), None).expect("it is written");
    }
    assert_eq!(registry().versions(&subject), 1);
    let columns = vec![
        column("name", LogicalType::Text),
        column("n", LogicalType::Integer),
        column("at", LogicalType::Time),
    ];
    let (read, bad) =
        read(source(&topic, format(FormatKind::Protobuf, columns))).expect("it is read");
    let expected = [
        r#"{"name":"a","n":0,"at":"1970-01-01T00:00:00.000001Z"}"#,
        r#"{"name":"","n":null,"at":"1969-12-31T23:59:59.999999Z"}"#,
    ];
    assert_eq!(read, [expected, expected, expected].concat());
    assert_eq!(bad, [""; 0]);
    // A number of another type may not follow, and the registry says so.
    registry().rule(&subject, "BACKWARD");
    std::fs::write(
        &path,
        PROTO_V2.replace("string name = 1; optional", "bytes name = 1; optional"),
    )
    .expect("a file");
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"a"[..]]));
    let error = write(
        of(Registering::Allowed, Some(path)),
        rows(&[("name", bytes)]),
        None,
    );
    let said = error.expect_err("it may not follow").to_string();
    assert!(
        said.contains(&subject) && said.contains("does not take"),
        "{said}"
    );
}

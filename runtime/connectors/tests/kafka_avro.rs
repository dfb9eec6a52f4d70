//! Avro in Kafka, on a real broker, with schemas of a registry.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tidemill_connectors::format::SchemaSpec;
use tidemill_connectors::kafka::{
    ClientSpec, Isolation, NullValues, Properties, Start, Topics, Until,
};
use tidemill_connectors::registry::{Registry, RegistrySpec};
use tidemill_connectors::{
    ColumnSpec, ConnectorError, FormatKind, FormatSpec, KafkaSpec, LogicalType, SourceSpec, Then,
    Wake, resume_all,
};
use tidemill_test_kafka::{Record, Topic, broker};

/// Long enough for a broker on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The schemas 1 and 2: the second has a field more, in front.
const SCHEMAS: [&str; 2] = [
    r#"{"type":"record","name":"R","fields":[{"name":"name","type":"string"}]}"#,
    r#"{"type":"record","name":"R","fields":[{"name":"n","type":["null","long"]},{"name":"name","type":"string"}]}"#,
];

/// The address of a registry that has them.
fn registry() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            let line = lines.next().expect("a request").expect("text");
            let path = line.split(' ').nth(1).expect("a path");
            let number = path.strip_prefix("/schemas/ids/").expect("what is asked");
            let number: usize = number.parse().expect("a number");
            let _ = lines.map_while(Result::ok).find(String::is_empty);
            let (status, body) = match SCHEMAS.get(number - 1) {
                Some(schema) => (200, serde_json::json!({ "schema": schema }).to_string()),
                None => (404, r#"{"error_code":40403}"#.to_owned()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} It\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    format!("http://{address}")
}

fn source(topic: &Topic, url: String) -> SourceSpec {
    let columns = vec![
        ColumnSpec::new("name", LogicalType::Text, false),
        ColumnSpec::new("n", LogicalType::Integer, true),
    ];
    let mut format = FormatSpec::new(FormatKind::Avro, columns);
    format.schema = SchemaSpec::Registry(Registry::new(RegistrySpec {
        url,
        user: None,
        password: None,
    }));
    SourceSpec::Kafka(Box::new(KafkaSpec {
        client: ClientSpec {
            brokers: broker().to_owned(),
            properties: Properties::default(),
        },
        partition: None,
        topics: Topics::Named(vec![topic.name().to_owned()]),
        group: format!("group-{}", topic.name()),
        start: Start::Earliest,
        until: Some(Until::Now),
        isolation: Isolation::ReadCommitted,
        null_values: NullValues::Refuse,
        format,
    }))
}

/// Rows as JSON, and the codes of bad rows behind their offsets.
fn read(spec: &SourceSpec) -> Result<(Vec<String>, Vec<String>), ConnectorError> {
    let wake: Wake = Arc::new(|| ());
    let mut opened = resume_all(spec, &[wake], &[])?.swap_remove(0);
    let (_, split) = &mut opened.splits[0];
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "only {rows:?} and {bad:?}");
        let chunk = split.read(100)?;
        let of = |row| tidemill_rows::json::row(&chunk.rows, row);
        rows.extend((0..chunk.rows.num_rows()).map(of));
        bad.extend(
            chunk
                .bad
                .iter()
                .map(|bad| format!("{} {}", bad.position, bad.code)),
        );
        match chunk.then {
            Then::End => return Ok((rows, bad)),
            Then::Pending => thread::sleep(Duration::from_millis(5)),
            Then::More => {}
        }
    }
}

#[test]
fn records_are_read_by_the_schemas_that_they_were_written_with() {
    let topic = Topic::new("avro", 1);
    // Lengths and longs of Avro: 1 is 2, 5 is 10. A newline in a text is a newline.
    let many_bytes = [&[0, 0, 0, 0, 1][..], &[0xff; 10 << 10]].concat();
    topic.produce(&[
        Record::new(vec![0, 0, 0, 0, 1, 4, b'a', b'\n']),
        Record::new(vec![0, 0, 0, 0, 2, 2, 10, 2, b'b']),
        Record::new(vec![0, 0, 0, 0, 2, 0, 2, b'c']),
        Record::new(vec![0, 0, 0, 0, 9, 2, b'd']),
        Record::new(r#"{"name":"e"}"#),
        Record::tombstone("f"),
        Record::new(many_bytes),
        Record::new(vec![0, 0, 0, 0, 1, 2, b'g']),
    ]);
    let (rows, bad) = read(&source(&topic, registry())).expect("it is read");
    let expected = [
        r#"{"name":"a\n","n":null}"#,
        r#"{"name":"b","n":5}"#,
        r#"{"name":"c","n":null}"#,
        r#"{"name":"g","n":null}"#,
    ];
    assert_eq!(rows, expected);
    assert_eq!(bad, ["3 schema", "4 schema", "5 null", "6 syntax"]);
}

#[test]
fn a_registry_that_is_not_there_is_no_bad_row() {
    let topic = Topic::new("avro-alone", 1);
    topic.produce(&[Record::new(vec![0, 0, 0, 0, 1, 2, b'a'])]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = read(&source(&topic, url.clone())).expect_err("nobody answers");
    assert!(
        error.may_pass() && error.to_string().contains(&url),
        "{error}"
    );
}

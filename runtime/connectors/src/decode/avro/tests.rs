//! Bytes as Avro's specification has them, and what becomes of them.

use std::fs;
use std::sync::Arc;

use tidemill_rows::time_text::EpochUnit;
use tidemill_rows::{Schema, json};

use super::*;
use crate::LogicalType::{self, Bool, Bytes, Float, Integer, Text, Time};
use crate::columns::Columns;
use crate::format::{SchemaSpec, TimeFormat};

/// A number of variable length.
fn long(n: i64) -> Vec<u8> {
    let mut word = (n << 1 ^ n >> 63) as u64;
    let mut bytes = Vec::new();
    while word >= 0x80 {
        bytes.push(word as u8 | 0x80);
        word >>= 7;
    }
    bytes.push(word as u8);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&long(text.len() as i64)[..], text.as_bytes()].concat()
}

fn column(name: &str, ty: LogicalType) -> ColumnSpec {
    ColumnSpec::new(name, ty, true)
}

/// A decoder by this schema in a file.
fn decoder(schema: &str, columns: &[ColumnSpec]) -> Result<AvroDecoder, ConnectorError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.avsc");
    fs::write(&path, schema).expect("a file");
    AvroDecoder::new(
        columns,
        &SchemaSpec::File(FileSchema {
            path,
            message: None,
        }),
    )
}

/// The row as JSON, or why it is none.
fn decoded(schema: &str, columns: &[ColumnSpec], datum: &[u8]) -> Result<String, String> {
    let mut decoder = decoder(schema, columns).expect("a schema");
    let refused = |refusal: Refusal| format!("{}: {}", refusal.code, refusal.message);
    let row = decoder.decode(datum).map_err(refused)?;
    let fields = columns.iter().map(|c| c.ty.field(&c.name, c.nullable));
    let mut rows = Columns::new(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
    rows.push(row.slots, datum, row.scratch);
    let batch = rows.take().expect("a batch");
    Ok(json::row(&batch, 0))
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","namespace":"a.b","fields":[{fields}]}}"#)
}

#[test]
fn the_examples_of_the_specification_are_read() {
    let schema = record(r#"{"name":"a","type":"long"},{"name":"b","type":"string"}"#);
    let columns = [column("b", Text), column("a", Integer)];
    let row = decoded(&schema, &columns, &[0x36, 0x06, 0x66, 0x6f, 0x6f]);
    assert_eq!(row, Ok(r#"{"b":"foo","a":27}"#.to_owned()));
    // An array of longs, a union, a map, and what comes behind them.
    let schema = record(
        r#"{"name":"l","type":{"type":"array","items":"long"}},{"name":"u","type":["null","string"]},
           {"name":"m","type":{"type":"map","values":"long"}},{"name":"z","type":"int"}"#,
    );
    let datum: [&[u8]; 4] = [
        &[0x04, 0x06, 0x36, 0x00],
        &[0x02, 0x02, 0x61],
        &[0x01, 0x06, 0x02, 0x61, 0x02, 0x00],
        &[0x01],
    ];
    let columns = [column("z", Integer), column("u", Text)];
    let row = decoded(&schema, &columns, &datum.concat());
    assert_eq!(row, Ok(r#"{"z":-1,"u":"a"}"#.to_owned()));
}

#[test]
fn every_type_finds_its_column() {
    let epoch = TimeFormat::Epoch(EpochUnit::Seconds);
    let uuid = r#"{"type":"string","logicalType":"uuid"}"#;
    let cases: [(&str, ColumnSpec, Vec<u8>, &str); 16] = [
        (r#""boolean""#, column("c", Bool), vec![1], "true"),
        (r#""int""#, column("c", Integer), long(-5), "-5"),
        (
            r#""long""#,
            column("c", Integer),
            long(i64::MIN),
            "-9223372036854775808",
        ),
        (r#""long""#, column("c", Float), long(3), "3.0"),
        (
            r#""float""#,
            column("c", Float),
            0.5_f32.to_le_bytes().to_vec(),
            "0.5",
        ),
        (
            r#""double""#,
            column("c", Float),
            0.1_f64.to_le_bytes().to_vec(),
            "0.1",
        ),
        (r#""string""#, column("c", Text), text("ebb"), r#""ebb""#),
        (uuid, column("c", Text), text("6f"), r#""6f""#),
        (r#""bytes""#, column("c", Bytes), text("ab"), r#""YWI=""#),
        (
            r#"{"type":"fixed","name":"F","size":2}"#,
            column("c", Bytes),
            b"ab".to_vec(),
            r#""YWI=""#,
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["X","Y"]}"#,
            column("c", Text),
            long(1),
            r#""Y""#,
        ),
        (
            r#"{"type":"int","logicalType":"date"}"#,
            column("c", Time),
            long(1),
            r#""1970-01-02T00:00:00Z""#,
        ),
        (
            r#"{"type":"long","logicalType":"timestamp-millis"}"#,
            column("c", Time),
            long(1500),
            r#""1970-01-01T00:00:01.5Z""#,
        ),
        (
            r#"{"type":"long","logicalType":"timestamp-nanos"}"#,
            column("c", Time),
            long(-1),
            r#""1969-12-31T23:59:59.999999Z""#,
        ),
        (
            r#""long""#,
            column("c", Time).written(epoch),
            long(2),
            r#""1970-01-01T00:00:02Z""#,
        ),
        (
            r#""string""#,
            column("c", Time),
            text("2013-01-01T10:15:00Z"),
            r#""2013-01-01T10:15:00Z""#,
        ),
    ];
    for (ty, column, datum, shown) in cases {
        let schema = record(&format!(r#"{{"name":"c","type":{ty}}}"#));
        let row = decoded(&schema, std::slice::from_ref(&column), &datum);
        assert_eq!(row, Ok(format!(r#"{{"c":{shown}}}"#)), "{ty}");
        let nullable = record(&format!(r#"{{"name":"c","type":["null",{ty}]}}"#));
        let row = decoded(&nullable, &[column], &long(0));
        assert_eq!(row, Ok(r#"{"c":null}"#.to_owned()), "{ty}");
    }
}

#[test]
fn paths_lead_through_records_and_names() {
    // A person, whose friend is a person.
    let schema = r#"{"type":"record","name":"Person","namespace":"x","fields":[
        {"name":"name","type":"string"},
        {"name":"home","type":{"type":"record","name":"Place","fields":[{"name":"city","type":"string"}]}},
        {"name":"friend","type":["null","Person"]},
        {"name":"work","type":"x.Place"}]}"#;
    let columns = [
        column("own", Text).at("home.city"),
        column("friends", Text).at("friend.home.city"),
        column("works", Text).at("work.city"),
    ];
    let alone = [text("A"), text("Oslo"), long(0), text("Rome")].concat();
    let row = decoded(schema, &columns, &alone);
    assert_eq!(
        row,
        Ok(r#"{"own":"Oslo","friends":null,"works":"Rome"}"#.to_owned())
    );
    let both = [text("B"), text("Bern"), long(1), alone, text("Kyiv")].concat();
    let row = decoded(schema, &columns, &both);
    assert_eq!(
        row,
        Ok(r#"{"own":"Bern","friends":"Oslo","works":"Kyiv"}"#.to_owned())
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let one = |ty: &str| record(&format!(r#"{{"name":"c","type":{ty}}}"#));
    let required = |ty| ColumnSpec::new("c", ty, false);
    let cases: [(String, ColumnSpec, Vec<u8>, &str); 12] = [
        (one(r#""string""#), column("c", Integer), text("5"), "type"),
        (
            one(r#""double""#),
            column("c", Integer),
            5_f64.to_le_bytes().to_vec(),
            "type",
        ),
        (
            one(r#"{"type":"array","items":"int"}"#),
            column("c", Integer),
            long(0),
            "type",
        ),
        (
            one(r#""int""#),
            column("c", Integer).at("c.d"),
            long(0),
            "not-an-object",
        ),
        (one(r#"["null","int"]"#), required(Integer), long(0), "null"),
        (
            one(r#"["null","int"]"#),
            column("c", Integer),
            long(2),
            "syntax",
        ),
        (
            record(r#"{"name":"d","type":"int"}"#),
            required(Integer),
            long(0),
            "missing",
        ),
        (
            one(r#""int""#),
            column("c", Integer),
            [long(0), long(0)].concat(),
            "syntax",
        ),
        (
            one(r#""string""#),
            column("c", Text),
            vec![4, b'a'],
            "syntax",
        ),
        (
            one(r#""string""#),
            column("c", Text),
            vec![2, 0xff],
            "utf-8",
        ),
        (one(r#""boolean""#), column("c", Bool), vec![2], "syntax"),
        (
            one(r#"{"type":"long","logicalType":"timestamp-millis"}"#),
            column("c", Time),
            long(i64::MAX),
            "range",
        ),
    ];
    for (schema, column, datum, code) in cases {
        let refused = decoded(&schema, &[column], &datum).expect_err(&schema);
        assert!(
            refused.starts_with(&format!("{code}: ")),
            "{schema}: {refused}"
        );
    }
}

#[test]
fn no_value_is_larger_than_its_bytes() {
    let schema = record(r#"{"name":"l","type":{"type":"array","items":"null"}}"#);
    let huge = [long(i64::MAX), long(0)].concat();
    assert!(decoded(&schema, &[column("c", Integer)], &huge).is_err());
    let endless = r#"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}"#;
    let deep = [vec![2; 10_000], vec![0]].concat();
    let refused = decoded(endless, &[column("c", Integer)], &deep).expect_err("too deep");
    assert!(refused.starts_with("depth"), "{refused}");
    let cut = [text("A"), text("Oslo")].concat();
    let schema = record(r#"{"name":"a","type":"string"},{"name":"b","type":"string"}"#);
    for length in 0..cut.len() {
        let refused = decoded(&schema, &[column("b", Text)], &cut[..length]);
        assert!(refused.is_err(), "{length}");
    }
}

#[test]
fn what_is_no_schema_is_said() {
    let cases = [
        ("{", "it is no JSON"),
        (r#""int""#, "expected a record"),
        (r#"{"type":"record","name":"R"}"#, "no `fields`"),
        (
            &record(r#"{"name":"c","type":"Nowhere"}"#),
            "it has no type a.b.Nowhere",
        ),
        (
            &record(r#"{"name":"c","type":{"type":"record","name":"R","fields":[]}}"#),
            "it defines a.b.R twice",
        ),
    ];
    for (schema, why) in cases {
        let said = match decoder(schema, &[column("c", Integer)]) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(
            said.contains(why) && said.contains("schema.avsc"),
            "{schema}: {said}"
        );
    }
}

//! What is written is read back by the decoder, which is held to the specification.

use std::fs;
use std::sync::Arc;

use tidemill_rows::arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use tidemill_rows::json;

use super::*;
use crate::columns::Columns;
use crate::decode::Decoder;
use crate::format::{FileSchema, FormatKind, FormatSpec, SchemaSpec};

/// 2013-01-01T10:15:00.000001Z
const MOMENT: i64 = 1_357_035_300_000_001;

/// Two rows: the second has null wherever it may.
fn rows() -> RecordBatch {
    let columns: [(&str, bool, ArrayRef); 7] = [
        ("b", false, Arc::new(BooleanArray::from(vec![true, false]))),
        (
            "i",
            true,
            Arc::new(Int64Array::from(vec![Some(-300), None])),
        ),
        (
            "f",
            false,
            Arc::new(Float64Array::from(vec![0.1, -2.5e300])),
        ),
        (
            "s",
            true,
            Arc::new(StringArray::from(vec![Some("ebb ü"), None])),
        ),
        (
            "y",
            false,
            Arc::new(BinaryArray::from(vec![&b"ab"[..], b"cd"])),
        ),
        ("t", true, Arc::new(times(&[Some(MOMENT), None]))),
        (
            "o",
            false,
            Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX])),
        ),
    ];
    batch(&columns)
}

fn times(times: &[Option<i64>]) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC")
}

fn batch(columns: &[(&str, bool, ArrayRef)]) -> RecordBatch {
    let fields = columns.iter().map(|(name, nullable, column)| {
        LogicalType::of(column.data_type()).field(*name, *nullable)
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let columns = columns.iter().map(|(_, _, column)| column.clone());
    RecordBatch::try_new(Arc::new(schema), columns.collect()).expect("a batch")
}

fn written(text: &str) -> Written {
    Written {
        text: text.to_owned(),
        head: vec![0, 0, 0, 0, 7],
        ..Written::default()
    }
}

/// The data of rows by a schema.
fn data(rows: &RecordBatch, schema: &str) -> Result<Vec<Vec<u8>>, String> {
    let writer = AvroWriter::new(rows.schema_ref(), &written(schema))?;
    let of = writer.of(rows);
    let datum = |row: usize| {
        let mut out = Vec::new();
        of.write(row, &mut out).map_err(|error| error.to_string())?;
        assert_eq!(out[..5], [0, 0, 0, 0, 7]);
        Ok(out.split_off(5))
    };
    (0..rows.num_rows()).map(datum).collect()
}

/// What a decoder makes of data of a schema, as JSON.
fn read(rows: &RecordBatch, schema: &str, data: &[Vec<u8>]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.avsc");
    fs::write(&path, schema).expect("a file");
    let column = |field: &Arc<tidemill_rows::Field>| {
        let ty = LogicalType::of(field.data_type());
        ColumnSpec::new(field.name(), ty, field.is_nullable())
    };
    let columns = rows.schema_ref().fields().iter().map(column).collect();
    let mut format = FormatSpec::new(FormatKind::Avro, columns);
    format.schema = SchemaSpec::File(FileSchema {
        path,
        message: None,
    });
    let mut decoder = Decoder::new(&format).expect("a decoder");
    let mut columns = Columns::new(rows.schema());
    for datum in data {
        let decoded = decoder.decode(datum).expect("a datum");
        columns.push(decoded.slots, datum, decoded.scratch);
    }
    let rows = columns.take().expect("rows");
    (0..rows.num_rows())
        .map(|row| json::row(&rows, row))
        .collect()
}

fn shown(rows: &RecordBatch) -> Vec<String> {
    (0..rows.num_rows())
        .map(|row| json::row(rows, row))
        .collect()
}

#[test]
fn what_follows_from_columns_is_read_back_whole() {
    let rows = rows();
    let schema = derived(rows.schema_ref(), "alerts-2.eu").expect("a schema");
    let expected = r#"{"type":"record","name":"alerts_2_eu","fields":[{"name":"b","type":"boolean"},{"name":"i","type":["null","long"],"default":null},"#;
    assert!(schema.starts_with(expected), "{schema}");
    let micros = r#"{"name":"t","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null}"#;
    assert!(schema.contains(micros), "{schema}");
    let data = data(&rows, &schema).expect("data");
    assert_eq!(read(&rows, &schema, &data), shown(&rows));
    // By hand: true, the second of the union, -300, a double, the second, a text.
    assert_eq!(data[0][..4], [1, 2, 0xd7, 0x04]);
    assert_eq!(data[0][12..20], [2, 12, b'e', b'b', b'b', b' ', 0xc3, 0xbc]);
    assert_eq!(data[1][..2], [0, 0]);
}

#[test]
fn a_schema_of_its_own_may_have_another_order_and_more() {
    let rows = batch(&[
        ("n", false, Arc::new(Int64Array::from(vec![5]))),
        ("kind", true, Arc::new(StringArray::from(vec![Some("B")]))),
        ("id", false, Arc::new(BinaryArray::from(vec![&b"ab"[..]]))),
        ("day", false, Arc::new(times(&[Some(MOMENT)]))),
        ("ms", false, Arc::new(times(&[Some(-1)]))),
        ("text", true, Arc::new(times(&[Some(MOMENT)]))),
    ]);
    let schema = r#"{"type":"record","name":"R","namespace":"x","fields":[
        {"name":"kind","type":[{"type":"enum","name":"E","symbols":["A","B"]},"null"]},
        {"name":"more","type":["string","null"]},
        {"name":"n","type":"int"},
        {"name":"id","type":{"type":"fixed","name":"F","size":2}},
        {"name":"nothing","type":"null"},
        {"name":"day","type":{"type":"int","logicalType":"date"}},
        {"name":"ms","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"text","type":["null","string"]}]}"#;
    let data = data(&rows, schema).expect("data");
    assert_eq!(data[0][..6], [0, 2, 2, 10, b'a', b'b']);
    let expected = r#"{"n":5,"kind":"B","id":"YWI=","day":"2013-01-01T00:00:00Z","ms":"1969-12-31T23:59:59.999Z","text":"2013-01-01T10:15:00.000001Z"}"#;
    assert_eq!(read(&rows, schema, &data), [expected]);
}

#[test]
fn what_does_not_fit_is_said() {
    let n: ArrayRef = Arc::new(Int64Array::from(vec![1 << 40]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["Z"]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"abc"[..]]));
    let far: ArrayRef = Arc::new(times(&[Some(253_402_300_799_999_999)]));
    let enumeration = r#"{"type":"enum","name":"E","symbols":["A"]}"#;
    let fixed = r#"{"type":"fixed","name":"F","size":2}"#;
    let nanos = r#"{"type":"long","logicalType":"timestamp-nanos"}"#;
    // Before a row: how columns and fields do not fit.
    let of_schemas: [(&ArrayRef, bool, &str, &str); 5] = [
        (&n, false, r#""string""#, "takes no integer"),
        (&n, false, r#""double""#, "expected long or int"),
        (&n, true, r#""long""#, "may not be null, and the column may"),
        (
            &text,
            false,
            r#"{"type":"array","items":"string"}"#,
            "takes no text",
        ),
        (&text, false, r#""Nowhere""#, "it has no type Nowhere"),
    ];
    let of_rows: [(&ArrayRef, bool, &str, &str); 4] = [
        (&n, false, r#""int""#, "expects an int, found 1099511627776"),
        (
            &text,
            true,
            &format!(r#"["null",{enumeration}]"#),
            "enum's symbols",
        ),
        (&bytes, false, fixed, "expects 2 bytes, found 3 bytes"),
        (&far, false, nanos, "nanoseconds"),
    ];
    for (column, nullable, ty, why) in of_schemas.iter().chain(&of_rows) {
        let rows = batch(&[("c", *nullable, (*column).clone())]);
        let schema =
            format!(r#"{{"type":"record","name":"R","fields":[{{"name":"c","type":{ty}}}]}}"#);
        let said = data(&rows, &schema).expect_err(ty);
        assert!(said.contains(why), "{ty}: {said}");
    }
    let rows = batch(&[("c", false, n.clone())]);
    let other = r#"{"type":"record","name":"R","fields":[{"name":"d","type":["null","int"]}]}"#;
    let said = data(&rows, other).expect_err("no field");
    assert!(said.contains("no field `c`"), "{said}");
    let more = r#"{"type":"record","name":"R","fields":[{"name":"c","type":"long"},{"name":"d","type":"int"}]}"#;
    let said = data(&rows, more).expect_err("no column");
    assert!(said.contains("have no column `d`"), "{said}");
    let rows = batch(&[("a-b", false, n)]);
    let said = derived(rows.schema_ref(), "r").expect_err("no name");
    assert!(said.contains("`a-b`"), "{said}");
}

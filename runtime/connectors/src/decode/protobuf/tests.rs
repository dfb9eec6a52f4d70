//! Messages that Google's own library wrote (for Python, 2026), and what becomes of them.

use std::fs;
use std::sync::Arc;

use tidemill_rows::time_text::EpochUnit;
use tidemill_rows::{Schema, json};

use super::*;
use crate::LogicalType::{self, Bool, Bytes, Float, Integer, Text, Time};
use crate::columns::Columns;
use crate::format::{SchemaSpec, TimeFormat};

const SCHEMA: &str = r#"
syntax = "proto3";
package t;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Kind { ZERO = 0; ONE = 1; LESS = -1; }
message Inner { string city = 1; int32 n = 2; }
message Row {
  bool b = 1; int32 i32 = 2; int64 i64 = 3; uint32 u32 = 4; uint64 u64 = 5; sint32 s32 = 6; sint64 s64 = 7;
  fixed32 f32 = 8; fixed64 f64 = 9; sfixed32 sf32 = 10; sfixed64 sf64 = 11; float f = 12; double d = 13;
  string s = 14; bytes y = 15; Kind kind = 16; optional int64 told = 17; google.protobuf.Timestamp at = 18;
  google.protobuf.Int64Value wrapped = 19; Inner inner = 20; repeated int32 list = 21; map<string, int32> m = 22;
  oneof o { string left = 23; Inner right = 24; }
}
"#;

/// Everything set; `u64` is 5.
const FULL: &str = "080110fbffffffffffffffff01188080808080808080800120ffffffff0f2805300538808080808040450700000049080000000000000055f7ffffff59f6ffffffffffffff650000003f699a9999999999b93f720665626220c3bc7a0261628001ffffffffffffffffff0188010092011108ffffffffffffffffff0110988cebdc039a0100a201060a044f736c6faa01040102ac02b201050a01611001c201021003";

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).expect("text"), 16);
    digits.map(|two| byte(two).expect("digits")).collect()
}

fn column(name: &str, ty: LogicalType) -> ColumnSpec {
    ColumnSpec::new(name, ty, true)
}

fn decoder(schema: &str, columns: &[ColumnSpec]) -> Result<ProtobufDecoder, ConnectorError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.proto");
    fs::write(&path, schema).expect("a file");
    let message = Some("t.Row".to_owned());
    ProtobufDecoder::new(columns, &SchemaSpec::File(FileSchema { path, message }))
}

/// The row as JSON, or why it is none.
fn decoded(schema: &str, columns: &[ColumnSpec], message: &[u8]) -> Result<String, String> {
    let mut decoder = decoder(schema, columns).expect("a schema");
    let refused = |refusal: Refusal| format!("{}: {}", refusal.code, refusal.message);
    let row = decoder.decode(message).map_err(refused)?;
    let fields = columns.iter().map(|c| c.ty.field(&c.name, c.nullable));
    let mut rows = Columns::new(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
    rows.push(row.slots, message, row.scratch);
    let batch = rows.take().expect("a batch");
    Ok(json::row(&batch, 0))
}

/// What one column holds of a message of [`SCHEMA`].
fn one(column: ColumnSpec, message: &[u8]) -> Result<String, String> {
    decoded(SCHEMA, std::slice::from_ref(&column), message).map(|row| {
        let head = format!("{{\"{}\":", column.name);
        row[head.len()..row.len() - 1].to_owned()
    })
}

#[test]
fn every_type_finds_its_column_set_or_not() {
    let epoch = TimeFormat::Epoch(EpochUnit::Seconds);
    // A column, what it holds of everything, and of nothing.
    let cases: [(ColumnSpec, &str, &str); 26] = [
        (column("b", Bool), "true", "false"),
        (column("i32", Integer), "-5", "0"),
        (column("i64", Integer), "-9223372036854775808", "0"),
        (column("u32", Integer), "4294967295", "0"),
        (column("u64", Integer), "5", "0"),
        (column("s32", Integer), "-3", "0"),
        (column("s64", Integer), "1099511627776", "0"),
        (column("f32", Integer), "7", "0"),
        (column("f64", Integer), "8", "0"),
        (column("sf32", Integer), "-9", "0"),
        (column("sf64", Integer), "-10", "0"),
        (column("sf64", Float), "-10.0", "0.0"),
        (column("f", Float), "0.5", "0.0"),
        (column("d", Float), "0.1", "0.0"),
        (column("s", Text), r#""ebb ü""#, r#""""#),
        (column("y", Bytes), r#""YWI=""#, r#""""#),
        (column("kind", Text), r#""LESS""#, r#""ZERO""#),
        (column("kind", Integer), "-1", "0"),
        (column("told", Integer), "0", "null"),
        (
            column("at", Time),
            r#""1969-12-31T23:59:59.999999Z""#,
            "null",
        ),
        (column("secs", Integer).at("at.seconds"), "-1", "null"),
        (column("wrapped", Integer), "0", "null"),
        (column("city", Text).at("inner.city"), r#""Oslo""#, "null"),
        (column("n", Integer).at("inner.n"), "0", "null"),
        (column("left", Text), "null", "null"),
        (
            column("sf32", Time).written(epoch),
            r#""1969-12-31T23:59:51Z""#,
            r#""1970-01-01T00:00:00Z""#,
        ),
    ];
    let full = hex(FULL);
    for (column, set, unset) in cases {
        assert_eq!(one(column.clone(), &full), Ok(set.to_owned()), "{column:?}");
        assert_eq!(one(column.clone(), &[]), Ok(unset.to_owned()), "{column:?}");
    }
    let several = [
        column("n", Integer).at("right.n"),
        column("gone", Text),
        column("s", Text),
        column("b", Bool),
    ];
    let row = decoded(SCHEMA, &several, &full);
    assert_eq!(
        row,
        Ok(r#"{"n":3,"gone":null,"s":"ebb ü","b":true}"#.to_owned())
    );
}

#[test]
fn what_stands_twice_counts_as_protobuf_has_it() {
    // The last of a field; messages are merged; the last of a oneof takes the other back.
    assert_eq!(
        one(column("i64", Integer), &[0x18, 1, 0x18, 2]),
        Ok("2".into())
    );
    let inner = [&[0xa2, 1, 2, 0x10, 7][..], &[0xa2, 1, 3, 0x0a, 1, b'X']].concat();
    let both = [
        column("n", Integer).at("inner.n"),
        column("city", Text).at("inner.city"),
    ];
    let row = decoded(SCHEMA, &both, &inner);
    assert_eq!(row, Ok(r#"{"n":7,"city":"X"}"#.to_owned()));
    let (left, right) = ([0xba, 1, 1, b'L'], [0xc2, 1, 2, 0x10, 3]);
    let both = [column("left", Text), column("n", Integer).at("right.n")];
    for (message, row) in [
        ([&left[..], &right].concat(), r#"{"left":null,"n":3}"#),
        ([&right[..], &left].concat(), r#"{"left":"L","n":null}"#),
    ] {
        assert_eq!(decoded(SCHEMA, &both, &message), Ok(row.to_owned()));
        // Also where the other one is no column.
        let alone = [both[1].clone()];
        let n = if row.contains('3') { "3" } else { "null" };
        assert_eq!(
            decoded(SCHEMA, &alone, &message),
            Ok(format!("{{\"n\":{n}}}"))
        );
    }
}

#[test]
fn fields_that_are_not_known_are_passed_over_however_they_are_written() {
    // Of number 30: a number, eight bytes, counted bytes, a group with a group in it, four bytes. Then i64.
    let unknown: [&[u8]; 6] = [
        &[0xf0, 1, 0x80, 1],
        &[0xf1, 1, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xf2, 1, 2, 9, 9],
        &[0xf3, 1, 0x08, 1, 0x13, 0x08, 2, 0x14, 0xf4, 1],
        &[0xf5, 1, 1, 2, 3, 4],
        &[0x18, 6],
    ];
    assert_eq!(
        one(column("i64", Integer), &unknown.concat()),
        Ok("6".into())
    );
    // A group is a message where the schema has one.
    let groups = r#"package t; message Row { optional group Place = 20 { optional string city = 1; } optional int32 z = 2; }"#;
    let message = [0xa3, 1, 0x0a, 1, b'X', 0x30, 1, 0xa4, 1, 0x10, 9];
    let columns = [column("city", Text).at("place.city"), column("z", Integer)];
    let row = decoded(groups, &columns, &message);
    assert_eq!(row, Ok(r#"{"city":"X","z":9}"#.to_owned()));
}

#[test]
fn what_does_not_fit_is_refused() {
    let required = |name: &str, ty| ColumnSpec::new(name, ty, false);
    let huge = [0x28, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    let deep = [0xf3, 1].repeat(1000);
    let cases: [(ColumnSpec, &[u8], &str); 19] = [
        (column("s", Integer), &[0x72, 1, b'5'], "type"),
        (column("f", Integer), &[0x65, 0, 0, 0, 0], "type"),
        (column("list", Integer), &[0xa8, 1, 1], "type"),
        (column("m", Text), &[0xb2, 1, 0], "type"),
        (column("inner", Text), &[0xa2, 1, 0], "type"),
        (
            column("x", Integer).at("i64.x"),
            &[0x18, 1],
            "not-an-object",
        ),
        (column("u64", Integer), &huge, "range"),
        (column("kind", Text), &[0x80, 1, 7], "type"),
        (required("told", Integer), &[], "missing"),
        (required("gone", Integer), &[], "missing"),
        (required("n", Integer).at("inner.n"), &[], "missing"),
        (column("s", Text), &[0x72, 1, 0xff], "utf-8"),
        (column("s", Text), &[0x72, 5, b'a'], "syntax"),
        (column("s", Text), &[0x70, 1], "syntax"),
        (column("i64", Integer), b"{\"i64\":1}", "syntax"),
        (column("i64", Integer), &[0x18], "syntax"),
        (column("i64", Integer), &[0xf4, 1], "syntax"),
        (column("i64", Integer), &[0x02, 0], "syntax"),
        (column("i64", Integer), &deep, "depth"),
    ];
    for (column, message, code) in cases {
        let refused = decoded(SCHEMA, std::slice::from_ref(&column), message).expect_err(code);
        assert!(
            refused.starts_with(&format!("{code}: ")),
            "{column:?}: {refused}"
        );
    }
    // A message that is cut off anywhere is read or refused, and takes no harm.
    let full = hex(FULL);
    let columns = [column("at", Time), column("n", Integer).at("right.n")];
    let read = (0..full.len()).filter(|&end| decoded(SCHEMA, &columns, &full[..end]).is_ok());
    // It has 23 fields.
    assert_eq!(read.count(), 23, "between fields alone");
}

#[test]
fn any_byte_may_be_another() {
    let columns = [
        column("s", Text),
        column("kind", Text),
        column("at", Time),
        column("wrapped", Integer),
        column("city", Text).at("inner.city"),
        column("n", Integer).at("right.n"),
    ];
    let mut decoder = decoder(SCHEMA, &columns).expect("a schema");
    let full = hex(FULL);
    let mut read = 0;
    for at in 0..full.len() {
        for byte in 0..=255 {
            let mut message = full.clone();
            message[at] = byte;
            read += u32::from(decoder.decode(&message).is_ok());
        }
    }
    assert!(read > 1000, "{read} of {}", full.len() * 256);
}

#[test]
fn what_is_no_schema_is_said() {
    let cases = [
        ("message Row {}", "no message t.Row; it has Row"),
        (
            "package t; message Row { Gone g = 1; }",
            "it has no type Gone",
        ),
        ("package t; message Row { int32 g }", "expected `=`"),
    ];
    for (schema, why) in cases {
        let said = match decoder(schema, &[column("g", Integer)]) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(
            said.contains(why) && said.contains("schema.proto"),
            "{said}"
        );
    }
    // What no column is of may be of a type that nobody knows.
    decoder(
        "package t; message Row { Gone g = 1; }",
        &[column("h", Integer)],
    )
    .expect("a plan");
}

#[test]
fn a_value_says_which_message_it_is() {
    /// Which message, and how many bytes say so.
    type Place = Option<(&'static [usize], usize)>;
    let cases: [(&[u8], Place); 7] = [
        (&[0, 9], Some((&[0], 1))),
        (&[2, 2, 9], Some((&[1], 2))),
        (&[4, 0, 6], Some((&[0, 3], 3))),
        (&[2, 0x80, 2], Some((&[128], 3))),
        (&[], None),
        (&[2], None),
        (&[1, 0], None),
    ];
    for (bytes, place) in cases {
        let expected = place.map(|(place, length)| (place.to_vec(), length));
        assert_eq!(place_at(bytes), expected, "{bytes:?}");
        let length = place.map(|(_, length)| length);
        let split = <Plan as planned::Plan>::split_place(bytes).ok();
        let split = split.map(|(place, _)| place.len());
        assert_eq!(split, length, "{bytes:?}");
    }
}

//! Against what Google's own library writes (for Python, 2026), and read back.

use std::sync::Arc;

use tidemill_rows::arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};

use super::*;

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
  oneof o { string left = 23; string right = 24; }
}
message Other { message Within { optional string s = 1; } }
"#;

fn integers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn times(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

/// Columns that may be null where one is.
fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let field = |(name, column): &(&str, ArrayRef)| {
        LogicalType::of(column.data_type()).field(*name, column.null_count() > 0)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let columns = columns.iter().map(|(_, column)| column.clone());
    RecordBatch::try_new(Arc::new(schema), columns.collect()).expect("a batch")
}

/// The messages of rows as hexadecimal digits.
fn messages(rows: &RecordBatch, name: &str, head: &[u8]) -> Result<Vec<String>, String> {
    let types = Types::new(SCHEMA, &|_| None).expect("a schema");
    let written = Written {
        head: head.to_vec(),
        ..Written::default()
    };
    let writer = ProtobufWriter::new(rows.schema_ref(), (&types, name), &written)?;
    let of = writer.of(rows);
    let message = |row: usize| {
        let mut out = Vec::new();
        of.write(row, &mut out).map_err(|error| error.to_string())?;
        Ok(out.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    (0..rows.num_rows()).map(message).collect()
}

#[test]
fn rows_are_written_as_others_write_them() {
    let rows = batch(&[
        ("at", times(&[Some(1_357_035_300_000_001), Some(0), None])),
        ("wrapped", integers(&[Some(-1), Some(0), None])),
        ("told", integers(&[Some(0), None, None])),
        ("kind", texts(&["ONE", "ZERO", "ZERO"])),
        ("s", texts(&["ebb", "", ""])),
        ("i64", Arc::new(Int64Array::from(vec![300, 0, 0]))),
        ("d", Arc::new(Float64Array::from(vec![0.0, 0.0, 0.0]))),
    ]);
    let expected = [
        "18ac02720365626280010188010092010908a4ee8a870510e8079a010b08ffffffffffffffffff01",
        "9201009a0100",
        "",
    ];
    assert_eq!(messages(&rows, "t.Row", &[]).expect("messages"), expected);
    // All that is set there, but for what no column is, in the order of its fields.
    let one = |n: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![n])) };
    let rows = batch(&[
        ("b", Arc::new(BooleanArray::from(vec![true]))),
        ("i32", one(-5)),
        ("i64", one(i64::MIN)),
        ("u32", one((1 << 32) - 1)),
        ("u64", one(5)),
        ("s32", one(-3)),
        ("s64", one(1 << 40)),
        ("f32", one(7)),
        ("f64", one(8)),
        ("sf32", one(-9)),
        ("sf64", one(-10)),
        ("d", Arc::new(Float64Array::from(vec![0.1]))),
        ("s", texts(&["ebb ü"])),
        ("y", Arc::new(BinaryArray::from(vec![&b"ab"[..]]))),
        ("kind", texts(&["LESS"])),
        ("told", one(0)),
        ("at", times(&[Some(-1)])),
        ("wrapped", one(0)),
    ]);
    let expected = "080110fbffffffffffffffff01188080808080808080800120ffffffff0f2805300538808080808040450700000049080000000000000055f7ffffff59f6ffffffffffffff699a9999999999b93f720665626220c3bc7a0261628001ffffffffffffffffff0188010092011108ffffffffffffffffff0110988cebdc039a0100";
    assert_eq!(messages(&rows, "t.Row", &[]).expect("messages"), [expected]);
}

#[test]
fn which_message_it_is_stands_behind_the_number() {
    let rows = batch(&[("s", texts(&["a"]))]);
    let head = [0, 0, 0, 0, 7];
    let of = |name| messages(&rows, name, &head).expect("messages").concat();
    // The second; and of the third, its first: how many numbers, then those, each twice what it is.
    assert_eq!(of("t.Row"), "00000000070202720161");
    assert_eq!(of("t.Other.Within"), "00000000070404000a0161");
    assert_eq!(
        messages(&batch(&[("city", texts(&["b"]))]), "t.Inner", &head),
        Ok(vec!["0000000007000a0162".to_owned()])
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let one = |n: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![n])) };
    let null = || integers(&[None]);
    let big: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let cases: [(&str, ArrayRef, &str); 15] = [
        ("gone", one(1), "message t.Row has no field `gone`"),
        (
            "s",
            one(1),
            "takes no integer, which the column is: expected an integer",
        ),
        ("f", big, "expected double"),
        ("list", one(1), "is a list or a map"),
        ("m", one(1), "is a list or a map"),
        ("inner", one(1), "is a message"),
        ("i64", null(), "make the field `optional`"),
        ("at", one(1), "takes no integer"),
        (
            "kind",
            texts(&["TWO"]),
            "expects one of the enum's names, found \"TWO\"",
        ),
        (
            "i32",
            one(1 << 31),
            "expects an integer of 32 bits, found 2147483648",
        ),
        ("s32", one(-1 << 40), "expects an integer of 32 bits"),
        ("sf32", one(1 << 31), "expects an integer of 32 bits"),
        ("u32", one(-1), "expects an integer of 32 bits from 0"),
        ("u64", one(-1), "expects no negative integer, found -1"),
        ("f64", one(-1), "expects no negative integer"),
    ];
    for (name, column, why) in cases {
        let said = messages(&batch(&[(name, column)]), "t.Row", &[]).expect_err(why);
        assert!(said.contains(why), "{name}: {said}");
    }
    let both = batch(&[("left", texts(&["a"])), ("right", texts(&["b"]))]);
    let said = messages(&both, "t.Row", &[]).expect_err("one of them");
    assert!(said.contains("one oneof"), "{said}");
    let said = messages(&both, "t.Gone", &[]).expect_err("no message");
    assert!(said.contains("it has t.Inner, t.Row, t.Other"), "{said}");
}

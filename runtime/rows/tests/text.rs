//! Times and rows as text, against `jiff` and `serde_json`.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use tidemill_rows::arrow_array::{Float64Array, Int64Array, StringArray};
use tidemill_rows::time_text::{
    EpochUnit, FIRST, LAST, LastDay, TimeError, parse_epoch, parse_rfc3339, parse_sql, rfc3339,
    write_sql,
};
use tidemill_rows::{LogicalType, RecordBatch, Schema, json};

fn sql(time: i64) -> String {
    let mut out = Vec::new();
    write_sql(time, &mut out);
    String::from_utf8(out).expect("ASCII")
}

#[test]
fn times_are_written() {
    let table = [
        (0, "1970-01-01T00:00:00Z", "1970-01-01 00:00:00.000"),
        (
            -1,
            "1969-12-31T23:59:59.999999Z",
            "1969-12-31 23:59:59.999999",
        ),
        (
            1_500_000,
            "1970-01-01T00:00:01.5Z",
            "1970-01-01 00:00:01.500",
        ),
        (
            951_782_400_000_000,
            "2000-02-29T00:00:00Z",
            "2000-02-29 00:00:00.000",
        ),
        (FIRST, "0001-01-01T00:00:00Z", "0001-01-01 00:00:00.000"),
        (
            LAST,
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31 23:59:59.999999",
        ),
        (
            LAST + 1,
            "+010000-01-01T00:00:00Z",
            "+010000-01-01 00:00:00.000",
        ),
        (
            i64::MAX,
            "+294247-01-10T04:00:54.775807Z",
            "+294247-01-10 04:00:54.775807",
        ),
        (
            i64::MIN,
            "-290308-12-21T19:59:05.224192Z",
            "-290308-12-21 19:59:05.224192",
        ),
    ];
    for (time, expected, expected_sql) in table {
        assert_eq!(rfc3339(time), expected);
        assert_eq!(sql(time), expected_sql);
    }
}

#[test]
fn texts_that_are_no_times() {
    use TimeError::{Form, LeapSecond, NoSuchTime, Years};
    let table = [
        ("", Form),
        ("2013-01-01", Form),
        ("2013-01-01T10:15Z", Form),
        ("2013-01-01T10:15:00", Form),
        ("2013-01-01T10:15:00.Z", Form),
        ("2013-01-01T10:15:00,5Z", Form),
        ("2013-01-01T10:15:00+0200", Form),
        ("2013-01-01T10:15:00+02", Form),
        ("2013-01-01T10:15:00Z ", Form),
        ("2013-1-01T10:15:00Z", Form),
        ("20é3-01-01T10:15:00Z", Form),
        ("+12013-01-01T10:15:00Z", Form),
        ("2013-00-01T10:15:00Z", NoSuchTime),
        ("2013-13-01T10:15:00Z", NoSuchTime),
        ("2013-02-29T10:15:00Z", NoSuchTime),
        ("1900-02-29T10:15:00Z", NoSuchTime),
        ("2013-04-31T10:15:00Z", NoSuchTime),
        ("2013-01-01T24:00:00Z", NoSuchTime),
        ("2013-01-01T10:60:00Z", NoSuchTime),
        ("2013-01-01T10:15:61Z", NoSuchTime),
        ("2013-01-01T10:15:00+24:00", NoSuchTime),
        ("2016-12-31T23:59:60Z", LeapSecond),
        ("0000-06-01T00:00:00Z", Years),
        ("0001-01-01T00:00:00+00:01", Years),
        ("9999-12-31T23:59:59-00:01", Years),
    ];
    let mut day = LastDay::default();
    for (text, expected) in table {
        assert_eq!(parse_rfc3339(text.as_bytes()), Err(expected), "{text}");
        assert_eq!(day.parse_rfc3339(text.as_bytes()), Err(expected), "{text}");
    }
}

#[test]
fn a_day_that_is_remembered_changes_nothing() {
    let mut day = LastDay::default();
    let texts = [
        "1970-01-01 00:00:01",
        "2013-01-01 10:15:00.25",
        "2013-01-01 10:15:60",
        "2013-01-01 24:15:00",
        "2013-01-01 23:59:59",
        "2013-02-29 10:15:00",
        "2013-02-29 10:15:00",
        "2013-01-01 10:15:00x",
        "2013-01-02 10:15:00",
        "9999-12-31 23:59:59",
        "0000-12-31 23:59:59",
        "2013-01-02T10:15:00",
    ];
    for text in texts.map(str::as_bytes) {
        assert_eq!(day.parse_sql(text), parse_sql(text));
        assert_eq!(day.parse_rfc3339(text), parse_rfc3339(text));
        let text = [text, b"Z"].concat();
        assert_eq!(day.parse_rfc3339(&text), parse_rfc3339(&text));
    }
}

#[test]
fn numbers_since_the_epoch() {
    use EpochUnit::{Micros, Millis, Seconds};
    use TimeError::{Form, Years};
    let table = [
        ("0", Seconds, Ok(0)),
        ("-0", Seconds, Ok(0)),
        ("1.5", Seconds, Ok(1_500_000)),
        ("-1.5", Seconds, Ok(-1_500_000)),
        ("1.1234567", Seconds, Ok(1_123_456)),
        ("1.5", Millis, Ok(1_500)),
        ("1.0009", Millis, Ok(1_000)),
        ("1.9", Micros, Ok(1)),
        ("1e3", Millis, Ok(1_000_000)),
        ("1.5E-3", Seconds, Ok(1_500)),
        ("253402300799999", Millis, Ok(253_402_300_799_999_000)),
        ("253402300800000", Millis, Err(Years)),
        ("99999999999999999999999", Micros, Err(Years)),
        ("1e400", Micros, Err(Years)),
        ("1.", Seconds, Err(Form)),
        (".5", Seconds, Err(Form)),
        ("", Seconds, Err(Form)),
        ("-", Seconds, Err(Form)),
        ("1 ", Seconds, Err(Form)),
        ("1.x", Seconds, Err(Form)),
    ];
    for (text, unit, expected) in table {
        assert_eq!(
            parse_epoch(text.as_bytes(), unit),
            expected,
            "{text} {unit:?}"
        );
    }
}

proptest! {
    #[test]
    fn times_read_back_and_agree_with_jiff(time in FIRST..=LAST, offset in -1439..1440_i64) {
        let text = rfc3339(time);
        prop_assert_eq!(parse_rfc3339(text.as_bytes()), Ok(time));
        prop_assert_eq!(parse_sql(sql(time).as_bytes()), Ok(time));
        let jiff = Timestamp::from_microsecond(time).expect("in range");
        prop_assert_eq!(text, jiff.to_string());
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
        if let Some(local) = Some(time + offset * 60_000_000).filter(|t| (FIRST..=LAST).contains(t)) {
            let text = rfc3339(local).replace('Z', &format!("{sign}{hours:02}:{minutes:02}"));
            prop_assert_eq!(parse_rfc3339(text.as_bytes()), Ok(time), "{}", text);
        }
    }

    #[test]
    fn any_text_is_a_time_or_none(text in "[0-9TZ:. +-]{0,30}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](\\.[0-9]{1,9})?Z") {
        if let Ok(time) = parse_rfc3339(text.as_bytes()) {
            let jiff: Timestamp = text.parse().expect("jiff reads it too");
            prop_assert_eq!(time, jiff.as_nanosecond().div_euclid(1_000) as i64);
        }
        let _ = parse_sql(text.as_bytes());
        let _ = parse_epoch(text.as_bytes(), EpochUnit::Millis);
    }

    #[test]
    fn rows_are_the_json_that_serde_json_reads(
        i in any::<i64>(),
        bits in any::<u64>(),
        text in any::<String>(),
        name in any::<String>(),
    ) {
        let schema = Schema::new(vec![
            LogicalType::Integer.field("i", false),
            LogicalType::Float.field("f", false),
            LogicalType::Text.field(format!("n{name}"), false),
        ]);
        let f = f64::from_bits(bits);
        let rows = RecordBatch::try_new(Arc::new(schema), vec![
            Arc::new(Int64Array::from(vec![i])),
            Arc::new(Float64Array::from(vec![f])),
            Arc::new(StringArray::from(vec![text.as_str()])),
        ]).expect("a batch");
        let written = json::row(&rows, 0);
        let read: serde_json::Value = serde_json::from_str(&written).expect("JSON");
        prop_assert_eq!(read["i"].as_i64(), Some(i));
        prop_assert_eq!(read[format!("n{name}")].as_str(), Some(&text[..]));
        let float = written.split(",\"n").next().and_then(|head| head.split("\"f\":").nth(1)).expect("a float");
        if f.is_finite() {
            prop_assert!(float.contains('.'), "{}", float);
            prop_assert_eq!(float.parse::<f64>().expect("a float").to_bits(), bits);
        } else {
            prop_assert_eq!(float, "null");
        }
    }
}

#[test]
fn first_members_come_before_the_columns() {
    let schema = Schema::new(vec![LogicalType::Integer.field("i", false)]);
    let column = Arc::new(Int64Array::from(vec![1]));
    let rows = RecordBatch::try_new(Arc::new(schema), vec![column]).expect("a batch");
    let writer = json::RowWriter::new(rows.schema_ref());
    let mut out = Vec::new();
    writer
        .of(&rows)
        .write_after(b"\"change\":\"delete\"", 0, &mut out);
    assert_eq!(out, b"{\"change\":\"delete\",\"i\":1}");
    assert_eq!(json::value(rows.column(0), 0), "1");
}

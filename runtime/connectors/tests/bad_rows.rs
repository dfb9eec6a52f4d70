//! Tables of rows that are and are not as they should be: what comes of each, to the byte.

mod support;

use support::read_bytes;
use tidemill_connectors::{
    ColumnSpec, EpochUnit, FormatKind, FormatSpec, LogicalType, TimeFormat, Unknown,
};

/// An input, its rows, and of its bad rows: the row that it stood before, line, byte, code, a part
/// of the message.
struct Case {
    name: &'static str,
    input: Vec<u8>,
    rows: Vec<&'static str>,
    bad: Vec<(usize, u64, u64, &'static str, &'static str)>,
}

fn case(name: &'static str, input: impl AsRef<[u8]>) -> Case {
    Case {
        name,
        input: input.as_ref().to_vec(),
        rows: Vec::new(),
        bad: Vec::new(),
    }
}

impl Case {
    fn row(mut self, row: &'static str) -> Self {
        self.rows.push(row);
        self
    }

    fn bad(mut self, line: u64, byte: u64, code: &'static str, part: &'static str) -> Self {
        self.bad.push((self.rows.len(), line, byte, code, part));
        self
    }

    fn check(&self, format: &FormatSpec) {
        for max_rows in [1, 2, 1000] {
            let read = read_bytes(&self.input, format, max_rows);
            assert_eq!(
                read.rows, self.rows,
                "{}: rows; bad: {:?}",
                self.name, read.bad
            );
            let bad: Vec<_> = read
                .bad
                .iter()
                .map(|b| (b.before, b.line.unwrap_or(0), b.position, b.code))
                .collect();
            let expected: Vec<_> = self.bad.iter().map(|b| (b.0, b.1, b.2, b.3)).collect();
            assert_eq!(bad, expected, "{}: {:?}", self.name, read.bad);
            for (bad, expected) in read.bad.iter().zip(&self.bad) {
                let part = expected.4;
                assert!(
                    bad.message.contains(part),
                    "{}: `{part}` in {}",
                    self.name,
                    bad.message
                );
            }
        }
    }
}

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("id", LogicalType::Integer, false),
        ColumnSpec::new("x", LogicalType::Float, true),
        ColumnSpec::new("s", LogicalType::Text, true),
        ColumnSpec::new("b", LogicalType::Bool, true),
        ColumnSpec::new("t", LogicalType::Time, true),
        ColumnSpec::new("raw", LogicalType::Bytes, true),
    ]
}

/// `id` and one more column.
fn one(column: ColumnSpec) -> FormatSpec {
    let id = ColumnSpec::new("id", LogicalType::Integer, false);
    FormatSpec::new(FormatKind::Json, vec![id, column])
}

fn float() -> FormatSpec {
    one(ColumnSpec::new("x", LogicalType::Float, true))
}

fn text() -> FormatSpec {
    one(ColumnSpec::new("s", LogicalType::Text, true))
}

fn only_id() -> FormatSpec {
    FormatSpec::new(
        FormatKind::Json,
        vec![ColumnSpec::new("id", LogicalType::Integer, false)],
    )
}

#[test]
fn lines() {
    let cases = [
        case("empty file", ""),
        case("only newlines", "\n\n\r\n"),
        case("no last newline", "{\"id\":1}\n{\"id\":2}")
            .row("0:1 {\"id\":1}")
            .row("9:2 {\"id\":2}"),
        case("carriage returns", "{\"id\":1}\r\n{\"id\":2}\r\n")
            .row("0:1 {\"id\":1}")
            .row("10:2 {\"id\":2}"),
        case("byte order mark", "\u{FEFF}{\"id\":1}\n").row("3:1 {\"id\":1}"),
        case("byte order mark alone", "\u{FEFF}"),
        case(
            "empty lines count as lines",
            "\n\n{\"id\":1}\n\n{\"id\":x}\n",
        )
        .row("2:3 {\"id\":1}")
        .bad(5, 12, "syntax", "byte 6"),
        case("blank line", "  \n{\"id\":1}\n")
            .bad(1, 0, "syntax", "end of the line")
            .row("3:2 {\"id\":1}"),
        case("zero byte", b"{\"id\":1}\n\0\n{\"id\":2}\n")
            .row("0:1 {\"id\":1}")
            .bad(2, 9, "syntax", "expected a value")
            .row("11:3 {\"id\":2}"),
        case("zero byte behind", b"{\"id\":1}\0\n").bad(1, 0, "syntax", "nothing behind"),
        case(
            "invalid UTF-8 in one line only",
            b"{\"id\":1,\"s\":\"\xFF\"}\n{\"id\":2}\n",
        )
        .bad(1, 0, "utf-8", "0xFF")
        .row("17:2 {\"id\":2}"),
    ];
    for case in &cases {
        case.check(&only_id());
    }
}

#[test]
fn structure() {
    let cases = [
        case("cut off", "{\"id\":1").bad(1, 0, "syntax", "the end of the line"),
        case("cut off in text", "{\"id\":1,\"s\":\"abc").bad(1, 0, "syntax", "end of a string"),
        case("two objects", "{\"id\":1}{\"id\":2}").bad(1, 0, "syntax", "nothing behind"),
        case("trailing comma", "{\"id\":1,}").bad(1, 0, "syntax", "field's name"),
        case("no comma", "{\"id\":1 \"s\":2}").bad(1, 0, "syntax", "`,` or `}`"),
        case("no colon", "{\"id\" 1}").bad(1, 0, "syntax", "`:`"),
        case("single quotes", "{'id':1}").bad(1, 0, "syntax", "field's name"),
        case("array", "[1]").bad(1, 0, "not-an-object", "[1]"),
        case("number", "1").bad(1, 0, "not-an-object", "found 1"),
        case("null", "null").bad(1, 0, "not-an-object", "null"),
        case("broken array", "[1").bad(1, 0, "syntax", "`]`"),
        case("raw control character", "{\"id\":1,\"z\":\"a\tb\"}").bad(1, 0, "syntax", "control"),
        case("bad escape", "{\"id\":1,\"z\":\"\\x\"}").bad(1, 0, "syntax", "escape"),
        case("short escape", "{\"id\":1,\"z\":\"\\u12\"}").bad(1, 0, "syntax", "hexadecimal"),
        case("unknown: 1e400", "{\"z\":1e400,\"id\":1}").row("0:1 {\"id\":1}"),
        case("unknown: lone surrogate", "{\"z\":\"\\ud800\",\"id\":1}").row("0:1 {\"id\":1}"),
        case(
            "unknown: nested",
            "{\"z\":{\"a\":[1,{\"b\":[]},{}],\"id\":5},\"id\":1}",
        )
        .row("0:1 {\"id\":1}"),
        case("unknown: leading zero", "{\"z\":01,\"id\":1}").bad(1, 0, "syntax", "zero"),
        case("unknown: bad literal", "{\"z\":nul,\"id\":1}").bad(1, 0, "syntax", "a value"),
        case("name with escapes", "{\"\\u0069d\":7}").row("0:1 {\"id\":7}"),
        case(
            "name with half a surrogate pair",
            "{\"\\ud800\":1,\"id\":7}",
        )
        .bad(1, 0, "syntax", "name"),
        case("blanks", " { \"id\" :\t1 , \"z\" : [ ] } ").row("0:1 {\"id\":1}"),
        case("twice: the last", "{\"id\":1,\"id\":2}").row("0:1 {\"id\":2}"),
        case("twice: the first does not fit", "{\"id\":\"x\",\"id\":2}").row("0:1 {\"id\":2}"),
        case("twice: the last does not fit", "{\"id\":2,\"id\":\"x\"}").bad(
            1,
            0,
            "type",
            "found \"x\"",
        ),
        case("missing", "{\"z\":1}").bad(1, 0, "missing", "`id` is missing"),
        case("empty object", "{}").bad(1, 0, "missing", "integer?"),
        case("null where none may be", "{\"id\":null}").bad(1, 0, "null", "`id` is null"),
    ];
    for case in &cases {
        case.check(&only_id());
    }
}

#[test]
fn nesting_ends_at_128_levels() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!("{{\"z\":{open}{close},\"id\":1}}\n")
    };
    case("128 levels", nested(128))
        .row("0:1 {\"id\":1}")
        .check(&only_id());
    case("129 levels", nested(129))
        .bad(1, 0, "depth", "128")
        .check(&only_id());
    case("100,000 levels", nested(100_000))
        .bad(1, 0, "depth", "128")
        .check(&only_id());
    case("100,000 levels in a row", "[".repeat(100_000))
        .bad(1, 0, "depth", "")
        .check(&only_id());
}

#[test]
fn integers() {
    let cases = [
        case("largest", "{\"id\":9223372036854775807}").row("0:1 {\"id\":9223372036854775807}"),
        case("smallest", "{\"id\":-9223372036854775808}").row("0:1 {\"id\":-9223372036854775808}"),
        case("too large", "{\"id\":9223372036854775808}").bad(1, 0, "range", "9223372036854775808"),
        case("too small", "{\"id\":-9223372036854775809}").bad(1, 0, "range", "beyond the range"),
        case("twenty digits", "{\"id\":10000000000000000000}").bad(1, 0, "range", ""),
        case("2^64 + 1", "{\"id\":18446744073709551617}").bad(1, 0, "range", ""),
        case("fraction", "{\"id\":1.0}").bad(1, 0, "type", "without a fraction, found 1.0"),
        case("exponent", "{\"id\":1e3}").bad(1, 0, "type", "found 1e3"),
        case("negative zero", "{\"id\":-0}").bad(1, 0, "type", "found -0"),
        case("zero", "{\"id\":0}").row("0:1 {\"id\":0}"),
        case("text", "{\"id\":\"1\"}").bad(1, 0, "type", "expected integer, found \"1\""),
        case("bool", "{\"id\":true}").bad(1, 0, "type", "found true"),
        case("object", "{\"id\":{\"a\":[1,2]}}").bad(1, 0, "type", "found {\"a\":[1,2]}"),
        case("plus", "{\"id\":+1}").bad(1, 0, "syntax", "a value"),
        case("minus alone", "{\"id\":-}").bad(1, 0, "syntax", "a digit"),
        case("leading zero", "{\"id\":01}").bad(1, 0, "syntax", "zero"),
        case("hexadecimal", "{\"id\":0x1}").bad(1, 0, "syntax", "`,` or `}`"),
        case("point alone", "{\"id\":1.}").bad(1, 0, "syntax", "digit after the point"),
        case("exponent alone", "{\"id\":1e}").bad(1, 0, "syntax", "digit of the exponent"),
    ];
    for case in &cases {
        case.check(&only_id());
    }
}

#[test]
fn floats() {
    let cases = [
        case("negative zero", "{\"id\":1,\"x\":-0}").row("0:1 {\"id\":1,\"x\":-0.0}"),
        case("1e400", "{\"id\":1,\"x\":1e400}").bad(
            1,
            0,
            "range",
            "1e400 is beyond the range of float",
        ),
        case("-1e400", "{\"id\":1,\"x\":-1e400}").bad(1, 0, "range", ""),
        case("1e-400", "{\"id\":1,\"x\":1e-400}").row("0:1 {\"id\":1,\"x\":0.0}"),
        case("huge exponent", "{\"id\":1,\"x\":1e99999999999}").bad(1, 0, "range", ""),
        case("integer", "{\"id\":1,\"x\":3}").row("0:1 {\"id\":1,\"x\":3.0}"),
        case("1e16", "{\"id\":1,\"x\":1e16}").row("0:1 {\"id\":1,\"x\":1.0e16}"),
        case(
            "a tie of many digits",
            "{\"id\":1,\"x\":9007199254740993.00000000000000000001}",
        )
        .row("0:1 {\"id\":1,\"x\":9007199254740994.0}"),
        case("smallest", "{\"id\":1,\"x\":5e-324}").row("0:1 {\"id\":1,\"x\":5.0e-324}"),
        case("largest", "{\"id\":1,\"x\":1.7976931348623157e308}")
            .row("0:1 {\"id\":1,\"x\":1.7976931348623157e308}"),
        case("NaN", "{\"id\":1,\"x\":NaN}").bad(1, 0, "syntax", "a value"),
        case("text", "{\"id\":1,\"x\":\"1.5\"}").bad(1, 0, "type", "found \"1.5\""),
        case("null", "{\"id\":1,\"x\":null}").row("0:1 {\"id\":1,\"x\":null}"),
        case("missing", "{\"id\":1}").row("0:1 {\"id\":1,\"x\":null}"),
    ];
    for case in &cases {
        case.check(&float());
    }
}

#[test]
fn texts() {
    let cases = [
        case(
            "escapes",
            r#"{"id":1,"s":"a\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"}"#,
        )
        .row(r#"0:1 {"id":1,"s":"a\"\\/\b\f\n\r\tAé😀"}"#),
        case("escaped zero", r#"{"id":1,"s":"\u0000"}"#).row(r#"0:1 {"id":1,"s":"\u0000"}"#),
        case("lone high surrogate", r#"{"id":1,"s":"a\ud800b"}"#).bad(1, 0, "surrogate", "`s`"),
        case("lone low surrogate", r#"{"id":1,"s":"\udc00"}"#).bad(1, 0, "surrogate", ""),
        case("high surrogate twice", r#"{"id":1,"s":"\ud800\ud800"}"#).bad(1, 0, "surrogate", ""),
        case("number", r#"{"id":1,"s":5}"#).bad(1, 0, "type", "expected text, found 5"),
        case("empty", r#"{"id":1,"s":""}"#).row(r#"0:1 {"id":1,"s":""}"#),
        case(
            "long",
            format!("{{\"id\":1,\"s\":{{\"a\":\"{}\"}}}}", "x".repeat(100)),
        )
        .bad(1, 0, "type", "xxx…"),
    ];
    for case in &cases {
        case.check(&text());
    }
}

#[test]
fn other_types() {
    let cases = [
        case(
            "all",
            r#"{"id":1,"x":1.5,"s":"a","b":true,"t":"2013-01-01T10:15:00Z","raw":"AAH/"}"#,
        )
        .row(r#"0:1 {"id":1,"x":1.5,"s":"a","b":true,"t":"2013-01-01T10:15:00Z","raw":"AAH/"}"#),
        case("bool as number", r#"{"id":1,"b":1}"#).bad(1, 0, "type", "expected bool, found 1"),
        case("base64 without padding", r#"{"id":1,"raw":"AAE"}"#).bad(1, 0, "base64", "AAE"),
        case("base64 with an escape", r#"{"id":1,"raw":"AAH\/"}"#)
            .row(r#"0:1 {"id":1,"x":null,"s":null,"b":null,"t":null,"raw":"AAH/"}"#),
    ];
    for case in &cases {
        case.check(&FormatSpec::new(FormatKind::Json, columns()));
    }
}

#[test]
fn times() {
    let time = |format| one(ColumnSpec::new("t", LogicalType::Time, false).written(format));
    let table = [
        (
            TimeFormat::Rfc3339,
            r#""2013-01-01T10:15:00.123456789+02:00""#,
            Ok("2013-01-01T08:15:00.123456Z"),
        ),
        (
            TimeFormat::Rfc3339,
            r#""2016-12-31T23:59:60Z""#,
            Err(("time", "leap second")),
        ),
        (
            TimeFormat::Rfc3339,
            r#""2013-02-29T00:00:00Z""#,
            Err(("time", "does not exist")),
        ),
        (
            TimeFormat::Rfc3339,
            r#""0000-12-31T23:59:59Z""#,
            Err(("range", "years 1 to 9999")),
        ),
        (
            TimeFormat::Rfc3339,
            r#""9999-12-31T23:59:59-01:00""#,
            Err(("range", "years 1 to 9999")),
        ),
        (
            TimeFormat::Rfc3339,
            r#""2013-01-01 10:15:00""#,
            Err(("time", "2013-01-01T10:15:00Z")),
        ),
        (
            TimeFormat::Rfc3339,
            "1357035300",
            Err(("type", "found 1357035300")),
        ),
        (
            TimeFormat::Sql,
            r#""2015-07-15 00:00:00.125""#,
            Ok("2015-07-15T00:00:00.125Z"),
        ),
        (
            TimeFormat::Sql,
            r#""2015-07-15 00:00:00Z""#,
            Err(("time", "not of that form")),
        ),
        (
            TimeFormat::Epoch(EpochUnit::Seconds),
            "1357035300.5",
            Ok("2013-01-01T10:15:00.5Z"),
        ),
        (
            TimeFormat::Epoch(EpochUnit::Millis),
            "-1",
            Ok("1969-12-31T23:59:59.999Z"),
        ),
        (
            TimeFormat::Epoch(EpochUnit::Micros),
            "1.357035300e15",
            Ok("2013-01-01T10:15:00Z"),
        ),
        (
            TimeFormat::Epoch(EpochUnit::Millis),
            r#""5""#,
            Err(("type", "found \"5\"")),
        ),
        // The year 300,000: microseconds given for milliseconds.
        (
            TimeFormat::Epoch(EpochUnit::Millis),
            "9404620128000000",
            Err(("range", "years")),
        ),
        (
            TimeFormat::Epoch(EpochUnit::Seconds),
            "1e300",
            Err(("range", "years")),
        ),
    ];
    for (format, value, expected) in table {
        let read = read_bytes(
            format!("{{\"id\":1,\"t\":{value}}}").as_bytes(),
            &time(format),
            10,
        );
        match expected {
            Ok(time) => {
                assert_eq!(
                    read.rows,
                    [format!("0:1 {{\"id\":1,\"t\":\"{time}\"}}")],
                    "{value}"
                );
            }
            Err((code, part)) => {
                assert!(read.rows.is_empty(), "{value}: {read:?}");
                assert_eq!(read.bad[0].code, code, "{value}: {}", read.bad[0].message);
                assert!(
                    read.bad[0].message.contains(part),
                    "{}",
                    read.bad[0].message
                );
            }
        }
    }
}

#[test]
fn paths() {
    let column = |name: &str, path| ColumnSpec::new(name, LogicalType::Integer, true).at(path);
    let columns = vec![
        column("x", "a.b.c"),
        column("y", "a.d"),
        column("y2", "a.d"),
        column("z", "e"),
    ];
    let format = FormatSpec::new(FormatKind::Json, columns);
    let cases = [
        case("all", r#"{"a":{"b":{"c":1},"d":2},"e":3}"#).row(r#"0:1 {"x":1,"y":2,"y2":2,"z":3}"#),
        case("null on the way", r#"{"a":null,"e":3}"#).row(r#"0:1 {"x":null,"y":null,"y2":null,"z":3}"#),
        case("no object on the way", r#"{"a":[5],"e":3}"#)
            .bad(1, 0, "not-an-object", "`x` (field `a.b.c`): expected an object on the way, found [5]"),
        case("object twice: the last", r#"{"a":{"b":{"c":1},"d":2},"a":{"d":5}}"#)
            .row(r#"0:1 {"x":null,"y":5,"y2":5,"z":null}"#),
        case("object, then null", r#"{"a":{"d":2},"a":null}"#)
            .row(r#"0:1 {"x":null,"y":null,"y2":null,"z":null}"#),
        case("does not fit", r#"{"a":{"d":"x"}}"#).bad(1, 0, "type", "`y` (field `a.d`)"),
        case(
            "orders that change",
            "{\"a\":{\"d\":2,\"b\":{\"c\":1}},\"e\":3}\n{\"e\":3,\"q\":1,\"a\":{\"b\":{\"c\":1},\"d\":2}}\n{\"e\":4}\n{\"q\":0,\"e\":5}\n",
        )
        .row(r#"0:1 {"x":1,"y":2,"y2":2,"z":3}"#)
        .row(r#"32:2 {"x":1,"y":2,"y2":2,"z":3}"#)
        .row(r#"70:3 {"x":null,"y":null,"y2":null,"z":4}"#)
        .row(r#"78:4 {"x":null,"y":null,"y2":null,"z":5}"#),
    ];
    for case in &cases {
        case.check(&format);
    }
}

#[test]
fn unknown_fields_refused() {
    let mut format = FormatSpec::new(
        FormatKind::Json,
        vec![
            ColumnSpec::new("amount", LogicalType::Integer, true),
            ColumnSpec::new("city", LogicalType::Integer, true).at("address.city"),
        ],
    );
    format.unknown = Unknown::Refuse;
    let cases = [
        case("near", "{\"amuont\":{\"x\":\"y:\"}}").bad(
            1,
            0,
            "unknown-field",
            "`amuont` is of no column, and `unknown` is \"refuse\"; the nearest is `amount`",
        ),
        case("far", "{\"zzz\": 1}").bad(1, 0, "unknown-field", "`zzz`"),
        case("nested", "{\"address\":{\"cty\":1}}").bad(1, 0, "unknown-field", "nearest is `city`"),
        case("none", "{\"address\":{\"city\":1},\"amount\":2}")
            .row("0:1 {\"amount\":2,\"city\":1}"),
    ];
    for case in &cases {
        case.check(&format);
    }
}

#[test]
fn long_lines() {
    let format = FormatSpec {
        line_limit: 20,
        ..only_id()
    };
    let long = "x".repeat(1_000_000);
    let cases = [
        case(
            "at the limit",
            "{\"id\":1,\"z\":\"1234\"}\n".replace("1234", "12345"),
        )
        .row("0:1 {\"id\":1}"),
        case("one beyond", "{\"id\":1,\"z\":\"123456\"}\n{\"id\":2}\n")
            .bad(1, 0, "too-long", "`line-limit`, 20 bytes")
            .row("22:2 {\"id\":2}"),
        case(
            "far beyond the buffer",
            format!("{{\"id\":1}}\n{long}\n{{\"id\":2}}\n"),
        )
        .row("0:1 {\"id\":1}")
        .bad(2, 9, "too-long", "")
        .row("1000010:3 {\"id\":2}"),
        case("far beyond, at the end", format!("{{\"id\":1}}\n{long}"))
            .row("0:1 {\"id\":1}")
            .bad(2, 9, "too-long", ""),
    ];
    for case in &cases {
        case.check(&format);
    }
}

#[test]
fn csv() {
    let kind = FormatKind::CSV;
    let column = |name: &str, ty| ColumnSpec::new(name, ty, true);
    let format = FormatSpec::new(
        kind,
        vec![
            ColumnSpec::new("id", LogicalType::Integer, false),
            column("s", LogicalType::Text),
            column("x", LogicalType::Float),
        ],
    );
    let cases = [
        case("empty file", ""),
        case("header alone", "id,s,x\n"),
        case(
            "another order, more columns",
            "x,more,id,s\r\n1.5,q,1,a\r\n",
        )
        .row("13:2 {\"id\":1,\"s\":\"a\",\"x\":1.5}"),
        case("null and empty text", "id,s,x\n1,,\n2,\"\",\n")
            .row("7:2 {\"id\":1,\"s\":null,\"x\":null}")
            .row("11:3 {\"id\":2,\"s\":\"\",\"x\":null}"),
        case("null where none may be", "id,s,x\n,a,1\n").bad(2, 7, "null", "`id`"),
        case("quoted", "id,s,x\n1,\"a,\"\"b\"\"\nc\",2\n3,d,4\n")
            .row("7:2 {\"id\":1,\"s\":\"a,\\\"b\\\"\\nc\",\"x\":2.0}")
            .row("23:4 {\"id\":3,\"s\":\"d\",\"x\":4.0}"),
        case("too few fields", "id,s,x\n1,a\n2,b,3\n")
            .bad(2, 7, "fields", "the header has 3 fields, this record 2")
            .row("11:3 {\"id\":2,\"s\":\"b\",\"x\":3.0}"),
        case("too many fields", "id,s,x\n1,a,2,3\n").bad(2, 7, "fields", "this record 4"),
        case(
            "unclosed quote costs its line",
            "id,s,x\n1,\"a,2\n3,b,4\n5,c,6",
        )
        .bad(2, 7, "quote", "never closed")
        .row("14:3 {\"id\":3,\"s\":\"b\",\"x\":4.0}")
        .row("20:4 {\"id\":5,\"s\":\"c\",\"x\":6.0}"),
        case(
            "unclosed quote before a good one",
            "id,s,x\n1,\"a,2\n3,\"b\",4\n",
        )
        .bad(2, 7, "quote", "")
        .row("14:3 {\"id\":3,\"s\":\"b\",\"x\":4.0}"),
        case("text behind a quote", "id,s,x\n1,\"a\"b,2\n").bad(2, 7, "quote", "found `b,2`"),
        case("quote within a field", "id,s,x\n1,a\"b,2\n")
            .row("7:2 {\"id\":1,\"s\":\"a\\\"b\",\"x\":2.0}"),
        case("text for a number", "id,s,x\none,a,2\n").bad(2, 7, "type", "found `one`"),
        case("blank before a number", "id,s,x\n 1,a,2\n").bad(2, 7, "type", "found ` 1`"),
        case("fraction for an integer", "id,s,x\n1.0,a,2\n").bad(
            2,
            7,
            "type",
            "without a fraction",
        ),
        case("too large", "id,s,x\n9223372036854775808,a,2\n").bad(2, 7, "range", ""),
        case("nan", "id,s,x\n1,a,nan\n").bad(2, 7, "type", "expected float, found `nan`"),
        case("1e400", "id,s,x\n1,a,1e400\n").bad(2, 7, "range", ""),
        case("byte order mark", "\u{FEFF}id,s,x\n1,a,2\n")
            .row("10:2 {\"id\":1,\"s\":\"a\",\"x\":2.0}"),
        case("zero byte", "id,s,x\n1,a\0b,2\n").row("7:2 {\"id\":1,\"s\":\"a\\u0000b\",\"x\":2.0}"),
        case("invalid UTF-8", b"id,s,x\n1,\xC3,2\n3,a,4\n")
            .bad(2, 7, "utf-8", "0xC3")
            .row("13:3 {\"id\":3,\"s\":\"a\",\"x\":4.0}"),
    ];
    for case in &cases {
        case.check(&format);
    }
}

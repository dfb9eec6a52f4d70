//! Rows as JSON text: what sinks write, what reports show, what dead letters carry.
//!
//! One row is one object, its columns in the schema's order, without blanks:
//!
//! | type | JSON |
//! |---|---|
//! | bool, integer | as they are; integers with all their digits |
//! | float | the shortest digits that read back as the same double, always with a point: `1.0`, `1.0e16`, `-0.0` |
//! | float, not finite | `null`: JSON has no NaN and no infinity, and a text there would be a column of another type |
//! | text | as it is; `"`, `\` and control characters escaped |
//! | bytes | base64 text, with padding |
//! | time | RFC 3339 text in UTC, fraction digits as needed: `2013-01-01T10:15:00Z` |
//! | null | `null` |

use arrow_array::{Array, RecordBatch};
use arrow_schema::Schema;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::time_text;
use crate::values::Values;

/// Writes rows of one schema as JSON objects. Made once per schema, used for every batch.
#[derive(Clone, Debug)]
pub struct RowWriter {
    /// For each column what stands before its value: `{"a":` or `,"b":`.
    heads: Vec<Vec<u8>>,
}

impl RowWriter {
    /// A writer for rows of a schema.
    pub fn new(schema: &Schema) -> Self {
        let head = |(i, field): (usize, &arrow_schema::FieldRef)| {
            let mut head = vec![if i == 0 { b'{' } else { b',' }];
            write_text(field.name(), &mut head);
            head.push(b':');
            head
        };
        Self {
            heads: schema.fields().iter().enumerate().map(head).collect(),
        }
    }

    /// Sets the batch whose rows are to be written.
    ///
    /// # Panics
    /// If the batch has another number of columns than the schema.
    pub fn of<'a>(&'a self, rows: &'a RecordBatch) -> Rows<'a> {
        assert_eq!(
            rows.num_columns(),
            self.heads.len(),
            "a batch of another schema"
        );
        let values = rows
            .columns()
            .iter()
            .map(|column| Values::of(column))
            .collect();
        Rows {
            heads: &self.heads,
            values,
        }
    }
}

/// The rows of one batch, ready to be written.
pub struct Rows<'a> {
    heads: &'a [Vec<u8>],
    values: Vec<Values<'a>>,
}

impl Rows<'_> {
    /// Writes a row as a JSON object, without a newline.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        self.write_after(b"", row, out);
    }

    /// As [`Rows::write`], with a first member before the columns (`"change":"insert"`); nothing if
    /// it is empty.
    pub fn write_after(&self, first: &[u8], row: usize, out: &mut Vec<u8>) {
        if self.heads.is_empty() || !first.is_empty() {
            out.push(b'{');
            out.extend(first);
        }
        for (column, (head, values)) in self.heads.iter().zip(&self.values).enumerate() {
            if column == 0 && !first.is_empty() {
                out.push(b',');
                out.extend(&head[1..]);
            } else {
                out.extend(head);
            }
            write(values, row, out);
        }
        out.push(b'}');
    }
}

/// A row of a batch as a JSON object.
///
/// # Panics
/// If there is no such row.
pub fn row(rows: &RecordBatch, row: usize) -> String {
    let mut out = Vec::new();
    RowWriter::new(rows.schema_ref())
        .of(rows)
        .write(row, &mut out);
    text(out)
}

/// A value of a column as JSON.
///
/// # Panics
/// If there is no such row.
pub fn value(column: &dyn Array, row: usize) -> String {
    let mut out = Vec::new();
    write(&Values::of(column), row, &mut out);
    text(out)
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|e| panic!("JSON was written that is no UTF-8: {e}"))
}

fn write(values: &Values<'_>, row: usize, out: &mut Vec<u8>) {
    if values.is_null(row) {
        out.extend(b"null");
        return;
    }
    match values {
        Values::Bool(values) => out.extend(if values.value(row) {
            &b"true"[..]
        } else {
            b"false"
        }),
        Values::Integer(values) => write_integer(values.value(row), out),
        Values::Float(values) => write_float(values.value(row), out),
        Values::Text(values) => write_text(values.value(row), out),
        Values::Bytes(values) => write_bytes(values.value(row), out),
        Values::Time(values) => write_time(values.value(row), out),
    }
}

/// Writes an integer with all its digits.
pub fn write_integer(value: i64, out: &mut Vec<u8>) {
    out.extend(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a double as the shortest digits that read back as the same, always with a point; `null`
/// if it is not finite.
pub fn write_float(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend(b"null");
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let digits = buffer.format_finite(value).as_bytes();
    // ryu writes 1e16 and 5e-324: the only numbers without a point are of one digit and an
    // exponent.
    match digits.iter().position(|&b| b == b'e') {
        Some(e) if !digits[..e].contains(&b'.') => {
            out.extend(&digits[..e]);
            out.extend(b".0");
            out.extend(&digits[e..]);
        }
        _ => out.extend(digits),
    }
}

/// Writes a time as RFC 3339 text, with its quotation marks.
pub fn write_time(value: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    time_text::write_rfc3339(value, out);
    out.push(b'"');
}

/// Writes bytes as base64 text, with its quotation marks.
pub fn write_bytes(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    let len = value.len().div_ceil(3) * 4;
    out.resize(start + len, 0);
    let written = BASE64.encode_slice(value, &mut out[start..]);
    assert_eq!(written.ok(), Some(len), "base64 of another length");
    out.push(b'"');
}

/// Writes text with its quotation marks, escaping what JSON wants escaped.
pub fn write_text(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = value.as_bytes();
    let mut done = 0;
    while let Some(skip) = bytes[done..]
        .iter()
        .position(|&b| b < 0x20 || b == b'"' || b == b'\\')
    {
        let at = done + skip;
        out.extend(&bytes[done..at]);
        write_escape(bytes[at], out);
        done = at + 1;
    }
    out.extend(&bytes[done..]);
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => out.extend([b'\\', byte]),
        b'\n' => out.extend(b"\\n"),
        b'\r' => out.extend(b"\\r"),
        b'\t' => out.extend(b"\\t"),
        0x08 => out.extend(b"\\b"),
        0x0C => out.extend(b"\\f"),
        _ => {
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out.extend([b'\\', b'u', b'0', b'0', high, low]);
        }
    }
}

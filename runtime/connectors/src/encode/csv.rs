//! CSV (RFC 4180) with a header, lines ended by a newline alone.
//!
//! Values are written as in JSON without quotation marks; null is an empty field, empty text is
//! `""`. A field that holds the delimiter, a quotation mark or a newline, or begins or ends with a
//! blank, stands in quotation marks. A float that is not finite is an empty field, as it is null in
//! JSON. What is written is read back as it was by [`crate::decode::csv`].

use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use tidemill_rows::arrow_array::{Array, ArrayRef};
use tidemill_rows::{Batch, LogicalType, Schema, json, time_text};

use super::{change_name, change_of};

/// Writes rows as CSV.
#[derive(Clone)]
pub struct CsvWriter {
    delimiter: u8,
    changes: bool,
    names: Vec<String>,
}

impl CsvWriter {
    /// A writer for rows of a schema.
    pub fn new(schema: &Schema, delimiter: u8, changes: bool) -> Self {
        let names = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        Self {
            delimiter,
            changes,
            names,
        }
    }

    /// Writes the header.
    pub fn head(&self, out: &mut Vec<u8>) {
        let change = self.changes.then_some("change");
        let names = change
            .into_iter()
            .chain(self.names.iter().map(String::as_str));
        for (i, name) in names.enumerate() {
            if i > 0 {
                out.push(self.delimiter);
            }
            self.text(name, out);
        }
        out.push(b'\n');
    }

    /// Writes the rows of a batch.
    pub fn rows(&self, batch: &Batch, out: &mut Vec<u8>) {
        for row in 0..batch.len() {
            if self.changes {
                out.extend(change_name(change_of(batch, row)).as_bytes());
            }
            if self.changes {
                out.push(self.delimiter);
            }
            self.row(batch.columns.columns(), row, out);
            out.push(b'\n');
        }
    }

    /// Writes one row, without what it does to others and without a newline.
    pub fn row(&self, columns: &[ArrayRef], row: usize, out: &mut Vec<u8>) {
        for (i, column) in columns.iter().enumerate() {
            if i > 0 {
                out.push(self.delimiter);
            }
            self.value(column, row, out);
        }
    }

    fn value(&self, column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
        if column.is_null(row) {
            return;
        }
        match LogicalType::of(column.data_type()) {
            LogicalType::Bool => {
                let value = if column.as_boolean().value(row) {
                    "true"
                } else {
                    "false"
                };
                out.extend(value.as_bytes());
            }
            LogicalType::Integer => {
                json::write_integer(column.as_primitive::<Int64Type>().value(row), out);
            }
            LogicalType::Float => {
                let value = column.as_primitive::<Float64Type>().value(row);
                if value.is_finite() {
                    json::write_float(value, out);
                }
            }
            LogicalType::Text => self.text(column.as_string::<i32>().value(row), out),
            LogicalType::Bytes => {
                let start = out.len();
                json::write_bytes(column.as_binary::<i32>().value(row), out);
                // Empty bytes keep the quotation marks, or they would be null.
                if out.len() > start + 2 {
                    out.remove(start);
                    out.pop();
                }
            }
            LogicalType::Time => {
                let time = column.as_primitive::<TimestampMicrosecondType>().value(row);
                time_text::write_rfc3339(time, out);
            }
        }
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        let special = |b: &u8| matches!(b, b'"' | b'\n' | b'\r') || *b == self.delimiter;
        let blank = |b: Option<&u8>| b.is_none_or(|b| matches!(b, b' ' | b'\t'));
        if !bytes.iter().any(special) && !blank(bytes.first()) && !blank(bytes.last()) {
            out.extend(bytes);
            return;
        }
        out.push(b'"');
        for &byte in bytes {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

//! From batches to bytes: JSON lines, CSV, Parquet, a table for people; from rows to the values of records: also Avro and Protobuf.

pub(crate) mod avro;
pub mod csv;
pub(crate) mod parquet;
pub(crate) mod protobuf;
pub mod table;
pub mod value;
pub mod written;

use tidemill_rows::json::RowWriter;
use tidemill_rows::{Batch, Schema};

use crate::ConnectorError;

/// How a sink writes rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One JSON object per line, as [`tidemill_rows::json`] says.
    Json,
    /// CSV with a header: see [`csv`].
    Csv {
        /// What stands between fields.
        delimiter: u8,
    },
    /// An aligned table, for people at a terminal.
    Table,
    /// Parquet, for files alone.
    Parquet,
}

impl Encoding {
    /// CSV with commas.
    pub const CSV: Self = Self::Csv { delimiter: b',' };

    /// The ending of files: `jsonl`, `csv`, `txt`, `parquet`.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Json => "jsonl",
            Self::Csv { .. } => "csv",
            Self::Table => "txt",
            Self::Parquet => "parquet",
        }
    }
}

/// What a row's change is called: `insert`, `update-before`, `update-after`, `delete`.
///
/// # Panics
/// If there is no such change: batches hold 0 to 3 only.
pub fn change_name(change: u8) -> &'static str {
    match change {
        0 => "insert",
        1 => "update-before",
        2 => "update-after",
        3 => "delete",
        other => panic!("a row with change {other}"),
    }
}

/// Writes batches of one schema, where `changes` with a first column that says what each row does.
#[derive(Clone)]
pub(crate) enum Encoder {
    Json { rows: RowWriter, changes: bool },
    Csv(csv::CsvWriter),
    Table(table::TableWriter),
    Parquet(parquet::ParquetRows),
}

impl Encoder {
    pub fn new(encoding: Encoding, schema: &Schema, changes: bool) -> Self {
        match encoding {
            Encoding::Json => Self::Json {
                rows: RowWriter::new(schema),
                changes,
            },
            Encoding::Csv { delimiter } => {
                Self::Csv(csv::CsvWriter::new(schema, delimiter, changes))
            }
            Encoding::Table => Self::Table(table::TableWriter::new(schema, changes)),
            Encoding::Parquet => Self::Parquet(parquet::ParquetRows::new(schema, changes)),
        }
    }

    /// Begins a file, with what stands before its first row.
    pub fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        match self {
            Self::Json { .. } => {}
            Self::Csv(csv) => csv.head(out),
            Self::Table(table) => table.begin(),
            Self::Parquet(parquet) => parquet.begin(out)?,
        }
        Ok(())
    }

    /// Writes the rows of a batch, or holds them back.
    pub fn rows(&mut self, batch: &Batch, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        match self {
            Self::Json { rows, changes } => json_lines(rows, *changes, batch, out),
            Self::Csv(csv) => csv.rows(batch, out),
            Self::Table(table) => table.rows(batch, out),
            Self::Parquet(parquet) => parquet.rows(batch, out)?,
        }
        Ok(())
    }

    /// Ends the file.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        match self {
            Self::Parquet(parquet) => parquet.end(out),
            Self::Json { .. } | Self::Csv(_) | Self::Table(_) => Ok(()),
        }
    }

    /// So many bytes of rows are held back.
    pub fn held(&mut self) -> usize {
        match self {
            Self::Parquet(parquet) => parquet.held(),
            Self::Json { .. } | Self::Csv(_) | Self::Table(_) => 0,
        }
    }

    /// Whether all workers share one, because the rows of each decide how those of the others are written.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Table(_) | Self::Parquet(_))
    }
}

fn json_lines(writer: &RowWriter, changes: bool, batch: &Batch, out: &mut Vec<u8>) {
    let rows = writer.of(&batch.columns);
    for row in 0..batch.len() {
        if changes {
            rows.write_after(change_member(change_of(batch, row)), row, out);
        } else {
            rows.write(row, out);
        }
        out.push(b'\n');
    }
}

fn change_of(batch: &Batch, row: usize) -> u8 {
    batch.changes.as_ref().map_or(0, |changes| changes[row])
}

fn change_member(change: u8) -> &'static [u8] {
    match change_name(change) {
        "insert" => b"\"change\":\"insert\"",
        "update-before" => b"\"change\":\"update-before\"",
        "update-after" => b"\"change\":\"update-after\"",
        _ => b"\"change\":\"delete\"",
    }
}

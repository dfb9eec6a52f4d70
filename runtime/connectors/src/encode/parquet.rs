//! Parquet: columns with the logical types of the rows, compressed with Zstandard.
//!
//! | column | in Parquet |
//! |---|---|
//! | bool | BOOLEAN |
//! | integer | INT64 |
//! | float | DOUBLE |
//! | text | BYTE_ARRAY, STRING |
//! | bytes | BYTE_ARRAY |
//! | time | INT64, TIMESTAMP in microseconds, UTC |
//!
//! The rows of one row group are held in memory, encoded, until it is full.

use std::sync::{Arc, Mutex, PoisonError};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use tidemill_rows::arrow_array::StringArray;
use tidemill_rows::{ArrayRef, Batch, LogicalType, RecordBatch, Schema, SchemaRef};

use super::{change_name, change_of};
use crate::ConnectorError;

/// So many rows a row group has at most (`row-group-rows`).
const GROUP_ROWS: usize = 1024 * 1024;

/// So many bytes, encoded and not yet compressed (`row-group-bytes`).
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// How files are written.
pub(crate) fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_created_by(concat!("tidemill ", env!("CARGO_PKG_VERSION")).to_owned())
}

/// Writes rows as Parquet, one file after the other.
pub(crate) struct ParquetRows {
    schema: SchemaRef,
    changes: bool,
    file: Option<Box<Unshared>>,
}

/// One thread at a time has it, and never waits for it: the lock only says so.
type Unshared = Mutex<ArrowWriter<Vec<u8>>>;

fn alone(file: &mut Unshared) -> &mut ArrowWriter<Vec<u8>> {
    file.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl Clone for ParquetRows {
    /// Another one of the same schema, which has not begun a file.
    fn clone(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            changes: self.changes,
            file: None,
        }
    }
}

impl ParquetRows {
    /// A writer for rows of a schema.
    pub fn new(schema: &Schema, changes: bool) -> Self {
        let change = changes.then(|| Arc::new(LogicalType::Text.field("change", false)));
        let fields = change.into_iter().chain(schema.fields().iter().cloned());
        Self {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            changes,
            file: None,
        }
    }

    /// Begins a file.
    pub fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties().build())
            .with_skip_arrow_metadata(true);
        let file = ArrowWriter::try_new_with_options(Vec::new(), self.schema.clone(), options);
        self.file = Some(Box::new(Mutex::new(file.map_err(internal)?)));
        self.hand_over(out);
        Ok(())
    }

    /// Takes the rows of a batch into the file.
    pub fn rows(&mut self, batch: &Batch, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        let change = self.changes.then(|| -> ArrayRef {
            let words = (0..batch.len()).map(|row| change_name(change_of(batch, row)));
            Arc::new(StringArray::from_iter_values(words))
        });
        let columns = batch.columns.columns().iter().cloned();
        let columns = change.into_iter().chain(columns).collect();
        let rows = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| internal(error.into()))?;
        if let Some(file) = &mut self.file {
            alone(file).write(&rows).map_err(internal)?;
        }
        self.hand_over(out);
        Ok(())
    }

    /// Ends the file.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        if let Some(file) = self.file.take() {
            let file = file.into_inner().unwrap_or_else(PoisonError::into_inner);
            out.append(&mut file.into_inner().map_err(internal)?);
        }
        Ok(())
    }

    /// So many bytes are held back for the row group.
    pub fn held(&mut self) -> usize {
        let file = self.file.as_mut().map(|file| alone(file));
        file.map_or(0, |file| file.in_progress_size())
    }

    /// What the writer has counted as written may leave it.
    fn hand_over(&mut self, out: &mut Vec<u8>) {
        if let Some(file) = &mut self.file {
            out.append(alone(file).inner_mut());
        }
    }
}

/// In memory nothing can fail but by a mistake.
fn internal(error: ParquetError) -> ConnectorError {
    ConnectorError::Internal(format!("rows make no Parquet: {error}"))
}

//! Values of records as rows, without a topic: for what holds decoders to something, as benches and fuzz targets do.

use tidemill_rows::RecordBatch;

use super::{Decoder, Refusal};
use crate::ConnectorError;
use crate::columns::Columns;
use crate::format::FormatSpec;

/// Rows of the values of records. Their schema, where the format has one, is a file's.
pub struct Values {
    decoder: Decoder,
    columns: Columns,
}

impl Values {
    /// No rows yet.
    ///
    /// # Errors
    /// If the format cannot be: see [`FormatSpec::check`].
    pub fn new(format: &FormatSpec) -> Result<Self, ConnectorError> {
        Ok(Self {
            decoder: Decoder::new(format)?,
            columns: Columns::new(format.schema()),
        })
    }

    /// Appends the row that a value is.
    ///
    /// # Errors
    /// If it is a bad row; nothing is appended then.
    #[inline]
    pub fn push(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let decoded = self.decoder.decode(value)?;
        self.columns.push(decoded.slots, value, decoded.scratch);
        Ok(())
    }

    /// The rows so far; none are left.
    ///
    /// # Errors
    /// Internal only.
    pub fn take(&mut self) -> Result<RecordBatch, ConnectorError> {
        self.columns.take()
    }
}

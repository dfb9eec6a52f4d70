//! Rows with a null in their key: a key like any other, passed over, or bad rows.

use tidemill_rows::Batch;

use super::Window;
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::FailedRow;
use crate::metrics::add;
use crate::operator::keying::NullKey;

impl Window {
    /// Passes over, or fails, rows with a null in their key.
    pub(super) fn without_null_keys(
        &mut self,
        batch: Batch,
        out: &mut Output,
    ) -> Result<Batch, EngineError> {
        let parts = &mut self.parts;
        if parts.null_key == NullKey::Keep {
            return Ok(batch);
        }
        let Some(nulls) = parts.keying.null_rows(&batch.columns) else {
            return Ok(batch);
        };
        let (null, kept): (Vec<u32>, Vec<u32>) =
            (0..batch.len() as u32).partition(|&row| nulls.value(row as usize));
        if parts.null_key == NullKey::Skip {
            add(&parts.counters.null_keys, null.len() as u64);
        } else {
            let failed = null.iter().map(|&row| {
                let message = "its key is null and `null-key` is \"fail\"";
                parts
                    .blame
                    .row("null-key", message)
                    .about(&batch, row as usize)
            });
            let failed: Vec<FailedRow> = failed.collect();
            self.fail(failed, out)?;
        }
        Ok(batch.take(&kept))
    }
}

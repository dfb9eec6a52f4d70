//! Rows of a window operator with a null in their key.

use tidemill_rows::Batch;

use super::Window;
use crate::error::EngineError;
use crate::event::Output;
use crate::operator::null_keys::without_null_keys;

impl Window {
    /// Passes over, or fails, rows with a null in their key.
    pub(super) fn without_null_keys(
        &mut self,
        batch: Batch,
        out: &mut Output,
    ) -> Result<Batch, EngineError> {
        let parts = &self.parts;
        let key = (&parts.keying, parts.null_key);
        let (batch, failed) = without_null_keys(batch, key, &parts.blame, &parts.counters);
        if !failed.is_empty() {
            self.fail(failed, out)?;
        }
        Ok(batch)
    }
}

//! Rows and timers that failed.

use tidemill_core::process::Timer;
use tidemill_core::window::KeyId;
use tidemill_rows::{RecordBatch, Schema, json, time_text};
use tidemill_wasm::Failed;

use super::{FAILED, Process};
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::failed_batch;
use crate::metrics::add;

impl Process {
    /// Counts what failed, applies the policy, and sends what it wants sent.
    pub(super) fn give_failed(&mut self, out: &mut Output) -> Result<(), EngineError> {
        if self.failed.is_empty() {
            return Ok(());
        }
        let mut failed = std::mem::take(&mut self.failed);
        // Several calls name rows in any order; what time caused comes behind them.
        failed.sort_by_key(|(row, _)| *row);
        let timers = failed
            .iter()
            .filter(|(row, _)| *row == Timer::NO_ROW)
            .count();
        let counters = &self.parts.counters;
        add(&counters.failed, (failed.len() - timers) as u64);
        add(&counters.failed_results, timers as u64);
        let failed = failed.into_iter().map(|(_, row)| row).collect();
        let letters = self.parts.blame.policy.apply(failed)?;
        if !letters.is_empty() {
            out.rows(FAILED, failed_batch(&letters, self.watermark));
        }
        Ok(())
    }

    /// A timer that failed: its key, its name and its time, in place of a row. It is gone; state stays as it was.
    pub(super) fn timer_failed(&mut self, (key, timer): (KeyId, Timer), reason: Failed) {
        let parts = &self.parts;
        let columns = parts.keying.columns_of(std::iter::once(key));
        let fields = parts.keying.fields().to_vec();
        let key = match fields.is_empty() {
            true => "{}".to_owned(),
            false => {
                let rows = RecordBatch::try_new(Schema::new(fields).into(), columns);
                json::row(&rows.expect("key columns are as the key's fields say"), 0)
            }
        };
        let name = serde_json::Value::from(parts.names.name(timer.name));
        let time = time_text::rfc3339(timer.time);
        let mut failed = parts.blame.failed(reason);
        failed.time = Some(timer.time);
        failed.row = Some(format!(
            "{{\"key\":{key},\"timer\":{name},\"time\":\"{time}\"}}"
        ));
        self.failed.push((Timer::NO_ROW, failed));
    }
}

//! What a window operator kept before its function was changed, as it would have kept it since.

use super::Window;
use crate::checkpoint::changes::StateChange;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::kept::{KeysKept, StoredKept, WindowsKept};
use crate::state::rows::saving;

impl Window {
    /// The same windows, their accumulators and stored rows with the columns that they have now.
    ///
    /// # Errors
    /// If something that was kept has no place in them.
    pub(super) fn migrated(
        &self,
        mut kept: WindowsKept,
        change: &StateChange,
    ) -> Result<WindowsKept, Unfit> {
        for block in &mut kept.blocks {
            self.migrate_block(block, change)?;
        }
        Ok(kept)
    }

    fn migrate_block(&self, block: &mut KeysKept, change: &StateChange) -> Result<(), Unfit> {
        if let Some(change) = &change.accumulator {
            let fresh = self.parts.called.nothing();
            for table in [&mut block.accs.rows, &mut block.sent_accs] {
                let was = std::mem::take(table);
                *table = change.table(was.into(), Some(&fresh))?.into();
            }
        }
        if let Some(change) = &change.rows {
            for stored in [&mut block.stored, &mut block.sent_rows] {
                let StoredKept { rows, .. } = stored;
                if !rows.is_empty() {
                    *rows = saving::with_columns(rows, change)?;
                }
            }
        }
        Ok(())
    }
}

//! Rows with a null in their key: kept, passed over, or failed.

use tidemill_rows::Batch;

use super::keying::{Keying, NullKey};
use crate::blame::Blame;
use crate::failure::FailedRow;
use crate::metrics::{Counters, add};

/// The rows that are kept, and those that failed for their null key. What is passed over is counted.
pub fn without_null_keys(
    batch: Batch,
    (keying, null_key): (&Keying, NullKey),
    blame: &Blame,
    counters: &Counters,
) -> (Batch, Vec<FailedRow>) {
    if null_key == NullKey::Keep {
        return (batch, Vec::new());
    }
    let Some(nulls) = keying.null_rows(&batch.columns) else {
        return (batch, Vec::new());
    };
    let (null, kept): (Vec<u32>, Vec<u32>) =
        (0..batch.len() as u32).partition(|&row| nulls.value(row as usize));
    let mut failed = Vec::new();
    if null_key == NullKey::Skip {
        add(&counters.null_keys, null.len() as u64);
    } else {
        let message = "its key is null and `null-key` is \"fail\"";
        let row = |&row: &u32| blame.row("null-key", message).about(&batch, row as usize);
        failed.extend(null.iter().map(row));
    }
    (batch.take(&kept), failed)
}

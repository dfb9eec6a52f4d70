//! Tables without time: accumulators and states that came back; the watermarks beside a state.

use arrow_schema::Field;
use tidemill_core::time;

use super::column;
use super::column::length;
use crate::outcome::Failed;
use crate::wire::{Table, WireAccumulated};

/// Checks a table of `rows` rows of the declared fields. `what` names it.
pub(crate) fn table(
    what: &str,
    table: &Table,
    fields: &[Field],
    rows: usize,
) -> Result<(), String> {
    if table.rows as usize != rows {
        return Err(format!("{what}: {} rows, expected {rows}", table.rows));
    }
    if table.columns.len() != fields.len() {
        let (is, declared) = (table.columns.len(), fields.len());
        return Err(format!("{what}: {is} columns, declared are {declared}"));
    }
    table
        .columns
        .iter()
        .zip(fields)
        .try_for_each(|(values, field)| {
            column(values, field, rows).map_err(|e| format!("{what}, column {}: {e}", field.name()))
        })
}

/// Checks what `accumulate` or `merge` returned: as many accumulators as were given, one marked row per mark.
pub(crate) fn accumulated(
    returned: &WireAccumulated,
    fields: &[Field],
    accs: usize,
    marks: usize,
) -> Result<(), String> {
    // With failures that left a trace the tables are not used: only their presence is the guest's business.
    if !returned.failures.is_empty() && !returned.clean {
        return Ok(());
    }
    table("accs", &returned.accs, fields, accs)?;
    table("marked", &returned.marked, fields, marks)
}

/// Checks what `observe` returned: a watermark per row, none beyond the times that rows can have. The words of failed rows
/// do not count.
pub(crate) fn watermarks(watermarks: &[i64], failed: &[Failed], rows: usize) -> Result<(), String> {
    length("watermarks", watermarks.len(), rows)?;
    let has_failed = |row: usize| failed.iter().any(|failed| failed.row as usize == row);
    let beyond = |(row, &watermark): (usize, &i64)| watermark > time::LAST && !has_failed(row);
    match watermarks.iter().enumerate().position(beyond) {
        None => Ok(()),
        Some(row) => Err(format!(
            "the watermark after row {row} is {} us, beyond the year 9999",
            watermarks[row]
        )),
    }
}

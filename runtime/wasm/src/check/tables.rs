//! Tables without time: accumulators that came back.

use arrow_schema::Field;

use super::column;
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

//! What parts of a call gave, put together: tables, changes, emitted rows.

use arrow_array::{ArrayRef, UInt32Array};

use super::{Listed, Mapped};
use crate::outcome::{Emitted, Produced};
use crate::wire::Table;

/// Rows of tables. Tables without rows may have no columns, and are none to pick from.
pub fn pick(tables: &[&Table], mut picks: Vec<(usize, usize)>) -> Table {
    let there: Vec<usize> = (0..tables.len())
        .filter(|&at| tables[at].rows > 0)
        .collect();
    let Some(&first) = there.first() else {
        return tables.first().map_or_else(none, |table| (*table).clone());
    };
    for (table, _) in &mut picks {
        *table = there
            .binary_search(table)
            .expect("a table that has the row");
    }
    if picks.is_empty() {
        return tables[first].without_rows();
    }
    let there: Vec<&Table> = there.into_iter().map(|at| tables[at]).collect();
    Table::interleave(&there, &picks)
}

pub fn none() -> Table {
    Table {
        rows: 0,
        columns: Vec::new(),
    }
}

pub fn no_list() -> Listed {
    Listed {
        rows: Vec::new(),
        changes: Vec::new(),
        entries: none(),
    }
}

pub fn no_map() -> Mapped {
    Mapped {
        rows: Vec::new(),
        changes: Vec::new(),
        sub_keys: none(),
        values: none(),
    }
}

pub fn all_lists(parts: Vec<Listed>) -> Listed {
    Listed {
        rows: parts.iter().flat_map(|part| part.rows.clone()).collect(),
        changes: parts.iter().flat_map(|part| part.changes.clone()).collect(),
        entries: all(parts.iter().map(|part| &part.entries)),
    }
}

pub fn all_maps(parts: Vec<Mapped>) -> Mapped {
    Mapped {
        rows: parts.iter().flat_map(|part| part.rows.clone()).collect(),
        changes: parts.iter().flat_map(|part| part.changes.clone()).collect(),
        sub_keys: all(parts.iter().map(|part| &part.sub_keys)),
        values: all(parts.iter().map(|part| &part.values)),
    }
}

/// Tables end to end.
pub fn all<'t>(tables: impl Iterator<Item = &'t Table>) -> Table {
    let tables: Vec<&Table> = tables.filter(|table| table.rows > 0).collect();
    match tables.is_empty() {
        true => none(),
        false => Table::concat(&tables),
    }
}

pub fn take(columns: &[ArrayRef], rows: &[u32]) -> Vec<ArrayRef> {
    let rows = UInt32Array::from(rows.to_vec());
    let take = |column: &ArrayRef| {
        arrow_select::take::take(column, &rows, None).expect("rows are picked from the call's")
    };
    columns.iter().map(take).collect()
}

/// One target's entries, end to end. All have times, and changes where any has.
pub fn end_to_end(entries: &[Emitted]) -> Emitted {
    let column = |at: usize| {
        let arrays: Vec<&dyn arrow_array::Array> = entries
            .iter()
            .map(|entry| match &entry.columns[at] {
                Produced::Made(array) => array.as_ref(),
                Produced::Input(_) => unreachable!("inputs of parts were taken"),
            })
            .collect();
        let array = arrow_select::concat::concat(&arrays);
        Produced::Made(array.expect("all are of the declared type"))
    };
    let changes = entries.iter().any(|entry| entry.changes.is_some());
    let changes_of = |entry: &Emitted| {
        let inserts = || vec![0; entry.origins.len()];
        entry.changes.clone().unwrap_or_else(inserts)
    };
    Emitted {
        target: entries[0].target,
        origins: entries.iter().flat_map(|e| e.origins.clone()).collect(),
        times: Some(
            entries
                .iter()
                .flat_map(|e| e.times.clone())
                .flatten()
                .collect(),
        ),
        changes: changes.then(|| entries.iter().flat_map(changes_of).collect()),
        columns: (0..entries[0].columns.len()).map(column).collect(),
    }
}

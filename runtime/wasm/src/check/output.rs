//! An outcome: targets, origins, times, changes, columns, failures.

use arrow_schema::Field;
use tidemill_rows::LogicalType;
use tidemill_rows::visible::visible_within;

use super::column::{self, length};
use crate::arrow::checked_to_arrow;
use crate::description::{Function, Output};
use crate::limits::Limits;
use crate::outcome::{Emitted, Failed, Outcome, Produced, Reason};
use crate::wire::{WireEmitted, WireFailure, WireOutput, WireProduced};

/// What an outcome is held against.
pub(crate) struct Expected<'a> {
    /// The function that returned it.
    pub function: &'a Function,
    /// The columns that `produced.input` may name: the input's, or the keys'.
    pub inputs: &'a [Field],
    /// How many rows (or firings) the call had.
    pub rows: usize,
    /// Whether emitted rows may have times and changes of their own; otherwise the host sets them.
    pub own: bool,
    /// The limits of the operator.
    pub limits: &'a Limits,
}

/// Checks an outcome and makes Arrow arrays of its columns.
pub(crate) fn output(returned: WireOutput, expected: &Expected<'_>) -> Result<Outcome, String> {
    let rows: usize = returned.emitted.iter().map(|e| e.origins.len()).sum();
    if rows > expected.limits.returned_rows {
        let limit = expected.limits.returned_rows;
        return Err(format!(
            "it emits {rows} rows in one call (limit returned-rows: {limit})"
        ));
    }
    let failed = failures(returned.failures, expected.rows, expected.limits)?;
    let mut emitted = Vec::with_capacity(returned.emitted.len());
    for entry in returned.emitted {
        let target = entry.target;
        let name = || target_name(expected.function, target);
        emitted.push(one(entry, expected).map_err(|e| format!("{}: {e}", name()))?);
    }
    emitted.sort_by_key(|e: &Emitted| e.target);
    if let Some(pair) = emitted
        .windows(2)
        .find(|pair| pair[0].target == pair[1].target)
    {
        let name = target_name(expected.function, pair[0].target as u32);
        return Err(format!(
            "{name}: it is emitted to twice in one call, at most once"
        ));
    }
    apart(&failed, &emitted, expected.function)?;
    Ok(Outcome { emitted, failed })
}

fn one(entry: WireEmitted, expected: &Expected<'_>) -> Result<Emitted, String> {
    let target = entry.target as usize;
    let output = match target.checked_sub(1) {
        None => &expected.function.output,
        Some(side) => match expected.function.sides.get(side) {
            Some(side) => &side.output,
            None => {
                return Err(format!(
                    "declared are {} sides",
                    expected.function.sides.len()
                ));
            }
        },
    };
    let rows = entry.origins.len();
    origins(
        &entry.origins,
        expected.rows,
        matches!(output, Output::Same),
    )?;
    row_lists(&entry, expected)?;
    let fields = output.fields();
    if entry.columns.len() != fields.len() {
        let (is, declared) = (entry.columns.len(), fields.len());
        return Err(format!("{is} columns, declared are {declared}"));
    }
    let mut columns = Vec::with_capacity(fields.len());
    for (produced, field) in entry.columns.into_iter().zip(fields) {
        let made = self::produced(produced, field, rows, expected.inputs);
        columns.push(made.map_err(|e| format!("column {}: {e}", field.name()))?);
    }
    Ok(Emitted {
        target,
        origins: entry.origins,
        times: entry.times,
        changes: entry.changes,
        columns,
    })
}

fn origins(origins: &[u32], rows: usize, same: bool) -> Result<(), String> {
    if column::descends(origins) {
        let at = origins
            .windows(2)
            .position(|pair| pair[0] > pair[1])
            .unwrap_or_default();
        let (before, after) = (origins[at], origins[at + 1]);
        return Err(format!(
            "origins descend at {}: {before}, then {after}",
            at + 1
        ));
    }
    if let Some(&last) = origins.last()
        && last as usize >= rows
    {
        return Err(format!(
            "origin {last} is out of range: the call had {rows} rows"
        ));
    }
    if same && let Some(at) = origins.windows(2).position(|pair| pair[0] == pair[1]) {
        let origin = origins[at];
        return Err(format!(
            "origin {origin} stands twice, but the output is \"same\""
        ));
    }
    Ok(())
}

fn row_lists(entry: &WireEmitted, expected: &Expected<'_>) -> Result<(), String> {
    let rows = entry.origins.len();
    if let Some(times) = &entry.times {
        if !expected.own {
            return Err("times are set by the host here, the function must leave them out".into());
        }
        length("times", times.len(), rows)?;
        column::times(times)?;
    }
    if let Some(changes) = &entry.changes {
        if !expected.own {
            return Err(
                "changes are set by the host here, the function must leave them out".into(),
            );
        }
        length("changes", changes.len(), rows)?;
        if let Some(row) = changes.iter().position(|&change| change > 3) {
            return Err(format!(
                "the change of row {row} is {}, expected 0 to 3",
                changes[row]
            ));
        }
    }
    Ok(())
}

fn produced(
    produced: WireProduced,
    field: &Field,
    rows: usize,
    inputs: &[Field],
) -> Result<Produced, String> {
    match produced {
        WireProduced::Made(made) => {
            column::column(&made, field, rows)?;
            Ok(Produced::Made(checked_to_arrow(
                made,
                LogicalType::of(field.data_type()),
            )))
        }
        WireProduced::Input(n) => match inputs.get(n as usize) {
            None => Err(format!(
                "it names input column {n}, the call had {}",
                inputs.len()
            )),
            Some(input) if fits(input, field) => Ok(Produced::Input(n)),
            Some(input) => Err(format!(
                "it names input column {} of type {}, the declared type is {}",
                input.name(),
                LogicalType::word(input),
                LogicalType::word(field)
            )),
        },
    }
}

fn fits(input: &Field, field: &Field) -> bool {
    LogicalType::of(input.data_type()) == LogicalType::of(field.data_type())
        && (field.is_nullable() || !input.is_nullable())
}

/// Checks failures, cuts their texts to the limit, and puts them in order of rows. Of a row that is named twice the first
/// counts.
pub(crate) fn failures(
    returned: Vec<WireFailure>,
    rows: usize,
    limits: &Limits,
) -> Result<Vec<Failed>, String> {
    let mut failed = Vec::with_capacity(returned.len());
    for failure in returned {
        if failure.row as usize >= rows {
            let row = failure.row;
            return Err(format!(
                "failure: row {row} is out of range: the call had {rows}"
            ));
        }
        let reason = match failure.severity {
            0 => Reason::Invalid,
            1 => Reason::Fatal,
            2 => Reason::Retry,
            other => return Err(format!("failure: severity {other}, expected 0 to 2")),
        };
        failed.push(Failed {
            row: failure.row,
            reason,
            code: visible_within(&failure.code, limits.failure_text_bytes),
            message: visible_within(&failure.message, limits.failure_text_bytes),
            backtrace: None,
            log: Vec::new(),
        });
    }
    failed.sort_by_key(|f: &Failed| f.row);
    failed.dedup_by_key(|f| f.row);
    Ok(failed)
}

/// A row that failed leaves no trace, so it cannot have been emitted.
fn apart(failed: &[Failed], emitted: &[Emitted], function: &Function) -> Result<(), String> {
    for failure in failed {
        for entry in emitted {
            if entry.origins.binary_search(&failure.row).is_ok() {
                let name = target_name(function, entry.target as u32);
                let row = failure.row;
                return Err(format!("{name}: row {row} is emitted although it failed"));
            }
        }
    }
    Ok(())
}

fn target_name(function: &Function, target: u32) -> String {
    match (target as usize).checked_sub(1) {
        None => "main output".to_owned(),
        Some(side) => match function.sides.get(side) {
            Some(side) => format!("side output {}", side.name),
            None => format!("target {target}"),
        },
    }
}

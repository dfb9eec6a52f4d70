//! Watermarks: a split's rows in their order, whatever rows of other splits the instance takes between them.

use arrow_array::ArrayRef;
use tidemill_rows::{json, time_text};
use tidemill_wasm::{Observed, RowsIn, Table};

use super::{BATCHES, Fault, Finding, Given, difference, settings};
use crate::functions::{Functions, InModules, WatermarkCalls};
use crate::plan::{FunctionPlan, Station};

/// How rows are given.
#[derive(Clone, Copy)]
enum Way {
    /// So many at a time.
    Batches(usize),
    /// So many at a time, each also as rows of another split.
    Beside(usize),
}

/// What was found out about a watermark.
pub fn check(
    function: &FunctionPlan,
    station: &Station,
    given: &Given,
) -> Result<Option<Finding>, Fault> {
    let fresh = || InModules.watermark(&function.module, settings(station, function));
    let row = |at: usize| json::row(&given.rows, at);
    let all = Way::Batches(given.rows.num_rows());
    let mut guest = fresh()?;
    let first = observed(function, given, (&mut *guest, all))?;
    let again = observed(function, given, (&mut *guest, all))?;
    if let Some(found) = difference("called again on the same instance", (&first, &again), row) {
        return Ok(Some(found));
    }
    let batches = BATCHES.map(|rows| {
        let when = format!("called with {rows} rows at a time");
        (when, Way::Batches(rows))
    });
    let beside = "called with the rows of two splits by turns".to_owned();
    for (when, way) in batches.into_iter().chain([(beside, Way::Beside(7))]) {
        let other = observed(function, given, (&mut *fresh()?, way))?;
        if let Some(found) = difference(when, (&first, &other), row) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is said after each row: the watermark, or why the row was refused.
fn observed(
    function: &FunctionPlan,
    given: &Given,
    (guest, way): (&mut dyn WatermarkCalls, Way),
) -> Result<Vec<String>, Fault> {
    let (batch, beside) = match way {
        Way::Batches(batch) => (batch, false),
        Way::Beside(batch) => (batch, true),
    };
    let mut state = guest.create()?;
    let mut other = state.clone();
    let mut said = Vec::new();
    let all: Vec<u32> = (0..given.rows.num_rows() as u32).collect();
    for part in all.chunks(batch.max(1)) {
        let rows = given.take(part);
        if beside {
            other = observe(function, &rows, (guest, &other))?.state;
        }
        let done = observe(function, &rows, (guest, &state))?;
        said.extend(texts(&done));
        state = done.state;
    }
    Ok(said)
}

fn observe(
    function: &FunctionPlan,
    rows: &Given,
    (guest, state): (&mut dyn WatermarkCalls, &Table),
) -> Result<Observed, Fault> {
    let inputs = function.inputs.iter();
    let columns: Vec<ArrayRef> = inputs.map(|&i| rows.rows.column(i).clone()).collect();
    let rows_in = RowsIn {
        len: rows.rows.num_rows(),
        times: &rows.times,
        stamps: None,
        changes: None,
        columns: &columns,
    };
    Ok(guest.observe(&rows_in, state)?)
}

fn texts(observed: &Observed) -> Vec<String> {
    let said = |&w: &i64| match w {
        i64::MIN => "as it was".to_owned(),
        w => time_text::rfc3339(w),
    };
    let mut texts: Vec<String> = observed.watermarks.iter().map(said).collect();
    for failed in &observed.failed {
        let (reason, message) = (failed.reason.name(), &failed.message);
        texts[failed.row as usize] = format!("failure: {reason}: {message}");
    }
    texts
}

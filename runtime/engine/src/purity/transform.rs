//! Transforms: every row by itself, so what one gives may depend on nothing but itself.

use std::fmt::Write;

use arrow_array::ArrayRef;
use tidemill_rows::json;
use tidemill_wasm::{Outcome, Produced, RowsIn};

use super::{BATCHES, Fault, Finding, Given, difference, settings};
use crate::functions::{Functions, InModules, TransformCalls};
use crate::plan::{Station, TransformPlan};

/// What was found out about a transform.
pub fn check(
    plan: &TransformPlan,
    station: &Station,
    given: &Given,
) -> Result<Option<Finding>, Fault> {
    let fresh = || InModules.transform(&plan.function.module, settings(station, &plan.function));
    let rows = given.rows.num_rows();
    let all: Vec<u32> = (0..rows as u32).collect();
    let backwards: Vec<u32> = all.iter().rev().copied().collect();
    let row = |at: usize| json::row(&given.rows, at);
    let mut guest = fresh()?;
    let first = in_batches(plan, given, &all, (&mut *guest, rows))?;
    let again = in_batches(plan, given, &all, (&mut *guest, rows))?;
    if let Some(found) = difference("called again on the same instance", (&first, &again), row) {
        return Ok(Some(found));
    }
    for batch in BATCHES {
        let other = in_batches(plan, given, &all, (&mut *fresh()?, batch))?;
        let when = format!("called with {batch} rows at a time");
        if let Some(found) = difference(when, (&first, &other), row) {
            return Ok(Some(found));
        }
    }
    let other = in_batches(plan, given, &backwards, (&mut *fresh()?, rows))?;
    let when = "called with the rows in the opposite order";
    Ok(difference(when, (&first, &other), row))
}

/// What each row gives, by its number in `given`, when they are given in this order, so many at a time.
fn in_batches(
    plan: &TransformPlan,
    given: &Given,
    order: &[u32],
    (guest, batch): (&mut dyn TransformCalls, usize),
) -> Result<Vec<String>, Fault> {
    let mut results = vec![String::new(); order.len()];
    for part in order.chunks(batch.max(1)) {
        let part_given = given.take(part);
        let columns: Vec<ArrayRef> = plan
            .function
            .inputs
            .iter()
            .map(|&i| part_given.rows.column(i).clone())
            .collect();
        let stamps = plan.function.described().stamps;
        let outcome = guest.apply(&RowsIn {
            len: part.len(),
            times: &part_given.times,
            stamps: stamps.then_some(&part_given.stamps[..]),
            changes: None,
            columns: &columns,
        })?;
        for (row, text) in part.iter().zip(texts(&outcome, &columns, part.len())) {
            results[*row as usize] = text;
        }
    }
    Ok(results)
}

/// What each row (or firing) gave, as text. `given` are the columns that the call was given.
pub fn texts(outcome: &Outcome, given: &[ArrayRef], rows: usize) -> Vec<String> {
    let mut texts = vec![String::new(); rows];
    for emitted in &outcome.emitted {
        for (i, &origin) in emitted.origins.iter().enumerate() {
            let values: Vec<String> = emitted
                .columns
                .iter()
                .map(|column| match column {
                    Produced::Made(column) => json::value(column, i),
                    Produced::Input(n) => json::value(&given[*n as usize], origin as usize),
                })
                .collect();
            let text = &mut texts[origin as usize];
            let output = match emitted.target {
                0 => "row".to_owned(),
                side => format!("row at side output {side}"),
            };
            _ = write!(text, "{}{output} ({})", separator(text), values.join(", "));
            if let Some(times) = &emitted.times {
                _ = write!(text, " at {}", times[i]);
            }
            if let Some(changes) = &emitted.changes {
                _ = write!(text, " as change {}", changes[i]);
            }
        }
    }
    for failed in &outcome.failed {
        let text = &mut texts[failed.row as usize];
        let (reason, message) = (failed.reason.name(), &failed.message);
        _ = write!(text, "{}failure: {reason}: {message}", separator(text));
    }
    texts
        .iter_mut()
        .filter(|text| text.is_empty())
        .for_each(|text| text.push_str("nothing"));
    texts
}

fn separator(text: &str) -> &'static str {
    if text.is_empty() { "" } else { ", " }
}

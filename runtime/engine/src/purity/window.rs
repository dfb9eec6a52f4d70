//! Functions that are given all rows of a window: each key's rows as one window, whatever other windows share the call.

use arrow_array::{ArrayRef, UInt32Array};
use tidemill_rows::{RecordBatch, Schema, json};
use tidemill_wasm::{Firing, Firings, RowsIn};

use super::aggregate::numbered;
use super::transform::texts;
use super::{Fault, Finding, Given, difference, settings};
use crate::functions::{Functions, InModules, WindowCalls};
use crate::plan::{Station, WindowPlan};

/// A function, and the windows that it is given.
struct Subject<'a> {
    plan: &'a WindowPlan,
    given: &'a Given,
    /// The rows of each window, in order of event time.
    windows: Vec<Vec<u32>>,
}

/// What was found out about a function of kind window.
pub fn check(
    plan: &WindowPlan,
    station: &Station,
    given: &Given,
) -> Result<Option<Finding>, Fault> {
    let subject = Subject {
        plan,
        given,
        windows: windows(plan, given),
    };
    let fresh = || InModules.window(&plan.function.module, settings(station, &plan.function));
    let all: Vec<usize> = (0..subject.windows.len()).collect();
    let backwards: Vec<usize> = all.iter().rev().copied().collect();
    let mut guest = fresh()?;
    let first = subject.applied(&all, (&mut *guest, all.len()))?;
    let again = subject.applied(&all, (&mut *guest, all.len()))?;
    let single = subject.applied(&all, (&mut *fresh()?, 1))?;
    let turned = subject.applied(&backwards, (&mut *fresh()?, all.len()))?;
    let others = [
        ("called again on the same instance", again),
        ("called with one window at a time", single),
        ("called with the windows in another order", turned),
    ];
    Ok(others.iter().find_map(|(when, other)| {
        difference(*when, (&first, other), |window| subject.shown(window))
    }))
}

/// The rows of each key, in order of event time, and the first half of each as a window of its own.
fn windows(plan: &WindowPlan, given: &Given) -> Vec<Vec<u32>> {
    let (keys, firsts) = numbered(plan, given);
    let mut windows = vec![Vec::new(); firsts.len()];
    for (row, key) in keys.into_iter().enumerate() {
        windows[key].push(row as u32);
    }
    for rows in &mut windows {
        rows.sort_by_key(|&row| given.times[row as usize]);
    }
    let halves: Vec<Vec<u32>> = windows
        .iter()
        .map(|rows| rows[..rows.len().div_ceil(2)].to_vec())
        .collect();
    windows.into_iter().chain(halves).collect()
}

impl Subject<'_> {
    /// What each window gives, when they are given in this order, so many at a time.
    fn applied(
        &self,
        order: &[usize],
        (guest, most): (&mut dyn WindowCalls, usize),
    ) -> Result<Vec<String>, Fault> {
        let mut results = vec![String::new(); order.len()];
        for part in order.chunks(most.max(1)) {
            let rows: Vec<u32> = part
                .iter()
                .flat_map(|&at| self.windows[at].clone())
                .collect();
            let of_part = self.given.take(&rows);
            let inputs = self.plan.function.inputs.iter();
            let columns: Vec<ArrayRef> = inputs.map(|&i| of_part.rows.column(i).clone()).collect();
            let stamps = self.plan.function.described().stamps;
            let rows_in = RowsIn {
                len: rows.len(),
                times: &of_part.times,
                stamps: stamps.then_some(&of_part.stamps[..]),
                changes: None,
                columns: &columns,
            };
            let mut offsets = vec![0];
            for &at in part {
                offsets.push(offsets[offsets.len() - 1] + self.windows[at].len() as u32);
            }
            let firings: Firings = part.iter().map(|&at| self.firing(at)).collect();
            let keys = self.keys(part);
            let outcome = guest.apply(&keys, &firings, &rows_in, &offsets)?;
            for (&at, text) in part.iter().zip(texts(&outcome, &keys, part.len())) {
                results[at] = text;
            }
        }
        Ok(results)
    }

    /// The key columns that the function wants, of these windows.
    fn keys(&self, windows: &[usize]) -> Vec<ArrayRef> {
        let firsts: UInt32Array = windows.iter().map(|&at| self.windows[at][0]).collect();
        let column = |&i: &usize| {
            let column = self.given.rows.column(self.plan.key[i]);
            arrow_select::take::take(column, &firsts, None).expect("a window has a row")
        };
        self.plan.finish_keys.iter().map(column).collect()
    }

    /// A window around its rows.
    fn firing(&self, window: usize) -> Firing {
        let rows = &self.windows[window];
        let time = |row: &u32| self.given.times[*row as usize];
        Firing {
            start: rows.first().map_or(0, time),
            end: rows.last().map_or(0, time) + 1,
            moment: 1,
            number: 1,
            last: true,
        }
    }

    /// A window, for people.
    fn shown(&self, window: usize) -> String {
        let rows = &self.windows[window];
        let row = json::row(&self.given.rows, rows[0] as usize);
        let first = format!("first of {}: {row}", rows.len());
        if self.plan.key.is_empty() {
            return first;
        }
        let key = self.plan.key.iter();
        let columns: Vec<ArrayRef> = key.map(|&i| self.given.rows.column(i).clone()).collect();
        let schema = Schema::new(self.plan.key_fields.clone());
        let keys = RecordBatch::try_new(schema.into(), columns)
            .expect("key columns are as the key's fields say");
        format!("{}, {first}", json::row(&keys, rows[0] as usize))
    }
}

//! Some rows of a call, as a call of their own.

use std::collections::HashMap;

use arrow_array::ArrayRef;

use super::parts::{Place, Walk};
use super::together::{pick, take};
use super::{Held, KeysIn, Returned, TimersIn, What};
use crate::error::CallError;
use crate::fold::Taken;
use crate::outcome::{Emitted, Produced};
use crate::report::Stopped;
use crate::wire::Table;

/// Some of the rows, as a call of their own.
pub struct Part {
    /// The keys that occur, in order of first appearance.
    pub named: Vec<u32>,
    /// For each row its place in `named`.
    groups: Vec<u32>,
    values: Vec<Held>,
    keys: Vec<ArrayRef>,
    /// The columns that `produced.input` names.
    inputs: Vec<ArrayRef>,
}

impl Part {
    /// The rows named, with what is held for their keys by now.
    pub fn of(walk: &Walk<'_>, rows: &[u32]) -> Self {
        let mut places: HashMap<u32, u32> = HashMap::new();
        let (mut named, mut groups) = (Vec::new(), Vec::with_capacity(rows.len()));
        for &row in rows {
            let key = walk.what.group(row);
            let place = *places.entry(key).or_insert_with(|| {
                named.push(key);
                named.len() as u32 - 1
            });
            groups.push(place);
        }
        let values = walk.slots.iter().map(|(tables, cells)| {
            let places: Vec<Place> = named.iter().map(|&key| cells[key as usize].place).collect();
            let tables: Vec<&Table> = tables.iter().collect();
            Held {
                present: places
                    .iter()
                    .map(|place| u8::from(place.is_some()))
                    .collect(),
                entries: pick(&tables, places.into_iter().flatten().collect()),
            }
        });
        let values = values.collect();
        let keys = take(walk.keys.columns, &named);
        Self {
            inputs: match walk.what {
                What::Rows(given, _) => take(given.columns, rows),
                What::Timers(_) => keys.clone(),
            },
            named,
            groups,
            values,
            keys,
        }
    }

    /// Gives them to the function.
    pub fn call(
        &self,
        walk: &mut Walk<'_>,
        rows: &[u32],
    ) -> Result<Result<Returned, Stopped>, CallError> {
        let keys = KeysIn {
            count: self.named.len(),
            columns: &self.keys,
            values: &self.values,
        };
        let named = Some(self.named.clone());
        match walk.what {
            What::Rows(given, _) => {
                let taken = Taken::of(given, rows);
                let what = What::Rows(&taken.rows(), &self.groups);
                walk.process.call(what, &keys, named)
            }
            What::Timers(given) => {
                let names: Vec<u32> = rows.iter().map(|&row| given.names[row as usize]).collect();
                let times: Vec<i64> = rows.iter().map(|&row| given.times[row as usize]).collect();
                let timers = TimersIn {
                    names: &names,
                    times: &times,
                    ended: given.ended,
                };
                walk.process.call(What::Timers(timers), &keys, named)
            }
        }
    }

    /// Emitted rows of the part as rows of the whole call, with times and columns of their own.
    pub fn whole(&self, mut emitted: Emitted, rows: &[u32], walk: &Walk<'_>) -> Emitted {
        for column in &mut emitted.columns {
            if let Produced::Input(n) = column {
                let input = std::slice::from_ref(&self.inputs[*n as usize]);
                *column = Produced::Made(take(input, &emitted.origins).remove(0));
            }
        }
        emitted
            .origins
            .iter_mut()
            .for_each(|origin| *origin = rows[*origin as usize]);
        let origins = || emitted.origins.iter().map(|&row| row as usize);
        emitted.times.get_or_insert_with(|| match walk.what {
            What::Rows(given, _) => origins().map(|row| given.times[row]).collect(),
            What::Timers(given) => origins().map(|row| given.times[row]).collect(),
        });
        if let What::Rows(given, _) = walk.what
            && let Some(changes) = given.changes
        {
            emitted
                .changes
                .get_or_insert_with(|| origins().map(|row| changes[row]).collect());
        }
        emitted
    }
}

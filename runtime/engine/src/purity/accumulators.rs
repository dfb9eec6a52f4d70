//! Rows folded into accumulators, one per key, as the engine does it: a row that fails is left out, and leaves no trace.

use arrow_array::ArrayRef;
use arrow_schema::{Field, Schema};
use tidemill_rows::{RecordBatch, json};
use tidemill_wasm::{RowsIn, Table, table_to_arrow};

use super::{Fault, Given};
use crate::functions::AggregateCalls;
use crate::plan::WindowPlan;

/// Accumulators of keys, numbered.
#[derive(Clone)]
pub struct Accumulators {
    pub of_key: Vec<Table>,
}

impl Accumulators {
    /// Those of no rows.
    pub fn new(guest: &mut dyn AggregateCalls, keys: usize) -> Result<Self, Fault> {
        let created = guest.create()?;
        Ok(Self {
            of_key: vec![created; keys],
        })
    }

    /// As text, each.
    pub fn texts(&self, fields: &[Field]) -> Vec<String> {
        self.of_key.iter().map(|acc| text(fields, acc)).collect()
    }

    /// All of them as one table.
    pub fn table(&self) -> Table {
        Table::concat(&self.of_key.iter().collect::<Vec<_>>())
    }
}

/// An accumulator as text.
fn text(fields: &[Field], acc: &Table) -> String {
    let columns = match table_to_arrow(acc, fields) {
        Ok(columns) if !columns.is_empty() => columns,
        Ok(_) => return "{}".to_owned(),
        Err(message) => return message,
    };
    let rows = RecordBatch::try_new(Schema::new(fields.to_vec()).into(), columns)
        .expect("an accumulator is as the function's fields say");
    json::row(&rows, 0)
}

/// Rows and the key of each.
#[derive(Clone, Copy)]
pub struct Keyed<'a> {
    pub plan: &'a WindowPlan,
    pub given: &'a Given,
    /// The number of each row's key.
    pub keys: &'a [usize],
}

impl Keyed<'_> {
    /// Folds these rows, in this order, so many at a time.
    pub fn fold(
        self,
        order: &[u32],
        (guest, batch): (&mut dyn AggregateCalls, usize),
        into: &mut Accumulators,
    ) -> Result<(), Fault> {
        for part in order.chunks(batch.max(1)) {
            let mut part = part.to_vec();
            // Each attempt leaves out at least one row that failed.
            while !part.is_empty() {
                let failed = self.call(&part, guest, into)?;
                if failed.is_empty() {
                    break;
                }
                let kept = part.iter().enumerate();
                let kept = kept.filter(|(i, _)| !failed.contains(&(*i as u32)));
                part = kept.map(|(_, row)| *row).collect();
            }
        }
        Ok(())
    }

    /// One call. The rows that failed come back, and then nothing has changed.
    fn call(
        self,
        rows: &[u32],
        guest: &mut dyn AggregateCalls,
        into: &mut Accumulators,
    ) -> Result<Vec<u32>, Fault> {
        let mut keys: Vec<usize> = Vec::new();
        let groups: Vec<u32> = rows
            .iter()
            .map(|&row| {
                let key = self.keys[row as usize];
                let known = keys.iter().position(|k| *k == key);
                known.unwrap_or_else(|| {
                    keys.push(key);
                    keys.len() - 1
                }) as u32
            })
            .collect();
        let accs = Table::concat(
            &keys
                .iter()
                .map(|&key| &into.of_key[key])
                .collect::<Vec<_>>(),
        );
        let given = self.given.take(rows);
        let inputs = &self.plan.function.inputs;
        let columns: Vec<ArrayRef> = inputs
            .iter()
            .map(|&i| given.rows.column(i).clone())
            .collect();
        let stamps = self.plan.function.described().stamps;
        let rows_in = RowsIn {
            len: rows.len(),
            times: &given.times,
            stamps: stamps.then_some(&given.stamps[..]),
            changes: None,
            columns: &columns,
        };
        let ids: Vec<u32> = keys.iter().map(|&key| key as u32).collect();
        let done = guest.accumulate(&rows_in, &groups, &accs, &[], &ids)?;
        if !done.failed.is_empty() && !done.clean {
            return Ok(done.failed.iter().map(|failed| failed.row).collect());
        }
        for (i, &key) in keys.iter().enumerate() {
            into.of_key[key] = done.accs.gather(&[i as u32]);
        }
        Ok(Vec::new())
    }
}

/// Merges accumulators, key by key, into others: all in one call, or one key at a time.
pub fn merge(
    guest: &mut dyn AggregateCalls,
    into: &Accumulators,
    others: &Accumulators,
    at_once: usize,
) -> Result<Accumulators, Fault> {
    let mut merged = into.clone();
    let keys: Vec<usize> = (0..into.of_key.len()).collect();
    for part in keys.chunks(at_once.max(1)) {
        let table = |from: &Accumulators| {
            Table::concat(
                &part
                    .iter()
                    .map(|&key| &from.of_key[key])
                    .collect::<Vec<_>>(),
            )
        };
        let groups: Vec<u32> = (0..part.len() as u32).collect();
        let done = guest.merge(&table(into), &table(others), &groups)?;
        let failed = |i: usize| done.failed.iter().any(|failed| failed.row as usize == i);
        for (i, &key) in part.iter().enumerate().filter(|(i, _)| !failed(*i)) {
            merged.of_key[key] = done.accs.gather(&[i as u32]);
        }
    }
    Ok(merged)
}

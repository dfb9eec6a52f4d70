//! The transform operator: a function of kind `transform` on rows that share nothing.
//!
//! Ports: 0 the main output, 1 failed rows, then the side outputs of the function.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use tidemill_rows::Batch;
use tidemill_wasm::{Emitted, Output as Shape, Produced, RowsIn};

use super::Operator;
use crate::aggregate::carry_out::take_columns;
use crate::blame::Blame;
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::{FailedRow, failed_batch};
use crate::functions::TransformCalls;
use crate::metrics::{Counters, add};
use crate::talk::Talk;

/// Port of failed rows.
pub const FAILED: usize = 1;
/// Port of the first side output.
pub const SIDES: usize = 2;

/// What a transform operator is made of.
pub struct TransformParts {
    /// Calls the function.
    pub guest: Box<dyn TransformCalls>,
    /// The function's input columns, as indices of the input's.
    pub inputs: Vec<usize>,
    /// Whether the function wants stamps.
    pub with_stamps: bool,
    /// How the rows of each target are made, and their schema.
    pub targets: Vec<(Shape, SchemaRef)>,
    /// Where the function is heard.
    pub talk: Talk,
    /// Whom failed rows are put down to.
    pub blame: Blame,
    /// Counters of this operator on this worker.
    pub counters: Arc<Counters>,
}

/// A transform function on one worker.
pub struct Transform {
    parts: TransformParts,
}

impl Transform {
    /// A transform operator.
    pub fn new(parts: TransformParts) -> Self {
        Self { parts }
    }

    /// Rows of one target.
    fn emitted(&self, batch: &Batch, given: &[ArrayRef], emitted: Emitted) -> Batch {
        let (shape, schema) = &self.parts.targets[emitted.target];
        let all = emitted.origins.len() == batch.len() && is_every_row(&emitted.origins);
        let mut rows = if all {
            batch.clone()
        } else {
            batch.take(&emitted.origins)
        };
        if !matches!(shape, Shape::Same) {
            let made = emitted.columns.iter().map(|column| match column {
                Produced::Made(column) => column.clone(),
                Produced::Input(n) if all => given[*n as usize].clone(),
                Produced::Input(n) => {
                    take_columns(&given[*n as usize..=*n as usize], &emitted.origins).remove(0)
                }
            });
            let mut columns = match shape {
                Shape::Extended(_) => rows.columns.columns().to_vec(),
                _ => Vec::new(),
            };
            columns.extend(made);
            rows.columns = RecordBatch::try_new(schema.clone(), columns)
                .expect("emitted rows are as the function's checked output says");
        }
        if let Some(times) = emitted.times {
            rows.times.times = times.into();
        }
        if let Some(changes) = emitted.changes {
            rows.changes = Some(changes.into());
        }
        rows
    }
}

impl Operator for Transform {
    fn rows(&mut self, batch: Batch, out: &mut Output) -> Result<(), EngineError> {
        let parts = &mut self.parts;
        let columns: Vec<ArrayRef> = parts
            .inputs
            .iter()
            .map(|&i| batch.columns.column(i).clone())
            .collect();
        let rows = RowsIn {
            times: &batch.times.times,
            stamps: parts.with_stamps.then_some(&batch.times.stamps[..]),
            changes: batch.changes.as_deref(),
            columns: &columns,
            len: batch.len(),
        };
        let outcome = parts.guest.apply(&rows).map_err(|e| parts.blame.call(e))?;
        let (lines, notes) = (parts.guest.take_log(), parts.guest.take_notes());
        parts.talk.hear(&lines, notes, &parts.counters);
        let failed: Vec<FailedRow> = outcome
            .failed
            .into_iter()
            .map(|failed| {
                let row = failed.row as usize;
                parts.blame.failed(failed).about(&batch, row)
            })
            .collect();
        let counters = &parts.counters;
        let served = rows_served(&outcome.emitted, batch.len());
        let given: usize = outcome
            .emitted
            .iter()
            .map(|emitted| emitted.origins.len())
            .sum();
        add(&counters.rows_in, batch.len() as u64);
        add(&counters.rows_out, given as u64);
        add(&counters.failed, failed.len() as u64);
        add(
            &counters.filtered,
            (batch.len() - failed.len()).saturating_sub(served) as u64,
        );
        for emitted in outcome.emitted {
            let port = if emitted.target == 0 {
                0
            } else {
                SIDES + emitted.target - 1
            };
            out.rows(port, self.emitted(&batch, &columns, emitted));
        }
        if !failed.is_empty() {
            let stamp = batch.times.stamps[0];
            let letters = self.parts.blame.policy.apply(failed)?;
            out.rows(FAILED, failed_batch(&letters, stamp));
        }
        Ok(())
    }

    fn advance(&mut self, _w: i64, _out: &mut Output) -> Result<(), EngineError> {
        Ok(())
    }
}

/// How many of the rows given are the origin of any emitted row.
fn rows_served(emitted: &[Emitted], rows: usize) -> usize {
    match emitted {
        [] => 0,
        [one] => {
            1 + one
                .origins
                .windows(2)
                .filter(|pair| pair[0] != pair[1])
                .count()
                - usize::from(one.origins.is_empty())
        }
        several => {
            let mut served = vec![false; rows];
            let origins = several.iter().flat_map(|emitted| &emitted.origins);
            origins.for_each(|&row| served[row as usize] = true);
            served.into_iter().filter(|&served| served).count()
        }
    }
}

fn is_every_row(origins: &[u32]) -> bool {
    origins
        .iter()
        .enumerate()
        .all(|(i, &origin)| origin == i as u32)
}

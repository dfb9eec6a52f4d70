//! Watermarks that a function makes (semantics, Watermarks 4).
//!
//! The function is given the good rows of a split in its order, with the split's row of state, and says after each how far
//! event time has come; the clock raises that to what was said before. What it says of a row does not depend on which rows
//! share a call: the host holds the state. A row that the function cannot take is a bad row of the source.

use std::sync::Arc;

use arrow_array::ArrayRef;
use tidemill_rows::json;
use tidemill_wasm::{Failed, RowsIn, Table};

use super::prepare::Prepared;
use crate::blame::Blame;
use crate::error::EngineError;
use crate::failure::FailedRow;
use crate::functions::WatermarkCalls;
use crate::metrics::Counters;
use crate::talk::Talk;

/// A function that makes the watermarks of a source on one worker.
pub struct Custom {
    /// The function.
    pub guest: Box<dyn WatermarkCalls>,
    /// Its input columns, as indices of the source's.
    pub inputs: Vec<usize>,
    /// The state of each split; none before its first row.
    pub states: Vec<Option<Table>>,
    /// Where the function is heard.
    pub talk: Talk,
    /// Whom its failures are put down to.
    pub blame: Blame,
    /// Counters of the source on this worker.
    pub counters: Arc<Counters>,
}

impl Custom {
    /// Gives every row of a chunk of this split what the function says of it. Rows that fail are set apart.
    pub fn observe(
        &mut self,
        (split, name): (usize, &str),
        rows: Prepared,
    ) -> Result<(Prepared, Vec<FailedRow>), EngineError> {
        if self.states.len() <= split {
            self.states.resize(split + 1, None);
        }
        let state = match self.states[split].take() {
            Some(state) => state,
            None => self.guest.create().map_err(|e| self.blame.call(e))?,
        };
        let column = |&i: &usize| rows.rows.column(i).clone();
        let columns: Vec<ArrayRef> = self.inputs.iter().map(column).collect();
        let given = RowsIn {
            times: &rows.times,
            stamps: None,
            changes: rows.changes.as_deref(),
            columns: &columns,
            len: rows.len(),
        };
        let observed = self.guest.observe(&given, &state);
        let observed = observed.map_err(|e| self.blame.call(e))?;
        let (lines, notes) = (self.guest.take_log(), self.guest.take_notes());
        self.talk.hear(&lines, notes, &self.counters);
        self.states[split] = Some(observed.state);
        let mut failed = Vec::new();
        let mut bad = Vec::new();
        for reason in observed.failed {
            bad.push(reason.row);
            failed.push(self.refused(reason, &rows, name));
        }
        let mut rows = rows;
        rows.watermarks = Some(observed.watermarks.into());
        Ok(if bad.is_empty() {
            (rows, failed)
        } else {
            (rows.without(&bad), failed)
        })
    }

    fn refused(&self, reason: Failed, rows: &Prepared, split: &str) -> FailedRow {
        let row = reason.row as usize;
        FailedRow {
            split: Some(split.to_owned()),
            position: Some(rows.positions[row]),
            line: rows.lines.as_ref().map(|lines| lines[row]),
            time: Some(rows.times[row]),
            row: Some(json::row(&rows.rows, row)),
            ..self.blame.failed(reason)
        }
    }
}

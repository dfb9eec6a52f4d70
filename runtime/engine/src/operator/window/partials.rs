//! Rows that were added up before they crossed: they are planned as rows, one each, and merged instead of added.

use tidemill_core::window::{Counters as Counted, Rows};

use super::Window;
use crate::aggregate::carry_out::{Carried, Fired, Given};
use crate::combine::Partials;
use crate::error::EngineError;
use crate::metrics::add;

impl Window {
    /// Plans partials and carries the plan out. [`None`], and nothing has happened, if that is not right in every case: time
    /// has gone on meanwhile, since their sender was idle, so that rows may be behind; or one cannot be merged, and only rows
    /// can say why.
    pub(super) fn take_partials(
        &mut self,
        partials: &Partials,
    ) -> Result<Option<Fired>, EngineError> {
        let batch = &partials.rows;
        let mut keys = std::mem::take(&mut self.keys);
        self.parts.keying.number(batch, &mut keys);
        self.keys = keys;
        let parts = &mut self.parts;
        let rows = Rows {
            times: &batch.times.times,
            stamps: &batch.times.stamps,
            w: batch.times.w(),
            keys: &self.keys,
            failed: None,
        };
        parts.window.take(&rows, &mut self.plan);
        let given = Given {
            batch,
            keys: &self.keys,
            partials: Some(&partials.accs),
        };
        let usual = self.plan.late.is_empty() && self.plan.counters == Counted::default();
        let carried = if usual {
            let carried = parts.called.carry_out(&self.plan, Some(given));
            carried.map_err(|e| parts.blame.halt(e))?
        } else {
            Carried::Failed(Vec::new())
        };
        let Carried::Done(fired) = carried else {
            parts.window.undo(&self.plan);
            self.plan.clear();
            return Ok(None);
        };
        let rows = partials.counts.iter().sum();
        add(&parts.counters.rows_in, rows);
        add(&parts.counters.combined, rows);
        add(&parts.counters.partials, partials.counts.len() as u64);
        self.busiest.see_partials(&parts.keying, partials);
        let w = batch.times.w().iter().copied().max();
        self.reached = self.reached.max(w.expect("partials of some rows"));
        Ok(Some(fired))
    }
}

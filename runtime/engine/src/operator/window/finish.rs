//! Making results of firings: calls of `finish`, or of a function of kind window, and what fails of them.

use arrow_array::ArrayRef;
use tidemill_core::window::Firing;
use tidemill_wasm::{Failed, Table};

use super::in_order::Firings;
use super::results::{Finished, told};
use super::retract::{Part, Shown, changes};
use super::{FAILED, SIDES, Window};
use crate::aggregate::table;
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::{FailedRow, failed_batch};
use crate::metrics::add;

/// How many firings one call of `finish`, or of a function of kind window, is given at most.
const FIRINGS_PER_CALL: usize = 4096;

impl Window {
    /// Calls the function, in parts; firings whose merge failed are left out and reported.
    pub(super) fn finish_firings(
        &mut self,
        mut fired: Firings,
        out: &mut Output,
    ) -> Result<(), EngineError> {
        if fired.firings.is_empty() {
            return Ok(());
        }
        let accs = fired.accs();
        let (firings, unmerged) = (fired.firings, fired.failed);
        let (mut failed, mut shown) = (Vec::new(), fired.shown);
        let (firings, accs) = if unmerged.is_empty() {
            (firings, accs)
        } else {
            let lost = |i: u32| unmerged.iter().any(|(firing, _)| *firing == i);
            let kept: Vec<u32> = (0..firings.len() as u32).filter(|&i| !lost(i)).collect();
            shown = without(shown, &kept);
            for (firing, reason) in unmerged {
                failed.push(self.failed_firing(&firings[firing as usize], &accs, firing, reason));
            }
            let kept_firings: Vec<Firing> = kept.iter().map(|&i| firings[i as usize]).collect();
            (kept_firings, accs.gather(&kept))
        };
        let mut from = 0;
        while from < firings.len() {
            let mut to = from + self.parts.called.fitting(&accs, from, FIRINGS_PER_CALL);
            // What takes a result's place is made in the same call.
            if to < firings.len() && shown.get(to - 1).is_some_and(|s| s.part == Part::Old) {
                to = if to - 1 > from { to - 1 } else { to + 1 };
            }
            let slice;
            let accs_of_part = if to - from == firings.len() {
                &accs
            } else {
                slice = table::slice(&accs, from, to - from);
                &slice
            };
            let shown = shown.get(from..to).unwrap_or_default();
            let part = (&firings[from..to], shown);
            failed.extend(self.finish_part(part, accs_of_part, out)?);
            from = to;
        }
        self.parts.called.made(&accs);
        if failed.is_empty() {
            return Ok(());
        }
        add(&self.parts.counters.failed_results, failed.len() as u64);
        let letters = self.parts.blame.policy.apply(failed)?;
        out.rows(FAILED, failed_batch(&letters, self.watermark));
        Ok(())
    }

    /// One call. What failed comes back.
    fn finish_part(
        &mut self,
        (causes, shown): (&[Firing], &[Shown]),
        accs: &Table,
        out: &mut Output,
    ) -> Result<Vec<FailedRow>, EngineError> {
        let parts = &mut self.parts;
        let as_shown: Vec<Firing> = shown.iter().map(|shown| shown.firing).collect();
        let firings = if shown.is_empty() { causes } else { &as_shown };
        let keys = parts
            .keying
            .columns_of(firings.iter().map(|firing| firing.key));
        let keys_given: Vec<ArrayRef> =
            parts.finish_keys.iter().map(|&i| keys[i].clone()).collect();
        let told: tidemill_wasm::Firings = firings.iter().map(told).collect();
        let outcome = parts.called.finish(&keys_given, &told, accs);
        let outcome = outcome.map_err(|e| parts.blame.call(e))?;
        for mut emitted in outcome.emitted {
            if !shown.is_empty() {
                emitted.changes = Some(changes(shown, &emitted.origins));
            }
            let schema = parts.schemas[emitted.target].clone();
            let port = if emitted.target == 0 {
                0
            } else {
                SIDES + emitted.target - 1
            };
            add(&parts.counters.rows_out, emitted.origins.len() as u64);
            let finished = Finished {
                firings,
                keys: &keys,
                given: &keys_given,
            };
            out.rows(port, finished.results(emitted, schema));
        }
        // A result that fails is not sent, so there is nothing to take back; that was said when it failed.
        let is_new = |failed: &Failed| {
            let shown = shown.get(failed.row as usize);
            shown.is_none_or(|shown| shown.part == Part::New)
        };
        let failed = outcome.failed.into_iter().filter(is_new);
        Ok(failed
            .map(|reason| {
                let firing = reason.row;
                self.failed_firing(&firings[firing as usize], accs, firing, reason)
            })
            .collect())
    }

    /// A firing that has no result: its key, window and what it sees, in place of a row.
    fn failed_firing(&self, firing: &Firing, accs: &Table, at: u32, reason: Failed) -> FailedRow {
        let key = self.parts.keying.columns_of(std::iter::once(firing.key));
        let fields = self.parts.keying.fields();
        let called = &self.parts.called;
        let row = called.firing_as_json((fields, &key), firing, &accs.gather(&[at]));
        let mut failed = self.parts.blame.failed(reason);
        failed.time = Some(firing.time);
        failed.row = Some(row);
        failed
    }
}

/// Those of `shown` that are left when only the firings named are kept. What a lost one would have replaced is gone.
fn without(mut shown: Vec<Shown>, kept: &[u32]) -> Vec<Shown> {
    if shown.is_empty() {
        return shown;
    }
    for i in 1..shown.len() {
        let lost = kept.binary_search(&(i as u32)).is_err();
        if lost && shown[i - 1].part == Part::Old {
            shown[i - 1].part = Part::Gone;
        }
    }
    kept.iter().map(|&i| shown[i as usize]).collect()
}

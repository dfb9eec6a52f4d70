//! Merges of a plan, and what becomes of accumulators whose merge failed.

use tidemill_core::window::Slot;
use tidemill_wasm::{CallError, Failed};

use super::Aggregator;
use crate::aggregate::schedule::Merges;

impl Aggregator {
    /// Copies and merges of one phase. Sessions that cannot merge blame the row on whose behalf they do.
    pub(super) fn merge(&mut self, merges: &Merges) -> Result<Vec<Failed>, CallError> {
        self.copy(&merges.copies);
        if merges.from.is_empty() {
            return Ok(Vec::new());
        }
        let failed = match self.poisoned.is_empty() {
            true => self.merge_call(merges)?,
            false => Vec::new(),
        };
        if failed.is_empty() && self.poisoned.is_empty() {
            return Ok(failed);
        }
        self.merge_without_failed(merges, failed)
    }

    /// The merges of a phase without those that failed or see what failed.
    fn merge_without_failed(
        &mut self,
        merges: &Merges,
        mut failed: Vec<Failed>,
    ) -> Result<Vec<Failed>, CallError> {
        for (into, before) in merges.into.iter().zip(&merges.before) {
            if let Some(reason) = self.poisoned.get(before).cloned() {
                self.poisoned.insert(*into, reason);
            }
        }
        let mut left: Vec<usize> = (0..merges.from.len()).collect();
        let into = |at: usize| merges.into[merges.groups[at] as usize];
        loop {
            let mut rows: Vec<Failed> = Vec::new();
            for reason in &failed {
                let at = left[reason.row as usize];
                match merges.row(at) {
                    Some(row) => rows.push(Failed {
                        row,
                        ..reason.clone()
                    }),
                    None => drop(self.poisoned.insert(into(at), reason.clone())),
                }
            }
            if !rows.is_empty() {
                rows.sort_by_key(|failed| failed.row);
                rows.dedup_by_key(|failed| failed.row);
                return Ok(rows);
            }
            for &at in &left {
                if let Some(reason) = self.poisoned.get(&merges.from[at]).cloned() {
                    self.poisoned.entry(into(at)).or_insert(reason);
                }
            }
            left.retain(|&at| !self.poisoned.contains_key(&into(at)));
            if left.is_empty() {
                return Ok(Vec::new());
            }
            failed = self.merge_call(&merges.only(&left))?;
            if failed.is_empty() {
                return Ok(failed);
            }
        }
    }

    fn copy(&mut self, copies: &[(Slot, Slot)]) {
        if copies.is_empty() {
            return;
        }
        let from: Vec<Slot> = copies.iter().map(|&(from, _)| from).collect();
        let into: Vec<Slot> = copies.iter().map(|&(_, into)| into).collect();
        self.overwrite(&into);
        let copied = self.accs.gather(&from);
        self.accs.scatter(&into, &copied);
        if !self.poisoned.is_empty() {
            for (from, into) in copies {
                if let Some(reason) = self.poisoned.get(from).cloned() {
                    self.poisoned.insert(*into, reason);
                }
            }
        }
    }

    /// One call of `merge`. The failed are indices of merges, and then nothing is written.
    fn merge_call(&mut self, merges: &Merges) -> Result<Vec<Failed>, CallError> {
        let others = self.accs.gather(&merges.from);
        let before = self.accs.gather(&merges.before);
        let merged = self.guest.merge(&before, &others, &merges.groups)?;
        if merged.failed.is_empty() {
            self.overwrite(&merges.into);
            self.accs.scatter(&merges.into, &merged.accs);
        }
        Ok(merged.failed)
    }
}

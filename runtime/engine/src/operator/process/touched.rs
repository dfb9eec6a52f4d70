//! What the cut at hand is to hold of keys that rows or timers are about to touch.
//!
//! Where a call reads all that is held for its keys, that is what is saved, when the call is over: nothing is looked up twice.

use tidemill_core::window::KeyId;
use tidemill_wasm::Held;

use super::Process;
use crate::checkpoint::kept::{RowsKept, SlotKept, StatesKept};

/// Keys of a call that the cut at hand is to hold as they were before.
pub(super) struct Touched {
    /// The keys, as indices of the call's, ascending.
    groups: Vec<u32>,
    /// What is saved of them; state is still to come.
    block: StatesKept,
}

impl Process {
    /// Comes before anything of these keys is touched: what the cut at hand is to hold of them is saved.
    pub(super) fn keep_back(&mut self, keys: &[KeyId]) {
        if !self.journal.is_saving() {
            return;
        }
        let journal = &mut self.journal;
        let mut left: Vec<KeyId> = keys.iter().copied().filter(|&k| journal.take(k)).collect();
        left.retain(|&key| self.keeps(key));
        if !left.is_empty() {
            let block = self.block(&left);
            self.kept_back.push_back(block.encode(&self.buffers));
        }
    }

    /// Comes after the state of these keys was read and before anything of them is changed: which of them are to be saved as they
    /// are. None where [`Process::keep_back`] has seen to that.
    pub(super) fn touched(&mut self, keys: &[KeyId], held: &[Held]) -> Option<Touched> {
        if !self.parts.reads_all || !self.journal.is_saving() {
            return None;
        }
        let journal = &mut self.journal;
        let left = (0..).zip(keys).filter(|(_, key)| journal.take(**key));
        let mut groups: Vec<u32> = left.map(|(group, _)| group).collect();
        groups.retain(|&group| {
            let key = keys[group as usize];
            let there = |held: &Held| held.present[group as usize] == 1;
            held.iter().any(there) || self.timers.has(key) || self.clock_timers.has(key)
        });
        if groups.is_empty() {
            return None;
        }
        let left: Vec<KeyId> = groups.iter().map(|&group| keys[group as usize]).collect();
        let block = self.beside_slots(&left);
        Some(Touched { groups, block })
    }

    /// Saves what was read of touched keys.
    pub(super) fn keep_touched(&mut self, touched: Option<Touched>, held: Vec<Held>) {
        let Some(Touched { groups, mut block }) = touched else {
            return;
        };
        block.slots = held.into_iter().map(|held| kept(held, &groups)).collect();
        self.kept_back.push_back(block.encode(&self.buffers));
    }
}

/// A slot of kind value, of some of the keys that it was read of.
fn kept(held: Held, groups: &[u32]) -> SlotKept {
    let is_all = groups.len() == held.present.len();
    let (mut ends, mut picks) = (Vec::with_capacity(groups.len()), Vec::new());
    let (mut from, mut entry) = (0, 0);
    for &group in groups {
        let group = group as usize;
        entry += held.present[from..group]
            .iter()
            .map(|&there| u32::from(there))
            .sum::<u32>();
        from = group;
        if held.present[group] == 1 {
            picks.push(entry);
        }
        ends.push(picks.len() as u64);
    }
    let rows = match picks.len() {
        0 => Default::default(),
        _ if is_all => held.entries.into(),
        _ => held.entries.gather(&picks).into(),
    };
    SlotKept {
        entries: RowsKept { ends, rows },
        ..SlotKept::default()
    }
}

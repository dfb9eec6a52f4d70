//! What process operators kept before their function was changed, as they would have kept it since.

use super::changes::StatesChange;
use super::columns::Unfit;
use super::kept::{Lists, ProcessKept, StatesKept, TimerKept};

/// What becomes of the blocks of an operator.
pub struct BlockChange {
    change: StatesChange,
    /// The slots that were, in the order in which blocks have them.
    slots: Vec<String>,
    /// Of the timers that were, by number, whether they are let go.
    gone_timers: Vec<bool>,
}

impl StatesChange {
    /// What is left of the names of slots and timers.
    pub(crate) fn names(&self, mut kept: ProcessKept) -> ProcessKept {
        kept.slots.retain(|name| !self.dropped.contains(name));
        kept.timers.retain(|name| !self.dropped.contains(name));
        kept
    }

    /// How blocks change that were written with these names.
    pub(crate) fn of_blocks(&self, kept: &ProcessKept) -> BlockChange {
        let gone = |name: &String| self.dropped.contains(name);
        BlockChange {
            change: self.clone(),
            slots: kept.slots.clone(),
            gone_timers: kept.timers.iter().map(gone).collect(),
        }
    }
}

impl BlockChange {
    /// The same state, in the slots and columns that there are now.
    ///
    /// # Errors
    /// If something that was kept has no place in them.
    pub(crate) fn apply(&self, mut block: StatesKept) -> Result<StatesKept, Unfit> {
        let named = self.slots.iter().zip(std::mem::take(&mut block.slots));
        for (name, mut slot) in named {
            if self.change.dropped.contains(name) {
                continue;
            }
            if let Some(change) = self.change.slots.get(name) {
                let rows = std::mem::take(&mut slot.entries.rows);
                slot.entries.rows = change.table(rows.into(), None)?.into();
            }
            block.slots.push(slot);
        }
        if self.gone_timers.contains(&true) {
            block.timers = without(&block, &self.gone_timers);
        }
        Ok(block)
    }
}

/// The timers of each key without those that are let go, numbered as those that stay.
fn without(block: &StatesKept, gone: &[bool]) -> Lists<TimerKept> {
    let number = |name: u32| {
        let before = gone.iter().take(name as usize);
        name - before.filter(|gone| **gone).count() as u32
    };
    let mut timers = Lists::default();
    for key in 0..block.keys.count() {
        let own = block.timers.get(key).unwrap_or_default().iter();
        let stay = own.filter(|timer| !gone.get(timer.name as usize).is_some_and(|gone| *gone));
        let stay = stay.map(|timer| TimerKept {
            name: number(timer.name),
            time: timer.time,
        });
        timers.push(&stay.collect::<Vec<_>>());
    }
    timers
}

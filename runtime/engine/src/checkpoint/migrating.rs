//! What process operators kept before their function was changed, as they would have kept it since.

use super::changes::StatesChange;
use super::columns::Unfit;
use super::kept::{Lists, ProcessKept, StatesKept, TimerKept};

impl StatesChange {
    /// The same state, in the slots and columns that there are now.
    ///
    /// # Errors
    /// If something that was kept has no place in them.
    pub(crate) fn apply(&self, mut kept: ProcessKept) -> Result<ProcessKept, Unfit> {
        for (place, name) in kept.slots.iter().enumerate() {
            let Some(change) = self.slots.get(name) else {
                continue;
            };
            for block in &mut kept.blocks {
                let slot = block.slots.get_mut(place);
                let slot = slot.ok_or_else(|| Unfit(format!("it has no slot `{name}`")))?;
                let rows = std::mem::take(&mut slot.entries.rows);
                slot.entries.rows = change.table(rows.into(), None)?.into();
            }
        }
        let gone = |name: &String| self.dropped.contains(name);
        let slots: Vec<bool> = kept.slots.iter().map(gone).collect();
        let timers: Vec<bool> = kept.timers.iter().map(gone).collect();
        for block in &mut kept.blocks {
            let mut stays = slots.iter().map(|gone| !gone);
            block.slots.retain(|_| stays.next().unwrap_or(true));
            block.timers = without(block, &timers);
        }
        kept.slots.retain(|name| !gone(name));
        kept.timers.retain(|name| !gone(name));
        Ok(kept)
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

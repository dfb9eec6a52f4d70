//! Slots of a call, numbered densely in order of first appearance, as `accumulate` and `merge` want them.

use tidemill_core::window::Slot;

use super::slot_map::SlotMap;

/// Numbers slots; keeps its memory from call to call.
#[derive(Default)]
pub struct Groups {
    numbers: SlotMap<u32>,
    /// The slots of the call, by group.
    pub slots: Vec<Slot>,
    /// The group of each row of the call.
    pub of_rows: Vec<u32>,
    /// For each group the first row that belongs to it.
    pub first_rows: Vec<u32>,
}

impl Groups {
    /// Numbers the slots of a call's rows.
    pub fn number(&mut self, slots_of_rows: &[Slot]) {
        self.numbers.clear();
        self.slots.clear();
        self.of_rows.clear();
        self.first_rows.clear();
        for (row, &slot) in slots_of_rows.iter().enumerate() {
            let next = self.slots.len() as u32;
            let group = *self.numbers.get_or_insert(slot, next);
            if group == next {
                self.slots.push(slot);
                self.first_rows.push(row as u32);
            }
            self.of_rows.push(group);
        }
    }
}

//! Slots of a call, numbered densely in order of first appearance, as `accumulate` and `merge` want them.

use tidemill_core::window::Slot;

/// Numbers slots; keeps its memory from call to call.
#[derive(Default)]
pub struct Groups {
    call: u32,
    /// Per slot: the call that last met it, and its group there.
    seen: Vec<(u32, u32)>,
    /// The slots of the call, by group.
    pub slots: Vec<Slot>,
    /// The group of each row of the call.
    pub of_rows: Vec<u32>,
    /// For each group the first row that belongs to it.
    pub first_rows: Vec<u32>,
}

impl Groups {
    /// Numbers the slots of a call's rows.
    pub fn number(&mut self, slots_of_rows: impl Iterator<Item = Slot>) {
        self.call = self.call.wrapping_add(1);
        self.slots.clear();
        self.of_rows.clear();
        self.first_rows.clear();
        for (row, slot) in slots_of_rows.enumerate() {
            if self.seen.len() <= slot as usize {
                let len = (slot as usize + 1).next_power_of_two();
                self.seen.resize(len, (self.call.wrapping_sub(1), 0));
            }
            let seen = &mut self.seen[slot as usize];
            if seen.0 != self.call {
                *seen = (self.call, self.slots.len() as u32);
                self.slots.push(slot);
                self.first_rows.push(row as u32);
            }
            self.of_rows.push(seen.1);
        }
    }
}

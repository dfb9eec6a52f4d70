//! What the clock fires (Windows 7, `every` in processing time).

use super::super::family::{Family, Out};
use super::super::{KeyOrder, Plan};
use super::Keyed;

impl<F: Family> Keyed<F> {
    /// The clock has ticked: fires, in order of end, start and key, what has changed since it last did.
    pub(in crate::window) fn clock(&mut self, keys: &dyn KeyOrder, plan: &mut Plan) {
        plan.clear();
        self.begin();
        self.unsent.sort_unstable();
        self.unsent.dedup();
        let mut unsent = std::mem::take(&mut self.unsent);
        unsent.sort_by(|&a, &b| keys.cmp(a, b));
        let w = self.watermark;
        for key in unsent {
            let hold = self.family.hold();
            let mut out = Out::new(plan, (&mut self.slots, &mut self.ids), hold);
            let held = &mut self.entries[key as usize].held;
            self.family.clock(held, (key, w), &mut out);
            // Windows that have ended but are kept, and show what they hold to nobody.
            if self.family.is_unsent(held) {
                self.unsent.push(key);
            }
        }
        plan.sort_firings(0, 0);
    }
}

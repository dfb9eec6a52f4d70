//! Groups the operations of a window plan into few calls.
//!
//! A plan is right when its operations are carried out one by one. Calls take many at once, so operations are put into
//! *phases*: all adds of a phase are one `accumulate`, all merges of a phase one `merge`.
//!
//! Invariants:
//! 1. Even phases add, odd phases copy and then merge. Within a phase, what is read by copies and merges is read first.
//! 2. For every slot, what reads and writes it keeps the order of the plan.
//! 3. A firing sees its slot as it is at its place in the plan: at the start, as a mark within a phase of adds, after a
//!    phase, or at the end.

mod phase;

use tidemill_core::window::{Op, Plan, Slot};

use self::phase::NOTHING;
pub use self::phase::{Adds, Merges, Phase, Schedule};
use super::slot_map::SlotMap;

/// What has been planned for a slot so far.
#[derive(Clone, Copy)]
struct Touched {
    written: i32,
    read: i32,
    /// Where its last add stands among the rows of its phase, or what was merged into it among the groups; [`NOTHING`] if
    /// it was copied.
    position: u32,
    /// The last firing that waits for its slot to be seen, as an index into `waiting`.
    waits: u32,
}

impl Default for Touched {
    fn default() -> Self {
        Self {
            written: NEVER,
            read: NEVER,
            position: 0,
            waits: NOTHING,
        }
    }
}

const NEVER: i32 = -1;
/// So many slots are found faster one after the other than in a table: a key has no more in most plans.
const FEW: usize = 32;

/// Makes schedules; keeps its memory from plan to plan.
#[derive(Default)]
pub struct Scheduler {
    /// The slots met, each as one of `touched`.
    slots: Vec<Slot>,
    touched: Vec<Touched>,
    /// Index into these of each slot met, once there are more than [`FEW`].
    met: SlotMap<u32>,
    /// (firing, slot, the next that waits for the same slot).
    waiting: Vec<(u32, Slot, u32)>,
    schedule: Schedule,
}

impl Scheduler {
    /// Groups the operations of a plan.
    pub fn schedule(&mut self, plan: &Plan) -> Schedule {
        if plan.key_ends.is_empty() {
            self.operations(&plan.ops);
        }
        // Keys share no slots: what is known of one key's need not be kept for the next, so it stays in the fastest cache.
        let mut from = 0;
        for &to in &plan.key_ends {
            self.operations(&plan.ops[from..to as usize]);
            from = to as usize;
        }
        self.finish()
    }

    /// Takes a schedule back that has been carried out, for its memory.
    pub fn reuse(&mut self, mut schedule: Schedule) {
        schedule.clear();
        self.schedule = schedule;
    }

    /// Groups operations that share no slot with those before.
    fn operations(&mut self, ops: &[Op]) {
        self.met.clear();
        self.slots.clear();
        self.touched.clear();
        for op in ops {
            match *op {
                Op::Add { row, slot } => self.add(row, slot),
                Op::Merge { into, from, row } => self.merge(into, from, row),
                Op::Copy { from, into } => self.copy(from, into),
                Op::Fire { firing, slot } => self.fire(firing, slot),
            }
        }
    }

    /// Where what is planned for a slot stands.
    #[inline]
    fn met(&mut self, slot: Slot) -> usize {
        let next = self.slots.len();
        let index = if next <= FEW {
            self.slots.iter().rposition(|&met| met == slot)
        } else {
            let index = *self.met.get_or_insert(slot, next as u32) as usize;
            (index < next).then_some(index)
        };
        index.unwrap_or_else(|| self.meet(slot))
    }

    fn meet(&mut self, slot: Slot) -> usize {
        self.slots.push(slot);
        self.touched.push(Touched::default());
        if self.slots.len() == FEW + 1 {
            for (index, &slot) in (0..).zip(&self.slots) {
                self.met.get_or_insert(slot, index);
            }
        }
        self.slots.len() - 1
    }

    fn phase(&mut self, number: i32) -> &mut Phase {
        let number = number as usize;
        if self.schedule.phases.len() <= number {
            self.schedule.phases.resize_with(number + 1, Phase::default);
        }
        &mut self.schedule.phases[number]
    }

    fn add(&mut self, row: u32, slot: Slot) {
        let at = self.met(slot);
        let touched = self.touched[at];
        let number = even(touched.written.max(touched.read + 1).max(0));
        self.release((slot, at), number);
        let adds = &mut self.phase(number).adds;
        adds.rows.push(row);
        adds.slots.push(slot);
        let position = (adds.rows.len() - 1) as u32;
        let touched = &mut self.touched[at];
        touched.written = number;
        touched.position = position;
    }

    fn merge(&mut self, into: Slot, from: Slot, row: Option<u32>) {
        let (target_at, source_at) = (self.met(into), self.met(from));
        let (target, source) = (self.touched[target_at], self.touched[source_at]);
        let mut number = odd(target.written.max(target.read))
            .max(odd(source.written + 1))
            .max(1);
        if target.waits != NOTHING && target.written == number {
            number += 2;
        }
        self.release((into, target_at), number);
        let merges = &mut self.phase(number).merges;
        let group = if target.written == number && target.position != NOTHING {
            target.position
        } else {
            merges.begin(into)
        };
        merges.push(group, from, row);
        let target = &mut self.touched[target_at];
        (target.written, target.position) = (number, group);
        let source = &mut self.touched[source_at];
        source.read = source.read.max(number);
    }

    fn copy(&mut self, from: Slot, into: Slot) {
        let (source_at, target_at) = (self.met(from), self.met(into));
        let (source, target) = (self.touched[source_at], self.touched[target_at]);
        let free = odd(target.written.max(target.read) + 1);
        let number = odd(source.written + 1).max(free).max(1);
        self.release((into, target_at), number);
        self.phase(number).merges.copies.push((from, into));
        let target = &mut self.touched[target_at];
        (target.written, target.position) = (number, NOTHING);
        let source = &mut self.touched[source_at];
        source.read = source.read.max(number);
    }

    fn fire(&mut self, firing: u32, slot: Slot) {
        let index = self.waiting.len() as u32;
        let at = self.met(slot);
        let next = std::mem::replace(&mut self.touched[at].waits, index);
        self.waiting.push((firing, slot, next));
    }

    /// Lets the firings that wait for a slot see it before phase `number` writes it.
    #[inline]
    fn release(&mut self, (slot, at): (Slot, usize), number: i32) {
        let touched = self.touched[at];
        let mut next = touched.waits;
        while next != NOTHING {
            let (firing, _, after) =
                std::mem::replace(&mut self.waiting[next as usize], (NOTHING, 0, 0));
            next = after;
            if touched.written == NEVER {
                self.schedule.before.push((firing, slot));
            } else if touched.written == number {
                self.phase(number)
                    .adds
                    .marks
                    .push((touched.position, firing));
            } else {
                self.phase(touched.written).after.push((firing, slot));
            }
        }
        self.touched[at].waits = NOTHING;
    }

    fn finish(&mut self) -> Schedule {
        let waiting = self
            .waiting
            .drain(..)
            .filter(|&(firing, ..)| firing != NOTHING);
        self.schedule
            .at_end
            .extend(waiting.map(|(firing, slot, _)| (firing, slot)));
        for phase in &mut self.schedule.phases {
            phase.adds.marks.sort_unstable();
        }
        std::mem::take(&mut self.schedule)
    }
}

fn even(number: i32) -> i32 {
    number + (number & 1)
}

fn odd(number: i32) -> i32 {
    if number & 1 == 1 { number } else { number + 1 }
}

#[cfg(test)]
mod tests;

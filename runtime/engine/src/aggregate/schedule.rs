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

use tidemill_core::window::{Op, Plan, Slot};

use super::slot_map::SlotMap;

/// Adds of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Adds {
    /// Rows, in order.
    pub rows: Vec<u32>,
    /// The slot of each of these rows.
    pub slots: Vec<Slot>,
    /// Firings that see a slot as it is right after a row: (index into `rows`, firing), ascending.
    pub marks: Vec<(u32, u32)>,
}

/// Merges of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merges {
    /// Slots to be made equal to others first: (from, into).
    pub copies: Vec<(Slot, Slot)>,
    /// Then merged into: each slot once, in order of first appearance.
    pub into: Vec<Slot>,
    /// For each of `into`, the slot that holds what is merged into: itself, or another one that it was to be a copy of.
    pub before: Vec<Slot>,
    /// For each merge, which of `into` changes.
    pub groups: Vec<u32>,
    /// For each merge, the slot that is read.
    pub from: Vec<Slot>,
    /// For each merge up to the last that has one, the row on whose behalf sessions merge: windows merge panes for none.
    rows: Vec<Option<u32>>,
}

impl Merges {
    fn clear(&mut self) {
        self.copies.clear();
        self.into.clear();
        self.before.clear();
        self.groups.clear();
        self.from.clear();
        self.rows.clear();
    }

    /// Something is merged into a slot for the first time: its group. A copy that was made for this is not made.
    fn begin(&mut self, into: Slot) -> u32 {
        let copied = self.copies.pop_if(|&mut (_, copy)| copy == into);
        self.before.push(copied.map_or(into, |(from, _)| from));
        self.into.push(into);
        self.into.len() as u32 - 1
    }

    /// The row on whose behalf a merge is.
    pub fn row(&self, merge: usize) -> Option<u32> {
        self.rows.get(merge).copied().flatten()
    }

    /// One more merge of `from` into a group.
    #[inline]
    fn push(&mut self, group: u32, from: Slot, row: Option<u32>) {
        if row.is_some() {
            self.rows.resize(self.from.len(), None);
            self.rows.push(row);
        }
        self.groups.push(group);
        self.from.push(from);
    }

    /// Some of the merges, named in ascending order, without the copies.
    pub fn only(&self, merges: &[usize]) -> Self {
        let mut some = Self::default();
        let mut groups = vec![NOTHING; self.into.len()];
        for &at in merges {
            let group = self.groups[at] as usize;
            if groups[group] == NOTHING {
                groups[group] = some.into.len() as u32;
                some.into.push(self.into[group]);
                some.before.push(self.before[group]);
            }
            some.push(groups[group], self.from[at], self.row(at));
        }
        some
    }
}

/// One phase: at most one kind is not empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// Rows to add.
    pub adds: Adds,
    /// Accumulators to copy and merge.
    pub merges: Merges,
    /// Firings that see a slot as it is after this phase: (firing, slot).
    pub after: Vec<(u32, Slot)>,
}

/// A plan's operations as calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Firings that see a slot as it is before all phases: (firing, slot).
    pub before: Vec<(u32, Slot)>,
    /// The phases, in order; some are empty.
    pub phases: Vec<Phase>,
    /// Firings that see a slot as it is after all phases: (firing, slot).
    pub at_end: Vec<(u32, Slot)>,
}

impl Schedule {
    fn clear(&mut self) {
        self.before.clear();
        self.at_end.clear();
        self.phases.iter_mut().for_each(Phase::clear);
    }
}

impl Phase {
    fn clear(&mut self) {
        let Adds { rows, slots, marks } = &mut self.adds;
        rows.clear();
        slots.clear();
        marks.clear();
        self.merges.clear();
        self.after.clear();
    }
}

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

const NOTHING: u32 = u32::MAX;
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOTS: u32 = 5;
    const KEYS: u32 = 10;

    fn op() -> impl Strategy<Value = Op> {
        let slot = 0..SLOTS;
        prop_oneof![
            4 => slot.clone().prop_map(|slot| Op::Add { row: 0, slot }),
            2 => (slot.clone(), slot.clone()).prop_map(|(into, from)| Op::Merge {
                into,
                from: if into == from { (from + 1) % SLOTS } else { from },
                row: None,
            }),
            1 => (slot.clone(), slot.clone()).prop_map(|(from, into)| Op::Copy {
                from,
                into: if into == from { (into + 1) % SLOTS } else { into },
            }),
            2 => slot.prop_map(|slot| Op::Fire { firing: 0, slot }),
        ]
    }

    /// Numbers rows and firings as a plan does.
    fn numbered(mut ops: Vec<Op>) -> Vec<Op> {
        let (mut rows, mut firings) = (0, 0);
        for op in &mut ops {
            match op {
                Op::Add { row, .. } => {
                    *row = rows;
                    rows += 1;
                }
                Op::Fire { firing, .. } => {
                    *firing = firings;
                    firings += 1;
                }
                _ => {}
            }
        }
        ops
    }

    /// Accumulators that remember everything that happened to them, in order.
    type Accs = Vec<String>;

    fn one_by_one(ops: &[Op]) -> (Accs, Vec<String>) {
        let mut accs = vec![String::new(); (KEYS * SLOTS) as usize];
        let mut fired = Vec::new();
        for op in ops {
            match *op {
                Op::Add { row, slot } => accs[slot as usize] += &format!("{row},"),
                Op::Merge { into, from, .. } => {
                    let other = format!("({})", accs[from as usize]);
                    accs[into as usize] += &other;
                }
                Op::Copy { from, into } => accs[into as usize] = accs[from as usize].clone(),
                Op::Fire { slot, .. } => fired.push(accs[slot as usize].clone()),
            }
        }
        (accs, fired)
    }

    fn in_phases(schedule: &Schedule, firings: usize) -> (Accs, Vec<String>) {
        let mut accs = vec![String::new(); (KEYS * SLOTS) as usize];
        let mut fired = vec!["never".to_owned(); firings];
        let see = |fired: &mut Vec<String>, list: &[(u32, Slot)], accs: &Accs| {
            list.iter()
                .for_each(|&(f, slot)| fired[f as usize] = accs[slot as usize].clone());
        };
        see(&mut fired, &schedule.before, &accs);
        for phase in &schedule.phases {
            let mut marks = phase.adds.marks.iter().peekable();
            for (i, (row, &slot)) in phase.adds.rows.iter().zip(&phase.adds.slots).enumerate() {
                accs[slot as usize] += &format!("{row},");
                while let Some(&&(_, firing)) = marks.peek().filter(|m| m.0 as usize == i) {
                    fired[firing as usize] = accs[slot as usize].clone();
                    marks.next();
                }
            }
            let before = accs.clone();
            for &(from, into) in &phase.merges.copies {
                accs[into as usize] = before[from as usize].clone();
            }
            let before = accs.clone();
            let merges = &phase.merges;
            for (&into, &from) in merges.into.iter().zip(&merges.before) {
                accs[into as usize] = before[from as usize].clone();
            }
            for (&group, &from) in merges.groups.iter().zip(&merges.from) {
                accs[merges.into[group as usize] as usize] +=
                    &format!("({})", before[from as usize]);
            }
            see(&mut fired, &phase.after, &accs);
        }
        see(&mut fired, &schedule.at_end, &accs);
        (accs, fired)
    }

    fn shift(op: &mut Op, by: u32) {
        match op {
            Op::Add { slot, .. } | Op::Fire { slot, .. } => *slot += by,
            Op::Merge { into, from, .. } | Op::Copy { from, into } => {
                *into += by;
                *from += by;
            }
        }
    }

    fn check(plan: &Plan) -> Result<(), TestCaseError> {
        let mut scheduler = Scheduler::default();
        for _ in 0..2 {
            let schedule = scheduler.schedule(plan);
            let expected = one_by_one(&plan.ops);
            prop_assert_eq!(
                in_phases(&schedule, expected.1.len()),
                expected,
                "{:#?}",
                schedule
            );
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn phases_do_what_the_plan_does_one_by_one(ops in prop::collection::vec(op(), 0..60)) {
            check(&Plan { ops: numbered(ops), ..Plan::default() })?;
        }

        #[test]
        fn a_plan_may_touch_many_slots(
            ops in prop::collection::vec((op(), 0..KEYS), 0..300)
        ) {
            let shifted = ops.into_iter().map(|(mut op, key)| {
                shift(&mut op, key * SLOTS);
                op
            });
            check(&Plan { ops: numbered(shifted.collect()), ..Plan::default() })?;
        }

        #[test]
        fn keys_that_stand_apart_are_grouped_together(
            keys in prop::collection::vec(prop::collection::vec(op(), 0..20), KEYS as usize)
        ) {
            let mut plan = Plan::default();
            for (key, mut ops) in (0..).zip(keys) {
                ops.iter_mut().for_each(|op| shift(op, key * SLOTS));
                plan.ops.extend(ops);
                plan.key_ends.push(plan.ops.len() as u32);
            }
            plan.ops = numbered(plan.ops);
            check(&plan)?;
        }
    }
}

//! Phases do what a plan does one by one.

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
            accs[merges.into[group as usize] as usize] += &format!("({})", before[from as usize]);
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

//! One key: its state and its timers.

use std::collections::BTreeMap;

use super::columns::{order, row, together};
use super::one;
use crate::bindings::exports::tidemill::operator::process::{
    Held, Kept, Listed, Mapped, Processed, Timed,
};
use crate::bindings::tidemill::operator::columns::{Column, Table};
use crate::function::Parts;
use crate::process::{SlotOf, TimerOf};

/// An entry, and the time that it lives from.
#[derive(Clone)]
pub struct Cell {
    pub entry: Table,
    clock: i64,
}

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub at: i64,
    pub name: u32,
    /// From when on it can fire: right after what set it.
    after: i64,
}

impl Pending {
    /// W at its firing: its time, unless it was due already when it was set.
    pub fn fires_at(&self) -> i64 {
        self.at.max(self.after)
    }
}

/// What is held for a key.
#[derive(Clone)]
pub struct Key {
    pub columns: Table,
    values: Vec<Option<Cell>>,
    pub lists: Vec<Vec<Cell>>,
    /// By the order of the sub-keys.
    pub maps: Vec<BTreeMap<Vec<u8>, (Table, Cell)>>,
    pub timers: Vec<Pending>,
}

/// The largest number: no row.
const NONE: u32 = u32::MAX;
/// The bound of a list that names none.
const MOST: u32 = 1000;

impl Key {
    pub fn new(columns: Vec<Column>, parts: &Parts) -> Self {
        let count = |kind: &str| of_kind(parts.slots, kind).count();
        Self {
            columns: one(columns),
            values: vec![None; count("value")],
            lists: vec![Vec::new(); count("list")],
            maps: vec![BTreeMap::new(); count("map")],
            timers: Vec::new(),
        }
    }

    /// The values as a call takes them.
    pub fn values(&self) -> Vec<Held> {
        let held = |cell: &Option<Cell>| Held {
            present: vec![u8::from(cell.is_some())],
            entries: together(cell.iter().map(|cell| &cell.entry)),
        };
        self.values.iter().map(held).collect()
    }

    /// The first timer in order of time and name of those due at `until`.
    pub fn earliest(&self, timers: &[TimerOf], processing: bool, until: i64) -> Option<Pending> {
        let of = |timer: &&Pending| timers[timer.name as usize].processing == processing;
        let due = self
            .timers
            .iter()
            .filter(of)
            .filter(|timer| timer.at <= until);
        due.min_by_key(|timer| (timer.at, timers[timer.name as usize].name))
            .cloned()
    }

    pub fn remove(&mut self, timer: &Pending) {
        self.timers.retain(|other| other != timer);
    }

    /// Drops what has expired: by event time W stands at `w`, by the clock it is `now`.
    pub fn expire(&mut self, slots: &[SlotOf], w: i64, now: i64) {
        let lives = |slot: &SlotOf, cell: &Cell| {
            let reached = if slot.spec.processing { now } else { w };
            let ends = |ttl| cell.clock.saturating_add(ttl);
            slot.spec.ttl.is_none_or(|ttl| ends(ttl) > reached)
        };
        for (slot, value) in of_kind(slots, "value").zip(&mut self.values) {
            *value = value.take().filter(|cell| lives(slot, cell));
        }
        for (slot, list) in of_kind(slots, "list").zip(&mut self.lists) {
            list.retain(|cell| lives(slot, cell));
        }
        for (slot, map) in of_kind(slots, "map").zip(&mut self.maps) {
            map.retain(|_, (_, cell)| lives(slot, cell));
        }
    }

    /// Takes over what a call about one row or timer wants changed. `time` is its own; what it sets fires `after` at the
    /// earliest.
    pub fn change(
        &mut self,
        processed: &Processed,
        (time, after, now): (i64, i64, i64),
        ended: bool,
        parts: &Parts,
    ) {
        let clock = |slot: &SlotOf| if slot.spec.processing { now } else { time };
        for (slot, (value, kept)) in
            of_kind(parts.slots, "value").zip(self.values.iter_mut().zip(&processed.values))
        {
            change_value(value, kept, clock(slot));
        }
        for (slot, (list, listed)) in
            of_kind(parts.slots, "list").zip(self.lists.iter_mut().zip(&processed.lists))
        {
            change_list(list, listed, clock(slot));
            let most = slot.spec.most.unwrap_or(MOST) as usize;
            list.drain(..list.len().saturating_sub(most));
        }
        for (slot, (map, mapped)) in
            of_kind(parts.slots, "map").zip(self.maps.iter_mut().zip(&processed.maps))
        {
            change_map(map, mapped, clock(slot));
        }
        self.change_timers(&processed.timers, after, ended, parts.timers);
    }

    fn change_timers(&mut self, timed: &Timed, after: i64, ended: bool, timers: &[TimerOf]) {
        let changes = timed.names.iter().zip(&timed.changes).zip(&timed.times);
        for ((&name, &change), &at) in changes {
            let after = if timers[name as usize].processing {
                i64::MIN
            } else {
                after
            };
            let same = |timer: &Pending| timer.name == name && timer.at == at;
            match change {
                0 if ended || self.timers.iter().any(same) => {}
                0 => self.timers.push(Pending { at, name, after }),
                1 => self.timers.retain(|timer| !same(timer)),
                _ => self.timers.retain(|timer| timer.name != name),
            }
        }
    }
}

fn of_kind<'s>(slots: &'s [SlotOf], kind: &str) -> impl Iterator<Item = &'s SlotOf> {
    slots.iter().filter(move |slot| slot.kind == kind)
}

fn change_value(value: &mut Option<Cell>, kept: &Kept, clock: i64) {
    let before = value.as_ref().map(|cell| cell.clock);
    match kept.changes[0] {
        0 => {}
        2 => *value = None,
        change => {
            let before = before.filter(|_| change == 1).unwrap_or(i64::MIN);
            *value = Some(Cell {
                entry: row(&kept.entries, 0),
                clock: clock.max(before),
            });
        }
    }
    let touched = kept.touched.first().is_some_and(|&touched| touched != NONE);
    if let Some(cell) = value.as_mut().filter(|_| touched) {
        cell.clock = cell.clock.max(clock);
    }
}

fn change_list(list: &mut Vec<Cell>, listed: &Listed, clock: i64) {
    let mut entries = 0;
    for &change in &listed.changes {
        if change == 1 {
            list.clear();
            continue;
        }
        let entry = row(&listed.entries, entries);
        list.push(Cell { entry, clock });
        entries += 1;
    }
}

fn change_map(map: &mut BTreeMap<Vec<u8>, (Table, Cell)>, mapped: &Mapped, clock: i64) {
    let (mut keys, mut values) = (0, 0);
    for &change in &mapped.changes {
        if change == 2 {
            map.clear();
            continue;
        }
        let key = row(&mapped.sub_keys, keys);
        keys += 1;
        let id = order(&key.columns);
        if change == 1 {
            map.remove(&id);
            continue;
        }
        let entry = row(&mapped.values, values);
        values += 1;
        let before = map.get(&id).map_or(i64::MIN, |(_, cell)| cell.clock);
        let clock = clock.max(before);
        map.insert(id, (key, Cell { entry, clock }));
    }
}

//! What a process function returned: state, timers, and the rows that change them.

use tidemill_core::time;

use super::column::{descends, length};
use super::table;
use crate::description::{Function, Output, StateSlot};
use crate::outcome::{Emitted, Failed};
use crate::wire::{Kept, Listed, Mapped, Table, Timed};

/// What is checked. Emitted rows and failures have been.
pub(crate) struct Returned<'a> {
    pub function: &'a Function,
    pub emitted: &'a [Emitted],
    pub failed: &'a [Failed],
    /// The key of each row; of timers each is of its own.
    pub groups: Option<&'a [u32]>,
    pub rows: usize,
    pub keys: usize,
}

/// No row.
const NONE: u32 = u32::MAX;

/// Checks the changes of state and timers.
pub(crate) fn processed(
    returned: &Returned<'_>,
    (values, lists, maps): (&[Kept], &[Listed], &[Mapped]),
    timed: &Timed,
) -> Result<(), String> {
    let function = returned.function;
    each(function.value_slots(), values, "value", |slot, kept| {
        returned.kept(slot, kept)
    })?;
    each(function.list_slots(), lists, "list", |slot, listed| {
        returned.changing(&listed.rows, &listed.changes, 1)?;
        let appended = listed.changes.iter().filter(|&&change| change == 0).count();
        entries("entries", &listed.entries, &slot.columns, appended)
    })?;
    each(function.map_slots(), maps, "map", |slot, mapped| {
        returned.mapped(slot, mapped)
    })?;
    returned.timed(timed).map_err(|e| format!("timers: {e}"))?;
    returned.of_timers()
}

fn each<'a, R>(
    slots: impl Iterator<Item = &'a StateSlot>,
    returned: &[R],
    kind: &str,
    check: impl Fn(&StateSlot, &R) -> Result<(), String>,
) -> Result<(), String> {
    let slots: Vec<&StateSlot> = slots.collect();
    if slots.len() != returned.len() {
        let (is, declared) = (returned.len(), slots.len());
        return Err(format!(
            "{is} slots of kind {kind}, declared are {declared}"
        ));
    }
    let mut pairs = slots.iter().zip(returned);
    pairs.try_for_each(|(slot, one)| {
        check(slot, one).map_err(|e| format!("slot {}: {e}", slot.name))
    })
}

/// A table of entries; one without rows needs no columns.
fn entries(
    what: &str,
    entries: &Table,
    fields: &[arrow_schema::Field],
    rows: usize,
) -> Result<(), String> {
    if rows == 0 && entries.rows == 0 {
        return Ok(());
    }
    table(what, entries, fields, rows)
}

impl Returned<'_> {
    fn group(&self, row: usize) -> usize {
        self.groups.map_or(row, |groups| groups[row] as usize)
    }

    fn kept(&self, slot: &StateSlot, kept: &Kept) -> Result<(), String> {
        length("changes", kept.changes.len(), self.keys)?;
        let (mut puts, mut largest) = (0, 0);
        for &change in &kept.changes {
            puts += usize::from(change & 1);
            largest = largest.max(change);
        }
        if largest > 3 {
            return Err(format!("change {largest}, expected 0 to 3"));
        }
        entries("entries", &kept.entries, &slot.columns, puts)?;
        if slot.ttl.is_none() {
            return Ok(());
        }
        length("touched", kept.touched.len(), self.keys)?;
        for (key, (&row, &change)) in kept.touched.iter().zip(&kept.changes).enumerate() {
            if row == NONE && change & 1 == 0 {
                continue;
            }
            if row as usize >= self.rows || self.group(row as usize) != key {
                return Err(format!(
                    "touched names row {row} for key {key}, of which it is none"
                ));
            }
        }
        Ok(())
    }

    fn mapped(&self, slot: &StateSlot, mapped: &Mapped) -> Result<(), String> {
        self.changing(&mapped.rows, &mapped.changes, 2)?;
        let count = |up_to: u8| {
            mapped
                .changes
                .iter()
                .filter(|&&change| change <= up_to)
                .count()
        };
        let crate::description::SlotKind::Map { key } = &slot.kind else {
            unreachable!("the slot is a map");
        };
        entries("sub-keys", &mapped.sub_keys, key, count(1))?;
        entries("values", &mapped.values, &slot.columns, count(0))
    }

    fn timed(&self, timed: &Timed) -> Result<(), String> {
        let count = timed.rows.len();
        length("names", timed.names.len(), count)?;
        length("times", timed.times.len(), count)?;
        self.changing(&timed.rows, &timed.changes, 2)?;
        let declared = self.function.timers.len();
        if let Some(name) = timed.names.iter().find(|&&name| name as usize >= declared) {
            return Err(format!(
                "name {name} is out of range: declared are {declared}"
            ));
        }
        let outside =
            |(&at, &change): (&i64, &u8)| change != 2 && !(time::FIRST..=time::LAST).contains(&at);
        match timed.times.iter().zip(&timed.changes).position(outside) {
            None => Ok(()),
            Some(i) => Err(format!(
                "the time of change {i} is {} us, outside the years 1 to 9999",
                timed.times[i]
            )),
        }
    }

    /// Checks changes that name their rows: ascending, of the call, none of them failed.
    fn changing(&self, rows: &[u32], changes: &[u8], most: u8) -> Result<(), String> {
        length("changes", changes.len(), rows.len())?;
        if let Some(change) = changes.iter().find(|&&change| change > most) {
            return Err(format!("change {change}, expected 0 to {most}"));
        }
        if descends(rows) {
            return Err("the rows of changes descend".to_owned());
        }
        if let Some(&last) = rows.last()
            && last as usize >= self.rows
        {
            let count = self.rows;
            return Err(format!("row {last} is out of range: the call had {count}"));
        }
        let has_failed = |failed: &&Failed| rows.binary_search(&failed.row).is_ok();
        match self.failed.iter().find(has_failed) {
            None => Ok(()),
            Some(failed) => Err(format!(
                "row {} makes a change although it failed",
                failed.row
            )),
        }
    }

    /// Timers have no row that could go on.
    fn of_timers(&self) -> Result<(), String> {
        if self.groups.is_some() {
            return Ok(());
        }
        let function = self.function;
        let target = |emitted: &Emitted| match emitted.target.checked_sub(1) {
            None => &function.output,
            Some(side) => &function.sides[side].output,
        };
        let goes_on = |emitted: &&Emitted| {
            !emitted.origins.is_empty() && !matches!(target(emitted), Output::New(_))
        };
        match self.emitted.iter().find(goes_on) {
            None => Ok(()),
            Some(emitted) => Err(format!(
                "target {}: a timer emits there, but has no row that could go on",
                emitted.target
            )),
        }
    }
}

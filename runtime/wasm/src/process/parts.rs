//! Calls of process functions, given again in parts where a row stops them.
//!
//! The rows of a part follow those of the part before, and its keys have the state that the parts before left. A row that
//! stops its call alone, on a fresh instance, has failed; the rows behind it go on from the state before it. Of failures that
//! were returned and left a trace, only the first of each key counts, and the part is given again without it.

use std::collections::HashSet;

use super::part::Part;
use super::together::{all_lists, all_maps, end_to_end, no_list, no_map, pick};
use super::{Kept, KeysIn, Listed, Mapped, Process, Processed, Returned, Timed, What};
use crate::error::CallError;
use crate::isolate::PARTS;
use crate::outcome::{Emitted, Failed};
use crate::wire::Table;

/// Gives the call whole, and in parts where that does not work.
pub(super) fn serve(
    process: &mut Process,
    what: What<'_>,
    keys: &KeysIn<'_>,
) -> Result<Processed, CallError> {
    let (rows, most) = (what.len(), process.slot.pace.most_rows());
    let fits = rows > 1 && rows <= most;
    if (fits || rows == 0)
        && let Ok(Returned {
            processed,
            clean: true,
        }) = process.call(what, keys, None)?
    {
        process.slot.pace.grow();
        return Ok(processed);
    }
    let mut walk = Walk::new(process, what, keys);
    let all: Vec<u32> = (0..rows as u32).collect();
    let walked = walk.calls(&all);
    if let Some(entries) = &mut walk.process.entries {
        entries.forget();
    }
    walked.map(|()| walk.done())
}

/// Where the entry of a key in a slot stands among the tables that the walk holds.
pub type Place = Option<(usize, usize)>;

/// What became of the entry of a key in a slot: as in [`Kept`].
#[derive(Clone, Copy)]
pub struct Cell {
    pub place: Place,
    change: u8,
    touched: u32,
}

/// The rows of a call given part by part.
pub struct Walk<'w> {
    pub process: &'w mut Process,
    pub what: What<'w>,
    pub keys: &'w KeysIn<'w>,
    /// Per slot: tables that hold entries, those given first, and the cell of each key.
    pub slots: Vec<(Vec<Table>, Vec<Cell>)>,
    emitted: Vec<Emitted>,
    failed: Vec<Failed>,
    lists: Vec<Vec<Listed>>,
    maps: Vec<Vec<Mapped>>,
    timers: Timed,
}

/// No row.
const NONE: u32 = u32::MAX;

impl<'w> Walk<'w> {
    fn new(process: &'w mut Process, what: What<'w>, keys: &'w KeysIn<'w>) -> Self {
        let slots = keys.values.iter().map(|held| {
            let mut next = 0;
            let cells = held.present.iter().map(|&present| {
                let place = (present == 1).then_some((0, next));
                next += usize::from(present);
                Cell {
                    place,
                    change: 0,
                    touched: NONE,
                }
            });
            (vec![held.entries.clone()], cells.collect())
        });
        let slots = slots.collect();
        let function = process.slot.function();
        let lists = function.list_slots().map(|_| Vec::new()).collect();
        let maps = function.map_slots().map(|_| Vec::new()).collect();
        Self {
            process,
            what,
            keys,
            slots,
            emitted: Vec::new(),
            failed: Vec::new(),
            lists,
            maps,
            timers: Timed {
                rows: Vec::new(),
                names: Vec::new(),
                changes: Vec::new(),
                times: Vec::new(),
            },
        }
    }

    /// Serves rows in calls of as many as the function's pace says.
    fn calls(&mut self, mut rows: &[u32]) -> Result<(), CallError> {
        while !rows.is_empty() {
            let most = self.process.slot.pace.most_rows().min(rows.len());
            let (call, rest) = rows.split_at(most);
            if self.run(call)? {
                self.process.slot.pace.grow();
            }
            rows = rest;
        }
        Ok(())
    }

    /// Serves rows. Gives whether no call was stopped.
    fn run(&mut self, rows: &[u32]) -> Result<bool, CallError> {
        let mut rows = rows.to_vec();
        while !rows.is_empty() {
            let fresh = self.process.slot.is_fresh();
            let part = Part::of(self, &rows);
            match part.call(self, &rows)? {
                Ok(returned) if returned.clean => {
                    self.stands(&rows, &part, returned.processed);
                    return Ok(true);
                }
                Ok(returned) => self.leave_out(&mut rows, returned.processed.failed),
                Err(stopped) if rows.len() == 1 && fresh => {
                    self.failed.push(stopped.blame(rows[0]));
                    return Ok(false);
                }
                // A stopped call has lost its instance, so the next is the first of a fresh one.
                Err(_) if rows.len() == 1 => {}
                Err(_) => {
                    self.split(&rows)?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Serves rows whose call was stopped. If all parts succeed, there were too many.
    fn split(&mut self, rows: &[u32]) -> Result<(), CallError> {
        let before = self.failed.len();
        let part = rows.len().div_ceil(PARTS);
        for rows in rows.chunks(part) {
            self.run(rows)?;
        }
        if self.failed.len() == before {
            self.process.slot.pace.shrink(part);
        }
        Ok(())
    }

    /// Takes the first failed row of each key out.
    fn leave_out(&mut self, rows: &mut Vec<u32>, failed: Vec<Failed>) {
        let mut seen = HashSet::new();
        let mut out = HashSet::new();
        for mut failure in failed {
            failure.row = rows[failure.row as usize];
            if seen.insert(self.what.group(failure.row)) {
                out.insert(failure.row);
                self.failed.push(failure);
            }
        }
        rows.retain(|row| !out.contains(row));
    }

    /// Takes over what a part returned.
    fn stands(&mut self, rows: &[u32], part: &Part, processed: Processed) {
        let Processed {
            emitted,
            failed,
            values,
            mut lists,
            mut maps,
            timers,
        } = processed;
        let whole = |row: u32| rows[row as usize];
        let times = self.what.times();
        for (kept, (tables, cells)) in values.into_iter().zip(&mut self.slots) {
            take_over(kept, (tables, cells), part, (rows, times));
        }
        if let Some(entries) = &mut self.process.entries {
            let groups: Vec<u32> = rows.iter().map(|&row| self.what.group(row)).collect();
            entries.note(&lists, &maps, &groups);
        }
        for (all, list) in self.lists.iter_mut().zip(&mut lists) {
            list.rows.iter_mut().for_each(|row| *row = whole(*row));
            all.push(std::mem::replace(list, no_list()));
        }
        for (all, map) in self.maps.iter_mut().zip(&mut maps) {
            map.rows.iter_mut().for_each(|row| *row = whole(*row));
            all.push(std::mem::replace(map, no_map()));
        }
        self.timers.rows.extend(timers.rows.into_iter().map(whole));
        self.timers.names.extend(timers.names);
        self.timers.changes.extend(timers.changes);
        self.timers.times.extend(timers.times);
        let failed = failed.into_iter().map(|failed| Failed {
            row: whole(failed.row),
            ..failed
        });
        self.failed.extend(failed);
        for emitted in emitted {
            let emitted = part.whole(emitted, rows, self);
            self.emitted.push(emitted);
        }
    }

    /// All parts as one.
    fn done(mut self) -> Processed {
        self.failed.sort_by_key(|failed| failed.row);
        self.emitted.sort_by_key(|emitted| emitted.target);
        let emitted = self.emitted.chunk_by(|a, b| a.target == b.target);
        Processed {
            emitted: emitted.map(end_to_end).collect(),
            failed: self.failed,
            values: self.slots.iter().map(kept).collect(),
            lists: self.lists.into_iter().map(all_lists).collect(),
            maps: self.maps.into_iter().map(all_maps).collect(),
            timers: self.timers,
        }
    }
}

/// Takes over what a part says of the entries of one slot.
fn take_over(
    kept: Kept,
    (tables, cells): (&mut Vec<Table>, &mut [Cell]),
    part: &Part,
    (rows, times): (&[u32], &[i64]),
) {
    let (table, mut next) = (tables.len(), 0);
    for (at, &key) in part.named.iter().enumerate() {
        let (cell, change) = (&mut cells[key as usize], kept.changes[at]);
        if change >= 2 {
            cell.touched = NONE;
        }
        if change & 1 == 1 {
            let anew = change == 3 || cell.change >= 2;
            (cell.place, cell.change) = (Some((table, next)), if anew { 3 } else { 1 });
            next += 1;
        } else if change == 2 {
            (cell.place, cell.change) = (None, 2);
        }
        if let Some(&row) = kept.touched.get(at).filter(|&&row| row != NONE) {
            let row = rows[row as usize];
            let larger =
                cell.touched == NONE || times[row as usize] >= times[cell.touched as usize];
            cell.touched = if larger { row } else { cell.touched };
        }
    }
    tables.push(kept.entries);
}

fn kept((tables, cells): &(Vec<Table>, Vec<Cell>)) -> Kept {
    let tables: Vec<&Table> = tables.iter().collect();
    let put = cells.iter().filter(|cell| cell.change & 1 == 1);
    Kept {
        changes: cells.iter().map(|cell| cell.change).collect(),
        entries: pick(&tables, put.filter_map(|cell| cell.place).collect()),
        touched: cells.iter().map(|cell| cell.touched).collect(),
    }
}

//! A result for each row, over the rows of its key in the time before it (Windows 2, `slide`).
//!
//! Rows of one time share a *pane*. A result's rows lie in at most two blocks of the grid of the range: an end of the one,
//! which is a *suffix*, and the beginning of the next, a *prefix*:
//!
//! ```text
//! blocks        |----------------|----------------|
//! panes           p1   p2  p3 p4    p5   p6
//! result of p6         |<------- range ---->|        merge(p2 + (p3 + p4), p5 + p6)
//! ```
//!
//! Both are running merges, so that a row costs a few merges however many rows its range has.
//!
//! Invariants:
//! 1. A pane that has fired does not change, since rows at or before W are refused.
//! 2. Panes of the block before that of the last firing hold suffixes: each has all behind it in its block merged in.
//! 3. What is kept changes no result: its tree of merges is a function of its rows. Floats agree to the bit.

use std::collections::VecDeque;
use std::convert::Infallible;

use super::Slot;
use super::family::{Due, Family, NEVER, Out, Row, Window};
use super::saved::{Loading, Save, Saved, Unreadable};
use crate::prefetch;

/// Windows of kind `slide`.
#[derive(Debug)]
pub(crate) struct Slide {
    range: i64,
}

/// Rows of one time.
#[derive(Clone, Copy, Debug)]
struct Pane {
    time: i64,
    slot: Slot,
    rows: u32,
}

/// What is kept for a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panes {
    /// In order of time.
    panes: VecDeque<Pane>,
    /// How many of them have fired: the first ones.
    fired: usize,
    /// The block of the last firing.
    block: i64,
    /// The merge of that block's panes that have fired.
    prefix: Option<Prefix>,
}

#[derive(Clone, Copy, Debug)]
struct Prefix {
    slot: Slot,
    /// Made for merging; otherwise it is a pane's own, and must not change.
    made: bool,
}

impl Slide {
    pub(crate) fn new(range: i64) -> Self {
        assert!(range > 0, "a range is positive: {range}");
        Self { range }
    }

    /// When a key of which all panes have fired has nothing left that a later row sees. On the grid, so that keys share
    /// their timers.
    fn gone_at(&self, last: i64) -> i64 {
        ((last + self.range).div_euclid(self.range) + 1) * self.range
    }

    /// Fires the first pane that has not fired.
    fn fire_next(&self, held: &mut Panes, due: Due, out: &mut Out<'_>) {
        held.expire(due.at - self.range, out);
        let pane = held.panes[held.fired];
        let block = pane.time.div_euclid(self.range);
        if block != held.block || held.prefix.is_none() {
            held.turn(out);
            held.block = block;
        }
        let prefix = held.grow(pane, out);
        held.fired += 1;
        let first = held.panes[0];
        let (slot, made) = if first.time.div_euclid(self.range) == block {
            (prefix, false)
        } else {
            let whole = out.copy(first.slot);
            out.merge(whole, prefix, None);
            (whole, true)
        };
        let window = Window {
            start: pane.time - self.range,
            end: pane.time + 1,
            time: pane.time,
            number: 1,
            last: true,
        };
        for _ in 0..pane.rows {
            out.fire_on_time(due, window, slot);
        }
        if made {
            out.free(slot);
        }
    }
}

impl Panes {
    /// Where a time stands, or belongs.
    fn position(&self, time: i64) -> Result<usize, usize> {
        match self.panes.back() {
            Some(last) if last.time >= time => {
                self.panes.binary_search_by_key(&time, |pane| pane.time)
            }
            _ => Err(self.panes.len()),
        }
    }

    fn insert(&mut self, at: usize, row: &Row, out: &mut Out<'_>) {
        let slot = out.create();
        let (time, rows) = (row.time, 1);
        self.panes.insert(at, Pane { time, slot, rows });
        out.add(row, slot);
    }

    /// Gives up panes before a time: all of them have fired.
    fn expire(&mut self, before: i64, out: &mut Out<'_>) {
        while let Some(pane) = self.panes.front().filter(|pane| pane.time < before) {
            out.free(pane.slot);
            self.panes.pop_front();
            self.fired -= 1;
        }
    }

    /// A block is complete: its prefix is not needed any more, its panes become suffixes.
    fn turn(&mut self, out: &mut Out<'_>) {
        self.drop_prefix(out);
        for i in (1..self.fired).rev() {
            out.merge(self.panes[i - 1].slot, self.panes[i].slot, None);
        }
    }

    /// Merges a pane into the prefix of its block.
    fn grow(&mut self, pane: Pane, out: &mut Out<'_>) -> Slot {
        let prefix = match self.prefix {
            None => Prefix {
                slot: pane.slot,
                made: false,
            },
            Some(Prefix { slot, made }) => {
                let slot = if made { slot } else { out.copy(slot) };
                out.merge(slot, pane.slot, None);
                Prefix { slot, made: true }
            }
        };
        self.prefix = Some(prefix);
        prefix.slot
    }

    fn drop_prefix(&mut self, out: &mut Out<'_>) {
        if let Some(Prefix { slot, made: true }) = self.prefix.take() {
            out.free(slot);
        }
    }
}

impl Family for Slide {
    type Held = Panes;
    type Fired = Infallible;

    fn hold(&self) -> i64 {
        0
    }

    fn is_empty(&self, held: &Panes) -> bool {
        held.panes.is_empty()
    }

    #[inline(always)]
    fn ask_for(&self, held: &Panes) {
        // What a firing reads: the oldest pane, and the one that fires.
        for pane in [held.panes.front(), held.panes.get(held.fired)] {
            pane.into_iter().for_each(|pane| prefetch::line(pane));
        }
    }

    #[inline(always)]
    fn ask_for_place(&self, held: &Panes) {
        held.panes
            .back()
            .into_iter()
            .for_each(|pane| prefetch::line(pane));
    }

    fn place(&mut self, _held: &Panes, _row: &Row) -> Option<Slot> {
        None
    }

    fn open(&mut self, held: &mut Panes, row: &Row, out: &mut Out<'_>) -> Option<i64> {
        if row.is_behind() {
            return None;
        }
        let at = held.position(row.time).err()?;
        held.insert(at, row, out);
        Some(row.time)
    }

    fn close(&mut self, held: &mut Panes, time: i64) {
        if let Ok(at) = held.position(time) {
            held.panes.remove(at);
        }
    }

    fn take(&mut self, held: &mut Panes, row: &Row, out: &mut Out<'_>) {
        if row.is_behind() {
            return out.refuse(row);
        }
        match held.position(row.time) {
            Ok(at) => {
                let pane = &mut held.panes[at];
                pane.rows += 1;
                out.add(row, pane.slot);
            }
            Err(at) => held.insert(at, row, out),
        }
    }

    fn due(&self, held: &Panes, _after: i64) -> i64 {
        match (held.panes.get(held.fired), held.panes.back()) {
            (Some(next), _) => next.time,
            (None, Some(last)) => self.gone_at(last.time),
            (None, None) => NEVER,
        }
    }

    fn fire(&mut self, held: &mut Panes, due: Due, out: &mut Out<'_>) {
        if held.fired < held.panes.len() {
            self.fire_next(held, due, out);
        } else {
            held.drop_prefix(out);
            held.expire(due.at, out);
        }
    }
}

/// How a prefix is saved: there is none, it is the first fired pane of its block, or it was made for merging.
pub(super) const NO_PREFIX: i64 = 0;
pub(super) const PREFIX_OF_PANE: i64 = 1;
pub(super) const PREFIX_MADE: i64 = 2;

impl Save for Slide {
    fn save(&self, held: &Panes, into: &mut Saved) {
        into.count(held.panes.len());
        for pane in &held.panes {
            into.word(pane.time);
            into.word(pane.rows);
            into.slots.push(pane.slot);
        }
        into.count(held.fired);
        into.word(held.block);
        match held.prefix {
            None => into.word(NO_PREFIX),
            Some(Prefix { slot, made: false }) => {
                into.word(PREFIX_OF_PANE);
                let of = held.panes.iter().position(|pane| pane.slot == slot);
                into.count(of.expect("a prefix that was not made is a pane's"));
            }
            Some(Prefix { slot, made: true }) => {
                into.word(PREFIX_MADE);
                into.slots.push(slot);
            }
        }
    }

    fn load(&self, from: &mut Loading<'_>) -> Result<Panes, Unreadable> {
        let count = from.count()?;
        let pane = |_| {
            Ok(Pane {
                time: from.word()?,
                rows: from.number()?,
                slot: from.new_slot(),
            })
        };
        let panes: VecDeque<Pane> = (0..count).map(pane).collect::<Result<_, _>>()?;
        let (fired, block) = (from.number()?, from.word()?);
        let prefix = match from.word()? {
            NO_PREFIX => None,
            PREFIX_OF_PANE => {
                let of: usize = from.number()?;
                let slot = panes.get(of).ok_or(Unreadable)?.slot;
                Some(Prefix { slot, made: false })
            }
            PREFIX_MADE => Some(Prefix {
                slot: from.new_slot(),
                made: true,
            }),
            _ => return Err(Unreadable),
        };
        if fired > panes.len() {
            return Err(Unreadable);
        }
        Ok(Panes {
            panes,
            fired,
            block,
            prefix,
        })
    }
}

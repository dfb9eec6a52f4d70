//! Windows of which more is kept than what they hold: what has changed since they fired, how many rows they have, what was
//! sent. Any kind of window with any trigger and mode, of accumulators or of stored rows.
//!
//! [`super::fixed`] and [`super::session`] are faster where nothing of this is asked for ([`super::WindowSpec::is_plain`]).
//!
//! Invariants:
//! 1. Windows of a key stand in order of end, then start: the order in which they fire at one time.
//! 2. A row fires a window at most once, however many triggers it sets off.

mod content;
mod one;
mod saving;
mod sessions;

use std::convert::Infallible;
use std::ops::Range;

use self::one::One;
use super::family::{Cause, Due, Family, NEVER, Out, Row};
use super::fixed::{Fixed, Kept};
use super::stored::StoredRows;
use super::{Keep, KeyId, Mode, Moment, Slot, Triggers, WindowKind, WindowSpec};
use crate::time;

/// W at which windows end that time does not end: in the end round.
const END: i64 = time::MAX - 1;

/// Windows of any kind but `slide`.
#[derive(Debug)]
pub(crate) struct Tracked {
    shape: Shape,
    lateness: i64,
    mode: Mode,
    triggers: Triggers,
    stored: Option<Keep>,
    /// Whether the windows of a key share what they hold, in panes; otherwise each has its own.
    shared: bool,
}

/// Which windows there are.
#[derive(Debug)]
enum Shape {
    Fixed(Box<Fixed>),
    Session { gap: i64 },
    Global,
    Rows { count: u32 },
}

/// What is kept for a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    windows: Vec<One>,
    /// Accumulators that windows share.
    parts: Kept,
    /// Rows that windows share.
    rows: StoredRows,
}

impl Tracked {
    pub(crate) fn new(spec: &WindowSpec) -> Self {
        let endless = matches!(spec.kind, WindowKind::Global | WindowKind::Rows { .. });
        let shape = match spec.kind {
            WindowKind::Session { gap } => {
                assert!(gap > 0, "a session's gap is positive: {gap}");
                Shape::Session { gap }
            }
            WindowKind::Global => Shape::Global,
            WindowKind::Rows { count } => {
                assert!(count > 0, "a window of rows has some");
                Shape::Rows { count }
            }
            _ => Shape::Fixed(Box::new(Fixed::new(&WindowSpec {
                mode: Mode::Accumulating,
                ..*spec
            }))),
        };
        let overlap = matches!(&shape, Shape::Fixed(fixed) if fixed.grid().overlaps());
        Self {
            shape,
            lateness: if endless { 0 } else { spec.lateness },
            mode: spec.mode,
            triggers: spec.triggers,
            stored: spec.stored,
            shared: overlap && spec.mode != Mode::Discarding,
        }
    }

    /// W at which a window fires at its end.
    fn ends(&self, one: &One) -> i64 {
        match self.shape {
            Shape::Fixed(_) => one.end - 1,
            Shape::Session { .. } => one.end,
            Shape::Global | Shape::Rows { .. } => END,
        }
    }

    /// The windows that take a row, by index, made if they are not there; none if it is refused or in a gap.
    fn windows(&mut self, held: &mut Held, row: &Row, out: &mut Out<'_>) -> Range<usize> {
        let least = match &mut self.shape {
            Shape::Fixed(fixed) => return windows_of(fixed, held, row, out),
            Shape::Session { gap } => {
                let gap = *gap;
                return self.session(held, gap, row, out);
            }
            Shape::Global => One::new(time::MIN, time::MAX),
            Shape::Rows { .. } => One::new(row.time, row.time + 1),
        };
        if held.windows.is_empty() {
            held.windows.push(least);
        }
        0..1
    }

    /// Fires the windows that a row fires, and takes those away that are complete.
    fn fire_for_row(&self, held: &mut Held, windows: Range<usize>, row: &Row, out: &mut Out<'_>) {
        for i in windows {
            let one = &mut held.windows[i];
            let complete = matches!(self.shape, Shape::Rows { count } if one.rows == count);
            let counted = self.triggers.every_rows.is_some_and(|n| one.counted >= n);
            if counted {
                one.counted = 0;
            }
            let ended = self.ends(&held.windows[i]) <= row.w;
            let by_end = (ended || complete) && !self.triggers.only;
            let moment = match (complete && by_end, ended) {
                (true, _) => Moment::OnTime,
                (false, true) => Moment::Correction,
                (false, false) => Moment::Early,
            };
            if by_end || counted || self.triggers.each_row {
                self.send(held, i, (Cause::Row(row), moment), out);
            }
            if complete {
                let one = held.windows.remove(i);
                self.drop(one, out);
            }
        }
    }

    /// Fires a window; in `discarding` with nothing unsent it makes no result.
    fn send(&self, held: &mut Held, i: usize, why: (Cause<'_>, Moment), out: &mut Out<'_>) {
        let (cause, moment) = why;
        if held.windows[i].unsent == 0 && self.mode == Mode::Discarding {
            return;
        }
        let one = &mut held.windows[i];
        one.number += 1;
        one.unsent = 0;
        let sent = (self.mode == Mode::Retract).then(|| out.send_again(&mut one.sent));
        let complete = matches!(self.shape, Shape::Rows { count } if one.rows == count);
        let on_time = moment == Moment::OnTime && self.lateness == 0;
        let window = one.window(on_time || complete, self.is_endless());
        match self.stored {
            None => {
                let slot = self.accumulator(held, i, out);
                out.fire_slot(cause, (window, moment), slot);
            }
            Some(keep) => {
                let rows = self.rows(held, i, keep);
                out.fire_rows(cause, (window, moment), rows);
            }
        }
        out.plan.sent.extend(sent);
        if self.mode == Mode::Discarding {
            held.windows[i].empty(out);
        }
    }

    /// Whether the time of results is the largest row time.
    fn is_endless(&self) -> bool {
        matches!(self.shape, Shape::Global | Shape::Rows { .. })
    }

    /// Lets go of a window.
    fn drop(&self, mut one: One, out: &mut Out<'_>) {
        out.plan.counters.never_sent += u64::from(one.unsent);
        one.empty(out);
        out.plan.forgotten.extend(one.sent);
    }

    /// Lets go of what is of no more use once W has been at `w`.
    fn expire(&mut self, held: &mut Held, w: i64, out: &mut Out<'_>) {
        let mut i = 0;
        while i < held.windows.len() {
            if self.ends(&held.windows[i]) + self.lateness <= w {
                let one = held.windows.remove(i);
                self.drop(one, out);
            } else {
                i += 1;
            }
        }
        if let (true, Shape::Fixed(fixed)) = (self.shared, &mut self.shape) {
            fixed.expire(&mut held.parts, w, out);
            let grid = fixed.grid();
            let gone = |time| grid.end(grid.last_of(time)) - 1 + self.lateness <= w;
            out.plan.released.extend(held.rows.drain_while(gone));
        }
    }

    /// The first time after `after` at which a window fires early by event time.
    fn tick(&self, one: &One, after: i64) -> i64 {
        let Some(every) = self.triggers.every.filter(|_| one.unsent > 0) else {
            return NEVER;
        };
        if after >= one.end {
            return NEVER;
        }
        let start = match self.shape {
            Shape::Global => 0,
            _ => one.start,
        };
        let least = if start == one.start {
            start
        } else {
            time::FIRST
        };
        let after = after.max(least);
        let tick = after.saturating_add(every - (after - start).rem_euclid(every));
        if tick < one.end { tick } else { NEVER }
    }

    fn due_of(&self, one: &One, after: i64) -> i64 {
        let ends = self.ends(one);
        let at_end = if ends > after && !self.triggers.only {
            ends
        } else {
            ends + self.lateness
        };
        at_end.min(self.tick(one, after))
    }
}

/// The windows of a grid that take a row.
fn windows_of(fixed: &mut Fixed, held: &mut Held, row: &Row, out: &mut Out<'_>) -> Range<usize> {
    let cell = fixed.cell(row.time);
    if cell.first > cell.last {
        out.plan.counters.in_gaps += 1;
        return 0..0;
    }
    let Some(first) = fixed.first_open(&cell, row.judged) else {
        out.refuse(row);
        return 0..0;
    };
    out.plan.counters.windows_missed += (first - cell.first) as u64;
    let place = |window| (fixed.grid().end(window), fixed.grid().start(window));
    let windows = &mut held.windows;
    let from = windows.partition_point(|one| one.place() < place(first));
    for (i, window) in (from..).zip(first..=cell.last) {
        let (end, start) = place(window);
        if windows.get(i).is_none_or(|one| one.place() != (end, start)) {
            windows.insert(i, One::new(start, end));
        }
    }
    from..from + (cell.last - first + 1) as usize
}

impl Family for Tracked {
    type Held = Held;
    type Fired = Infallible;

    /// Results of sessions at end - 1 come when W is at end.
    fn hold(&self) -> i64 {
        i64::from(matches!(self.shape, Shape::Session { .. }))
    }

    fn is_empty(&self, held: &Held) -> bool {
        held.windows.is_empty()
    }

    fn place(&mut self, _held: &Held, _row: &Row) -> Option<Slot> {
        None
    }

    fn take(&mut self, held: &mut Held, row: &Row, out: &mut Out<'_>) {
        let windows = self.windows(held, row, out);
        if windows.is_empty() {
            return;
        }
        self.add(held, windows.clone(), row, out);
        for one in &mut held.windows[windows.clone()] {
            one.count(row, matches!(self.shape, Shape::Rows { .. }));
        }
        self.fire_for_row(held, windows, row, out);
    }

    fn due(&self, held: &Held, after: i64) -> i64 {
        let due = held.windows.iter().map(|one| self.due_of(one, after));
        due.min().unwrap_or(NEVER)
    }

    fn fire(&mut self, held: &mut Held, due: Due, out: &mut Out<'_>) {
        for i in 0..held.windows.len() {
            let one = &held.windows[i];
            if self.ends(one) == due.at && !self.triggers.only {
                self.send(held, i, (Cause::Time(due), Moment::OnTime), out);
            } else if self.tick(one, due.at - 1) == due.at {
                self.send(held, i, (Cause::Time(due), Moment::Early), out);
            }
        }
        self.expire(held, due.at, out);
    }

    fn fires_several(&self) -> bool {
        self.triggers.every.is_some()
    }

    fn is_unsent(&self, held: &Held) -> bool {
        self.triggers.every_of_clock.is_some() && held.windows.iter().any(|one| one.unsent > 0)
    }

    fn clock(&mut self, held: &mut Held, (key, w): (KeyId, i64), out: &mut Out<'_>) {
        for i in 0..held.windows.len() {
            let one = &held.windows[i];
            if one.unsent > 0 && self.ends(one) > w {
                self.send(held, i, (Cause::Clock { key, w }, Moment::Early), out);
            }
        }
    }
}

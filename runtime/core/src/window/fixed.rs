//! Windows whose bounds are fixed beforehand: tumbling, hopping, cumulating. A row updates one accumulator however many
//! windows it belongs to; see [`panes`](self::panes), and [`merges`](self::merges) for how windows are put together.

pub(super) mod grid;
mod merges;
mod numbers;
mod panes;
mod saving;
mod view;

use self::grid::{Cell, Grid};
use self::merges::{Merges, Turn, Value};
use self::numbers::Numbers;
use self::panes::{Lost, Panes, Part};
use self::view::View;
use super::family::{Due, Family, NEVER, Out, Row, Window};
use super::{Mode, Slot, WindowSpec};
use crate::prefetch;

/// Windows of kinds `tumble`, `hop` and `cumulate`.
#[derive(Debug)]
pub(crate) struct Fixed {
    grid: Grid,
    lateness: i64,
    mode: Mode,
    /// Where the last row was: rows come mostly in order.
    cell: Cell,
    /// What fired last: mostly the same of one key after the other.
    view: Option<View>,
}

/// What is kept for a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    panes: Panes,
    /// What windows of several panes and windows that fire again need.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    merges: Merges,
    numbers: Numbers,
}

/// What undoes firings: the panes that stay are not written to.
#[derive(Debug)]
pub(crate) struct Fired {
    lost: Lost,
    more: Option<Box<More>>,
}

impl Kept {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

impl Fixed {
    pub(crate) fn new(spec: &WindowSpec) -> Self {
        let grid = Grid::new(spec.kind);
        Self {
            grid,
            lateness: spec.lateness,
            mode: spec.mode,
            cell: Cell::NOWHERE,
            view: None,
        }
    }

    /// Where windows begin and end.
    pub(super) fn grid(&self) -> &Grid {
        &self.grid
    }

    #[inline(always)]
    pub(super) fn cell(&mut self, time: i64) -> Cell {
        if time < self.cell.from || time >= self.cell.to {
            self.cell = self.grid.cell(time);
        }
        self.cell
    }

    /// The first window of a cell that takes a row, if any does: end - 1 + L > the larger of stamp and W (Windows 3).
    pub(super) fn first_open(&self, cell: &Cell, judged: i64) -> Option<i64> {
        if judged < cell.first_due + self.lateness {
            return Some(cell.first);
        }
        let open = self.grid.first_after(judged.saturating_sub(self.lateness));
        (open <= cell.last).then_some(open)
    }

    fn firing(&self, window: i64, number: u32, last: bool) -> Window {
        Window {
            start: self.grid.start(window),
            end: self.grid.end(window),
            time: self.grid.end(window) - 1,
            number,
            last,
        }
    }

    /// Adds a row to its part.
    fn add(&mut self, kept: &mut Kept, first: i64, row: &Row, out: &mut Out<'_>) {
        let slot = self.part(kept, first, out);
        out.add(row, slot);
    }

    /// The accumulator of a part of the current cell, made if it is not there, about to change.
    pub(super) fn part(&self, kept: &mut Kept, first: i64, out: &mut Out<'_>) -> Slot {
        let (pane, refused) = (self.cell.pane, (first - self.cell.first) as u32);
        if let Some(more) = &mut kept.more {
            more.merges.forget(pane, self.grid.block(), out);
        }
        kept.panes.get(pane, refused).unwrap_or_else(|| {
            let slot = out.create();
            kept.panes.insert(Part {
                pane,
                refused,
                slot,
            });
            slot
        })
    }

    /// Fires windows again, with their full content (Windows 5).
    fn correct(
        &self,
        kept: &mut Kept,
        windows: std::ops::RangeInclusive<i64>,
        row: &Row,
        out: &mut Out<'_>,
    ) {
        for window in windows {
            let slot = self
                .content(kept, window, out)
                .expect("the row that was just added");
            self.correct_one(kept, window, (row, slot), out);
        }
    }

    fn correct_one(
        &self,
        kept: &mut Kept,
        window: i64,
        (row, slot): (&Row, Slot),
        out: &mut Out<'_>,
    ) {
        let number = kept.more().numbers.next(window);
        out.correct(row, self.firing(window, number, false), slot);
    }

    /// Fires windows again with what was not yet sent, which is the row alone (Windows 5). Windows that have not fired
    /// find the row in its pane.
    fn correct_discarding(
        &self,
        kept: &mut Kept,
        windows: std::ops::RangeInclusive<i64>,
        row: &Row,
        out: &mut Out<'_>,
    ) {
        let alone = out.create();
        out.add(row, alone);
        for window in windows.clone() {
            self.correct_one(kept, window, (row, alone), out);
        }
        if *windows.end() < self.cell.last {
            let slot = self.part(kept, windows.end() + 1, out);
            out.merge(slot, alone, Some(row.index));
        }
        out.free(alone);
    }

    /// The accumulator of a window's content; [`None`] if no row belongs to it.
    pub(super) fn content(&self, kept: &mut Kept, window: i64, out: &mut Out<'_>) -> Option<Slot> {
        self.content_at(kept, (window, &self.grid.turn(window)), out)
    }

    fn content_at(
        &self,
        kept: &mut Kept,
        (window, turn): (i64, &Turn),
        out: &mut Out<'_>,
    ) -> Option<Slot> {
        let parts = kept.panes.of(turn.panes.clone());
        let seen = |part: &Part| self.first(part) <= window;
        if let [part] = parts {
            return seen(part).then_some(part.slot);
        }
        let value = if kept.panes.are_whole() || parts.iter().all(seen) {
            let merges = &mut kept.more.get_or_insert_default().merges;
            merges.content(parts, turn, out)?
        } else {
            let parts: Vec<Part> = parts.iter().copied().filter(seen).collect();
            self.content_apart(&parts, turn, out)?
        };
        value.drop(out);
        Some(value.slot)
    }

    /// The content of some parts of a window, by merges that nothing is kept of.
    fn content_apart(&self, parts: &[Part], turn: &Turn, out: &mut Out<'_>) -> Option<Value> {
        if let [part] = parts {
            return Some(Value::part(part));
        }
        let mut merges = Merges::default();
        let value = merges.content(parts, turn, out);
        merges.clear(out);
        value
    }

    /// The first window that took a part's rows.
    fn first(&self, part: &Part) -> i64 {
        self.grid.windows(part.pane).start() + i64::from(part.refused)
    }

    /// The W at which a part is of no more use: when all windows that see it are gone; in `discarding`, have fired.
    fn useless_at(&self, part: &Part) -> i64 {
        let kept = if self.mode == Mode::Discarding {
            0
        } else {
            self.lateness
        };
        self.grid.end(*self.grid.windows(part.pane).end()) - 1 + kept
    }

    /// Gives up what is of no more use once W has been at `w`.
    pub(super) fn expire(&self, kept: &mut Kept, w: i64, out: &mut Out<'_>) {
        while let Some(part) = kept.panes.pop_if(|part| self.useless_at(part) <= w) {
            out.free(part.slot);
            if let Some(more) = &mut kept.more {
                more.merges.forget(part.pane, self.grid.block(), out);
            }
        }
        let Some(more) = &mut kept.more else { return };
        more.numbers
            .expire(|window| self.grid.end(window) - 1 + self.lateness <= w);
        if kept.panes.is_empty() {
            more.merges.clear(out);
        }
    }
}

impl Family for Fixed {
    type Held = Kept;
    type Fired = Fired;

    fn hold(&self) -> i64 {
        0
    }

    fn is_empty(&self, kept: &Kept) -> bool {
        kept.panes.is_empty()
            && kept
                .more
                .as_ref()
                .is_none_or(|more| more.numbers.is_empty())
    }

    #[inline(always)]
    fn ask_for(&self, kept: &Kept) {
        prefetch::list(kept.panes.all(), 3);
        if let Some(more) = &kept.more {
            prefetch::list(std::slice::from_ref(&**more), 3);
        }
    }

    #[inline(always)]
    fn ask_for_rest(&self, kept: &Kept) {
        if let Some(more) = &kept.more {
            more.merges.ask_for();
        }
    }

    #[inline(always)]
    fn ask_for_place(&self, kept: &Kept) {
        kept.panes.ask_for_place(self.cell.pane);
    }

    /// A row before whose last pane's first window fires, so that no window refuses it and no merge holds its pane.
    #[inline(always)]
    fn place(&mut self, kept: &Kept, row: &Row) -> Option<Slot> {
        let cell = self.cell(row.time);
        if row.judged >= cell.first_due {
            None
        } else {
            kept.panes.whole(cell.pane)
        }
    }

    fn open(&mut self, kept: &mut Kept, row: &Row, out: &mut Out<'_>) -> Option<i64> {
        let cell = self.cell(row.time);
        if row.judged >= cell.first_due {
            return None;
        }
        let slot = out.create();
        kept.panes.insert(Part {
            pane: cell.pane,
            refused: 0,
            slot,
        });
        out.add(row, slot);
        Some(cell.first_due)
    }

    fn close(&mut self, kept: &mut Kept, time: i64) {
        kept.panes.remove(self.cell(time).pane);
    }

    fn take(&mut self, kept: &mut Kept, row: &Row, out: &mut Out<'_>) {
        let cell = self.cell(row.time);
        if cell.first > cell.last {
            out.plan.counters.in_gaps += 1;
            return;
        }
        let Some(first) = self.first_open(&cell, row.judged) else {
            return out.refuse(row);
        };
        out.plan.counters.windows_missed += (first - cell.first) as u64;
        if row.w < cell.first_due {
            return self.add(kept, first, row, out);
        }
        let fired = first..=cell.last.min(self.grid.first_after(row.w) - 1);
        if fired.is_empty() {
            self.add(kept, first, row, out);
        } else if self.mode == Mode::Accumulating {
            self.add(kept, first, row, out);
            self.correct(kept, fired, row, out);
        } else {
            self.correct_discarding(kept, fired, row, out);
        }
    }

    fn due(&self, kept: &Kept, after: i64) -> i64 {
        let known = self.view.as_ref().and_then(|view| view.first_after(after));
        let next = known.unwrap_or_else(|| self.grid.first_after(after));
        let mut due = NEVER;
        for part in kept.panes.all() {
            let window = next.max(self.first(part));
            let last = *self.grid.windows(part.pane).end();
            let at = if window <= last {
                self.grid.end(window) - 1
            } else {
                self.useless_at(part)
            };
            due = due.min(at);
            if window == next && window <= last {
                break;
            }
        }
        match (&kept.more, due) {
            (Some(more), NEVER) => more
                .numbers
                .last()
                .map_or(NEVER, |w| self.grid.end(w) - 1 + self.lateness),
            _ => due,
        }
    }

    fn before_firing(&self, kept: &Kept, w: i64) -> Option<Fired> {
        Some(Fired {
            lost: kept.panes.before_losing(|part| self.useless_at(part) <= w),
            more: kept.more.clone(),
        })
    }

    fn undo_firing(&mut self, kept: &mut Kept, fired: Fired) {
        kept.panes.put_back(fired.lost);
        kept.more = fired.more;
    }

    fn fire(&mut self, kept: &mut Kept, due: Due, out: &mut Out<'_>) {
        if self.view.as_ref().is_none_or(|view| view.at != due.at) {
            self.view = Some(View::new(&self.grid, due.at));
        }
        if let Some(View {
            fires: Some((window, turn)),
            ..
        }) = &self.view
            && let window = *window
            && let Some(slot) = self.content_at(kept, (window, turn), out)
        {
            let last = self.lateness == 0;
            let number = if last {
                1
            } else {
                kept.more().numbers.next(window)
            };
            out.fire_on_time(due, self.firing(window, number, last), slot);
        }
        self.expire(kept, due.at, out);
    }
}

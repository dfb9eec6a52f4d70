//! Where fixed windows begin and end, and the panes that they share.
//!
//! Windows are numbered in order of end, panes in order of time; each window is a run of panes. Panes are cut at every
//! start and end of a window, so at most two per step:
//!
//! ```text
//! hop 5 by 2     window 0  |---------|               window k covers panes 2k to 2k + 4
//!                window 1      |---------|
//!                window 2          |---------|
//!                panes     |-|.|-|.|-|.|-|.|-|       long ones even, short ones odd
//! cumulate 6 by 2, windows 0 1 2:  |---|  |-------|  |-----------|    window k ends with pane k
//! ```

use std::ops::Range;

use super::super::WindowKind;
use super::merges::Turn;

/// The grid of one window kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::window) struct Grid {
    /// What pane 0 starts at.
    offset: i64,
    /// From one pane that starts with a window to the next.
    step: i64,
    /// How far into a step the second cut is; 0 if there is none.
    cut: i64,
    /// End of window 0.
    first_end: i64,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Each window has this many panes.
    Hop { panes: i64 },
    /// Windows begin together, every so many panes.
    Cumulate { panes: i64 },
}

/// A pane, and the first window that shares it: computed once for many rows.
#[derive(Clone, Copy, Debug)]
pub(in crate::window) struct Cell {
    /// Its times.
    pub(in crate::window) from: i64,
    pub(in crate::window) to: i64,
    pub(in crate::window) pane: i64,
    /// The first and the last window that it belongs to; in a gap, none: the last is before the first.
    pub(in crate::window) first: i64,
    pub(in crate::window) last: i64,
    /// W at which the first window fires.
    pub(in crate::window) first_due: i64,
}

impl Cell {
    /// No time is in it.
    pub(in crate::window) const NOWHERE: Self = Self {
        from: 0,
        to: 0,
        pane: 0,
        first: 0,
        last: -1,
        first_due: i64::MIN,
    };
}

impl Grid {
    pub(in crate::window) fn new(kind: WindowKind) -> Self {
        match kind {
            WindowKind::Tumble { size, offset } => Self::hop(size, size, offset),
            WindowKind::Hop { size, step, offset } => Self::hop(size, step, offset),
            WindowKind::Cumulate { size, step, offset } => Self::cumulate(size, step, offset),
            WindowKind::Session { .. }
            | WindowKind::Global
            | WindowKind::Rows { .. }
            | WindowKind::Slide { .. } => unreachable!("these windows have no grid"),
        }
    }

    fn hop(size: i64, step: i64, offset: i64) -> Self {
        assert!(
            size > 0 && step > 0,
            "size and step are positive: {size}, {step}"
        );
        let (whole, cut) = (size / step, size % step);
        let panes = if cut == 0 { whole } else { 2 * whole + 1 };
        let offset = offset.rem_euclid(step);
        Self {
            offset,
            step,
            cut,
            first_end: offset + size,
            shape: Shape::Hop { panes },
        }
    }

    fn cumulate(size: i64, step: i64, offset: i64) -> Self {
        assert!(
            step > 0 && size > 0 && size % step == 0,
            "{size} is a multiple of {step}"
        );
        let (offset, panes) = (offset.rem_euclid(size), size / step);
        Self {
            offset,
            step,
            cut: 0,
            first_end: offset + step,
            shape: Shape::Cumulate { panes },
        }
    }

    /// Panes of a block: as many as the longest window has, so a window touches at most two.
    pub(in crate::window) fn block(&self) -> i64 {
        match self.shape {
            Shape::Hop { panes } | Shape::Cumulate { panes } => panes,
        }
    }

    /// Whether a row may belong to several windows.
    pub(in crate::window) fn overlaps(&self) -> bool {
        self.block() > 1
    }

    /// The last window of a time.
    pub(in crate::window) fn last_of(&self, time: i64) -> i64 {
        self.cell(time).last
    }

    /// The cell of a time, by floor-modulus (Windows 1).
    pub(in crate::window) fn cell(&self, time: i64) -> Cell {
        let step = (time - self.offset).div_euclid(self.step);
        let start = self.offset + step * self.step;
        let (pane, from, to) = match self.cut {
            0 => (step, start, start + self.step),
            cut if time < start + cut => (2 * step, start, start + cut),
            cut => (2 * step + 1, start + cut, start + self.step),
        };
        let windows = self.windows(pane);
        let (first, last) = (*windows.start(), *windows.end());
        let first_due = if first > last {
            i64::MIN
        } else {
            self.end(first) - 1
        };
        Cell {
            from,
            to,
            pane,
            first,
            last,
            first_due,
        }
    }

    /// Start of a pane, inclusive, and its end, exclusive.
    pub(in crate::window) fn span(&self, pane: i64) -> (i64, i64) {
        let of_step = |step: i64| step.saturating_mul(self.step).saturating_add(self.offset);
        match self.cut {
            0 => (of_step(pane), of_step(pane.saturating_add(1))),
            cut => {
                let start = of_step(pane.div_euclid(2));
                match pane.rem_euclid(2) {
                    0 => (start, start.saturating_add(cut)),
                    _ => (start.saturating_add(cut), start.saturating_add(self.step)),
                }
            }
        }
    }

    /// The windows that share a pane; none in a gap.
    pub(in crate::window) fn windows(&self, pane: i64) -> std::ops::RangeInclusive<i64> {
        match self.shape {
            Shape::Cumulate { panes } => pane..=(pane.div_euclid(panes) + 1) * panes - 1,
            Shape::Hop { panes } if self.cut == 0 => pane - panes + 1..=pane,
            Shape::Hop { panes } => {
                let (step, odd) = (pane.div_euclid(2), pane.rem_euclid(2));
                step - panes / 2 + odd..=step
            }
        }
    }

    /// The panes of a window.
    pub(in crate::window) fn panes(&self, window: i64) -> Range<i64> {
        match self.shape {
            Shape::Cumulate { panes } => window.div_euclid(panes) * panes..window + 1,
            Shape::Hop { panes } if self.cut == 0 => window..window + panes,
            Shape::Hop { panes } => 2 * window..2 * window + panes,
        }
    }

    /// The panes of a window, and where it turns from one block to the next.
    pub(super) fn turn(&self, window: i64) -> Turn {
        Turn::new(self.panes(window), self.block())
    }

    /// Start of a window, inclusive.
    pub(in crate::window) fn start(&self, window: i64) -> i64 {
        match self.shape {
            Shape::Cumulate { panes } => self.offset + window.div_euclid(panes) * panes * self.step,
            Shape::Hop { .. } => self.offset + window * self.step,
        }
    }

    /// End of a window, exclusive.
    pub(in crate::window) fn end(&self, window: i64) -> i64 {
        self.first_end + window * self.step
    }

    /// The first window that fires after W has been at `w`: end - 1 > w.
    pub(in crate::window) fn first_after(&self, w: i64) -> i64 {
        w.saturating_add(1)
            .saturating_sub(self.first_end)
            .div_euclid(self.step)
            + 1
    }

    /// The window that fires at `w`: end - 1 = w.
    pub(in crate::window) fn firing_at(&self, w: i64) -> Option<i64> {
        let from_first = w + 1 - self.first_end;
        (from_first.rem_euclid(self.step) == 0).then(|| from_first.div_euclid(self.step))
    }
}

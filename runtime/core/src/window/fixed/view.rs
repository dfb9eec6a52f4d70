//! What happens at one W: the same for all keys, so it is looked up once.

use super::grid::Grid;
use super::merges::Turn;

/// What happens at one W, whatever the key.
#[derive(Debug)]
pub(super) struct View {
    pub(super) at: i64,
    /// The window that fires.
    pub(super) fires: Option<(i64, Turn)>,
    /// The first window that fires later.
    next: i64,
}

impl View {
    pub(super) fn new(grid: &Grid, at: i64) -> Self {
        let fires = |window| (window, grid.turn(window));
        Self {
            at,
            fires: grid.firing_at(at).map(fires),
            next: grid.first_after(at),
        }
    }

    /// The first window that fires after `w`, if that is known.
    pub(super) fn first_after(&self, w: i64) -> Option<i64> {
        if w == self.at {
            Some(self.next)
        } else if w == self.at - 1 {
            Some(self.fires.as_ref().map_or(self.next, |(window, _)| *window))
        } else {
            None
        }
    }
}

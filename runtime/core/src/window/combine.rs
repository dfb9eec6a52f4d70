//! Which rows may be added up before they are sent to the worker of their key.
//!
//! A row may if to that worker it is sure to be one more row of its pane: all windows that share the pane end after the
//! larger of the row's stamp and W, and the row is not behind. What is due for the key while the row is on its way then
//! has nothing to do with the pane, so it makes no difference when the row arrives, nor whether alone.

use super::fixed::grid::{Cell, Grid};
use super::{Mode, WindowKind, WindowSpec};

/// Says of each row to which pane it may be added up.
#[derive(Clone, Debug)]
pub struct Combining {
    grid: Grid,
    /// Where the last row was: rows come mostly in order.
    cell: Cell,
}

impl Combining {
    /// For these windows.
    ///
    /// # Errors
    /// If rows of such windows have to arrive one by one: why.
    pub fn of(spec: &WindowSpec) -> Result<Self, &'static str> {
        if let WindowKind::Session { .. } = spec.kind {
            return Err("where a session ends, each of its rows decides");
        }
        let paned = matches!(
            spec.kind,
            WindowKind::Tumble { .. } | WindowKind::Hop { .. } | WindowKind::Cumulate { .. }
        );
        if !paned || !spec.is_plain() {
            return Err("its windows do not only fire at their end, from panes");
        }
        if spec.mode != Mode::Accumulating {
            return Err("its mode is not accumulating");
        }
        Ok(Self {
            grid: Grid::new(spec.kind),
            cell: Cell::NOWHERE,
        })
    }

    /// The number of the pane of a row of this time; [`None`] if the row has to be sent alone. `judged` is the larger of the
    /// row's stamp and W at the row, as its sender knows it.
    #[inline]
    pub fn pane(&mut self, time: i64, judged: i64) -> Option<i64> {
        if time < self.cell.from || time >= self.cell.to {
            self.cell = self.grid.cell(time);
        }
        (judged < time && judged < self.cell.first_due).then_some(self.cell.pane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Triggers;

    fn of(kind: WindowKind) -> Combining {
        Combining::of(&WindowSpec::new(kind)).expect("these may be combined")
    }

    #[test]
    fn rows_of_open_panes_may_be_added_up() {
        let tumble = WindowKind::Tumble {
            size: 10,
            offset: 0,
        };
        let hop = WindowKind::Hop {
            size: 10,
            step: 4,
            offset: 0,
        };
        let gaps = WindowKind::Hop {
            size: 2,
            step: 5,
            offset: 0,
        };
        let cumulate = WindowKind::Cumulate {
            size: 12,
            step: 4,
            offset: 0,
        };
        let cases = [
            // A window, a time, the larger of stamp and W, the pane.
            (tumble, 25, 24, Some(2)),
            (tumble, 29, 28, Some(2)),
            (tumble, 25, 25, None),
            (tumble, 25, 29, None),
            (tumble, -1, -2, Some(-1)),
            (tumble, 25, i64::MIN, Some(2)),
            // The first window that shares the pane from 8 to 10 is that from 0 to 10.
            (hop, 9, 8, Some(4)),
            (hop, 9, 9, None),
            (hop, 8, 7, Some(4)),
            (hop, 10, 9, Some(5)),
            (gaps, 3, 0, None),
            (gaps, 5, 0, Some(2)),
            (cumulate, 5, 4, Some(1)),
            (cumulate, 7, 7, None),
        ];
        for (kind, time, judged, pane) in cases {
            assert_eq!(
                of(kind).pane(time, judged),
                pane,
                "{kind:?} {time} {judged}"
            );
        }
    }

    #[test]
    fn sessions_and_other_modes_and_triggers_are_sent_row_by_row() {
        let tumble = WindowKind::Tumble {
            size: 10,
            offset: 0,
        };
        let each_row = Triggers {
            each_row: true,
            ..Triggers::AT_END
        };
        let spec = WindowSpec {
            triggers: each_row,
            ..WindowSpec::new(tumble)
        };
        assert!(Combining::of(&spec).is_err());
        for (kind, mode) in [
            (WindowKind::Session { gap: 5 }, Mode::Accumulating),
            (tumble, Mode::Discarding),
            (tumble, Mode::Retract),
            (WindowKind::Global, Mode::Accumulating),
            (WindowKind::Rows { count: 3 }, Mode::Accumulating),
            (WindowKind::Slide { range: 3 }, Mode::Accumulating),
        ] {
            let spec = WindowSpec {
                lateness: 5,
                mode,
                ..WindowSpec::new(kind)
            };
            assert!(Combining::of(&spec).is_err(), "{kind:?} {mode:?}");
        }
    }
}

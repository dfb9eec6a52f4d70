//! The window operator: one kind of window over all keys.

use super::fixed::Fixed;
use super::keyed::Keyed;
use super::saved::{Saved, Unreadable};
use super::session::Session;
use super::slide::Slide;
use super::slide_rows::SlideRows;
use super::tracked::Tracked;
use super::{KeyId, KeyOrder, Plan, RowId, Rows, WindowKind, WindowSpec};

/// Decides what becomes of rows, and what fires when. See the [module](super).
///
/// The order of calls is `take`, then `commit` or `undo`; `advance`, then `commit`. A plan that is neither committed nor
/// undone is a broken invariant of the caller.
#[derive(Debug)]
pub struct WindowOperator {
    windows: Windows,
    /// The clock's ticks: how far apart, and the last one that there was.
    clock: Option<(i64, i64)>,
}

/// One variant per family.
#[derive(Debug)]
enum Windows {
    Fixed(Keyed<Fixed>),
    Session(Keyed<Session>),
    Tracked(Keyed<Tracked>),
    Slide(Keyed<Slide>),
    SlideRows(Keyed<SlideRows>),
}

macro_rules! each {
    ($operator:expr, $windows:ident => $do:expr) => {
        match $operator {
            Windows::Fixed($windows) => $do,
            Windows::Session($windows) => $do,
            Windows::Tracked($windows) => $do,
            Windows::Slide($windows) => $do,
            Windows::SlideRows($windows) => $do,
        }
    };
}

impl WindowOperator {
    /// An operator without state, W at [`crate::time::MIN`].
    ///
    /// # Panics
    /// If a size, step or gap is not positive, or a cumulated size is no multiple of its step; `check` refuses these.
    pub fn new(spec: WindowSpec) -> Self {
        let windows = match spec.kind {
            WindowKind::Slide { range } => match spec.stored {
                None => Windows::Slide(Keyed::new(Slide::new(range))),
                Some(keep) => Windows::SlideRows(Keyed::new(SlideRows::new(range, keep))),
            },
            _ if !spec.is_plain() => Windows::Tracked(Keyed::new(Tracked::new(&spec))),
            WindowKind::Session { gap } => Windows::Session(Keyed::new(Session::new(gap, &spec))),
            _ => Windows::Fixed(Keyed::new(Fixed::new(&spec))),
        };
        let clock = spec.triggers.every_of_clock.map(|every| (every, i64::MIN));
        Self { windows, clock }
    }

    /// How far the watermark that it passes on lies behind its own (Watermarks 2).
    pub fn hold(&self) -> i64 {
        each!(&self.windows, windows => windows.hold())
    }

    /// Its watermark: that of the last [`WindowOperator::advance`].
    pub fn watermark(&self) -> i64 {
        each!(&self.windows, windows => windows.watermark())
    }

    /// The smallest W at which something may happen. Nothing happens before it; at it, perhaps nothing either.
    pub fn next_due(&self) -> Option<i64> {
        each!(&self.windows, windows => windows.next_due())
    }

    /// Decides on rows: `plan` is cleared, then says what becomes of them and what fires before, between and because of
    /// them. A key of which nothing is left, be it that its only row was late, is in `plan.gone`. Of a batch whose firings see
    /// very many stored rows, only the first rows are decided on: `plan.taken` of them.
    ///
    /// To be followed by [`WindowOperator::commit`] or [`WindowOperator::undo`].
    pub fn take(&mut self, rows: &Rows<'_>, plan: &mut Plan) {
        each!(&mut self.windows, windows => windows.take(rows, plan));
    }

    /// Raises W to `w`, [`crate::time::MAX`] for the end round, and fires all that is due, in order of firing time, end,
    /// start and key. To be followed by [`WindowOperator::commit`].
    ///
    /// A plan holds only so much: while the answer is true, more is due, and after the commit the same call is to be made
    /// again, before any row is taken.
    pub fn advance(&mut self, w: i64, keys: &dyn KeyOrder, plan: &mut Plan) -> bool {
        each!(&mut self.windows, windows => windows.advance(w, keys, plan))
    }

    /// When the clock next fires something: a multiple of the trigger's time. Not known before the first call of
    /// [`WindowOperator::clock`].
    pub fn next_tick(&self) -> Option<i64> {
        let (every, last) = self.clock?;
        (last != i64::MIN).then(|| last + every)
    }

    /// The clock says `now`: if it has passed a tick since the last call, fires the windows that have changed since they
    /// last fired, in order of end, start and key. Whether it has; then to be followed by [`WindowOperator::commit`]. Not in
    /// the end round.
    pub fn clock(&mut self, now: i64, keys: &dyn KeyOrder, plan: &mut Plan) -> bool {
        plan.clear();
        let Some((every, last)) = &mut self.clock else {
            return false;
        };
        let tick = now - now.rem_euclid(*every);
        let passed = *last != i64::MIN && tick > *last;
        *last = (*last).max(tick);
        if passed {
            each!(&mut self.windows, windows => windows.clock(keys, plan));
        }
        passed
    }

    /// What the plan says has happened.
    pub fn commit(&mut self, plan: &Plan) {
        each!(&mut self.windows, windows => windows.commit(plan));
    }

    /// What the plan says never happened: everything is as before [`WindowOperator::take`], slots included.
    pub fn undo(&mut self, _plan: &Plan) {
        each!(&mut self.windows, windows => windows.undo());
    }

    /// Appends what is kept for a key; nothing if nothing is. At a barrier, that is while everything has happened that is
    /// due at or before the operator's watermark.
    pub fn save(&self, key: KeyId, into: &mut Saved) {
        each!(&self.windows, windows => windows.save_key(key, into));
    }

    /// Of an operator without keys: stands where one stood that has saved what it kept, with the clock's last tick.
    /// Nothing is undone by it; of several the largest counts.
    pub fn stand_at(&mut self, watermark: i64, tick: Option<i64>) {
        each!(&mut self.windows, windows => windows.stand_at(watermark));
        if let (Some((_, last)), Some(tick)) = (&mut self.clock, tick) {
            *last = (*last).max(tick);
        }
    }

    /// The clock's last tick, if it has ticked.
    pub fn last_tick(&self) -> Option<i64> {
        self.clock.map(|(_, last)| last)
    }

    /// Takes keys that were saved by [`WindowOperator::save`] at this operator's watermark, each with its words. Nothing is
    /// kept for any of them. The answer has the new numbers of accumulators, rows and results, in the order of saving.
    ///
    /// # Errors
    /// If the words are not what an operator like this one saves; it is of no use then.
    pub fn load<'a>(
        &mut self,
        keys: impl Iterator<Item = (KeyId, &'a [i64])>,
    ) -> Result<Saved, Unreadable> {
        each!(&mut self.windows, windows => windows.load(keys))
    }

    /// Gives up so many numbers of rows, which the caller may use behind the answer: all later ones are larger.
    pub fn reserve(&mut self, count: u64) -> RowId {
        each!(&mut self.windows, windows => windows.reserve(count))
    }
}

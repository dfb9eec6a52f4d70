//! What the families of windows have in common: what they are asked, and how they answer.

use super::plan::{ResultId, RowId, Sent, TakenBack};
use super::{Firing, KeyId, Moment, Op, Plan, Slot, slots::Slots};
use crate::time;

/// A time that W never reaches, not even in the end round: nothing is due.
pub(crate) const NEVER: i64 = i64::MAX;

/// A row, as a window sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Index in its batch.
    pub(crate) index: u32,
    pub(crate) key: KeyId,
    pub(crate) time: i64,
    pub(crate) stamp: i64,
    /// W at the row: everything of the key due at or before it has happened.
    pub(crate) w: i64,
    /// The larger of stamp and W: what lateness is judged by (Windows 3).
    pub(crate) judged: i64,
}

impl Row {
    /// Whether it is at or before the larger of stamp and W (Watermarks 3).
    pub(crate) fn is_behind(&self) -> bool {
        self.time <= self.judged
    }
}

/// A family of windows: what is kept for a key, and what happens to it. It never sees other keys.
///
/// Invariant: whoever calls has let everything of the key happen that is due at or before the W that it names.
pub(crate) trait Family {
    /// What is kept for one key. The default is nothing.
    type Held: Clone + Default + std::fmt::Debug;
    /// What undoes firings of a key, where that is less than all that is kept for it.
    type Fired: std::fmt::Debug;

    /// How far the operator's watermark is held back (Watermarks 2).
    fn hold(&self) -> i64;

    /// Whether nothing is kept.
    fn is_empty(&self, held: &Self::Held) -> bool;

    /// Asks for the memory behind what is kept, which is about to be needed.
    fn ask_for(&self, _held: &Self::Held) {}

    /// Asks for the memory behind the memory behind what is kept.
    fn ask_for_rest(&self, _held: &Self::Held) {}

    /// Asks for the memory behind what is kept that a row of about now may need.
    fn ask_for_place(&self, _held: &Self::Held) {}

    /// The slot for a row for which nothing needs doing but to add it there: nearly every row.
    fn place(&mut self, held: &Self::Held, row: &Row) -> Option<Slot>;

    /// Takes a row for which nothing needs doing but to add it to a fresh accumulator of its own place, and says when that
    /// is first due; [`None`] if there is more to it. Spares a copy of what is kept.
    fn open(&mut self, _held: &mut Self::Held, _row: &Row, _out: &mut Out<'_>) -> Option<i64> {
        None
    }

    /// Undoes what [`Family::open`] did for a row of this time.
    fn close(&mut self, _held: &mut Self::Held, _time: i64) {}

    /// Takes a row, or refuses it.
    fn take(&mut self, held: &mut Self::Held, row: &Row, out: &mut Out<'_>);

    /// The first time after `after` at which something happens, [`NEVER`] if none, given that all that is due at or
    /// before `after` has happened.
    fn due(&self, held: &Self::Held, after: i64) -> i64;

    /// Lets happen what happens at `due`.
    fn fire(&mut self, held: &mut Self::Held, due: Due, out: &mut Out<'_>);

    /// What undoes all that is due up to `w`; [`None`]: what is kept for the key.
    fn before_firing(&self, _held: &Self::Held, _w: i64) -> Option<Self::Fired> {
        None
    }

    /// Undoes it, everything that came after it being undone.
    fn undo_firing(&mut self, _held: &mut Self::Held, _fired: Self::Fired) {}

    /// Whether several windows of a key may fire at one time.
    fn fires_several(&self) -> bool {
        false
    }

    /// Whether the next tick of the clock fires something of a key.
    fn is_unsent(&self, _held: &Self::Held) -> bool {
        false
    }

    /// Fires what a tick of the clock fires of a key, at this W of the operator.
    fn clock(&mut self, _held: &mut Self::Held, _at: (KeyId, i64), _out: &mut Out<'_>) {}
}

/// Why a window fires.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'a> {
    /// W has come so far.
    Time(Due),
    /// A row.
    Row(&'a Row),
    /// The clock, at this W of the operator.
    Clock { key: KeyId, w: i64 },
}

/// Something that time causes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) key: KeyId,
    pub(crate) at: i64,
}

/// A window that fires.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Event time of the results.
    pub(crate) time: i64,
    /// Number of this firing.
    pub(crate) number: u32,
    /// Whether nothing can follow.
    pub(crate) last: bool,
}

/// Where a family writes what it wants done.
pub(crate) struct Out<'a> {
    pub(crate) plan: &'a mut Plan,
    pub(crate) slots: &'a mut Slots,
    /// The operator's hold.
    pub(crate) hold: i64,
    /// In the end round the last W before it, else [`time::MAX`]: what time causes is stamped with no more.
    pub(crate) ceiling: i64,
    /// The last number given to a stored row or a sent result.
    pub(crate) ids: &'a mut u64,
}

impl<'a> Out<'a> {
    /// Where plans are written, but in the end round, whose ceiling its advance says.
    pub(crate) fn new(
        plan: &'a mut Plan,
        (slots, ids): (&'a mut Slots, &'a mut u64),
        hold: i64,
    ) -> Self {
        Self {
            plan,
            slots,
            hold,
            ceiling: time::MAX,
            ids,
        }
    }
}

impl Out<'_> {
    /// A fresh accumulator.
    pub(crate) fn create(&mut self) -> Slot {
        let slot = self.slots.create();
        self.plan.created.push(slot);
        slot
    }

    /// Gives an accumulator up.
    pub(crate) fn free(&mut self, slot: Slot) {
        self.plan.freed.push(slot);
    }

    /// Counts a row that is taken.
    pub(crate) fn count_taken(&mut self, row: &Row) {
        self.plan.counters.behind_accepted += u64::from(row.is_behind());
    }

    /// Stores a row.
    pub(crate) fn store(&mut self, row: &Row) -> RowId {
        *self.ids += 1;
        self.plan.stored.push((row.index, *self.ids));
        *self.ids
    }

    /// The result that a window is about to send in place of the one before.
    pub(crate) fn send_again(&mut self, sent: &mut Option<ResultId>) -> Sent {
        let replaces = sent.is_some();
        let id = *sent.get_or_insert_with(|| {
            *self.ids += 1;
            *self.ids
        });
        Sent { id, replaces }
    }

    /// Takes back what a window has sent, if it has sent anything.
    pub(crate) fn take_back(&mut self, sent: &mut Option<ResultId>, row: &Row) {
        let Some(result) = sent.take() else { return };
        self.plan.taken_back.push(TakenBack {
            result,
            before: self.plan.firings.len() as u32,
            stamp: row.stamp,
            w: time::back(row.w, self.hold),
            row: row.index,
        });
        self.plan.forgotten.push(result);
    }

    /// Adds a row to an accumulator, and counts it.
    pub(crate) fn add(&mut self, row: &Row, slot: Slot) {
        self.count_taken(row);
        self.plan.ops.push(Op::Add {
            row: row.index,
            slot,
        });
    }

    /// Refuses a row.
    pub(crate) fn refuse(&mut self, row: &Row) {
        self.plan.counters.late += 1;
        self.plan.late.push(row.index);
    }

    /// A fresh accumulator equal to `from`.
    pub(crate) fn copy(&mut self, from: Slot) -> Slot {
        let into = self.create();
        self.other(Op::Copy { from, into });
        into
    }

    /// Merges `from` into `into`; on behalf of `row`, if not for a firing.
    pub(crate) fn merge(&mut self, into: Slot, from: Slot, row: Option<u32>) {
        self.other(Op::Merge { into, from, row });
    }

    /// Fires a window because W has reached `due`.
    pub(crate) fn fire_on_time(&mut self, due: Due, window: Window, slot: Slot) {
        self.fire_slot(Cause::Time(due), (window, Moment::OnTime), slot);
    }

    /// Fires a window because a row came after its end.
    pub(crate) fn correct(&mut self, row: &Row, window: Window, slot: Slot) {
        self.fire_slot(Cause::Row(row), (window, Moment::Correction), slot);
    }

    /// Fires a window with an accumulator.
    pub(crate) fn fire_slot(&mut self, cause: Cause<'_>, what: (Window, Moment), slot: Slot) {
        let firing = self.fire(cause, what);
        self.other(Op::Fire { firing, slot });
    }

    /// Fires a window with stored rows.
    pub(crate) fn fire_rows(&mut self, cause: Cause<'_>, what: (Window, Moment), rows: Vec<RowId>) {
        self.fire(cause, what);
        self.plan.content_rows += rows.len();
        self.plan.contents.push(rows);
    }

    #[inline]
    fn fire(&mut self, cause: Cause<'_>, (window, moment): (Window, Moment)) -> u32 {
        let back = |w| time::back(w, self.hold);
        let (key, at, stamp, w, row) = match cause {
            Cause::Time(Due { key, at }) => {
                let stamp = back((at - 1).min(self.ceiling));
                (key, at, stamp, stamp, None)
            }
            Cause::Row(row) => (row.key, row.w, row.stamp, back(row.w), Some(row.index)),
            Cause::Clock { key, w } => (key, w, back(w), back(w), None),
        };
        let number = u32::try_from(self.plan.firings.len()).expect("fewer than 2^32 firings");
        self.plan.firings.push(Firing {
            key,
            start: window.start,
            end: window.end,
            time: window.time,
            moment,
            number: window.number,
            last: window.last,
            at,
            stamp,
            w,
            row,
        });
        number
    }

    fn other(&mut self, op: Op) {
        self.plan.adds_only = false;
        self.plan.ops.push(op);
    }
}

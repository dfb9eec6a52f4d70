//! All keys of an operator: what is kept for each, when to look at it again, and how a batch is undone.
//!
//! Invariants:
//! 1. `armed` of a key is the time of a timer that is still set, and nothing of the key is due before it.
//! 2. After a row of a key at W, and after an advance to W, `armed` is later than W.
//! 3. What a batch changes in a key is saved first, so that it can be undone. Advances are not undone and save nothing.

mod advance;
mod clock;
mod saving;

use super::family::{Due, Family, NEVER, Out, Row};
use super::timers::{Pass, Timers};
use super::{KeyId, Op, Plan, Rows, slots::Slots};
use crate::{prefetch, time};

/// What an operator keeps, for windows of one family.
#[derive(Debug)]
pub(crate) struct Keyed<F: Family> {
    family: F,
    /// Indexed by key.
    entries: Vec<Entry<F::Held>>,
    timers: Timers,
    slots: Slots,
    watermark: i64,
    /// The largest W at a row: W only rises (Watermarks 1), whichever input a row came by.
    reached: i64,
    /// Number of the batch that is being decided on; the next has two more.
    batch: u64,
    /// What undoes the batch, last change first.
    changes: Vec<Change<F>>,
    reached_before: i64,
    /// Keys of which perhaps nothing is left.
    doubtful: Vec<KeyId>,
    /// Keys due at one time, in order, with what they are ordered by; some may no longer count.
    ordered: Vec<(u64, KeyId)>,
    /// That time.
    at: i64,
    /// Number of the pass over these keys.
    pass: Pass,
    /// The first pass since the last key went: a key of an earlier one may be another by now.
    trusted: Pass,
    /// How many of them have been looked at: an advance may take several plans.
    looked_at: usize,
    /// What results of the advance at hand are stamped with at most.
    ceiling: i64,
    /// Whether a key has fired twice in the plan at hand.
    met_again: bool,
    /// The last number given to a stored row or a sent result.
    ids: u64,
    /// Keys of which the next tick of the clock may fire something; some may be there twice.
    unsent: Vec<KeyId>,
}

/// How many stored rows the firings of one plan see together, unless a single one sees more.
const ROWS_PER_PLAN: usize = 1 << 20;

/// How many operations a plan has, unless a single key or row has more: where blocks of panes turn, a key has two for each.
const OPS_PER_PLAN: usize = 1 << 14;

/// Whether a plan has enough in it.
fn is_full(plan: &Plan) -> bool {
    plan.content_rows >= ROWS_PER_PLAN || plan.ops.len() >= OPS_PER_PLAN
}

/// One cache line per key: windows of one slot need no second one.
#[derive(Debug)]
#[repr(align(64))]
struct Entry<H> {
    held: H,
    armed: i64,
    /// The last batch that saved this key, or the last plan of an advance that looked at it; one more where only what firings
    /// change was saved.
    saved_in: u64,
}

/// A change of a batch, as what undoes it.
#[derive(Debug)]
enum Change<F: Family> {
    /// Put back what was kept for a key.
    Whole {
        key: KeyId,
        armed: i64,
        held: F::Held,
    },
    /// Undo firings of a key.
    Fired {
        key: KeyId,
        armed: i64,
        fired: F::Fired,
    },
    /// Take out what [`Family::open`] put in.
    Opened { key: KeyId, armed: i64, time: i64 },
}

const _: () = assert!(std::mem::size_of::<Entry<super::fixed::Kept>>() == 64);

impl<H: Default> Default for Entry<H> {
    fn default() -> Self {
        Self {
            held: H::default(),
            armed: NEVER,
            saved_in: 0,
        }
    }
}

impl<F: Family> Keyed<F> {
    pub(crate) fn new(family: F) -> Self {
        Self {
            family,
            entries: Vec::new(),
            timers: Timers::new(),
            slots: Slots::default(),
            watermark: time::MIN,
            reached: time::MIN,
            batch: 0,
            changes: Vec::new(),
            reached_before: time::MIN,
            doubtful: Vec::new(),
            ordered: Vec::new(),
            at: time::MIN,
            pass: Pass::default(),
            trusted: Pass::default(),
            looked_at: 0,
            ceiling: time::MAX,
            met_again: false,
            ids: 0,
            unsent: Vec::new(),
        }
    }

    pub(crate) fn hold(&self) -> i64 {
        self.family.hold()
    }

    pub(crate) fn watermark(&self) -> i64 {
        self.watermark
    }

    pub(crate) fn next_due(&self) -> Option<i64> {
        let first = self.timers.first();
        (first != NEVER).then_some(first)
    }

    pub(crate) fn take(&mut self, rows: &Rows<'_>, plan: &mut Plan) {
        plan.clear();
        self.begin();
        let keys = rows.keys.iter().max().map_or(0, |&key| key as usize + 1);
        if keys > self.entries.len() {
            self.entries.resize_with(keys, Entry::default);
        }
        let (len, mut i) = (rows.times.len(), 0);
        match rows.failed {
            None => {
                while i < len && !is_full(plan) {
                    self.take_row(rows, i, plan);
                    i += 1;
                }
            }
            Some(failed) => {
                while i < len && !is_full(plan) {
                    if failed[i] {
                        self.doubtful.push(rows.keys[i]);
                    } else {
                        self.take_row(rows, i, plan);
                    }
                    i += 1;
                }
            }
        }
        plan.taken = i;
        self.find_gone(plan);
    }

    pub(crate) fn commit(&mut self, plan: &Plan) {
        self.slots.commit(&plan.freed);
        self.changes.clear();
        for &key in &plan.gone {
            self.entries[key as usize] = Entry::default();
        }
        if !plan.gone.is_empty() {
            self.pass = self.pass.next();
            self.trusted = self.pass;
        }
    }

    pub(crate) fn undo(&mut self) {
        self.slots.undo();
        self.reached = self.reached_before;
        for change in self.changes.drain(..).rev() {
            match change {
                Change::Whole { key, armed, held } => {
                    let entry = &mut self.entries[key as usize];
                    (entry.armed, entry.held) = (armed, held);
                }
                Change::Fired { key, armed, fired } => {
                    let entry = &mut self.entries[key as usize];
                    entry.armed = armed;
                    self.family.undo_firing(&mut entry.held, fired);
                }
                Change::Opened { key, armed, time } => {
                    let entry = &mut self.entries[key as usize];
                    self.family.close(&mut entry.held, time);
                    entry.armed = armed;
                }
            }
        }
    }

    fn begin(&mut self) {
        self.batch += 2;
        self.reached_before = self.reached;
        self.met_again = false;
        self.slots.begin();
    }

    #[inline(always)]
    fn take_row(&mut self, rows: &Rows<'_>, i: usize, plan: &mut Plan) {
        if let Some(&key) = rows.keys.get(i + 2 * prefetch::AHEAD) {
            prefetch::line(&self.entries[key as usize]);
        }
        if let Some(&key) = rows.keys.get(i + prefetch::AHEAD) {
            self.family.ask_for_place(&self.entries[key as usize].held);
        }
        let w = rows.w[i].max(self.reached).max(self.watermark);
        let (stamp, key) = (rows.stamps[i], rows.keys[i]);
        let index = i as u32;
        let row = Row {
            index,
            key,
            time: rows.times[i],
            stamp,
            w,
            judged: stamp.max(w),
        };
        self.reached = w;
        if w >= self.timers.first() {
            self.settle(key, w, plan);
        }
        match self.family.place(&self.entries[key as usize].held, &row) {
            Some(slot) => {
                plan.counters.behind_accepted += u64::from(row.is_behind());
                plan.ops.push(Op::Add { row: index, slot });
            }
            None => self.take_slowly(&row, plan),
        }
    }

    /// Takes a row that changes what is kept for its key, or is refused.
    #[cold]
    #[inline(never)]
    fn take_slowly(&mut self, row: &Row, plan: &mut Plan) {
        if self.open(row, plan) {
            return;
        }
        self.save(row.key);
        let entry = &mut self.entries[row.key as usize];
        let hold = self.family.hold();
        let mut out = Out::new(plan, (&mut self.slots, &mut self.ids), hold);
        let was_unsent = self.family.is_unsent(&entry.held);
        self.family.take(&mut entry.held, row, &mut out);
        if !was_unsent && self.family.is_unsent(&entry.held) {
            self.unsent.push(row.key);
        }
        let due = self.family.due(&entry.held, row.w);
        if due < entry.armed {
            self.arm(row.key, due);
        }
        self.doubt(row.key);
    }

    /// Takes a row that is the first of its place, if that is all there is to it.
    fn open(&mut self, row: &Row, plan: &mut Plan) -> bool {
        let entry = &mut self.entries[row.key as usize];
        let hold = self.family.hold();
        let mut out = Out::new(plan, (&mut self.slots, &mut self.ids), hold);
        let Some(due) = self.family.open(&mut entry.held, row, &mut out) else {
            return false;
        };
        if entry.saved_in != self.batch {
            let (key, armed, time) = (row.key, entry.armed, row.time);
            self.changes.push(Change::Opened { key, armed, time });
        }
        if due < entry.armed {
            self.arm(row.key, due);
        }
        true
    }

    /// Lets everything of a key happen that is due at or before `w`, in order of time (Watermarks 10).
    fn settle(&mut self, key: KeyId, w: i64, plan: &mut Plan) {
        let armed = self.entries[key as usize].armed;
        if armed > w || armed == NEVER {
            return;
        }
        self.save_firing(key, w);
        let held = &mut self.entries[key as usize].held;
        let hold = self.family.hold();
        let mut out = Out::new(plan, (&mut self.slots, &mut self.ids), hold);
        let mut at = self.family.due(held, armed - 1);
        while at <= w && at != NEVER {
            self.family.fire(held, Due { key, at }, &mut out);
            at = self.family.due(held, at);
        }
        self.arm(key, at);
        self.doubt(key);
    }

    fn arm(&mut self, key: KeyId, at: i64) {
        self.entries[key as usize].armed = at;
        if at != NEVER {
            self.timers.set(at, key);
        }
    }

    fn save(&mut self, key: KeyId) {
        let entry = &mut self.entries[key as usize];
        if entry.saved_in != self.batch {
            entry.saved_in = self.batch;
            let (armed, held) = (entry.armed, entry.held.clone());
            self.changes.push(Change::Whole { key, armed, held });
        }
    }

    /// Saves what the firings of a key up to `w` change: the first time in a batch, less than all that is kept.
    fn save_firing(&mut self, key: KeyId, w: i64) {
        let entry = &mut self.entries[key as usize];
        if entry.saved_in < self.batch
            && let Some(fired) = self.family.before_firing(&entry.held, w)
        {
            entry.saved_in = self.batch + 1;
            let armed = entry.armed;
            self.changes.push(Change::Fired { key, armed, fired });
        } else {
            self.save(key);
        }
    }

    fn doubt(&mut self, key: KeyId) {
        if self.family.is_empty(&self.entries[key as usize].held) {
            self.doubtful.push(key);
        }
    }

    /// Of the doubtful keys, those of which nothing is left at the end.
    fn find_gone(&mut self, plan: &mut Plan) {
        self.doubtful.sort_unstable();
        self.doubtful.dedup();
        for key in self.doubtful.drain(..) {
            if self.family.is_empty(&self.entries[key as usize].held) {
                plan.gone.push(key);
            }
        }
    }
}

//! What a window operator wants done: a list of operations on accumulators, in order.
//!
//! Invariants:
//! 1. Carrying the operations out one by one, in order, is right. Whoever groups them into calls must keep, per slot, the
//!    order of what reads and writes it.
//! 2. A slot is fresh (the accumulator of no rows) when it is in `created`, and of no further use when it is in `freed`.
//!    A slot may be in both.
//! 3. `late` ascends. A row is in at most one of: an [`Op::Add`], `stored`, `late`, a gap.
//! 4. Nothing in a plan has happened before [`super::WindowOperator::commit`].

use std::cmp::Ordering;

/// A key, as the engine's key table numbers it. Unkeyed operators use 0.
pub type KeyId = u32;

/// A row that the engine stores, as the window operator numbers it: in arrival order, never again.
pub type RowId = u64;

/// A result that was sent and may be taken back, as the window operator numbers it: never again.
pub type ResultId = u64;

/// A place for one accumulator, as the window operator numbers it: dense, reused.
pub type Slot = u32;

/// Rows for a window operator, in arrival order. All slices have one entry per row.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Event times.
    pub times: &'a [i64],
    /// Stamps (semantics, Watermarks 2).
    pub stamps: &'a [i64],
    /// W at each row (Watermarks 10), as the caller combined it over its inputs. Never falls.
    pub w: &'a [i64],
    /// Keys.
    pub keys: &'a [KeyId],
    /// Rows to be passed over as if they were not there, because they failed in an earlier attempt.
    pub failed: Option<&'a [bool]>,
}

/// How keys compare: by their encoded bytes.
pub trait KeyOrder {
    /// A number such that a smaller one means a smaller key; equal ones say nothing.
    fn prefix(&self, key: KeyId) -> u64;
    /// Compares the encoded bytes of two keys.
    fn cmp(&self, a: KeyId, b: KeyId) -> Ordering;
}

/// One operation on accumulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Adds a row.
    Add {
        /// Index of the row.
        row: u32,
        /// Where to.
        slot: Slot,
    },
    /// Merges `from`, which stays as it is, into `into`, whose rows are earlier.
    Merge {
        /// The accumulator that changes.
        into: Slot,
        /// The accumulator that is read.
        from: Slot,
        /// The row on whose behalf sessions merge; absent where panes are merged for a firing.
        row: Option<u32>,
    },
    /// Makes the fresh slot `into` equal to `from`.
    Copy {
        /// The accumulator that is read.
        from: Slot,
        /// The accumulator that is written.
        into: Slot,
    },
    /// Gives the accumulator, as it is now, to `finish`.
    Fire {
        /// Index into [`Plan::firings`].
        firing: u32,
        /// The accumulator that is read.
        slot: Slot,
    },
}

/// When a window fires in relation to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Moment {
    /// Before its end.
    Early = 0,
    /// At its end.
    OnTime = 1,
    /// After its on-time firing, because of a row.
    Correction = 2,
}

impl Moment {
    /// The word in results: `early`, `on-time`, `correction`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::OnTime => "on-time",
            Self::Correction => "correction",
        }
    }
}

/// One firing of one window. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The window's key.
    pub key: KeyId,
    /// The window's start, inclusive.
    pub start: i64,
    /// The window's end, exclusive.
    pub end: i64,
    /// Event time of the results.
    pub time: i64,
    /// Early, on time or a correction.
    pub moment: Moment,
    /// Number of this firing of this window, from 1.
    pub number: u32,
    /// Whether nothing can follow for this window.
    pub last: bool,
    /// The W that fired it: its time, if time did, else W at the row.
    pub at: i64,
    /// The stamp that results carry (Watermarks 2).
    pub stamp: i64,
    /// W at the results (Watermarks 10).
    pub w: i64,
    /// The row that caused it, if a row did.
    pub row: Option<u32>,
}

/// What a firing with [`super::Mode::Retract`] sends, kept by the engine until it is taken back or forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where it is kept.
    pub id: ResultId,
    /// Whether what is kept there is taken back first: the window has fired before.
    pub replaces: bool,
}

/// A result that is taken back although its window does not fire, since it has become another's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// What was sent.
    pub result: ResultId,
    /// It goes before the firing with this index in [`Plan::firings`].
    pub before: u32,
    /// The stamp that the deletion carries (Watermarks 2).
    pub stamp: i64,
    /// W at the deletion.
    pub w: i64,
    /// The row that caused it.
    pub row: u32,
}

/// What became of rows. Added to the operator's counters when a plan is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows refused because of time.
    pub late: u64,
    /// Rows at or before the larger of stamp and watermark that were taken all the same.
    pub behind_accepted: u64,
    /// Rows that belong to no window.
    pub in_gaps: u64,
    /// Windows that a row missed while others took it.
    pub windows_missed: u64,
    /// Rows that no firing of their window has shown, since it does not fire at its end.
    pub never_sent: u64,
}

/// What a window operator wants done. Reused from call to call.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Operations, in order.
    pub ops: Vec<Op>,
    /// Where in `ops` the operations of each key end, if they stand together key by key, as in most advances; otherwise
    /// empty. Operations of different keys share no slot.
    pub key_ends: Vec<u32>,
    /// What fires, in order.
    pub firings: Vec<Firing>,
    /// Where results may be taken back: what each firing sends, one entry per firing. Otherwise empty.
    pub sent: Vec<Sent>,
    /// Results taken back without a firing, in order.
    pub taken_back: Vec<TakenBack>,
    /// Results that are not needed once this plan's results are made.
    pub forgotten: Vec<ResultId>,
    /// Where rows are stored: what each firing sees, one entry per firing, in event-time order. Otherwise empty.
    pub contents: Vec<Vec<RowId>>,
    /// How many rows they see together. A plan that sees many is cut: see [`Plan::taken`].
    pub content_rows: usize,
    /// How many rows of the batch, from its first, the plan is about: all, unless what fires between them would see more
    /// rows together than one plan holds. The rest is then to be given again, as a batch of its own, after the commit.
    pub taken: usize,
    /// Rows to be stored: (index, number). A row may be there several times.
    pub stored: Vec<(u32, RowId)>,
    /// Stored rows that are not needed once this plan's results are made.
    pub released: Vec<RowId>,
    /// Rows refused because of time, ascending.
    pub late: Vec<u32>,
    /// Slots that start as the accumulator of no rows.
    pub created: Vec<Slot>,
    /// Slots that nobody needs any more once the plan is carried out.
    pub freed: Vec<Slot>,
    /// Keys of which nothing is left, once the plan is carried out: their numbers may be given to other keys.
    pub gone: Vec<KeyId>,
    /// What became of the rows.
    pub counters: Counters,
    /// Whether every operation is an [`Op::Add`]: the usual case, and the fast one.
    pub adds_only: bool,
}

impl Plan {
    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.key_ends.clear();
        self.firings.clear();
        self.sent.clear();
        self.taken_back.clear();
        self.forgotten.clear();
        self.contents.clear();
        self.content_rows = 0;
        self.taken = 0;
        self.stored.clear();
        self.released.clear();
        self.late.clear();
        self.created.clear();
        self.freed.clear();
        self.gone.clear();
        self.counters = Counters::default();
        self.adds_only = true;
    }

    /// Puts the firings from `from` on, the operations of which begin at `op`, in order of end and start. Those of equal
    /// bounds keep their order.
    pub(crate) fn sort_firings(&mut self, from: usize, op: usize) {
        let mut order: Vec<usize> = (from..self.firings.len()).collect();
        order.sort_by_key(|&i| (self.firings[i].end, self.firings[i].start));
        if order.is_sorted() {
            return;
        }
        let mut places = vec![0; order.len()];
        (from..)
            .zip(&order)
            .for_each(|(place, &i)| places[i - from] = place as u32);
        for op in &mut self.ops[op..] {
            if let Op::Fire { firing, .. } = op {
                *firing = places[*firing as usize - from];
            }
        }
        permute(&mut self.firings, from, &order);
        permute(&mut self.sent, from, &order);
        permute(&mut self.contents, from, &order);
    }
}

/// Puts the entries from `from` on in the order of these indices; there may be no entries at all.
fn permute<T: Clone>(list: &mut [T], from: usize, order: &[usize]) {
    if !list.is_empty() {
        let sorted: Vec<T> = order.iter().map(|&i| list[i].clone()).collect();
        list[from..].clone_from_slice(&sorted);
    }
}

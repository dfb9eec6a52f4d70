//! The content of a window of several panes, from running merges.
//!
//! Panes are grouped in blocks of as many panes as a window has, so a window is the end of one block and the beginning of
//! the next. Its content is `merge(suffix, prefix)`, where
//!
//! ```text
//! suffix(i) = merge(pane i, suffix(i + 1))     from the right: p3 + (p4 + p5)
//! prefix(j) = merge(prefix(j - 1), pane j)     from the left: (p6 + p7) + p8
//! ```
//!
//! Both are kept from firing to firing, so that a firing costs a few merges however many panes a window has (the two
//! stacks of a sliding aggregate, with their turning points on the grid).
//!
//! Invariants:
//! 1. What is kept changes no result: a window's tree of merges is a function of its panes. Floats agree to the bit.
//! 2. What is kept holds parts that every later window sees. A window that does not see all parts of its panes (refused
//!    rows, [`super::panes`]) gets merges of its own.
//! 3. Empty panes and single parts are not merged with anything: a window of one part costs nothing.

use std::ops::Range;
use std::sync::Arc;

use super::super::Slot;
use super::super::family::Out;
use super::panes::{self, Part};
use crate::prefetch;

/// An accumulator that is read for a firing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) slot: Slot,
    /// Made for merging; otherwise it is a part's own, and must not change.
    made: bool,
}

impl Value {
    /// Stands where there is none.
    const NOTHING: Self = Self {
        slot: 0,
        made: false,
    };

    /// Just a part.
    pub(super) fn part(part: &Part) -> Self {
        Self {
            slot: part.slot,
            made: false,
        }
    }

    /// Itself, with `from` behind it.
    fn then(self, from: Slot, out: &mut Out<'_>) -> Self {
        let slot = if self.made {
            self.slot
        } else {
            out.copy(self.slot)
        };
        out.merge(slot, from, None);
        Self { slot, made: true }
    }

    /// Gives it up.
    pub(super) fn drop(self, out: &mut Out<'_>) {
        if self.made {
            out.free(self.slot);
        }
    }
}

/// The running merges of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Merges {
    suffix: Suffix,
    prefix: Prefix,
}

/// Where a window turns from the block in which it begins to the next.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// The window's panes.
    pub(super) panes: Range<i64>,
    /// The first pane of a block that is not before the window's first one.
    pub(super) at: i64,
}

impl Turn {
    /// Of a window of these panes, `size` being the panes of a block.
    pub(super) fn new(panes: Range<i64>, size: i64) -> Self {
        let at = -(-panes.start).div_euclid(size) * size;
        Self { panes, at }
    }
}

/// Suffixes of a block.
#[derive(Clone, Debug, Default)]
struct Suffix {
    /// The first pane after the block.
    end: i64,
    /// The parts of panes from here to the block's end are in.
    down_to: i64,
    /// Descending: for each part, the merge of it and all behind it.
    values: Values,
}

/// A stack that is filled at once and then taken from. What undoes a batch shares the list.
#[derive(Clone, Debug, Default)]
struct Values {
    list: Arc<[(i64, Value)]>,
    /// So many of the list are in.
    len: usize,
}

impl Values {
    fn all(&self) -> &[(i64, Value)] {
        &self.list[..self.len]
    }

    fn pop(&mut self) -> Option<(i64, Value)> {
        let last = *self.all().last()?;
        self.len -= 1;
        Some(last)
    }

    /// Room for so many more, with as many before it as there are. The list stays where it is if nobody shares it.
    fn grown(&mut self, more: usize) -> &mut [(i64, Value)] {
        let len = self.len + more;
        if self.list.len() < len || Arc::get_mut(&mut self.list).is_none() {
            let nothing = (0, Value::NOTHING);
            let list = self.all().iter().copied();
            self.list = list.chain(std::iter::repeat_n(nothing, more)).collect();
        }
        self.len = len;
        &mut Arc::get_mut(&mut self.list).expect("nobody shares it")[..len]
    }
}

/// The beginning of a block.
#[derive(Clone, Debug, Default)]
struct Prefix {
    /// The first pane of the block.
    start: i64,
    /// The parts of panes before this one are in.
    up_to: i64,
    value: Option<Value>,
}

impl Merges {
    /// The content of a window: `parts` are those of its panes. To be dropped after use.
    pub(super) fn content(
        &mut self,
        parts: &[Part],
        turn: &Turn,
        out: &mut Out<'_>,
    ) -> Option<Value> {
        let Range { start, end } = turn.panes;
        if turn.at == start {
            return self.prefix.value(parts, start..end, out);
        }
        let (before, after) = parts.split_at(panes::before(parts, turn.at));
        let suffix = self.suffix.value(before, start..turn.at, out);
        let prefix = self.prefix.value(after, turn.at..end, out);
        match (suffix, prefix) {
            (Some(suffix), Some(prefix)) => Some(suffix.then(prefix.slot, out)),
            (suffix, prefix) => suffix.or(prefix),
        }
    }

    /// Asks for the memory of the suffix that is needed next.
    #[inline(always)]
    pub(super) fn ask_for(&self) {
        let values = &self.suffix.values;
        prefetch::line(
            values
                .list
                .as_ptr()
                .wrapping_add(values.len.wrapping_sub(1)),
        );
    }

    /// A pane has changed or goes away: forgets what it is in; `size` is the panes of a block.
    pub(super) fn forget(&mut self, pane: i64, size: i64, out: &mut Out<'_>) {
        let suffix = self.suffix.end;
        if pane < suffix && pane >= suffix - size {
            self.suffix.forget(pane, out);
        }
        if pane >= self.prefix.start && pane < self.prefix.up_to {
            self.prefix.clear(out);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, out: &mut Out<'_>) {
        self.suffix.forget(i64::MAX - 1, out);
        self.prefix.clear(out);
    }
}

impl Suffix {
    /// The merge of a block's panes from `panes.start` on. It is handed over: no other window starts there.
    fn value(&mut self, parts: &[Part], panes: Range<i64>, out: &mut Out<'_>) -> Option<Value> {
        if self.end != panes.end || self.values.len == 0 {
            self.forget(i64::MAX - 1, out);
            (self.end, self.down_to) = (panes.end, panes.end);
        }
        let missing = panes::before(parts, self.down_to);
        if missing > 0 {
            let from = self.values.len;
            let values = self.values.grown(missing);
            for (at, part) in (from..).zip(parts[..missing].iter().rev()) {
                let value = match at.checked_sub(1) {
                    Some(behind) => Value::part(part).then(values[behind].1.slot, out),
                    None => Value::part(part),
                };
                values[at] = (part.pane, value);
            }
        }
        self.down_to = self.down_to.min(panes.start);
        self.forget(panes.start - 1, out);
        let (pane, value) = *self.values.all().last()?;
        if value.made {
            self.values.pop();
            self.forget(pane, out);
        }
        Some(value)
    }

    fn forget(&mut self, pane: i64, out: &mut Out<'_>) {
        while self
            .values
            .all()
            .last()
            .is_some_and(|(last, _)| *last <= pane)
        {
            self.pop(out);
        }
        self.down_to = self.down_to.max(pane + 1);
    }

    fn pop(&mut self, out: &mut Out<'_>) {
        if let Some((_, value)) = self.values.pop() {
            value.drop(out);
        }
    }
}

impl Prefix {
    /// The merge of a block's panes before `panes.end`. It stays here, to grow.
    fn value(&mut self, parts: &[Part], panes: Range<i64>, out: &mut Out<'_>) -> Option<Value> {
        if self.start != panes.start || self.up_to > panes.end || self.value.is_none() {
            self.clear(out);
            (self.start, self.up_to) = (panes.start, panes.start);
        }
        let missing = panes::before(parts, self.up_to);
        for part in &parts[missing..] {
            self.value = Some(match self.value {
                Some(value) => value.then(part.slot, out),
                None => Value::part(part),
            });
        }
        self.up_to = panes.end;
        self.value.map(|value| Value {
            made: false,
            ..value
        })
    }

    fn clear(&mut self, out: &mut Out<'_>) {
        if let Some(value) = self.value.take() {
            value.drop(out);
        }
        self.up_to = i64::MIN;
    }
}

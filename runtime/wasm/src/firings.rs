//! Firings of windows, as a function is told of them: in columns, since a list of records costs a call 45 ns per firing and
//! a list of numbers is one copy (`decisions/0010-firings-in-columns.md`).

use std::ops::Range;

use crate::wire::FiringsRef;

/// One firing of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The window's start, inclusive, in microseconds; `i64::MIN` for a window without one.
    pub start: i64,
    /// The window's end, exclusive, in microseconds; `i64::MAX` for a window without one.
    pub end: i64,
    /// 0 early, 1 on-time, 2 correction.
    pub moment: u8,
    /// The number of this firing of this window, from 1.
    pub number: u32,
    /// Whether nothing can follow for this window.
    pub last: bool,
}

/// Firings for one call: entry i of each list is firing i, and all lists have the same length.
#[derive(Clone, Debug, Default)]
pub struct Firings {
    /// [`Firing::start`].
    pub starts: Vec<i64>,
    /// [`Firing::end`].
    pub ends: Vec<i64>,
    /// [`Firing::moment`].
    pub moments: Vec<u8>,
    /// [`Firing::number`].
    pub numbers: Vec<u32>,
    /// [`Firing::last`]: 0 or 1.
    pub last: Vec<u8>,
}

impl Firings {
    /// How many firings.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Those in the range, as a call takes them.
    pub(crate) fn lend(&self, range: Range<usize>) -> FiringsRef<'_> {
        FiringsRef {
            starts: &self.starts[range.clone()],
            ends: &self.ends[range.clone()],
            moments: &self.moments[range.clone()],
            numbers: &self.numbers[range.clone()],
            last: &self.last[range],
        }
    }
}

impl Extend<Firing> for Firings {
    fn extend<I: IntoIterator<Item = Firing>>(&mut self, firings: I) {
        let firings = firings.into_iter();
        let more = firings.size_hint().0;
        self.starts.reserve(more);
        self.ends.reserve(more);
        self.moments.reserve(more);
        self.numbers.reserve(more);
        self.last.reserve(more);
        for firing in firings {
            self.starts.push(firing.start);
            self.ends.push(firing.end);
            self.moments.push(firing.moment);
            self.numbers.push(firing.number);
            self.last.push(u8::from(firing.last));
        }
    }
}

impl FromIterator<Firing> for Firings {
    fn from_iter<I: IntoIterator<Item = Firing>>(firings: I) -> Self {
        let mut all = Self::default();
        all.extend(firings);
        all
    }
}

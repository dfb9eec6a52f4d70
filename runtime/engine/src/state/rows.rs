//! Rows that windows keep, in columns, found by their number.
//!
//! The window operator numbers rows in arrival order (`tidemill_core::window::RowId`) and says when one is not needed any
//! more; a row in several windows may have several numbers. Rows stand in *segments*, each of rows that came one after
//! the other:
//!
//! ```text
//! numbers     1 .. 900            901 .. 4000                4007 .. 4011
//! segments   | columns, times |  | columns, times       |  | columns, times |
//! ```
//!
//! Invariants:
//! 1. Segments are apart and in order of numbers; a segment has a row that is needed.
//! 2. At least every second number of a segment of many is needed: a segment is written anew without the others, and
//!    neighbours that have become small are joined. So memory follows what is needed, and segments stay few.

pub mod saving;
mod segment;

use std::collections::{BTreeMap, BTreeSet};

use tidemill_core::window::RowId;
use tidemill_rows::Batch;

pub use self::segment::Gathered;
use self::segment::Segment;

/// How many rows segments have that were joined, at most.
const SEGMENT_ROWS: usize = 8192;
/// How many bytes the texts of rows take at most that are gathered: offsets are 32 bits wide.
pub const MOST_TEXT_BYTES: usize = i32::MAX as usize;
/// Segments of fewer rows are not written anew.
const SMALL: usize = 64;
/// The rows of one operator on one worker.
pub struct RowStore {
    /// Which columns of the operator's input are kept.
    columns: Vec<usize>,
    /// By the first number of each.
    segments: BTreeMap<RowId, Segment>,
    bytes: usize,
    limit: usize,
}

/// Why a row cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many bytes the rows would take.
    pub bytes: usize,
    /// How many they may take.
    pub limit: usize,
}

impl RowStore {
    /// No rows yet; of each, these columns will be kept. `limit` is in bytes.
    pub fn new(columns: Vec<usize>, limit: usize) -> Self {
        Self {
            columns,
            segments: BTreeMap::new(),
            bytes: 0,
            limit,
        }
    }

    /// Keeps rows of a batch: (index, number), in the order of their numbers. Each is needed once.
    ///
    /// # Errors
    /// If the rows take more memory than they may.
    pub fn store(&mut self, batch: &Batch, stored: &[(u32, RowId)]) -> Result<(), Full> {
        let Some(&(_, first)) = stored.first() else {
            return Ok(());
        };
        let segment = Segment::of(batch, &self.columns, stored);
        self.put(first, segment);
        self.join_last();
        if self.bytes > self.limit {
            return Err(Full {
                bytes: self.bytes,
                limit: self.limit,
            });
        }
        Ok(())
    }

    /// Rows are needed once more.
    ///
    /// # Panics
    /// If a row is not there.
    pub fn hold(&mut self, ids: &[RowId]) {
        self.each(ids, |segment, at| segment.places[at].holds += 1);
    }

    /// Rows are needed once less; those that nobody needs are gone.
    ///
    /// # Panics
    /// If a row is not there.
    pub fn release(&mut self, ids: &[RowId]) {
        let mut touched = BTreeSet::new();
        self.each(ids, |segment, at| {
            let holds = &mut segment.places[at].holds;
            *holds -= 1;
            if *holds == 0 {
                segment.needed -= 1;
                touched.insert(segment.ids[0]);
            }
        });
        for id in touched {
            self.tidy(id);
        }
    }

    /// How many bytes the texts and byte strings of these rows take together.
    ///
    /// # Panics
    /// If a row is not there.
    pub fn text_bytes<'a>(&self, ids: impl Iterator<Item = &'a RowId>) -> usize {
        let mut last: Option<&Segment> = None;
        let of_row = |&id: &RowId| {
            let known = last.filter(|segment| segment.covers(id));
            let segment = known.unwrap_or_else(|| self.segment(id).1);
            last = Some(segment);
            segment.text_bytes(id)
        };
        ids.map(of_row).sum()
    }

    /// The rows named, in the order named.
    ///
    /// # Panics
    /// If a row is not there, if none is named, or if their texts take more than [`MOST_TEXT_BYTES`].
    pub fn gather<'a>(&self, ids: impl Iterator<Item = &'a RowId>) -> Gathered {
        let mut found: Vec<&Segment> = Vec::new();
        let mut indices: BTreeMap<RowId, usize> = BTreeMap::new();
        let mut last = 0;
        let picks: Vec<(usize, usize)> = ids
            .map(|&id| {
                if found.get(last).is_none_or(|segment| !segment.covers(id)) {
                    let (&first, segment) = self.segment(id);
                    last = *indices.entry(first).or_insert_with(|| {
                        found.push(segment);
                        found.len() - 1
                    });
                }
                (last, found[last].row(id))
            })
            .collect();
        Gathered::pick(&found, &picks)
    }

    /// How many bytes the rows take.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn segment(&self, id: RowId) -> (&RowId, &Segment) {
        let found = self.segments.range(..=id).next_back();
        found.expect("a row that is named is there")
    }

    /// Does something at each row named.
    fn each(&mut self, ids: &[RowId], mut what: impl FnMut(&mut Segment, usize)) {
        let mut ids = ids.iter().peekable();
        while let Some(&&id) = ids.peek() {
            let found = self.segments.range_mut(..=id).next_back();
            let (_, segment) = found.expect("a row that is named is there");
            while let Some(&id) = ids.next_if(|id| segment.covers(**id)) {
                let at = segment.at(id);
                what(segment, at);
            }
        }
    }

    fn put(&mut self, first: RowId, segment: Segment) {
        self.bytes += segment.bytes();
        self.segments.insert(first, segment);
    }

    fn remove(&mut self, first: RowId) -> Option<Segment> {
        let segment = self.segments.remove(&first)?;
        self.bytes -= segment.bytes();
        Some(segment)
    }

    /// Joins the last segments, so that each is at least twice as long as the next or as long as they get: a row is
    /// written a few times however small the batches are.
    fn join_last(&mut self) {
        loop {
            let mut last = self.segments.iter().rev();
            let (Some((&b, later)), Some((&a, earlier))) = (last.next(), last.next()) else {
                return;
            };
            if earlier.len() >= 2 * later.len() || !earlier.may_join(later, SEGMENT_ROWS) {
                return;
            }
            self.join(a, b);
        }
    }

    fn join(&mut self, first: RowId, second: RowId) {
        let joined = self.remove(first).zip(self.remove(second));
        let (a, b) = joined.expect("both segments are there");
        self.put(first, Segment::of_needed(&[&a, &b]));
    }

    /// Writes a segment anew if much of it is not needed, and joins it with small neighbours.
    fn tidy(&mut self, id: RowId) {
        let (&first, segment) = self.segment(id);
        let (needed, all) = (segment.needed, segment.ids.len());
        if needed == 0 {
            self.remove(first);
            return;
        }
        if all < SMALL || needed * 2 > all {
            return;
        }
        let segment = self.remove(first).expect("the segment is there");
        self.put(first, Segment::of_needed(&[&segment]));
        let (_, segment) = self.segment(first);
        let fits = |(&at, other): (&RowId, &Segment)| {
            other.may_join(segment, SEGMENT_ROWS / 2).then_some(at)
        };
        let after = self.segments.range(first + 1..).next().and_then(fits);
        if let Some(after) = after {
            self.join(first, after);
            return;
        }
        let before = self.segments.range(..first).next_back().and_then(fits);
        if let Some(before) = before {
            self.join(before, first);
        }
    }
}

#[cfg(test)]
mod tests;

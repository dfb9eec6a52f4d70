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

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::DataType;
use arrow_select::{interleave::interleave, take::take};
use tidemill_core::window::RowId;
use tidemill_rows::Batch;

/// How many rows segments have that were joined, at most.
const SEGMENT_ROWS: usize = 8192;
/// How many bytes they have at most.
const SEGMENT_BYTES: usize = 64 << 20;
/// How many bytes the texts of rows take at most that are gathered: offsets are 32 bits wide.
pub const MOST_TEXT_BYTES: usize = i32::MAX as usize;
/// Segments of fewer rows are not written anew.
const SMALL: usize = 64;
/// What a number costs beside the row itself: its place here, and in the window operator.
const NUMBER_BYTES: usize = 48;

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

/// Rows, as a call takes them.
pub struct Gathered {
    /// The columns that are kept, in the order in which they were named.
    pub columns: Vec<ArrayRef>,
    /// Event times.
    pub times: Vec<i64>,
    /// Stamps.
    pub stamps: Vec<i64>,
    /// What each row does to a table; absent: all are inserts.
    pub changes: Option<Vec<u8>>,
}

struct Segment {
    /// Ascending.
    ids: Vec<RowId>,
    /// For each of `ids`.
    places: Vec<Place>,
    /// How many of them are needed.
    needed: usize,
    rows: Gathered,
}

#[derive(Clone, Copy)]
struct Place {
    row: u32,
    /// By how many it is needed.
    holds: u32,
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

impl Segment {
    fn of(batch: &Batch, columns: &[usize], stored: &[(u32, RowId)]) -> Self {
        let mut rows: Vec<u32> = Vec::new();
        let (mut ids, mut places) = (Vec::new(), Vec::new());
        for &(row, id) in stored {
            if rows.last() != Some(&row) {
                rows.push(row);
            }
            ids.push(id);
            places.push(Place {
                row: rows.len() as u32 - 1,
                holds: 1,
            });
        }
        let of = |list: &[i64]| rows.iter().map(|&row| list[row as usize]).collect();
        let changes = batch.changes.as_ref();
        let taken = Gathered {
            times: of(&batch.times.times),
            stamps: of(&batch.times.stamps),
            changes: changes.map(|all| rows.iter().map(|&row| all[row as usize]).collect()),
            columns: {
                let rows = UInt32Array::from(rows.clone());
                let column = |&i: &usize| {
                    take(batch.columns.column(i), &rows, None)
                        .expect("rows of a plan are rows of its batch")
                };
                columns.iter().map(column).collect()
            },
        };
        Self {
            needed: ids.len(),
            ids,
            places,
            rows: taken,
        }
    }

    /// How many rows it has.
    fn len(&self) -> usize {
        self.rows.times.len()
    }

    /// Whether it and another are small enough to be one of at most so many rows.
    fn may_join(&self, other: &Self, rows: usize) -> bool {
        self.len() + other.len() <= rows && self.bytes() + other.bytes() <= SEGMENT_BYTES
    }

    fn text_bytes(&self, id: RowId) -> usize {
        let row = self.row(id);
        let of = |column: &ArrayRef| match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value_length(row) as usize,
            DataType::Binary => column.as_binary::<i32>().value_length(row) as usize,
            _ => 0,
        };
        self.rows.columns.iter().map(of).sum()
    }

    fn covers(&self, id: RowId) -> bool {
        let last = self.ids.last().expect("a segment has a row");
        (self.ids[0]..=*last).contains(&id)
    }

    /// Where a number stands.
    fn at(&self, id: RowId) -> usize {
        // Numbers are dense, but for rows that failed and those that were not needed any more.
        let guess = (id - self.ids[0]) as usize;
        if self.ids.get(guess) == Some(&id) {
            return guess;
        }
        let at = self.ids.binary_search(&id);
        at.expect("a row that is named is there")
    }

    fn row(&self, id: RowId) -> usize {
        let place = self.places[self.at(id)];
        debug_assert!(place.holds > 0, "a row that is named is needed");
        place.row as usize
    }

    /// What is needed of segments, the first of which come first.
    fn of_needed(segments: &[&Self]) -> Self {
        let (mut ids, mut places, mut picks) = (Vec::new(), Vec::new(), Vec::new());
        for (at, segment) in segments.iter().enumerate() {
            let all = segment.ids.iter().zip(&segment.places);
            for (&id, place) in all.filter(|(_, place)| place.holds > 0) {
                let pick = (at, place.row as usize);
                if picks.last() != Some(&pick) {
                    picks.push(pick);
                }
                ids.push(id);
                places.push(Place {
                    row: picks.len() as u32 - 1,
                    holds: place.holds,
                });
            }
        }
        Self {
            needed: ids.len(),
            ids,
            places,
            rows: Gathered::pick(segments, &picks),
        }
    }

    fn bytes(&self) -> usize {
        let columns = self.rows.columns.iter();
        let columns: usize = columns.map(|column| column.get_array_memory_size()).sum();
        columns + self.len() * 2 * size_of::<i64>() + self.ids.len() * NUMBER_BYTES
    }
}

impl Gathered {
    /// Rows of segments, each named by segment and row.
    fn pick(segments: &[&Segment], picks: &[(usize, usize)]) -> Self {
        let from: Vec<&Self> = segments.iter().map(|segment| &segment.rows).collect();
        let column = |at: usize| {
            let columns: Vec<&dyn Array> = from.iter().map(|rows| &*rows.columns[at]).collect();
            interleave(&columns, picks).expect("columns of segments are of one type")
        };
        let of = |list: fn(&Self) -> &Vec<i64>| {
            let value = |&(segment, row): &(usize, usize)| list(from[segment])[row];
            picks.iter().map(value).collect()
        };
        let changed = from.iter().any(|rows| rows.changes.is_some());
        let change = |&(segment, row): &(usize, usize)| {
            let changes = from[segment].changes.as_ref();
            changes.map_or(0, |changes| changes[row])
        };
        Self {
            columns: (0..from[0].columns.len()).map(column).collect(),
            times: of(|rows| &rows.times),
            stamps: of(|rows| &rows.stamps),
            changes: changed.then(|| picks.iter().map(change).collect()),
        }
    }
}

#[cfg(test)]
mod tests;

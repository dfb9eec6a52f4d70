//! Rows that came one after the other, in columns, and the numbers under which they are needed.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::DataType;
use arrow_select::{interleave::interleave, take::take};
use tidemill_core::window::RowId;
use tidemill_rows::Batch;

/// How many bytes segments have at most that were joined.
const SEGMENT_BYTES: usize = 64 << 20;
/// What a number costs beside the row itself: its place here, and in the window operator.
const NUMBER_BYTES: usize = 48;

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

/// See the module.
pub(super) struct Segment {
    /// Ascending.
    pub(super) ids: Vec<RowId>,
    /// For each of `ids`.
    pub(super) places: Vec<Place>,
    /// How many of them are needed.
    pub(super) needed: usize,
    pub(super) rows: Gathered,
}

/// Where a number's row stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) row: u32,
    /// By how many it is needed.
    pub(super) holds: u32,
}

impl Segment {
    pub(super) fn of(batch: &Batch, columns: &[usize], stored: &[(u32, RowId)]) -> Self {
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
    pub(super) fn len(&self) -> usize {
        self.rows.times.len()
    }

    /// Whether it and another are small enough to be one of at most so many rows.
    pub(super) fn may_join(&self, other: &Self, rows: usize) -> bool {
        self.len() + other.len() <= rows && self.bytes() + other.bytes() <= SEGMENT_BYTES
    }

    pub(super) fn text_bytes(&self, id: RowId) -> usize {
        let row = self.row(id);
        let of = |column: &ArrayRef| match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value_length(row) as usize,
            DataType::Binary => column.as_binary::<i32>().value_length(row) as usize,
            _ => 0,
        };
        self.rows.columns.iter().map(of).sum()
    }

    pub(super) fn covers(&self, id: RowId) -> bool {
        let last = self.ids.last().expect("a segment has a row");
        (self.ids[0]..=*last).contains(&id)
    }

    /// Where a number stands.
    pub(super) fn at(&self, id: RowId) -> usize {
        // Numbers are dense, but for rows that failed and those that were not needed any more.
        let guess = (id - self.ids[0]) as usize;
        if self.ids.get(guess) == Some(&id) {
            return guess;
        }
        let at = self.ids.binary_search(&id);
        at.expect("a row that is named is there")
    }

    pub(super) fn row(&self, id: RowId) -> usize {
        let place = self.places[self.at(id)];
        debug_assert!(place.holds > 0, "a row that is named is needed");
        place.row as usize
    }

    /// What is needed of segments, the first of which come first.
    pub(super) fn of_needed(segments: &[&Self]) -> Self {
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

    pub(super) fn bytes(&self) -> usize {
        let columns = self.rows.columns.iter();
        let columns: usize = columns.map(|column| column.get_array_memory_size()).sum();
        columns + self.len() * 2 * size_of::<i64>() + self.ids.len() * NUMBER_BYTES
    }
}

impl Gathered {
    /// Rows of segments, each named by segment and row.
    pub(super) fn pick(segments: &[&Segment], picks: &[(usize, usize)]) -> Self {
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

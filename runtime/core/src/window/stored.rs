//! Which rows are stored for a window or a key, in event-time order, ties in arrival order.
//!
//! In chunks, shared with the copy that undoes a batch: a batch copies the chunks that it changes, not all rows.

use std::sync::Arc;

use super::Keep;
use super::family::Out;
use super::plan::RowId;
use super::saved::{Loading, Saved, Unreadable};

/// A row that the host stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoredRow {
    pub(super) time: i64,
    /// Rises in arrival order.
    pub(super) id: RowId,
    /// The first of the windows of a grid that took it.
    pub(super) first: i64,
}

/// How many rows a chunk has at most.
const CHUNK: usize = 256;

/// Rows in order of (time, id). No chunk is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredRows {
    chunks: Vec<Arc<Vec<StoredRow>>>,
    len: usize,
}

impl StoredRows {
    pub(super) fn iter(&self) -> impl Iterator<Item = &StoredRow> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    pub(super) fn last(&self) -> Option<&StoredRow> {
        self.chunks.last()?.last()
    }

    /// Puts a row where it belongs.
    pub(super) fn insert(&mut self, row: StoredRow) {
        let order = |row: &StoredRow| (row.time, row.id);
        let before = |chunk: &Arc<Vec<StoredRow>>| {
            chunk.last().is_some_and(|last| order(last) < order(&row))
        };
        let at = self.chunks.partition_point(before);
        self.len += 1;
        let (at, place) = match self.chunks.get(at) {
            Some(chunk) => (at, chunk.partition_point(|one| order(one) < order(&row))),
            None if self.chunks.last().is_none_or(|last| last.len() >= CHUNK) => {
                self.chunks.push(Arc::new(vec![row]));
                return;
            }
            None => (at - 1, self.chunks[at - 1].len()),
        };
        let chunk = Arc::make_mut(&mut self.chunks[at]);
        chunk.insert(place, row);
        if chunk.len() > CHUNK {
            let rest = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at + 1, Arc::new(rest));
        }
    }

    pub(super) fn first(&self) -> Option<&StoredRow> {
        self.chunks.first()?.first()
    }

    /// Takes out the first rows, as long as their time says so; their numbers.
    pub(super) fn drain_while(&mut self, gone: impl Fn(i64) -> bool) -> Vec<RowId> {
        let drained = self.take_while(gone);
        drained.into_iter().map(|row| row.id).collect()
    }

    /// Takes out the first rows, as long as their time says so.
    pub(super) fn take_while(&mut self, taken: impl Fn(i64) -> bool) -> Vec<StoredRow> {
        let mut drained = Vec::new();
        while let Some(first) = self.chunks.first_mut() {
            let until = first.partition_point(|row| taken(row.time));
            drained.extend_from_slice(&first[..until]);
            if until < first.len() {
                if until > 0 {
                    Arc::make_mut(first).drain(..until);
                }
                break;
            }
            self.chunks.remove(0);
        }
        self.len -= drained.len();
        drained
    }

    /// Takes out the first row.
    fn pop_first(&mut self) -> Option<RowId> {
        let first = self.chunks.first_mut()?;
        let row = Arc::make_mut(first).remove(0);
        if first.is_empty() {
            self.chunks.remove(0);
        }
        self.len -= 1;
        Some(row.id)
    }

    /// Lets go of rows that no firing will see: what is not kept now is never kept again.
    pub(super) fn evict(&mut self, keep: Keep, out: &mut Out<'_>) {
        match keep {
            Keep::All => {}
            Keep::Newest(count) => {
                while self.len > count as usize {
                    out.plan.released.extend(self.pop_first());
                }
            }
            Keep::Within(d) => {
                if let Some(largest) = self.last().map(|row| row.time) {
                    let gone = self.drain_while(|time| time < largest - d);
                    out.plan.released.extend(gone);
                }
            }
        }
    }
}

impl FromIterator<StoredRow> for StoredRows {
    fn from_iter<I: IntoIterator<Item = StoredRow>>(rows: I) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|row| all.insert(row));
        all
    }
}

impl StoredRows {
    /// Appends times, the first windows, and the rows themselves.
    pub(super) fn save(&self, into: &mut Saved) {
        into.count(self.len);
        for row in self.iter() {
            into.word(row.time);
            into.word(row.first);
            into.id(row.id);
            into.rows.push(row.id);
        }
    }

    /// The inverse.
    pub(super) fn load(from: &mut Loading<'_>) -> Result<Self, Unreadable> {
        let mut rows = Self::default();
        for _ in 0..from.count()? {
            let (time, first) = (from.word()?, from.word()?);
            let id = from.id()?;
            from.given.rows.push(id);
            rows.insert(StoredRow { time, id, first });
        }
        Ok(rows)
    }
}

//! Splits: what sources are made of. Each is read by one worker, in order, in chunks.

use std::sync::Arc;

use tidemill_rows::RecordBatch;

use crate::ConnectorError;
use crate::position::Position;

/// Called when a split that said [`Then::Pending`] may have rows again. May be called from any
/// thread, and once too often.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// At most so many bytes of a row that could not be decoded are kept (`bad-row-bytes`).
pub const BAD_ROW_BYTES: usize = 64 * 1024;

/// A chunk ends when the rows in it are this long together (`chunk-bytes`): it bounds the memory of a batch.
pub(crate) const CHUNK_BYTES: usize = 8 * 1024 * 1024;

/// An independently ordered part of a source: a file, standard input, a share of a generator.
pub trait Split: Send {
    /// The split's name, as reports show it: a file's path as written, `stdin`, `nexmark-0`.
    fn name(&self) -> &Arc<str>;

    /// The next rows, at most `max_rows`, counting bad ones. Live splits never block: with nothing
    /// there they say [`Then::Pending`]. After [`Then::End`] only `End` follows.
    ///
    /// # Errors
    /// If the split cannot be read on at all; what is wrong with single rows stands in
    /// [`Chunk::bad`].
    fn read(&mut self, max_rows: usize) -> Result<Chunk, ConnectorError>;

    /// Where to go on after everything that [`Split::read`] has given so far. Costs little: it may be asked for before
    /// every chunk.
    fn position(&self) -> Position;
}

/// Rows read from one split, in order.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The good rows, with the columns of the source's schema.
    pub rows: RecordBatch,
    /// For each good row the offset of its first byte (after decompression), or the number of a
    /// generated row.
    pub positions: Vec<u64>,
    /// For each good row its line, from 1, where the split has lines.
    pub lines: Option<Vec<u64>>,
    /// For each good row what it does to a table (0 insert, 3 delete), where the source has deletes.
    pub changes: Option<Vec<u8>>,
    /// The rows that could not be decoded, in order.
    pub bad: Vec<BadRow>,
    /// What comes after.
    pub then: Then,
}

/// What comes after a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// More rows, at once.
    More,
    /// Nothing now; the source's [`Wake`] is called when there may be more.
    Pending,
    /// Nothing any more.
    End,
}

/// A row that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The index in [`Chunk::rows`] of the row that it stood before.
    pub before: usize,
    /// The offset of its first byte.
    pub position: u64,
    /// Its line, from 1.
    pub line: Option<u64>,
    /// What is wrong, as a word: see [`crate::decode::Refusal`].
    pub code: &'static str,
    /// What is wrong, where, and what was expected.
    pub message: String,
    /// The row as it was read, cut to [`BAD_ROW_BYTES`].
    pub bytes: Vec<u8>,
    /// The time of its record, in microseconds since 1970, where it is one and has one.
    pub recorded: Option<i64>,
}

//! A chunk of a data file that is being made.
//!
//! Memory that a file was written from serves the next one: new memory costs more than what is done with it.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::store::ALIGN;

/// How long a chunk becomes: whole blocks of any disk.
const CHUNK: usize = 1 << 20;

/// Memory for chunks that nobody uses: of a file of usual length, for all that are made in this process.
static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// How many are kept.
const MOST: usize = 16;

/// A chunk. The first one of a file grows, for most files are short; those behind it stand in memory as a disk wants to have them.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    memory: Vec<u8>,
    /// Where it begins there.
    begin: usize,
}

impl Chunk {
    fn len(&self) -> usize {
        self.memory.len() - self.begin
    }

    /// Whether nothing fits into it any more.
    pub(super) fn is_full(&self) -> bool {
        self.len() == CHUNK
    }

    /// Adds as much as there is room for. What is left.
    pub(super) fn add<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.len()));
        self.memory.extend_from_slice(now);
        later
    }

    /// What is in it; another one takes its place.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::replace(self, Self::aligned()).freeze()
    }

    /// What is in it.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }

    fn aligned() -> Self {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = spare.unwrap_or_else(|| Vec::with_capacity(CHUNK + ALIGN));
        memory.clear();
        let begin = memory.as_ptr().align_offset(ALIGN);
        memory.resize(begin, 0);
        Self { memory, begin }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.memory[self.begin..]
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if self.memory.capacity() == CHUNK + ALIGN && spare.len() < MOST {
            spare.push(std::mem::take(&mut self.memory));
        }
    }
}

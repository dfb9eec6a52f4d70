//! A chunk of a data file that is being made.

use bytes::Bytes;

use crate::store::ALIGN;

/// How long a chunk becomes: whole blocks of any disk.
const CHUNK: usize = 1 << 20;

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
        Bytes::from(self.memory).slice(self.begin..)
    }

    fn aligned() -> Self {
        let mut memory: Vec<u8> = Vec::with_capacity(CHUNK + ALIGN);
        let begin = memory.as_ptr().align_offset(ALIGN);
        memory.resize(begin, 0);
        Self { memory, begin }
    }
}

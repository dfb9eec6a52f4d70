//! A chunk of a data file that is being made.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::buffers::Buffers;
use crate::store::ALIGN;

/// How long a chunk becomes: whole blocks of any disk.
const CHUNK: usize = 1 << 20;

/// Of all files that are made in this process, enough for one of usual length.
static BUFFERS: LazyLock<Buffers> = LazyLock::new(|| Buffers::keeping(16));

/// A chunk. The first one of a file grows, for most files are short; those behind it stand in memory as a disk wants to have them.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    memory: Vec<u8>,
    /// Where it begins there; nothing of the first one.
    aligned: Option<usize>,
}

impl Chunk {
    fn begin(&self) -> usize {
        self.aligned.unwrap_or(0)
    }

    fn len(&self) -> usize {
        self.memory.len() - self.begin()
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
        match self.aligned {
            Some(begin) => BUFFERS.lend(self.memory).slice(begin..),
            None => self.memory.into(),
        }
    }

    fn aligned() -> Self {
        let mut memory = BUFFERS.take(CHUNK + ALIGN);
        let begin = memory.as_ptr().align_offset(ALIGN);
        memory.resize(begin, 0);
        let aligned = Some(begin);
        Self { memory, aligned }
    }
}

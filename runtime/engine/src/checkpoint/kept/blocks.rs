//! What is kept for the keys of an operator, in blocks, in the order in which they hold: a later one speaks instead of those
//! before it.
//!
//! There may be more of it than fits into memory, so blocks lie where they are and are read when their turn comes.

use std::sync::Arc;

use bytes::Bytes;
use tidemill_checkpoint::Buffers;

use super::super::restored::{Damaged, Unrestored};
use super::StatesKept;

/// Some blocks that are read together.
pub trait BlockFile: Send + Sync {
    /// Reads them.
    ///
    /// # Errors
    /// If they are not what an operator keeps, or have no place in what it keeps now.
    fn read(&self) -> Result<Vec<StatesKept>, Unrestored>;
}

/// All blocks of an operator.
#[derive(Clone, Default)]
pub struct Blocks(Vec<Arc<dyn BlockFile>>);

/// A block as it is written.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Of how many keys it speaks.
    pub keys: usize,
    /// What is written; nothing of a block that is not there yet.
    pub bytes: Bytes,
}

/// Blocks as they are written.
struct Encoded(Vec<Bytes>);

/// Blocks that become others when they are read.
struct Changed<F> {
    file: Arc<dyn BlockFile>,
    change: Arc<F>,
}

impl Blocks {
    /// More blocks, behind those that there are.
    pub fn push(&mut self, file: impl BlockFile + 'static) {
        self.0.push(Arc::new(file));
    }

    /// More blocks, as they are written.
    pub fn push_encoded(&mut self, blocks: Vec<Bytes>) {
        if !blocks.is_empty() {
            self.push(Encoded(blocks));
        }
    }

    /// Gives all of them, in order.
    ///
    /// # Errors
    /// If one cannot be read, or is not taken.
    pub fn each<E: From<Unrestored>>(
        &self,
        mut take: impl FnMut(StatesKept) -> Result<(), E>,
    ) -> Result<(), E> {
        for file in &self.0 {
            file.read()?.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    /// The same blocks, each changed when it is read.
    #[must_use]
    pub fn changed<F>(&self, change: F) -> Self
    where
        F: Fn(StatesKept) -> Result<StatesKept, Unrestored> + Send + Sync + 'static,
    {
        let change = Arc::new(change);
        let changed = |file: &Arc<dyn BlockFile>| -> Arc<dyn BlockFile> {
            Arc::new(Changed {
                file: file.clone(),
                change: change.clone(),
            })
        };
        Self(self.0.iter().map(changed).collect())
    }
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "blocks in {} files", self.0.len())
    }
}

/// Memory for blocks: of as many as wait to be written.
pub fn buffers() -> Buffers {
    Buffers::keeping(32)
}

impl Block {
    /// Whether it is not there yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl StatesKept {
    /// As it is written: the format that is on disk (`decisions`).
    pub fn encode(&self, buffers: &Buffers) -> Block {
        let room = buffers.take(self.about_bytes());
        let bytes = postcard::to_extend(self, room).expect("plain data in memory");
        Block {
            keys: self.keys.count() + self.gone.count(),
            bytes: buffers.lend(bytes),
        }
    }

    /// The inverse.
    ///
    /// # Errors
    /// If the bytes are no block.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        postcard::from_bytes(bytes).map_err(|_| Damaged)
    }
}

impl BlockFile for Encoded {
    fn read(&self) -> Result<Vec<StatesKept>, Unrestored> {
        let decode = |bytes: &Bytes| StatesKept::decode(bytes).map_err(Unrestored::from);
        self.0.iter().map(decode).collect()
    }
}

impl<F> BlockFile for Changed<F>
where
    F: Fn(StatesKept) -> Result<StatesKept, Unrestored> + Send + Sync,
{
    fn read(&self) -> Result<Vec<StatesKept>, Unrestored> {
        let blocks = self.file.read()?.into_iter();
        blocks.map(|block| (self.change)(block)).collect()
    }
}

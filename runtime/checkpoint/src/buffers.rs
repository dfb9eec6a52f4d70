//! Memory that checkpoints are made in: when what was written there has been put, the next is written where it was.
//!
//! New memory for each would be cleared first, on some machines be found by the host, and would take the place in the processor's
//! caches of what rows need.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// See the module.
#[derive(Clone, Debug)]
pub struct Buffers {
    unused: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many are kept that nobody uses.
    most: usize,
}

/// A buffer that comes back when nobody needs what is in it.
struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// None yet, of which so many are kept that nobody uses.
    pub fn keeping(most: usize) -> Self {
        let unused = Arc::default();
        Self { unused, most }
    }

    /// An empty buffer, with room for so many bytes.
    pub fn take(&self, room: usize) -> Vec<u8> {
        let mut buffer = self.unused().pop().unwrap_or_default();
        buffer.clear();
        buffer.reserve(room);
        buffer
    }

    /// What is in a buffer, which comes back then.
    pub fn lend(&self, bytes: Vec<u8>) -> Bytes {
        let home = self.clone();
        Bytes::from_owner(Lent { bytes, home })
    }

    fn unused(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut unused = self.home.unused();
        if unused.len() < self.home.most {
            unused.push(std::mem::take(&mut self.bytes));
        }
    }
}

//! Memory that blocks are written to: once a block has been put, the next one is written where it was.
//!
//! New memory for each would be cleared first, and would take the place in the processor's caches of what rows need.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How many are kept that nobody uses.
const MOST: usize = 32;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that comes back when nobody needs what is in it.
struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// An empty buffer, with room for about so many bytes.
    pub(super) fn take(&self, room: usize) -> Vec<u8> {
        let mut buffer = self.all().pop().unwrap_or_default();
        buffer.clear();
        buffer.reserve(room);
        buffer
    }

    /// What is in a buffer, which comes back then.
    pub(super) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        let home = self.clone();
        Bytes::from_owner(Lent { bytes, home })
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut all = self.home.all();
        if all.len() < MOST {
            all.push(std::mem::take(&mut self.bytes));
        }
    }
}

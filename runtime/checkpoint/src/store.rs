//! The effects on the world, all of them behind one small trait, so that a simulation can crash at each in turn.
//!
//! Invariants that every store keeps:
//! 1. `put` creates or finds the name taken: it never overwrites, and nobody sees half an object.
//! 2. What was put successfully is durable, and every later `get` and `list` sees it.
//! 3. An error says whether the effect certainly did not happen.

pub mod faults;
mod local;
pub mod memory;
mod object;

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{CheckpointError, Happened};

/// What no disk's blocks are longer than: what stands at multiples of it, in memory and in a file, a disk takes as it is.
pub(crate) const ALIGN: usize = 4096;

pub(crate) use local::LocalFolder;
pub(crate) use object::{ObjectFolder, Runner};

/// Where objects lie, by names that are relative to a location. Blocking; may be used by several threads at once.
pub trait Store: Send + Sync + Debug {
    /// Creates an object of these bytes, one piece behind the other, if there is none of that name.
    ///
    /// # Errors
    /// If it could not be done; the error says whether it may have been done all the same.
    fn put(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError>;

    /// As [`Store::put`], for an object that is long and seldom read: it need not take room in caches.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn put_past_cache(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError> {
        self.put(name, pieces)
    }

    /// All bytes of an object; nothing if there is none of that name.
    ///
    /// # Errors
    /// If it cannot be known or read.
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError>;

    /// The objects in a folder and below it, in the order of their names.
    ///
    /// # Errors
    /// If the folder cannot be read; one that does not exist is empty.
    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError>;

    /// Deletes an object; one that is not there is deleted already.
    ///
    /// # Errors
    /// If it could not be deleted.
    fn delete(&self, name: &str) -> Result<(), StoreError>;

    /// Removes what puts that were interrupted have left in a folder that nobody writes to any more, and the folder itself
    /// if it is empty. Nothing depends on it.
    fn tidy(&self, folder: &str) {
        let _ = folder;
    }

    /// Takes a lock that lasts until the process ends, or what is given back is dropped.
    ///
    /// # Errors
    /// If it cannot be known whether somebody holds it.
    fn lock(&self, name: &str, holder: &str) -> Result<Lock, StoreError> {
        let _ = (name, holder);
        Ok(Lock::None)
    }

    /// Whether somebody holds a lock; nothing where there are none.
    ///
    /// # Errors
    /// If it cannot be known.
    fn is_locked(&self, name: &str) -> Result<Option<bool>, StoreError> {
        let _ = name;
        Ok(None)
    }

    /// How long who waits for an object waits between two looks: looking may cost something.
    fn look_every(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// Where a person finds an object.
    fn place(&self, name: &str) -> String;
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object was created.
    Created,
    /// There is one of that name already, perhaps of an earlier try.
    Taken,
}

/// An object that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What became of an attempt to lock.
#[derive(Debug)]
pub enum Lock {
    /// It is held for as long as this is kept.
    Held(Box<dyn Any + Send + Sync>),
    /// Another process holds it, and says so of itself.
    Busy(String),
    /// This store has no locks.
    None,
}

/// An effect that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What was tried, and on what.
    pub what: String,
    /// What the system or the service said.
    pub error: String,
    /// Whether it may have been done all the same.
    pub happened: Happened,
    /// What to do.
    pub hint: &'static str,
}

impl From<StoreError> for CheckpointError {
    fn from(e: StoreError) -> Self {
        Self::Unavailable {
            what: e.what,
            error: e.error,
            happened: e.happened,
            hint: e.hint,
        }
    }
}

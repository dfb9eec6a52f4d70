//! A store in memory, for tests and simulations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::{Listed, Put, Store, StoreError};

/// Objects in memory. A clone is another handle on the same objects, as a second process would have.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an object there, or another in its place, as damage from outside would.
    pub fn replace(&self, name: &str, bytes: impl Into<Bytes>) {
        self.objects().insert(name.to_owned(), bytes.into());
    }

    /// The names of all objects, in order.
    pub fn names(&self) -> Vec<String> {
        self.objects().keys().cloned().collect()
    }

    /// Another store with the same objects, of which nothing is shared.
    pub fn copy(&self) -> Self {
        Self {
            objects: Arc::new(Mutex::new(self.objects().clone())),
        }
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        // Every operation is a single call of the map, so a panic elsewhere leaves it whole.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn put(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError> {
        let mut objects = self.objects();
        if objects.contains_key(name) {
            return Ok(Put::Taken);
        }
        objects.insert(name.to_owned(), pieces.concat().into());
        Ok(Put::Created)
    }

    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.objects().get(name).cloned())
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        let prefix = format!("{folder}/");
        let objects = self.objects();
        let found = objects.range(prefix.clone()..);
        let found = found.take_while(|(name, _)| name.starts_with(&prefix));
        let listed = |(name, bytes): (&String, &Bytes)| Listed {
            name: name.clone(),
            bytes: bytes.len() as u64,
        };
        Ok(found.map(listed).collect())
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.objects().remove(name);
        Ok(())
    }

    fn look_every(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn place(&self, name: &str) -> String {
        format!("memory:{name}")
    }
}

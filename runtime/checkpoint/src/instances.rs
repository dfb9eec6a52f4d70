//! Processes that share a pipeline, by name: each has a sequence of its own without checkpoints, so that it can be found and
//! asked ([`crate::Requests`]) whether it runs a task or not.

use std::collections::BTreeSet;

use crate::error::CheckpointError;
use crate::names::INSTANCES;
use crate::requests::{Request, Requests};
use crate::sequence::Sequence;

impl Sequence {
    /// Where an instance claims its name: letters, digits, `.`, `_` and `-`, and not dots alone.
    pub fn instance(&self, name: &str) -> Self {
        self.within(&format!("{INSTANCES}/{name}"))
    }

    /// The names of all instances that have not been forgotten. Whether they run is another question.
    ///
    /// # Errors
    /// If the location cannot be read.
    pub fn instances(&self) -> Result<Vec<String>, CheckpointError> {
        let listed = self.list_folder(INSTANCES)?;
        let names: BTreeSet<&str> = listed
            .iter()
            .filter_map(|found| found.name.split('/').nth(1))
            .collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// Removes everything of an instance that has ended. Nothing depends on it, so what cannot be removed stays.
    pub fn forget_instance(&self, name: &str) {
        let left = self.list_folder(&format!("{INSTANCES}/{name}"));
        for found in left.unwrap_or_default() {
            let _ = self.store.delete(&self.full(&found.name));
        }
    }
}

impl Requests {
    /// Whether a request is still there: who has asked takes it back in the end.
    ///
    /// # Errors
    /// If that cannot be known.
    pub fn stands(&self, request: &Request) -> Result<bool, CheckpointError> {
        Ok(self.sequence.get(&self.name(request))?.is_some())
    }
}

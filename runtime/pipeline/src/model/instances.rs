//! How many processes share a pipeline.

use crate::model::word::words;

words! {
    /// How many processes share a pipeline, and where they run.
    Instances {
        /// One, with any number of workers.
        One = "one",
        /// Any number on one host: each partition number of its topics is a task, which one of them runs.
        OnOneHost = "on-one-host",
        /// Any number on any hosts, likewise.
        Several = "several",
    }
}

impl Instances {
    /// Whether each partition number of the topics is a task of its own.
    pub fn has_tasks(self) -> bool {
        self != Self::One
    }
}

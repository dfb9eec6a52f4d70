//! Where and how often checkpoints are made.

use std::time::Duration;

use crate::place::Spanned;

/// What `[checkpoints]` says.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// Where they lie: a folder, relative to the pipeline's, or a URL.
    pub location: Spanned<String>,
    /// What the location needs to be known: region, endpoint, keys.
    pub settings: Vec<(Spanned<String>, Spanned<String>)>,
    /// How often one is begun.
    pub interval: Duration,
    /// How long it is at least from the end of one to the beginning of the next.
    pub min_pause: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// How many are kept, beside savepoints.
    pub keep: usize,
    /// How many in a row may fail before the pipeline stops.
    pub tolerated_failures: u32,
    /// How often in a row a run goes on by itself after something outside has failed.
    pub restarts: u32,
    /// How long it waits before the first of them.
    pub restart_pause: Duration,
}

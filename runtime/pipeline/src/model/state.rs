//! What holds the state of process functions.

use std::path::PathBuf;

use crate::model::word::words;
use crate::place::{Span, Spanned};

words! {
    /// What holds state.
    Backend {
        /// Memory alone.
        Memory = "memory",
        /// Memory, and RocksDB for what it has no room for.
        RocksDb = "rocksdb",
    }
}

/// What `[state]` says.
#[derive(Clone, Debug)]
pub struct State {
    /// What holds it.
    pub backend: Backend,
    /// Where `[state]` stands.
    pub span: Span,
    /// How many bytes the process may take, where not all is in memory.
    pub memory: u64,
    /// Below which folder lies what is not in memory.
    pub folder: Spanned<PathBuf>,
}

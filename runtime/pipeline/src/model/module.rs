//! Modules and their limits.

use std::path::PathBuf;
use std::time::Duration;

use crate::place::Spanned;

/// One Wasm component file.
#[derive(Clone, Debug)]
pub struct Module {
    /// The name in `[modules.<name>]`; of a module that only a `function` names, the file as written there.
    pub name: Spanned<String>,
    /// The file, relative to the working directory or absolute.
    pub file: Spanned<PathBuf>,
    /// The folder that `tidemill build` builds the file from.
    pub source: Option<Spanned<PathBuf>>,
    /// Whether `[modules.<name>]` stands in the file.
    pub declared: bool,
    /// Limits other than the defaults.
    pub limits: Limits,
}

/// A module's limits; absent: the host's default (docs/limits.md).
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Linear memory of one instance, in bytes.
    pub memory: Option<Spanned<u64>>,
    /// CPU time of a call with one row.
    pub deadline: Option<Spanned<Duration>>,
    /// What one call may return, in bytes.
    pub returned: Option<Spanned<u64>>,
    /// The host's stack for one call, in bytes.
    pub stack: Option<Spanned<u64>>,
    /// The module's file, in bytes.
    pub module_size: Option<Spanned<u64>>,
    /// CPU time for compiling it.
    pub compile_time: Option<Spanned<Duration>>,
    /// Memory for compiling it, in bytes.
    pub compile_memory: Option<Spanned<u64>>,
}

//! Every limit on a module, its default, and the name by which errors and `docs/limits.md` call it.
//!
//! All are on by default; a module can switch none of them off.

use std::time::Duration;

/// The limits of one module. Sizes in bytes. In brackets the name in pipeline files and errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `memory`: linear memory of one guest instance, all its memories together.
    pub memory_bytes: usize,
    /// `deadline`: CPU time of the calling thread for a row called alone, and for `describe`, `configure`, `create` and
    /// the start of an instance.
    pub deadline: Duration,
    /// `stack`: Wasm stack of a call. (Rust's own stack in linear memory is set by its linker: 1 MiB.)
    pub stack_bytes: usize,
    /// `returned`: what one call may hand to the host.
    pub returned_bytes: usize,
    /// `returned-rows`: rows that one call may emit, all targets together.
    pub returned_rows: usize,
    /// `failure-text`: length of a failure's code and message; the rest is cut.
    pub failure_text_bytes: usize,
    /// `module-size`: the module's file.
    pub module_bytes: u64,
    /// `compile-time`: CPU time for compiling.
    pub compile_cpu: Duration,
    /// `compile-memory`: address space of the process that compiles.
    pub compile_memory_bytes: u64,
    /// `log-bytes`: what one call may log.
    pub log_bytes: usize,
    /// `log-line`: one line of the log.
    pub log_line_bytes: usize,
    /// `describe-size`: the text of `describe`.
    pub describe_bytes: usize,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            deadline: Duration::from_secs(1),
            stack_bytes: 512 * KIB,
            returned_bytes: 64 * MIB,
            returned_rows: 1 << 20,
            failure_text_bytes: 4 * KIB,
            module_bytes: 32 * MIB as u64,
            compile_cpu: Duration::from_secs(120),
            compile_memory_bytes: 4096 * MIB as u64,
            log_bytes: 64 * KIB,
            log_line_bytes: 4 * KIB,
            describe_bytes: 256 * KIB,
        }
    }
}

impl Limits {
    /// The most that `stack` may be: a worker's thread must hold it beside the host's own frames.
    pub const MAX_STACK_BYTES: usize = MIB;
}

/// A size as people write it: `64MiB`, `512KiB`, `100B`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        b if b >= 1 << 30 && b.is_multiple_of(1 << 30) => format!("{}GiB", b >> 30),
        b if b >= 1 << 20 && b.is_multiple_of(1 << 20) => format!("{}MiB", b >> 20),
        b if b >= 1 << 10 && b.is_multiple_of(1 << 10) => format!("{}KiB", b >> 10),
        b if b >= 10 << 20 => format!("{:.1}MiB", b as f64 / (1 << 20) as f64),
        b => format!("{b}B"),
    }
}

/// A duration as people write it: `1s`, `250ms`, `90s`.
pub(crate) fn time(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => format!("{}us", duration.as_micros()),
        ms if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

//! Why a call stopped: traps, deadlines, refused memory and malformed returns, told apart and named with their limits.

use tidemill_rows::visible::visible_within;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::instance::State;
use crate::limits::{Limits, size, time};
use crate::log::{Level, LogLine};
use crate::outcome::{Failed, Reason};

/// A call that came to nothing. Its instance is gone.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub reason: Reason,
    pub message: String,
    /// Of wasmtime, with its backtrace: most calls that are stopped are given again in parts, and nobody reads it.
    error: Option<wasmtime::Error>,
    pub log: Vec<LogLine>,
}

/// Accesses this close to the end of the 32-bit addresses come from a stack pointer that went below 0.
const WRAPPED: std::ops::Range<u64> = (1 << 32) - (64 << 20)..(1 << 32) + (64 << 20);
/// Frames of one function that tell of a recursion. (Backtraces have at most 20 frames.)
const RECURSION: usize = 6;
/// Names of functions are a module's own words: in backtraces they are cut, and their control characters written out.
const LONGEST_NAME: usize = 512;

impl Stopped {
    /// Explains a call that ended with an error of wasmtime's.
    pub fn trapped(error: wasmtime::Error, state: &mut State, limits: &Limits) -> Self {
        let log = state.take_log();
        let (reason, message) = explain(&error, state, limits, &log);
        Self {
            reason,
            message,
            error: Some(error),
            log,
        }
    }

    /// What the call returned breaks the rules of the interface.
    pub fn malformed(message: String, state: &mut State) -> Self {
        let log = state.take_log();
        Self {
            reason: Reason::Returned,
            message,
            error: None,
            log,
        }
    }

    /// The guest's own backtrace, one function a line.
    pub fn backtrace(&self) -> Option<String> {
        self.error.as_ref().and_then(backtrace)
    }

    /// The row that stood alone in the call.
    pub fn blame(self, row: u32) -> Failed {
        let backtrace = self.backtrace();
        let Self {
            reason,
            message,
            log,
            ..
        } = self;
        Failed {
            row,
            reason,
            code: reason.name().to_owned(),
            message,
            backtrace,
            log,
        }
    }
}

fn explain(
    error: &wasmtime::Error,
    state: &State,
    limits: &Limits,
    log: &[LogLine],
) -> (Reason, String) {
    if state.watch.expired() {
        let (allowed, limit) = (time(state.watch.allowed()), time(limits.deadline));
        let message = if allowed == limit {
            format!("the call took longer than the limit deadline ({limit} of CPU time)")
        } else {
            format!("the call was cut after {allowed} of CPU time (limit deadline: {limit})")
        };
        return (Reason::Deadline, message);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => (
            Reason::Stack,
            format!("its calls go deeper than the limit stack ({})", size(limits.stack_bytes as u64)),
        ),
        Some(Trap::MemoryOutOfBounds) if below_stack(error) => (
            Reason::Stack,
            "its calls need more than its own stack in linear memory (stack; 1 MiB unless the module \
             was linked with another -zstack-size)"
                .to_owned(),
        ),
        Some(_) if state.memory.refused.is_some() => (Reason::Memory, memory(state, limits)),
        Some(trap) => trap_or_panic(trap, log),
        None => beyond_wasm(error, state, limits),
    }
}

fn memory(state: &State, limits: &Limits) -> String {
    let wanted = size(state.memory.refused.unwrap_or_default() as u64);
    let limit = size(limits.memory_bytes as u64);
    format!("it needs more memory than the limit memory ({limit}): it asked for {wanted} in all")
}

fn trap_or_panic(trap: &Trap, log: &[LogLine]) -> (Reason, String) {
    match log.last() {
        Some(line) if line.level == Level::Error && *trap == Trap::UnreachableCodeReached => {
            (Reason::Panic, line.text.clone())
        }
        _ => (Reason::Trap, format!("it trapped: {trap}")),
    }
}

/// Errors that are no trap come from the host's side of a call: a transfer beyond the limit, or values that cannot be
/// read where the guest said they are.
fn beyond_wasm(error: &wasmtime::Error, state: &State, limits: &Limits) -> (Reason, String) {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        let message = format!("it ended itself: wasi:cli/exit with status {status}");
        return (Reason::Trap, message);
    }
    let text = error.root_cause().to_string();
    if text.contains("resource limit exceeded") || text.contains("exceeds table limits") {
        return (Reason::Memory, beyond_limits(error));
    }
    if text.contains("fuel allocated for hostcalls") {
        let limit = size(limits.returned_bytes as u64);
        return (
            Reason::Returned,
            format!("it hands over more than the limit returned ({limit})"),
        );
    }
    if state.memory.refused.is_some() {
        return (Reason::Memory, memory(state, limits));
    }
    (
        Reason::Returned,
        format!(
            "what it handed over cannot be read: {}",
            visible_within(&text, LONGEST_NAME)
        ),
    )
}

/// What is said of a module that no instance can be made of.
pub(crate) fn beyond_limits(error: &wasmtime::Error) -> String {
    let text = visible_within(&error.root_cause().to_string(), LONGEST_NAME);
    format!("it wants more than an instance may have: {text}")
}

/// Whether an out-of-bounds access was one of a stack that has run out. Rust, C and others keep a stack of their own
/// that grows down to address 0 of linear memory, and on to addresses that wrapped. Bulk operations trap without an
/// address: then a recursion in the backtrace decides.
fn below_stack(error: &wasmtime::Error) -> bool {
    let text = format!("{error:#}");
    let Some((_, rest)) = text.split_once("memory fault at wasm address 0x") else {
        let frames = frames(error);
        let times = |frame: &String| frames.iter().filter(|other| *other == frame).count();
        return frames.iter().any(|frame| times(frame) >= RECURSION);
    };
    let digits = rest
        .split(|c: char| !c.is_ascii_hexdigit())
        .next()
        .unwrap_or_default();
    u64::from_str_radix(digits, 16).is_ok_and(|address| WRAPPED.contains(&address))
}

/// The guest's backtrace: a function a line, innermost first, names demangled. What a language's own machinery for panics
/// did on top is left out.
fn backtrace(error: &wasmtime::Error) -> Option<String> {
    let frames = frames(error);
    let own = frames
        .iter()
        .position(|frame| !machinery(frame))
        .unwrap_or(0);
    (!frames.is_empty()).then(|| frames[own..].join("\n"))
}

fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let text = backtrace.to_string();
    let frames = text.lines().filter_map(|line| line.split_once(" - "));
    let shown = |frame: &str| visible_within(&name(frame.trim()), LONGEST_NAME);
    frames.map(|(_, frame)| shown(frame)).collect()
}

/// A function's name as its author wrote it: without the module's name in front, and without the compiler's hashes.
fn name(frame: &str) -> String {
    let name = frame.split_once('!').map_or(frame, |(_, name)| name);
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if is_hash(hash) => name,
        _ => name,
    };
    let mut clean = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        clean.push_str(before);
        match after.split_once(']') {
            Some((hash, after)) if is_hash(hash) => rest = after,
            _ => {
                clean.push('[');
                rest = after;
            }
        }
    }
    clean + rest
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn machinery(frame: &str) -> bool {
    const OF_RUST: [&str; 6] = [
        "__rust",
        "std::panicking::",
        "std::sys::",
        "std::alloc::",
        "core::panicking::",
        "alloc::alloc::",
    ];
    OF_RUST.iter().any(|start| frame.starts_with(start)) || frame == "abort"
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_lose_what_compilers_added() {
        let cases = [
            ("fraud.wasm!fraud::add::h0123456789abcdef", "fraud::add"),
            (
                "std[a543996e6e7dbf1e]::rt::f::{closure#0}",
                "std::rt::f::{closure#0}",
            ),
            (
                "m!<fraud::Velocity as Aggregate>::add",
                "<fraud::Velocity as Aggregate>::add",
            ),
            ("m!f::<[u8]>", "f::<[u8]>"),
            (
                "m!core::slice::sort::<[T; 4]>::h0123",
                "core::slice::sort::<[T; 4]>::h0123",
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(name(given), expected);
        }
    }
}

//! The pure core: everything that decides about time.
//!
//! Event time, watermarks, splits, window assignment, panes, lateness, firing, session merging, timers, times to live. Functions of their
//! arguments alone: this crate reads no clock and no randomness, does no I/O, knows no Wasm, no threads and no async (its
//! `Cargo.toml` and `clippy.toml` prove it), so all of it can be tested from tables and simulated.
//!
//! The rules are those of `docs/semantics.md`, cited by section and number.

pub mod clock;
pub mod prefetch;
pub mod process;
pub mod time;
pub mod window;

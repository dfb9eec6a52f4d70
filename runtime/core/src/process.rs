//! Process functions: which timers fire when, which rows may share a call, what has expired.
//!
//! ```text
//! rows of a key ──► Timers::earliest, Lives: how many of them one call may hold
//!   the call's changes of timers ──► Timers::set, delete, clear: does one fire between two of its rows?
//! a new W ──► Timers::due: the next keys, in order of time ──► Timers::take: a wave, one timer of each
//!   what they gave ──► Place: the one order in which it comes out
//! ```
//!
//! The rules are those of `docs/semantics.md`, "Timers and process functions" and "State".

mod lives;
mod place;
mod timers;

pub use lives::{Lives, expired};
pub use place::{Place, Ranks};
pub use timers::{Saved, Setter, Timer, Timers};

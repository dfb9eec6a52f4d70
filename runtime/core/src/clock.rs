//! Watermarks: of splits, of a source over its splits, of an operator over its inputs.
//!
//! ```text
//! split ──┐                       strategy: event times in, a watermark per row out
//! split ──┼── source ──┐          reading order, idleness, W at each row
//! split ──┘            ├── inputs of an operator ── its W
//!          source ─────┘
//! ```
//!
//! Nothing here knows the time of day: whoever calls says what time it is, in microseconds.

pub mod check;
pub mod inputs;
pub mod lateness;
pub mod source;
pub mod split;
pub mod strategy;

mod queue;

pub use check::{ahead, jumps, out_of_range};
pub use inputs::InputClock;
pub use lateness::Lateness;
pub use source::{Held, SavedSplit, SourceClock, SourceConfig, WhenIdle};
pub use split::SplitState;
pub use strategy::Strategy;

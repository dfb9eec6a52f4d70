//! Durations and sizes as people write them.

mod duration;
mod size;

pub use duration::{duration, show_duration};
pub use size::size;

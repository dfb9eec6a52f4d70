//! Carrying out window plans: calls of the guest's `accumulate`, `merge` and `finish` on accumulators that the host holds.

pub mod carry_out;
pub mod groups;
pub mod pieces;
pub mod schedule;
pub mod slot_map;
pub mod table;

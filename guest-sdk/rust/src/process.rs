//! Process functions: rows of a key one after the other, with state and timers of the key's own.
//!
//! What the host holds of a key travels with the call: it becomes structs for the length of the
//! call ([`Value`], [`List`], [`Map`]), each with a place that says which row is being served. What
//! a row changes is noted with the row's number, and taken back if the row fails, so that a failed
//! row leaves no trace and the outcome is `clean`.

mod calls;
mod entry;
mod held;
mod list;
mod map;
mod slot;
mod timers;
mod value;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod harness;

pub use calls::{on_rows, on_timers};
pub use list::List;
pub use map::Map;
pub use slot::{At, Changes, Opening, Slot, SlotOf, Spec, State, describe_slots};
pub use timers::{Fired, Timed, Timer, TimerOf, Timers, describe_timers};
pub use value::Value;

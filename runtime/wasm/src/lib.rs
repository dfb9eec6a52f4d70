//! Tidemill's host for modules: loading them, calling their functions within limits, and finding the row that is to
//! blame when a call fails.
//!
//! ```text
//!  file ──load──► Module ──transform, aggregate, …──► Transform, Aggregate, Window, Process, Watermark   (one per operator and worker)
//!    │  checks on its surface      │ Settings           │ holds one guest instance, made again after a trap
//!    │  compiled in a child        ▼                    ▼
//!    └─► cache (by content)     describe,            Arrow ─lend─► call ─check─► Arrow
//!                               configure                            │ trap, deadline, wrong return
//!                                                                    └► in parts until one row stands alone
//! ```
//!
//! Invariants:
//! 1. A call changes nothing but the instance: whoever drops the instance has undone the call.
//! 2. Nothing that a guest returned is trusted before the module `check` has seen it, once.
//! 3. A row is only blamed when it was called alone, on a fresh instance, with the whole deadline.
//! 4. Compiled code is only loaded from the cache folder, which nobody but the host and its compiling child writes.
//!
//! Times are `i64` microseconds since the Unix epoch; durations are CPU time of the calling thread.

mod aggregate;
mod arrow;
mod bindings;
mod cache;
mod check;
mod child;
mod compile;
mod deadline;
mod description;
mod error;
mod firings;
mod fold;
#[cfg(fuzzing)]
pub mod fuzzing;
mod host;
mod instance;
mod isolate;
mod limits;
mod load;
mod log;
mod outcome;
mod pace;
mod process;
mod report;
mod slot;
mod surface;
mod table;
mod ticker;
mod transform;
mod wasi;
mod watermark;
mod window;
mod wire;

pub use aggregate::{Accumulated, Aggregate};
pub use arrow::{column_to_arrow, table_from_arrow, table_to_arrow};
pub use child::compile_child_main;
pub use description::{
    Clock, ConfigField, ConfigType, Description, Function, Kind, Output, Side, SlotKind, StateSlot,
    TimerName, Ttl,
};
pub use error::{CallError, ModuleError};
pub use firings::{Firing, Firings};
pub use host::{Compiler, Host, HostConfig};
pub use limits::Limits;
pub use load::Module;
pub use log::{Level, LogLine};
pub use outcome::{Emitted, Failed, Outcome, Produced, Reason};
pub use process::{
    Entries, Held, HeldEntries, Kept, KeysIn, Listed, Mapped, Process, Processed, Timed, TimersIn,
};
pub use slot::{Notes, Settings};
pub use transform::{RowsIn, Transform};
pub use watermark::{Observed, Watermark};
pub use window::{ROWS_PER_WINDOW_CALL, Window};
pub use wire::{Arena, ArenaRef, Column, ColumnRef, Table, TableRef, Values, ValuesRef};

//! Tidemill's engine: plans pipelines and runs them.
//!
//! ```text
//!  pipeline file ─► plan ─► build ─► N workers, each a thread with one task:
//!
//!    source ─► chain of operators ─► exchange by key group ─► window ─► … ─► sink
//!    (splits,   (function calls)     (bounded queues           (core decides,
//!     stamps)                         between workers)          guest computes)
//! ```
//!
//! Everything that decides about time lives in `tidemill-core`; everything that touches files in `tidemill-connectors`;
//! everything that calls guests in `tidemill-wasm`. This crate leads rows from one to the other, in batches.
//!
//! Invariants:
//! 1. Nothing per row takes a lock, logs or touches a metric.
//! 2. Every queue has a named limit; a full one stops what feeds it, back to the source.
//! 3. A worker that panics or fails stops the whole run.

mod aggregate;
mod blame;
mod build;
mod busiest;
pub mod checkpoint;
mod combine;
mod ends;
pub mod error;
mod event;
mod exchange;
pub mod failure;
pub mod functions;
pub mod metrics;
mod operator;
pub mod plan;
pub mod purity;
pub mod rehearsal;
pub mod rerun;
pub mod run;
pub mod simulation;
mod state;
mod stored;
mod talk;
mod task;
pub mod watch;
mod worker;

pub use busiest::KeyRows;
pub use ends::Writer;
pub use error::EngineError;
pub use failure::FailedRow;
pub use metrics::Totals;
pub use plan::{Plan, examine, plan, plan_rehearsal};
pub use rehearsal::Rehearsal;
pub use run::{
    BATCH_ROWS, Checkpoints, Options, Running, Stopper, Summary, start, start_with_checkpoints,
};
pub use talk::Log;

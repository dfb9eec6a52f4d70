//! Checkpoints: a consistent cut of everything that a run keeps, and going on from one.
//!
//! ```text
//!   coordinator ──asks for cut n──► sources: cut, then barrier n ──► operators: once all inputs have brought it,
//!        ▲                                                            cut, then barrier n ──► … ──► sinks: cut
//!        └────────────── each worker's cut, whole ◄───────────────────────────┘
//!        ◄── blocks of state, while rows go on
//!        store: data, then manifest; then sinks publish
//! ```
//!
//! A barrier travels with the rows. What comes behind it on one input waits until it has come on all of them; a worker
//! reads nothing from its sources, and takes nothing from a queue that has brought the barrier, until all its operators are
//! cut. So a cut is one moment of the whole pipeline, although no two workers stop at the same time.
//!
//! Of the state of keys an operator only sets apart what has changed since the last checkpoint, and saves it in blocks between
//! rows, before rows change it (`operator/process/journal.rs`); the data files of several checkpoints make a chain (`chain.rs`).
//!
//! Invariants:
//! 1. What lies behind the barrier changes nothing that is cut: no row, watermark or tick passes it.
//! 2. Every sender has passed its watermark on before the barrier, so all copies of an operator stand at one watermark, and
//!    any number of workers can go on from it (semantics, Watermarks 5).
//! 3. What is saved behind a cut is what was there at the cut.
//! 4. A worker that is done still takes part: what its sinks have written belongs to a later checkpoint.

mod chain;
pub mod changes;
pub(crate) mod columns;
pub(crate) mod coordinator;
pub(crate) mod cut;
pub mod kafka;
pub(crate) mod kept;
pub mod location;
mod migrating;
pub(crate) mod reports;
pub(crate) mod restored;
pub mod schemas;
mod store;
pub mod view;
mod words;

pub use cut::{BlockCut, Holds, StationCut, Undecodable, WorkerCut};
pub use restored::Restored;
pub use store::{Begun, Cut, Store, StoreError};
pub use words::{AtEnd, Pace, Request, Told};

//! Where checkpoints lie, and which of them happened.
//!
//! A pipeline has one *sequence* of numbers in a location. A process that starts *claims* the next number; what it completes
//! takes the numbers behind. Nothing is ever overwritten, so of two that want the same number one is told that it is taken:
//! that is the whole of fencing, and needs no clock and no other service.
//!
//! ```text
//!  Location ── pipeline ──► Sequence ── claim ──► Claim ── begin ──► Draft ── part, put ──► data files
//!  (folder, bucket)         list, verify          recovery           (any threads)
//!                           read                  complete ◄──────── manifest, last
//!                                                 confirm, retain, sweep
//! ```
//!
//! A checkpoint is *prepared* when its manifest is there and *confirmed* when the act that decides was done: the manifest
//! itself, or a transaction elsewhere of which a note is kept beside it. Only confirmed ones are resumed.
//!
//! ```
//! # use tidemill_checkpoint::*;
//! # fn main() -> Result<(), CheckpointError> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let settings = Settings { relative_to: folder.path().to_owned(), ..Settings::default() };
//! let sequence = Location::open("checkpoints", &settings)?.pipeline("fraud")?;
//! let mut claim = sequence.claim(&Life::of_this_process()?, OnLock::Refuse)?;
//! assert_eq!(claim.recovery()?.recovery, Recovery::Fresh);
//!
//! let draft = claim.begin()?;
//! let mut file = draft.part("velocity", 0, 0)?;
//! file.block(&b"rows of state"[..]);
//! let part = draft.put(file, Content { label: "value".into(), form: Form::Base, key_groups: None })?;
//! let completed = claim.complete(&draft, Contents {
//!     kind: Kind::Checkpoint,
//!     decided_by: DecidedBy::Manifest,
//!     finished: false,
//!     workers: 1,
//!     max_parallelism: 128,
//!     modules: Default::default(),
//!     operators: vec![Operator {
//!         name: "velocity".into(),
//!         kind: "process".into(),
//!         schemas: Default::default(),
//!         parts: vec![part],
//!         more: Default::default(),
//!     }],
//!     sources: Default::default(),
//!     pending: Default::default(),
//! })?;
//! assert_eq!(completed.number(), Number(2));
//! for part in completed.manifest.parts() {
//!     assert_eq!(sequence.read(part)?.concat(), b"rows of state");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! 1. An object's name is used once, and never for anything else.
//! 2. What this crate says has happened is durable; what it cannot know it says it cannot know.
//! 3. Every byte that is read is covered by a checksum, and every data file says under which name it belongs.
//! 4. Effects go through [`Store`], time and randomness come from [`Life`]: a simulation can crash at each effect in turn.
//!
//! This crate knows nothing of engines, windows or keys: what is in data files and in the pipeline's part of a manifest is
//! opaque to it. Calls block; they belong on a thread that may wait.

mod buffers;
mod claim;
mod copy;
mod damage;
mod deletion;
mod draft;
mod error;
mod instances;
mod life;
mod location;
mod manifest;
mod names;
mod own;
mod part;
mod recovery;
mod requests;
mod restores;
mod retention;
mod sequence;
pub mod store;
mod text;
mod verify;

pub use buffers::Buffers;
pub use claim::{Claim, OnLock};
pub use damage::{Damage, Why};
pub use deletion::Deleted;
pub use draft::Draft;
pub use error::{CheckpointError, Happened};
pub use life::{Clock, Life, Moment, SystemClock};
pub use location::{Location, Settings};
pub use manifest::{
    ClaimNote, ConfirmedNote, Contents, DecidedBy, Kind, Manifest, Operator, PipelineNote, Record,
};
pub use names::{Incarnation, Number, PartName};
pub use part::{Blocks, Content, Form, Part, PartWriter};
pub use recovery::{Found, Prepared, Recovery};
pub use requests::{Answer, Asked, Newest, Outcome, Request, Requests, Wish};
pub use restores::{Origin, Restore};
pub use retention::Removed;
pub use sequence::{Checkpoint, Sequence};
pub use store::Store;
pub use verify::{Entry, Verified, What};

//! What the workers of a run share: what is asked of them, and the error that ended it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_utils::sync::Unparker;

use crate::checkpoint::cut::At;
use crate::error::EngineError;

/// How many blocks may wait to be written, of all workers, one of each worker more: of a megabyte or so each.
const BLOCKS: usize = 32;

/// What the workers of a run share.
pub struct Control {
    stop: AtomicBool,
    abort: AtomicBool,
    /// There are no more checkpoints to take part in.
    halt: AtomicBool,
    /// Nothing is read until this is taken back, or the run stops.
    hold: AtomicBool,
    /// The input is taken to have ended.
    drain: AtomicBool,
    /// The cut that was asked for last.
    cut: Mutex<Option<At>>,
    /// Which it is; 0: none. Looked at in every turn.
    cuts: AtomicU64,
    /// Blocks that wait to be written.
    blocks: AtomicUsize,
    first_error: Mutex<Option<EngineError>>,
    pub(super) unparkers: Vec<Unparker>,
}

impl Control {
    /// For workers that are woken by these.
    pub fn new(unparkers: Vec<Unparker>) -> Self {
        Self {
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
            halt: AtomicBool::new(false),
            hold: AtomicBool::new(false),
            drain: AtomicBool::new(false),
            cut: Mutex::new(None),
            cuts: AtomicU64::new(0),
            blocks: AtomicUsize::new(0),
            first_error: Mutex::new(None),
            unparkers,
        }
    }

    /// Asks for a graceful stop: sources read no more, rows in flight are drained.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Lets nothing more be read, until [`Control::release`].
    pub fn hold(&self) {
        self.hold.store(true, Ordering::Release);
    }

    /// Lets workers read again.
    pub fn release(&self) {
        self.hold.store(false, Ordering::Release);
        self.wake();
    }

    pub(super) fn is_holding(&self) -> bool {
        self.hold.load(Ordering::Acquire)
    }

    /// Ends the input here: everything fires, and the run ends.
    pub fn drain(&self) {
        self.drain.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether the input was ended by [`Control::drain`].
    pub fn is_draining(&self) -> bool {
        self.drain.load(Ordering::Acquire)
    }

    /// Asks all workers for a cut.
    pub fn ask_for_cut(&self, at: At) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        self.cuts.store(at.cut, Ordering::Release);
        self.wake();
    }

    /// The cut that was asked for last, if it is a later one than this.
    pub(super) fn cut_after(&self, cut: u64) -> Option<At> {
        if self.cuts.load(Ordering::Acquire) <= cut {
            return None;
        }
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another block may wait to be written.
    pub(super) fn has_room_for_blocks(&self) -> bool {
        self.blocks.load(Ordering::Acquire) < BLOCKS
    }

    pub(super) fn block_begun(&self) {
        self.blocks.fetch_add(1, Ordering::AcqRel);
    }

    /// Lets no block be written, or again: for simulations, in which whoever writes is slow.
    pub fn stall_blocks(&self, stalled: bool) {
        match stalled {
            true => _ = self.blocks.fetch_add(BLOCKS, Ordering::AcqRel),
            false => _ = self.blocks.fetch_sub(BLOCKS, Ordering::AcqRel),
        }
    }

    /// So many blocks are with who writes them, or are not wanted any more.
    pub fn blocks_done(&self, count: usize) {
        let before = self.blocks.fetch_sub(count, Ordering::AcqRel);
        if before >= BLOCKS && before - count < BLOCKS {
            self.wake();
        }
    }

    /// Lets workers end that are done, or were to stop: no cut is asked for any more.
    pub fn halt(&self) {
        self.halt.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halt.load(Ordering::Acquire)
    }

    /// Stops everything at once because of an error; the first one is kept.
    pub fn fail(&self, error: EngineError) {
        let mut first = self
            .first_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        drop(first);
        self.abort.store(true, Ordering::Release);
        self.wake();
    }

    /// The error that ended the run, if one did.
    pub fn take_error(&self) -> Option<EngineError> {
        self.first_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether a worker has failed.
    pub fn is_aborted(&self) -> bool {
        self.abort.load(Ordering::Acquire)
    }

    fn wake(&self) {
        self.unparkers.iter().for_each(Unparker::unpark);
    }
}

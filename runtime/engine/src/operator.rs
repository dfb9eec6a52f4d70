//! What an operator is: something that takes events and gives events, on one worker.
//!
//! Sources stand apart ([`source`]): nothing feeds them. All others are fed by a task, which combines the watermarks of
//! their inputs and hands them rows, advances, and the end.

pub mod keying;
pub mod null_keys;
pub mod process;
pub mod sink;
pub mod source;
pub mod transform;
pub mod window;

use tidemill_rows::Batch;

use crate::checkpoint::changes::StateChange;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::cut::At;
use crate::checkpoint::kept::{Block, Blocks, OperatorKept};
use crate::checkpoint::restored::{Mine, Unrestored};
use crate::combine::Partials;
use crate::error::EngineError;
use crate::event::Output;

/// One operator or sink on one worker. A method with a body is to be handed on by whoever wraps an operator, which is
/// `rehearsal/order.rs`.
pub trait Operator: Send {
    /// Takes rows, in arrival order. `batch.times.w()` is W at each row over all inputs of the operator.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn rows(&mut self, batch: Batch, out: &mut Output) -> Result<(), EngineError>;

    /// Takes rows that were added up before they crossed, W at each over all inputs as with rows. Whether it did: if not,
    /// nothing has happened, and it is given the rows themselves.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn partials(&mut self, _partials: &Partials, _out: &mut Output) -> Result<bool, EngineError> {
        Ok(false)
    }

    /// The operator's watermark has risen to `w`; `i64::MAX` is the end round. Whatever this causes is given before the
    /// watermark is passed on.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn advance(&mut self, w: i64, out: &mut Output) -> Result<(), EngineError>;

    /// Gives more of what the last event caused, after [`Output::interrupt`].
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn go_on(&mut self, _out: &mut Output) -> Result<(), EngineError> {
        Ok(())
    }

    /// How far the operator passes on less than its own watermark, in microseconds (semantics, Watermarks 2).
    fn hold(&self) -> i64 {
        0
    }

    /// The smallest W at which something may happen; asked only where W follows the clock.
    fn next_due(&self) -> Option<i64> {
        None
    }

    /// The clock says `now`: fires what it fires.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn clock(&mut self, _now: i64, _out: &mut Output) -> Result<(), EngineError> {
        Ok(())
    }

    /// When the clock next fires something, if it ever does.
    fn next_tick(&self) -> Option<i64> {
        None
    }

    /// Nothing is ready to be read just now: what waits in buffers goes out.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn flush(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Whether so much waits for a checkpoint here that nothing more should come.
    fn is_full(&self) -> bool {
        false
    }

    /// What it keeps, as of now: all before the barrier has happened, nothing behind it has. What there may be much of is saved
    /// afterwards, in blocks ([`Operator::save`]).
    ///
    /// # Errors
    /// If what it has written cannot be made to last.
    fn cut(&mut self, _at: &At) -> Result<OperatorKept, EngineError> {
        Ok(OperatorKept::Nothing)
    }

    /// The next block of what it kept at the last cut, as it was then, an empty one if it is not there yet; nothing if all blocks
    /// were given.
    ///
    /// # Errors
    /// If it cannot be read.
    fn save(&mut self) -> Result<Option<Block>, EngineError> {
        Ok(None)
    }

    /// Makes of what was kept what it would have kept as it is now, blocks apart. Nothing has happened before.
    ///
    /// # Errors
    /// If something that was kept has no place in it.
    fn migrate(
        &mut self,
        kept: OperatorKept,
        _change: &StateChange,
    ) -> Result<OperatorKept, Unfit> {
        Ok(kept)
    }

    /// Goes on from what its copies on all workers kept, as far as it is this worker's. Nothing has happened before.
    ///
    /// # Errors
    /// If what was kept is not what an operator like this one keeps.
    fn restore(
        &mut self,
        _kept: Vec<OperatorKept>,
        _blocks: &Blocks,
        _mine: &Mine,
    ) -> Result<(), Unrestored> {
        Ok(())
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// If the pipeline must stop.
    fn finish(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

//! When a worker saves what a cut holds: between rows, and those keys first that rows touch anyway.

use super::{Part, Report, Worker};
use crate::checkpoint::cut::BlockCut;
use crate::error::EngineError;

/// How many keys of a cut a turn reports at least: fewer than rows touch, where most of them touch another key.
const ENOUGH_KEYS: usize = 512;

/// How many it reports when the cut has been made for a while: more than rows touch.
const MANY_KEYS: usize = 2 * 4096;

/// How many bytes of blocks are reported together.
const TOGETHER: usize = 1 << 20;

/// How long a cut may wait for rows to touch its keys, in microseconds.
const PATIENCE: i64 = 500_000;

impl Worker {
    /// Reports blocks of the last cut, between rows, as long as those before them find someone to write them. Whether it did, or
    /// will soon.
    ///
    /// Keys that rows touch come first, and cost least. As long as these are many nothing else is looked for, for a while.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub(super) fn save(&mut self) -> Result<bool, EngineError> {
        let Some(part) = &mut self.checkpoints else {
            return Ok(false);
        };
        let Some((cut, since)) = part.saving else {
            return Ok(false);
        };
        let enough = match self.task.now - since < PATIENCE {
            true => ENOUGH_KEYS,
            false => MANY_KEYS,
        };
        let mut keys = 0;
        while keys < enough {
            if !self.control.has_room_for_blocks() {
                part.report_blocks();
                return Ok(keys > 0);
            }
            match self.task.save()? {
                Some((_, block)) if block.is_empty() => return Ok(true),
                Some((station, block)) => {
                    keys += block.keys;
                    self.control.block_begun();
                    part.blocks.push(BlockCut {
                        worker: self.number,
                        cut,
                        station,
                        block,
                    });
                    if part
                        .blocks
                        .iter()
                        .map(|cut| cut.block.bytes.len())
                        .sum::<usize>()
                        >= TOGETHER
                    {
                        part.report_blocks();
                    }
                }
                None => {
                    part.saving = None;
                    part.report_blocks();
                    let _ = part.reports.send(Report::Saved(cut));
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }
}

impl Part {
    /// Reports the blocks that wait for it.
    pub(super) fn report_blocks(&mut self) {
        if !self.blocks.is_empty() {
            let _ = self
                .reports
                .send(Report::Blocks(std::mem::take(&mut self.blocks)));
        }
    }
}

//! The end of a source: its input has ended, or is taken to have.

use std::sync::atomic::Ordering::Relaxed;

use super::Source;
use crate::checkpoint::AtEnd;
use crate::event::{Event, Output};

impl Source {
    /// Takes the input to have ended: what was read and not given counts as not read.
    pub fn drain(&mut self, out: &mut Output) {
        if self.ended {
            return;
        }
        self.later = None;
        for split in 0..self.splits.len() {
            if !self.splits[split].finished {
                self.finish(split);
            }
        }
        self.at_end = AtEnd::Fire;
        self.pass_on(out);
        self.end(out);
    }

    pub(super) fn end(&mut self, out: &mut Output) {
        self.ended = true;
        self.counters.ended.store(true, Relaxed);
        out.all(match self.at_end {
            AtEnd::Fire => Event::End,
            AtEnd::Keep => Event::Rest,
        });
    }

    /// Whether nothing can come any more.
    pub(super) fn is_over(&self) -> bool {
        self.later.is_none() && self.splits.iter().all(|split| split.finished)
    }
}

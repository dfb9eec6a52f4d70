//! Splits that are found while a source runs (semantics, Watermarks 7).

use tidemill_connectors::{Split, Then};
use tidemill_core::time;

use super::{Reading, Source};
use crate::error::EngineError;

impl Reading {
    /// A split of which nothing has been read.
    pub(super) fn new((name, split): (usize, Box<dyn Split>)) -> Self {
        Self {
            name: name as u32,
            split,
            chunk: None,
            then: Then::More,
            finished: false,
            largest: time::MIN,
            newest: time::MIN,
            begin: None,
        }
    }
}

impl Source {
    /// Takes in splits that were found since it was last asked. They start at the watermark and count at once.
    pub(super) fn find_splits(&mut self) -> Result<(), EngineError> {
        while let Some(found) = self.later.as_ref().and_then(|later| later.next()) {
            let split = found.map_err(|error| self.unreadable(error))?;
            let mut names = self.names.to_vec();
            names.push(split.name().clone());
            self.splits.push(Reading::new((names.len() - 1, split)));
            self.names = names.into();
            self.clock.add_split();
        }
        Ok(())
    }
}

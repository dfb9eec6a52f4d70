//! A sink that only counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidemill_rows::Batch;

use super::{Sink, Writers};
use crate::ConnectorError;

/// Counts rows.
#[derive(Default)]
pub(super) struct Blackhole {
    rows: Arc<AtomicU64>,
}

struct Hand(Arc<AtomicU64>);

impl Writers for Blackhole {
    fn writer(&self, _worker: usize) -> Box<dyn Sink> {
        Box::new(Hand(self.rows.clone()))
    }

    fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }
}

impl Sink for Hand {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), ConnectorError> {
        Ok(())
    }
}

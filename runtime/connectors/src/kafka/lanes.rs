//! How workers' rows come to a producer: those behind a cut wait until those before it are safe.
//!
//! Without that nobody could say when all rows before a cut are with the brokers, since others follow them, and a transaction
//! would commit rows that its checkpoint knows nothing of.

use std::sync::{Arc, Mutex};

use super::client::ANSWER;
use super::lock;
use super::produced::Records;
use super::producer::Producer;
use super::sink::KafkaSinkSpec;
use crate::ConnectorError;

/// A producer, and all who write with it.
pub(super) struct Lanes {
    pub producer: Arc<Producer>,
    all: Mutex<Vec<Arc<Lane>>>,
}

/// A worker's way to it, for one sink.
pub(super) struct Lane {
    spec: Arc<KafkaSinkSpec>,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    /// Whether its cut was made, and what is before it is not safe yet.
    waits: bool,
    waiting: Records,
}

impl Lanes {
    /// Nobody writes yet.
    pub fn of(producer: Arc<Producer>) -> Self {
        Self {
            producer,
            all: Mutex::default(),
        }
    }

    /// One more who writes.
    pub fn add(&self, spec: &Arc<KafkaSinkSpec>) -> Arc<Lane> {
        let lane = Arc::new(Lane {
            spec: spec.clone(),
            state: Mutex::default(),
        });
        lock(&self.all).push(lane.clone());
        lane
    }

    /// Writes records, or lets them wait.
    pub fn write(&self, lane: &Lane, records: &mut Records) -> Result<(), ConnectorError> {
        let mut state = lock(&lane.state);
        if state.waits {
            state.waiting.append(records);
            records.clear();
            return Ok(());
        }
        let written = self.producer.write(&lane.spec, records);
        records.clear();
        written
    }

    /// A worker's rows up to here are before the cut, those that follow wait. What has waited for a cut of which nothing came is
    /// before this one.
    pub fn cut(&self, lane: &Lane) -> Result<(), ConnectorError> {
        let mut state = lock(&lane.state);
        self.go_on(lane, &mut state)?;
        state.waits = true;
        Ok(())
    }

    /// Waits until the brokers have everything that does not wait.
    pub fn drain(&self) -> Result<(), ConnectorError> {
        self.producer.drain(ANSWER)
    }

    /// What is before the cut is safe, or nothing came of it: what waits is written.
    pub fn release(&self) -> Result<(), ConnectorError> {
        let lanes = lock(&self.all);
        lanes
            .iter()
            .try_for_each(|lane| self.go_on(lane, &mut lock(&lane.state)))
    }

    fn go_on(&self, lane: &Lane, state: &mut LaneState) -> Result<(), ConnectorError> {
        state.waits = false;
        let waiting = std::mem::take(&mut state.waiting);
        self.producer.write(&lane.spec, &waiting)
    }
}

impl Lane {
    /// Whether as much waits as may.
    pub fn is_full(&self) -> bool {
        lock(&self.state).waiting.bytes() as u64 >= self.spec.buffer
    }
}

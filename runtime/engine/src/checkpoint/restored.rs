//! What a run goes on from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidemill_connectors::{Pending, Position};
use tidemill_rows::key;

use super::changes::{Changes, StateChange};
use super::columns::Unfit;
use super::cut::{Kept, StationCut};
use super::kept::{Blocks, NodeKept, OperatorKept, SourceKept};
use crate::error::EngineError;
use crate::metrics::Counts;
use crate::state::StateError;

/// Which keys are a worker's.
#[derive(Clone, Copy, Debug)]
pub struct Mine {
    /// The worker.
    pub worker: usize,
    /// How many there are.
    pub workers: usize,
    /// Into how many key groups the keys are divided.
    pub max_parallelism: u32,
}

impl Mine {
    /// Whether an encoded key is this worker's; the one key of unkeyed operators is the first's.
    pub fn is(&self, key: &[u8]) -> bool {
        if key.is_empty() || self.workers == 1 {
            return self.worker == 0;
        }
        let group = key::group(key::hash(key), self.max_parallelism);
        let worker = key::worker_of_group(group, self.max_parallelism, self.workers as u32);
        worker as usize == self.worker
    }
}

/// What was kept is not what a station like this one keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Why an operator cannot go on from what was kept.
#[derive(Debug)]
pub enum Unrestored {
    /// It is not what an operator like this one keeps.
    Damaged,
    /// It has no place in what the operator keeps now.
    Unfit(Unfit),
    /// There is no place for it.
    State(StateError),
}

impl From<StateError> for Unrestored {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<Damaged> for Unrestored {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

impl From<Unfit> for Unrestored {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

/// A checkpoint, read again: per station what each worker kept.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Its number.
    pub number: u64,
    stations: BTreeMap<String, Vec<StationCut>>,
    /// What operators keep in blocks.
    blocks: BTreeMap<String, Blocks>,
    changes: Changes,
}

impl Restored {
    /// A checkpoint of these stations, each with what every worker kept.
    pub fn new(number: u64, stations: BTreeMap<String, Vec<StationCut>>) -> Self {
        Self {
            number,
            stations,
            blocks: BTreeMap::new(),
            changes: Changes::default(),
        }
    }

    /// The same, with what operators keep in blocks.
    #[must_use]
    pub fn with_blocks(self, blocks: BTreeMap<String, Blocks>) -> Self {
        Self { blocks, ..self }
    }

    /// What an operator keeps in blocks.
    pub(crate) fn blocks(&self, name: &str) -> Blocks {
        self.blocks.get(name).cloned().unwrap_or_default()
    }

    /// The same for a pipeline that was changed since: what is let go is as if it had never been there.
    #[must_use]
    pub fn changed(mut self, changes: Changes) -> Self {
        self.stations.retain(|name, _| !changes.is_dropped(name));
        self.blocks.retain(|name, _| !changes.is_dropped(name));
        Self { changes, ..self }
    }

    /// How the state of a station becomes what it keeps now, if it is not the same.
    pub(crate) fn change(&self, name: &str) -> Option<&StateChange> {
        self.changes.of(name)
    }

    /// What is said where something that is kept has no place in what is kept now.
    pub(crate) fn unfit(&self, name: &str, unfit: Unfit) -> EngineError {
        EngineError::Unfit {
            number: self.number,
            station: name.to_owned(),
            what: unfit.0,
        }
    }

    /// What a source kept on each worker; nothing if it is new.
    pub(crate) fn source(&self, name: &str) -> Result<Vec<SourceKept>, EngineError> {
        self.kept(name, |kept| match kept {
            Kept::Source(source) => Some(source),
            Kept::Node(_) => None,
        })
    }

    /// Where the splits of a source are to be read on.
    pub(crate) fn positions(&self, name: &str) -> Result<Vec<(Arc<str>, Position)>, EngineError> {
        let splits = self.source(name)?.into_iter().flat_map(|kept| kept.splits);
        Ok(splits
            .map(|split| (split.name.into(), split.position))
            .collect())
    }

    /// What an operator or sink kept on each worker; nothing if it is new.
    pub(crate) fn node(&self, name: &str) -> Result<Vec<NodeKept>, EngineError> {
        self.kept(name, |kept| match kept {
            Kept::Node(node) => Some(node),
            Kept::Source(_) => None,
        })
    }

    /// What a sink had pending on each worker.
    pub(crate) fn pending(&self, name: &str) -> Result<Vec<Pending>, EngineError> {
        let kept = self.node(name)?.into_iter();
        let pending = kept.filter_map(|kept| match kept.operator {
            OperatorKept::Pending(pending) => Some(pending),
            _ => None,
        });
        Ok(pending.collect())
    }

    fn kept<T: Clone>(
        &self,
        name: &str,
        pick: fn(&Kept) -> Option<&T>,
    ) -> Result<Vec<T>, EngineError> {
        let cuts = self.stations.get(name).map_or(&[][..], Vec::as_slice);
        let kept = cuts.iter().map(|cut| pick(&cut.kept).cloned());
        kept.collect::<Option<_>>()
            .ok_or_else(|| self.damaged(name))
    }

    /// What a station had counted, over all workers.
    pub(crate) fn counts(&self, name: &str) -> Counts {
        let cuts = self.stations.get(name).into_iter().flatten();
        cuts.fold(Counts::default(), |sum, cut| sum.with(&cut.counts))
    }

    /// What is said where a station's part is not what it should be.
    pub(crate) fn damaged(&self, name: &str) -> EngineError {
        EngineError::Unreadable {
            number: self.number,
            station: name.to_owned(),
        }
    }
}

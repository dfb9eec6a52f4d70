//! Going on from a checkpoint: every station gets what its copies kept, as far as it is this worker's.

use std::sync::Arc;

use tidemill_connectors::Position;
use tidemill_core::clock::InputClock;
use tidemill_core::time;

use super::Builder;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::kept::{NodeKept, OperatorKept};
use crate::checkpoint::restored::{Mine, Unrestored};
use crate::checkpoint::{AtEnd, Restored};
use crate::error::EngineError;
use crate::operator::source::Source;
use crate::task::Node;

/// How a run begins.
#[derive(Clone, Copy, Default)]
pub struct Beginning<'a> {
    /// What it goes on from; nothing if it starts fresh.
    pub restored: Option<&'a Restored>,
    /// Whether checkpoints are taken.
    pub is_cut: bool,
    /// What becomes of windows when the input has ended.
    pub at_end: AtEnd,
}

impl Builder<'_> {
    /// Where the splits of a source are to be read on.
    pub(super) fn positions(
        &self,
        station: usize,
    ) -> Result<Vec<(Arc<str>, Position)>, EngineError> {
        let Some(restored) = self.beginning.restored else {
            return Ok(Vec::new());
        };
        restored.positions(&self.plan.stations[station].name)
    }

    /// Lets a source go on from what was kept of it.
    pub(super) fn restore_source(
        &self,
        station: usize,
        source: &mut Source,
        forgotten: &[Arc<str>],
    ) -> Result<(), EngineError> {
        let Some(restored) = self.beginning.restored else {
            return Ok(());
        };
        let mut kept = restored.source(&self.plan.stations[station].name)?;
        for worker in &mut kept {
            let is_forgotten = |name: &str| forgotten.iter().any(|gone| **gone == *name);
            worker.splits.retain(|split| !is_forgotten(&split.name));
        }
        let name = &self.plan.stations[station].name;
        if let Some(change) = restored.change(name) {
            let migrated = source.migrate(&mut kept, change)?;
            migrated.map_err(|unfit| restored.unfit(name, unfit))?;
        }
        source.restore(&kept)
    }

    /// Lets an operator or sink go on from what was kept of it.
    pub(super) fn restore_node(&self, worker: usize, node: &mut Node) -> Result<(), EngineError> {
        let Some(restored) = self.beginning.restored else {
            return Ok(());
        };
        let name = &self.plan.stations[node.station].name;
        let kept = restored.node(name)?;
        // Behind an exchange all copies stand at one watermark; before it each stands at its source's, which will say so.
        let watermarks = kept.iter().map(|kept| kept.watermark);
        node.watermark = watermarks.min().unwrap_or(time::MIN);
        node.inputs = InputClock::restored(node.input_count, node.watermark);
        let mine = Mine {
            worker,
            workers: self.plan.workers,
            max_parallelism: self.plan.max_parallelism,
        };
        let change = restored.change(name);
        let mut blocks = restored.blocks(name);
        if let (Some(change), Some(OperatorKept::Process(first))) =
            (change, kept.first().map(|kept| &kept.operator))
        {
            let change = change.states.of_blocks(first);
            blocks = blocks.changed(move |block| Ok(change.apply(block)?));
        }
        let migrated = |kept: NodeKept| match change {
            Some(change) => node.operator.migrate(kept.operator, change),
            None => Ok(kept.operator),
        };
        let kept: Result<Vec<OperatorKept>, Unfit> = kept.into_iter().map(migrated).collect();
        let kept = kept.map_err(|unfit| restored.unfit(name, unfit))?;
        let restores = node.operator.restore(kept, &blocks, &mine);
        restores.map_err(|why| match why {
            Unrestored::Damaged => restored.damaged(name),
            Unrestored::Unfit(unfit) => restored.unfit(name, unfit),
            Unrestored::State(source) => EngineError::State {
                operator: name.clone(),
                source,
            },
        })
    }

    /// Lets counters and policies go on counting.
    pub(super) fn restore_counts(&self) {
        let Some(restored) = self.beginning.restored else {
            return;
        };
        for (index, station) in self.plan.stations.iter().enumerate() {
            let counts = restored.counts(&station.name);
            let counters = self.metrics.of(index, 0);
            counters.go_on_from(&counts);
            if let Some(policy) = &self.policies[index] {
                policy.go_on_from(counters.failures());
            }
        }
    }
}

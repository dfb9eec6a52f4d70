//! Checkpoints in a rehearsal, crashes, and going on from the last checkpoint.
//!
//! What was done since the checkpoint is done again after a crash, as a source would read again what it had not kept; so
//! what comes out of [`Rehearsal::restore`] is what came out between the checkpoint and the crash.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidemill_connectors::Chunk;

use super::split::Feed;
use super::{Rehearsal, Stage, Stepped, order};
use crate::build::{self, Beginning};
use crate::checkpoint::cut::{At, Holds};
use crate::checkpoint::kept::Blocks;
use crate::checkpoint::view::{self, OperatorState};
use crate::checkpoint::{AtEnd, Restored, StationCut, location, schemas};
use crate::error::EngineError;
use crate::metrics::Metrics;
use crate::plan::StatePlan;
use crate::plan::StationKind;
use crate::worker;

/// One thing that was done to a rehearsal. Sources and splits by number.
pub(super) enum Did {
    Feed((usize, usize), Chunk),
    Watermark((usize, usize), i64),
    End((usize, usize)),
    Step,
}

/// What each worker keeps, by station.
type Cuts = BTreeMap<String, Vec<StationCut>>;

/// Blocks of state as they are written, by station.
type Encoded = BTreeMap<String, Vec<Bytes>>;

/// What a rehearsal goes on from.
#[derive(Default)]
pub(super) struct Taken {
    number: u64,
    /// Nothing before the first checkpoint.
    restored: Option<Restored>,
    /// What it holds of what operators keep in blocks.
    holds: Holds,
    /// What operators keep in blocks: as of the last checkpoint that held everything, and as it was added to since.
    base: BTreeMap<String, Blocks>,
    blocks: BTreeMap<String, Blocks>,
    /// How many cuts were made, and the last that became a checkpoint.
    cuts: u64,
    kept: u64,
    /// Where the feeds of every source stood.
    feeds: Vec<Vec<(u64, bool)>>,
}

/// As it was written.
fn read_again(mut cuts: Cuts) -> Cuts {
    for cut in cuts.values_mut().flatten() {
        *cut = StationCut::decode(&cut.encode()).expect("what was written can be read");
    }
    cuts
}

impl Rehearsal {
    /// Takes a checkpoint. Nothing is on its way.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn checkpoint(&mut self) -> Result<(), EngineError> {
        let number = self.taken.number + 1;
        self.save_rest()?;
        let holds = match number % 4 {
            1 => Holds::Everything,
            2 => Holds::Changes,
            _ => Holds::SinceBase,
        };
        let stations = self.cut(holds)?;
        let (base, mut blocks) = (
            std::mem::take(&mut self.taken.base),
            std::mem::take(&mut self.taken.blocks),
        );
        for (station, cuts) in &stations {
            if holds == Holds::Everything {
                blocks.remove(station);
            } else if cuts.iter().all(StationCut::holds_changes_since_base) {
                blocks.insert(
                    station.clone(),
                    base.get(station).cloned().unwrap_or_default(),
                );
            }
        }
        self.taken = Taken {
            number,
            restored: Some(Restored::new(number, read_again(stations))),
            holds,
            base,
            blocks,
            cuts: self.taken.cuts,
            kept: self.taken.cuts,
            feeds: self.stands(),
        };
        self.done.clear();
        Ok(())
    }

    /// What an operator keeps, of all keys; nothing if there is no such operator. Nothing is on its way.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn state(&mut self, operator: &str) -> Result<Option<OperatorState>, EngineError> {
        self.save_rest()?;
        let (cuts, mut saved) = (read_again(self.cut(Holds::Everything)?), self.save()?);
        let mut stations = self.plan.stations.iter();
        let Some(station) = stations.find(|station| station.name == operator) else {
            return Ok(None);
        };
        let kind = match &station.kind {
            StationKind::Source(_) | StationKind::Sink(_) => return Ok(None),
            kind => location::kind(kind).unwrap_or_default(),
        };
        let schemas = schemas::of_station(&station.kind);
        let cuts: Vec<&StationCut> = cuts[operator].iter().collect();
        let mut blocks = Blocks::default();
        blocks.push_encoded(saved.remove(operator).unwrap_or_default());
        let seen = view::of_cuts((operator, kind), &schemas, (&cuts, &blocks));
        Ok(Some(seen.expect("what was written can be shown")))
    }

    /// What stations keep, beside what operators keep in blocks.
    fn cut(&mut self, holds: Holds) -> Result<Cuts, EngineError> {
        self.taken.cuts += 1;
        let at = At {
            cut: self.taken.cuts,
            number: self.taken.number + 1,
            ending: tidemill_connectors::Ending::Nothing,
            kept: self.taken.kept,
            holds,
        };
        for worker in &mut self.workers {
            worker.task.begin_cut(at)?;
        }
        worker::settle(&mut self.workers)?;
        let mut stations = Cuts::new();
        for worker in &mut self.workers {
            assert!(worker.task.is_cut(), "nothing is left on its way");
            let cuts = worker.task.take_cut(at)?;
            for (station, cut) in self.plan.stations.iter().zip(cuts) {
                let of_station = stations.entry(station.name.clone()).or_default();
                of_station.push(cut);
            }
        }
        Ok(stations)
    }

    /// What operators keep in blocks, of the last cut, as it is written.
    fn save(&mut self) -> Result<Encoded, EngineError> {
        let mut blocks = Encoded::new();
        for worker in &mut self.workers {
            while let Some((station, block)) = worker.task.save()? {
                if !block.is_empty() {
                    let name = self.plan.stations[station].name.clone();
                    blocks.entry(name).or_default().push(block.bytes);
                }
            }
        }
        Ok(blocks)
    }

    /// Saves what is left of the last checkpoint, as late as may be: what is touched meanwhile is saved by itself.
    fn save_rest(&mut self) -> Result<(), EngineError> {
        for (station, encoded) in self.save()? {
            let blocks = self.taken.blocks.entry(station).or_default();
            blocks.push_encoded(encoded);
        }
        if self.taken.holds == Holds::Everything {
            self.taken.base = self.taken.blocks.clone();
        }
        Ok(())
    }

    /// Loses everything since the last checkpoint, goes on from it with so many workers, and does again what was done since.
    /// The plan must have been made for at least as many: one for a single worker has no exchanges.
    ///
    /// # Errors
    /// If the pipeline cannot go on from it. What is done again stops it as it did before.
    pub fn restore(&mut self, workers: usize) -> Result<Stepped, EngineError> {
        self.collectors.take();
        self.save_rest()?;
        self.plan.workers = workers;
        for (source, feeds) in self.sources.iter_mut().zip(&self.taken.feeds) {
            for ((_, feed), stands) in source.feeds.iter_mut().zip(feeds) {
                *feed = Feed::standing(*stands);
            }
        }
        self.workers = Vec::new();
        self.begin()?;
        let mut all = Stepped {
            came: self.collectors.take(),
            stopped: None,
        };
        for did in std::mem::take(&mut self.done) {
            let stepped = self.again(did);
            all.came.extend(stepped.came);
            all.stopped = all.stopped.or(stepped.stopped);
        }
        Ok(all)
    }

    /// What holds state, from the next restart on.
    pub fn hold_in(&mut self, state: StatePlan) {
        self.plan.state = state;
        self.plan.state.rehearse();
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.plan.workers
    }

    fn again(&mut self, did: Did) -> Stepped {
        match did {
            Did::Feed(at, chunk) => self.feed_at(at, chunk),
            Did::Watermark(at, w) => self.watermark_at(at, w),
            Did::End(at) => self.end_at(at),
            Did::Step => return self.step(),
        }
        Stepped::default()
    }

    /// Makes workers that go on from the last checkpoint, or start fresh.
    pub(super) fn begin(&mut self) -> Result<(), EngineError> {
        if self.taken.feeds.is_empty() {
            self.taken.feeds = self.stands();
        }
        let names = self.plan.stations.iter().map(|s| s.name.clone()).collect();
        let metrics = Metrics::new(names, self.plan.workers);
        let ends = Stage {
            plan: &self.plan,
            sources: &self.sources,
            collectors: &self.collectors,
        };
        let restored = self.taken.restored.clone();
        let restored = restored.map(|restored| restored.with_blocks(self.taken.blocks.clone()));
        let beginning = Beginning {
            restored: restored.as_ref(),
            is_cut: true,
            at_end: AtEnd::Fire,
        };
        let built = build::workers(&self.plan, &self.options, &metrics, &ends, beginning)?;
        self.workers = built.workers;
        self.stopped = false;
        for worker in &mut self.workers {
            order::trace(&mut worker.task, &self.plan, &self.collectors.causes);
        }
        worker::set_out(&mut self.workers, self.taken.restored.is_some())
    }

    fn stands(&self) -> Vec<Vec<(u64, bool)>> {
        let stands = |(_, feed): &(_, Feed)| feed.stands();
        let sources = self.sources.iter();
        sources
            .map(|source| source.feeds.iter().map(stands).collect())
            .collect()
    }

    pub(super) fn feed_at(&mut self, (source, split): (usize, usize), chunk: Chunk) {
        self.sources[source].feeds[split].1.push(chunk.clone());
        self.done.push(Did::Feed((source, split), chunk));
    }

    pub(super) fn watermark_at(&mut self, (source, split): (usize, usize), w: i64) {
        let workers = self.workers.len();
        let node = &mut self.workers[split % workers].task.sources[source];
        node.source.raise(split / workers, w);
        self.done.push(Did::Watermark((source, split), w));
    }

    pub(super) fn end_at(&mut self, (source, split): (usize, usize)) {
        self.sources[source].feeds[split].1.end();
        self.done.push(Did::End((source, split)));
    }
}

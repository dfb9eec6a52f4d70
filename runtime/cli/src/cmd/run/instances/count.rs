//! How many tasks there are, and whether the pipeline can have so many.

use anyhow::anyhow;
use tidemill_checkpoint::Life;
use tidemill_connectors::kafka::{Partitions, Shared};
use tidemill_engine::checkpoint::kafka;
use tidemill_engine::plan::StationKind;

use super::LOOK;
use super::presence::Presence;
use crate::cmd::run::Run;
use crate::error::Failure;
use crate::recovery::Wanted;

/// How many tasks there are.
pub struct Count<'a> {
    run: &'a Run<'a>,
    wanted: &'a Wanted,
    topics: Shared,
}

impl<'a> Count<'a> {
    pub fn new(run: &'a Run<'a>, wanted: &'a Wanted) -> Result<Self, Failure> {
        let topics = Shared::of(kafka::sources(run.plan).map(|(_, _, source)| source))?;
        Ok(Self {
            run,
            wanted,
            topics,
        })
    }

    /// Waits until all topics are there; nothing if somebody stops it before.
    pub fn wait(&self, presence: &Presence) -> Result<Option<i32>, Failure> {
        let mut said = None;
        loop {
            match self.topics.look()? {
                Partitions::Are(count) => return self.noted(count).map(Some),
                Partitions::Waits(topic) if said.as_ref() != Some(&topic) => {
                    self.run.talk.note(format!("waits for {topic}"));
                    said = Some(topic);
                }
                Partitions::Waits(_) => {}
            }
            if self.run.stop.wait(LOOK) || presence.is_asked() {
                return Ok(None);
            }
        }
    }

    /// Notes how many tasks there are, unless that cannot be.
    fn noted(&self, count: i32) -> Result<i32, Failure> {
        let sequence = self.wanted.sequence();
        let number = u64::try_from(count).unwrap_or(0);
        let known = sequence.partitions()?;
        if known.is_empty() && !sequence.numbers()?.is_empty() {
            let error = anyhow!(
                "pipeline {} has run in one process: {} has its checkpoints",
                sequence.pipeline(),
                sequence.place()
            );
            return Err(Failure::wrong(error).hint(
                "`instances = \"one\"`, without `--instance`, goes on with them; with another `location`, `start = \"group\"` and \
                 `--fresh` several processes begin where the group stands, without what was kept",
            ));
        }
        let keyed =
            |kind: &StationKind| matches!(kind, StationKind::Window(_) | StationKind::Process(_));
        let keyed = self
            .run
            .plan
            .stations
            .iter()
            .find(|station| keyed(&station.kind));
        if let (Some(was), Some(operator)) = (known.last().filter(|was| **was != number), keyed) {
            let error = anyhow!(
                "the topics had {was} partitions and have {count}: keys of operator {} are in other tasks than what was kept of them",
                operator.name
            );
            return Err(Failure::from(error).hint(
                "write to new topics, or begin anew in another `location`: what is kept of a key cannot follow it",
            ));
        }
        if !known.contains(&number) {
            sequence.note_partitions(number, &Life::of_this_process()?)?;
        }
        Ok(count)
    }
}

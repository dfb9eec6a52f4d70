//! Kafka's part in checkpoints: the transaction that decides whether one has happened, and groups that show how far a pipeline
//! is.
//!
//! librdkafka cannot take up a transaction that another process has prepared, so a commit that follows a checkpoint could be
//! lost. Therefore the transaction is the record: it holds the output, the offsets, and beside each of these the identity of
//! the checkpoint, which is prepared by then. Who starts fences, reads what was committed, and goes on from what that names.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidemill_checkpoint::{Checkpoint, DecidedBy};
use tidemill_connectors::kafka::{
    CommittedOffset, GroupOffsets, Groups, KafkaSinkSpec, Member, Partition, Standing, TopicOf,
    Topics, Transactions,
};
use tidemill_connectors::{ConnectorError, Guarantee, KafkaSpec, SinkSpec, SourceSpec};

use super::cut::Kept;
use super::kept::SourceKept;
use super::restored::Restored;
use super::store::{Cut, StoreError};
use super::words::Pace;
use crate::error::EngineError;
use crate::plan::{Plan, StationKind};

/// Kafka's part in the checkpoints of a pipeline; of one without Kafka, nothing.
#[derive(Default)]
pub struct KafkaPart {
    decider: Option<Decider>,
    /// Groups of which nothing decides.
    shown: Vec<(Groups, Group)>,
}

/// The transaction that decides.
struct Decider {
    transactions: Arc<Transactions>,
    groups: Vec<Group>,
}

/// A consumer group and the source that reads for it.
#[derive(Clone)]
struct Group {
    name: String,
    /// Index and name of the source's station; none where no source is on the deciding cluster: then the group stands in the
    /// first partition of a topic that is written.
    source: Option<(usize, String)>,
    topics: Topics,
    /// The one partition of each that is the task's; none: all.
    partition: Option<i32>,
}

/// What stands beside every offset: which checkpoint it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Identity {
    /// The pipeline's id.
    pub pipeline: String,
    /// The checkpoint's number; 0: none, the pipeline was begun anew.
    pub checkpoint: u64,
    /// Who made it.
    pub incarnation: String,
    /// By which id processes fence each other.
    pub transactional_id: String,
    /// The checksum that stands in its manifest.
    pub manifest: u32,
}

/// What was committed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// No offset.
    Nothing,
    /// A checkpoint, or that the pipeline was begun anew.
    Checkpoint(Identity),
    /// An offset of somebody else.
    Foreign {
        /// The group.
        group: String,
        /// Where.
        offset: CommittedOffset,
    },
    /// The broker holds an offset of a transaction that it has not ended.
    Unsettled {
        /// The group.
        group: String,
        /// The newest checkpoint that it was asked to put down, whatever has become of that; nothing if that cannot be told.
        asked: Option<u64>,
    },
}

/// A transaction may be open for so much longer than from one checkpoint to the next.
const SPARE: Duration = Duration::from_secs(10);

/// The sink whose cluster decides: the first whose rows become visible with checkpoints.
pub fn deciding(plan: &Plan) -> Option<&KafkaSinkSpec> {
    sinks(plan).find(|sink| sink.guarantee == Guarantee::ExactlyOnce)
}

/// By which id processes of a pipeline, or of one of its tasks, fence each other.
pub fn transactional_id(pipeline: &str, task: Option<i32>, pipeline_id: &str) -> String {
    match task {
        None => format!("tidemill-{pipeline}-{pipeline_id}"),
        Some(partition) => format!("tidemill-{pipeline}.{partition}-{pipeline_id}"),
    }
}

/// The sinks of Kafka.
fn sinks(plan: &Plan) -> impl Iterator<Item = &KafkaSinkSpec> {
    plan.stations
        .iter()
        .filter_map(|station| match &station.kind {
            StationKind::Sink(sink) => match &sink.spec {
                SinkSpec::Kafka(kafka) => Some(&**kafka),
                _ => None,
            },
            _ => None,
        })
}

/// The sources of Kafka, with the indices and names of their stations.
pub fn sources(plan: &Plan) -> impl Iterator<Item = (usize, &str, &KafkaSpec)> {
    let stations = plan.stations.iter().enumerate();
    stations.filter_map(|(index, station)| match &station.kind {
        StationKind::Source(source) => match &source.spec {
            SourceSpec::Kafka(kafka) => Some((index, station.name.as_str(), &**kafka)),
            _ => None,
        },
        _ => None,
    })
}

impl KafkaPart {
    /// Takes part in the checkpoints of a plan. Where a transaction decides, this fences every process that had the
    /// pipeline's transactional id before.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or refuses.
    pub fn start(
        plan: &Plan,
        (pipeline, pipeline_id): (&str, &str),
        pace: &Pace,
        member: Option<&Member>,
    ) -> Result<Self, ConnectorError> {
        let mut part = Self::default();
        if let Some(sink) = deciding(plan) {
            let open = pace.interval.max(pace.min_pause) + pace.timeout + SPARE;
            let task = plan.task.map(|task| task.partition);
            let id = transactional_id(pipeline, task, pipeline_id);
            let transactions = Transactions::start(&sink.client, &id, open)?;
            part.decider = Some(Decider {
                groups: decider_groups(plan, pipeline, &transactions)?,
                transactions,
            });
        }
        for (index, name, source) in sources(plan) {
            let decider = part.decider.as_ref();
            if decider.is_none_or(|d| !d.transactions.is_on(&source.client)) {
                let group = Group::of(index, name, source);
                part.shown
                    .push((Groups::new(&source.client).with_member(member), group));
            }
        }
        Ok(part)
    }

    /// What sinks write in.
    pub fn transactions(&self) -> Option<Arc<Transactions>> {
        self.decider.as_ref().map(|d| d.transactions.clone())
    }

    /// Which act makes a checkpoint a confirmed one.
    pub(super) fn decides(&self) -> DecidedBy {
        match self.decider {
            Some(_) => DecidedBy::Note,
            None => DecidedBy::Manifest,
        }
    }

    /// Decides that a checkpoint has happened whose manifest is there.
    pub(super) fn decide(&self, cut: &Cut, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        if let Some(decider) = &self.decider {
            let offsets = decider.groups.iter().map(|group| group.at(cut));
            let offsets: Vec<GroupOffsets> = offsets.collect();
            decider.commit(&offsets, &decider.identity(checkpoint))?;
        }
        for (groups, group) in &self.shown {
            // Only who looks from outside misses it, until the next one.
            let _ = groups.follow(&group.at(cut));
        }
        Ok(())
    }

    /// What was committed last; nothing where no transaction decides.
    ///
    /// # Errors
    /// If the cluster cannot be asked.
    pub fn recorded(&self) -> Result<Option<Recorded>, ConnectorError> {
        self.decider.as_ref().map(Decider::recorded).transpose()
    }

    /// Commits that the pipeline goes on from a checkpoint of its own that is not the newest, before the first row; from none:
    /// that it is begun anew. What has been restored from elsewhere says where to read, and is no checkpoint here.
    ///
    /// # Errors
    /// If it was not committed.
    pub fn go_back(
        &self,
        to: Option<(Option<&Checkpoint>, &Restored)>,
        pipeline_id: &str,
    ) -> Result<(), EngineError> {
        let Some(decider) = &self.decider else {
            return Ok(());
        };
        let kafka = |source| EngineError::Connector {
            name: "transactions".to_owned(),
            source,
        };
        // Beside every offset, also those of partitions that the checkpoint knows nothing of.
        let mut offsets = decider.offsets_now().map_err(kafka)?;
        if let Some((_, restored)) = to {
            for group in &decider.groups {
                put(&mut offsets, group.at_restored(restored)?);
            }
        }
        let identity = match to.and_then(|(checkpoint, _)| checkpoint) {
            Some(checkpoint) => decider.identity(checkpoint),
            None => decider.anew(pipeline_id),
        };
        decider.commit(&offsets, &identity).map_err(kafka)
    }
}

/// The groups whose offsets are committed with the output.
fn decider_groups(
    plan: &Plan,
    pipeline: &str,
    transactions: &Transactions,
) -> Result<Vec<Group>, ConnectorError> {
    let on = sources(plan).filter(|(_, _, source)| transactions.is_on(&source.client));
    let groups: Vec<Group> = on
        .map(|(index, name, source)| Group::of(index, name, source))
        .collect();
    if !groups.is_empty() {
        return Ok(groups);
    }
    let mut on = sinks(plan).filter(|sink| transactions.is_on(&sink.client));
    let named = on.find_map(|sink| match &sink.topic {
        TopicOf::Named(topic) => Some(topic.clone()),
        TopicOf::Column(_) => None,
    });
    let Some(topic) = named else {
        return Err(ConnectorError::Configuration(
            "exactly-once output needs a topic to keep its record in: a kafka source on the sink's cluster, or a sink with \
             `topic`"
                .to_owned(),
        ));
    };
    Ok(vec![Group {
        name: match plan.task {
            None => pipeline.to_owned(),
            Some(task) => format!("{pipeline}.{}", task.partition),
        },
        source: None,
        topics: Topics::Named(vec![topic]),
        partition: None,
    }])
}

impl Group {
    fn of(index: usize, name: &str, source: &KafkaSpec) -> Self {
        Self {
            name: source.group.clone(),
            source: Some((index, name.to_owned())),
            topics: source.topics.clone(),
            partition: source.partition,
        }
    }

    /// Where it stands at a cut.
    fn at(&self, cut: &Cut) -> GroupOffsets {
        let kept = |index: usize| {
            let cuts = cut.workers.iter();
            cuts.filter_map(move |worker| match &worker.stations[index].kept {
                Kept::Source(kept) => Some(kept),
                Kept::Node(_) => None,
            })
        };
        match &self.source {
            Some((index, _)) => self.offsets(kept(*index)),
            None => self.mark(),
        }
    }

    /// Where it stood at a checkpoint.
    fn at_restored(&self, restored: &Restored) -> Result<GroupOffsets, EngineError> {
        match &self.source {
            Some((_, name)) => Ok(self.offsets(restored.source(name)?.iter())),
            None => Ok(self.mark()),
        }
    }

    fn offsets<'k>(&self, kept: impl Iterator<Item = &'k SourceKept>) -> GroupOffsets {
        let splits = kept.flat_map(|kept| &kept.splits);
        let next = splits.filter_map(|split| {
            let at = Partition::named(&split.name)?;
            Some((at.topic, at.number, split.position.next_record()?))
        });
        GroupOffsets {
            group: self.name.clone(),
            next: next.collect(),
        }
    }

    /// Of a group that reads nothing: an offset to write the identity beside.
    fn mark(&self) -> GroupOffsets {
        let topic = match &self.topics {
            Topics::Named(names) => names.first().cloned().unwrap_or_default(),
            Topics::Like(_) => String::new(),
        };
        GroupOffsets {
            group: self.name.clone(),
            next: vec![(topic, 0, 0)],
        }
    }
}

impl Decider {
    fn commit(&self, offsets: &[GroupOffsets], identity: &Identity) -> Result<(), ConnectorError> {
        let text = serde_json::to_string(identity).expect("plain data");
        self.transactions.commit(offsets, &text)
    }

    fn identity(&self, checkpoint: &Checkpoint) -> Identity {
        Identity {
            pipeline: checkpoint.manifest.pipeline_id.clone(),
            checkpoint: checkpoint.number().0,
            incarnation: checkpoint.manifest.incarnation.to_string(),
            transactional_id: self.transactions.transactional_id().to_owned(),
            manifest: checkpoint.crc32c,
        }
    }

    fn anew(&self, pipeline_id: &str) -> Identity {
        Identity {
            pipeline: pipeline_id.to_owned(),
            checkpoint: 0,
            incarnation: String::new(),
            transactional_id: self.transactions.transactional_id().to_owned(),
            manifest: 0,
        }
    }

    fn all(&self) -> Result<Vec<(&Group, Standing)>, ConnectorError> {
        let groups = self.transactions.groups();
        let standing =
            |group: &Group| groups.committed(&group.name, (&group.topics, group.partition));
        let all = self
            .groups
            .iter()
            .map(|group| Ok((group, standing(group)?)));
        all.collect()
    }

    fn recorded(&self) -> Result<Recorded, ConnectorError> {
        let mut newest: Option<Identity> = None;
        let all = self.all()?;
        if let Some((group, _)) = all.iter().find(|(_, standing)| !standing.settled) {
            let (group, asked) = (group.name.clone(), self.asked(group)?);
            return Ok(Recorded::Unsettled { group, asked });
        }
        let each = all.iter().flat_map(|(group, standing)| {
            let offsets = standing.offsets.iter();
            offsets.map(move |offset| (group, offset.clone()))
        });
        for (group, offset) in each {
            let Ok(identity) = serde_json::from_str::<Identity>(&offset.metadata) else {
                let group = group.name.clone();
                return Ok(Recorded::Foreign { group, offset });
            };
            let newer = |before: &Identity| identity.checkpoint > before.checkpoint;
            if newest.as_ref().is_none_or(newer) {
                newest = Some(identity);
            }
        }
        Ok(newest.map_or(Recorded::Nothing, Recorded::Checkpoint))
    }

    /// The newest checkpoint of this pipeline, or task, that the broker was asked to put down for a group.
    fn asked(&self, group: &Group) -> Result<Option<u64>, ConnectorError> {
        let Some(asked) = self.transactions.groups().asked(&group.name)? else {
            return Ok(None);
        };
        let ours = |offset: CommittedOffset| {
            let identity: Identity = serde_json::from_str(&offset.metadata).ok()?;
            let is_ours = identity.transactional_id == self.transactions.transactional_id();
            is_ours.then_some(identity.checkpoint)
        };
        Ok(asked.into_iter().filter_map(ours).max())
    }

    /// Where groups stand, whoever has committed it.
    fn offsets_now(&self) -> Result<Vec<GroupOffsets>, ConnectorError> {
        let mut offsets: Vec<GroupOffsets> = Vec::new();
        for (group, standing) in self.all()? {
            let offsets_of = standing.offsets.into_iter();
            let next = offsets_of.map(|at| (at.topic, at.partition, at.next));
            let (group, next) = (group.name.clone(), next.collect());
            put(&mut offsets, GroupOffsets { group, next });
        }
        Ok(offsets)
    }
}

/// Puts offsets among others, in place of those of the same partitions.
fn put(offsets: &mut Vec<GroupOffsets>, new: GroupOffsets) {
    let Some(of) = offsets.iter_mut().find(|of| of.group == new.group) else {
        return offsets.push(new);
    };
    let known = |at: &(String, i32, i64)| {
        let mut new = new.next.iter();
        new.any(|(topic, partition, _)| (topic, *partition) == (&at.0, at.1))
    };
    of.next.retain(|at| !known(at));
    of.next.extend(new.next);
}

impl From<ConnectorError> for StoreError {
    fn from(error: ConnectorError) -> Self {
        let (text, hint) = (error.to_string(), error.hint().map(str::to_owned));
        match error.may_pass() {
            true => Self::Unknown { text, hint },
            false => Self::Lost { text, hint },
        }
    }
}

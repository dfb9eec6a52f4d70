//! Checkpoints in a location (`tidemill-checkpoint`): what stations keep becomes data files and parts of the manifest, and
//! back.
//!
//! What sources keep, and sinks have pending, stands in the manifest as JSON, for people to read. What windows keep stands in
//! data files, one per operator and worker, as a [`StationCut`] is as bytes. What process operators keep for keys stands in
//! chains of data files (`chain.rs`), and the rest of it in the manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tidemill_checkpoint::{
    CheckpointError, Claim, Content, Contents, Draft, Form, Manifest, Operator, Part, Sequence,
};
use tidemill_connectors::{Pending, Wake};

use super::chain::{self, Chain, Files};
use super::cut::{BlockCut, Holds, StationCut};
use super::kafka::KafkaPart;
use super::kept::{BlockFile, Blocks, StatesKept};
use super::restored::{Damaged, Restored, Unrestored};
use super::schemas;
use super::store::{Begun, Cut, Store, StoreError};
use crate::build;
use crate::ends::{Connectors, Writer};
use crate::error::EngineError;
use crate::plan::{Plan, StationKind};

/// Keeps checkpoints under a claim.
pub struct InLocation {
    claim: Claim,
    /// The attempt at hand.
    attempt: Option<Attempt>,
    /// How many checkpoints are kept.
    keep: usize,
    plan: Described,
    /// Per station, the files of what it keeps in blocks, as of the last checkpoint.
    chains: BTreeMap<usize, Chain>,
    /// Whether everything is to be kept anew, whatever there is.
    anew: bool,
    /// State is kept anew no sooner than its changes take so many bytes.
    least: u64,
    /// Whether all changes since the base were to be kept as one, and are much beside it nevertheless.
    much_has_changed: bool,
    /// Whether what earlier lives have left was removed.
    swept: bool,
    /// Kafka's part in it.
    kafka: KafkaPart,
}

/// An attempt at a checkpoint.
struct Attempt {
    draft: Draft,
    /// What is kept in blocks.
    holds: Holds,
    /// Per station, what is written of it.
    files: BTreeMap<usize, Files>,
}

impl Attempt {
    fn form(&self) -> Form {
        match self.holds {
            Holds::Everything => Form::Base,
            Holds::Changes | Holds::SinceBase => Form::Delta,
        }
    }
}

/// State is kept anew no sooner than its changes take so much.
const LEAST_BYTES: u64 = 256 << 10;

/// Changes since the base that are more than this share of it are much.
const MUCH: f64 = 0.5;

/// What a manifest says of the plan.
struct Described {
    stations: Vec<(String, Role, Value)>,
    workers: u32,
    max_parallelism: u32,
    modules: BTreeMap<String, String>,
}

/// Where what a station keeps is put.
#[derive(Clone, Copy)]
enum Role {
    Source,
    Operator(&'static str),
    Sink,
}

/// What process operators are called.
const PROCESS: &str = "process";

/// What an operator is called by its kind; nothing of sources and sinks.
pub(crate) fn kind(station: &StationKind) -> Option<&'static str> {
    match station {
        StationKind::Transform(_) => Some("transform"),
        StationKind::Window(_) => Some("window"),
        StationKind::Process(_) => Some(PROCESS),
        StationKind::Source(_) | StationKind::Sink(_) => None,
    }
}

impl InLocation {
    /// Keeps the checkpoints of a plan under a claim, the newest `keep` of them.
    pub fn new(claim: Claim, keep: usize, plan: &Plan) -> Self {
        let role = |station: &StationKind| match station {
            StationKind::Source(_) => Role::Source,
            StationKind::Sink(_) => Role::Sink,
            operator => Role::Operator(kind(operator).unwrap_or_default()),
        };
        let stations = plan.stations.iter();
        Self {
            claim,
            attempt: None,
            keep,
            plan: Described {
                stations: stations
                    .map(|station| {
                        let schemas = schemas::of_station(&station.kind);
                        (station.name.clone(), role(&station.kind), schemas)
                    })
                    .collect(),
                workers: plan.workers as u32,
                max_parallelism: plan.max_parallelism,
                modules: plan.module_hashes(),
            },
            chains: BTreeMap::new(),
            anew: true,
            least: LEAST_BYTES,
            much_has_changed: false,
            swept: false,
            kafka: KafkaPart::default(),
        }
    }

    /// The same, in which Kafka has a part.
    #[must_use]
    pub fn with_kafka(self, kafka: KafkaPart) -> Self {
        Self { kafka, ..self }
    }

    /// The same, for state so small that it would never be kept anew.
    #[must_use]
    pub fn small(self) -> Self {
        Self { least: 0, ..self }
    }

    /// The same, going on from a checkpoint of the same sequence: what operators keep in blocks is added to what it names, unless
    /// the plan keeps something else now.
    #[must_use]
    pub fn going_on_from(mut self, manifest: &Manifest) -> Self {
        for (index, (name, role, schemas)) in self.plan.stations.iter().enumerate() {
            let operators = &manifest.contents.operators;
            let Some(before) = operators.iter().find(|before| before.name == *name) else {
                continue;
            };
            if !matches!(role, Role::Operator(PROCESS)) || before.kind != PROCESS {
                continue;
            }
            if before.schemas != *schemas {
                self.chains.clear();
                return self;
            }
            self.chains.insert(index, Chain(before.parts.clone()));
        }
        self.anew = false;
        self
    }

    /// Whether what has changed outweighs this share of the bases.
    fn outweighs(&self, share: f64) -> bool {
        chain::outweigh(self.chains.values(), share, self.least)
    }

    /// Puts all data files; what the manifest is to say, and how many bytes were written.
    fn put(
        &self,
        attempt: &mut Attempt,
        cut: &Cut,
    ) -> Result<(Contents, BTreeMap<usize, Chain>, u64), CheckpointError> {
        let (mut chains, mut bytes) = (BTreeMap::new(), 0);
        let mut contents = Contents {
            kind: cut.kind,
            decided_by: self.kafka.decides(),
            finished: cut.finished,
            workers: self.plan.workers,
            max_parallelism: self.plan.max_parallelism,
            modules: self.plan.modules.clone(),
            operators: Vec::new(),
            sources: BTreeMap::new(),
            pending: BTreeMap::new(),
        };
        for (index, (name, role, schemas)) in self.plan.stations.iter().enumerate() {
            let workers = cut.workers.iter();
            let cuts: Vec<&StationCut> = workers.map(|worker| &worker.stations[index]).collect();
            match role {
                Role::Source => {
                    _ = contents
                        .sources
                        .insert(name.clone(), as_json(schemas, &cuts))
                }
                Role::Sink => {
                    _ = contents
                        .pending
                        .insert(name.clone(), as_json(schemas, &cuts))
                }
                Role::Operator(kind) => {
                    let (parts, more) = if *kind == PROCESS {
                        let files = attempt.files.remove(&index).unwrap_or_default();
                        let mut before = self.chains.get(&index).cloned().unwrap_or_default();
                        if cuts.iter().all(|cut| cut.holds_changes_since_base()) {
                            before.0.retain(|part| part.form == Form::Base);
                        }
                        let of = (&attempt.draft, name.as_str(), attempt.form());
                        let (chain, wrote) = files.finish(of, self.claim.sequence(), &before)?;
                        bytes += wrote;
                        chains.insert(index, chain.clone());
                        (chain.0, as_json(&json!({}), &cuts))
                    } else {
                        let parts = parts(&attempt.draft, name, &cuts)?;
                        bytes += parts.iter().map(|part| part.bytes).sum::<u64>();
                        (parts, Value::Null)
                    };
                    contents.operators.push(Operator {
                        name: name.clone(),
                        kind: (*kind).to_owned(),
                        schemas: schemas.clone(),
                        parts,
                        more,
                    });
                }
            }
        }
        Ok((contents, chains, bytes))
    }
}

/// What workers keep, beside what that is made of.
fn as_json(schemas: &Value, cuts: &[&StationCut]) -> Value {
    let mut kept = schemas.clone();
    kept[schemas::WORKERS] = serde_json::to_value(cuts).expect("what is kept is plain data");
    kept
}

/// The inverse.
fn of_json(kept: &Value) -> Result<Vec<StationCut>, serde_json::Error> {
    serde_json::from_value(kept[schemas::WORKERS].clone())
}

/// A data file per worker.
fn parts(draft: &Draft, name: &str, cuts: &[&StationCut]) -> Result<Vec<Part>, CheckpointError> {
    let mut parts = Vec::new();
    for (worker, cut) in (0..).zip(cuts) {
        let mut file = draft.part(name, worker, 0)?;
        file.block(cut.encode());
        let content = Content {
            label: "state".to_owned(),
            form: Form::Base,
            key_groups: None,
        };
        parts.push(draft.put(file, content)?);
    }
    Ok(parts)
}

impl Store for InLocation {
    fn begin(&mut self) -> Result<Begun, StoreError> {
        let draft = self.claim.begin()?;
        let number = draft.number().0;
        let holds = if self.anew {
            Holds::Everything
        } else if !self.outweighs(1.0) {
            Holds::Changes
        } else if self.much_has_changed {
            Holds::Everything
        } else {
            Holds::SinceBase
        };
        self.attempt = Some(Attempt {
            draft,
            holds,
            files: BTreeMap::new(),
        });
        Ok(Begun { number, holds })
    }

    fn block(&mut self, cut: BlockCut) -> Result<(), StoreError> {
        let attempt = self.attempt.as_mut().expect("an attempt that was begun");
        let form = attempt.form();
        let files = attempt.files.entry(cut.station).or_default();
        let (name, ..) = &self.plan.stations[cut.station];
        let of = (&attempt.draft, name.as_str(), form);
        Ok(files.block(of, cut.worker as u32, cut.block)?)
    }

    fn keep(&mut self, cut: &Cut) -> Result<u64, StoreError> {
        let mut attempt = self.attempt.take().expect("an attempt that was begun");
        let (contents, chains, bytes) = self.put(&mut attempt, cut)?;
        let mut checkpoint = self.claim.complete(&attempt.draft, contents)?;
        self.kafka.decide(cut, &checkpoint)?;
        self.claim.confirm(&mut checkpoint)?;
        (self.chains, self.anew) = (chains, false);
        self.much_has_changed = match attempt.holds {
            Holds::Changes => self.much_has_changed,
            Holds::SinceBase => self.outweighs(MUCH),
            Holds::Everything => false,
        };
        Ok(bytes)
    }

    fn published(&mut self) -> Result<(), StoreError> {
        let removed = self.claim.retain(self.keep);
        let swept = match removed {
            Ok(_) if !self.swept => self.claim.sweep(),
            removed => removed,
        };
        self.swept |= swept.is_ok();
        // What cannot be removed now is removed with the next one.
        match swept {
            Err(error) if error.is_transient() => Ok(()),
            removed => removed.map(|_| ()).map_err(StoreError::from),
        }
    }

    fn pending(&self, sink: &str) -> Result<Vec<Pending>, StoreError> {
        let (sequence, mut pending) = (self.claim.sequence(), Vec::new());
        for number in sequence.numbers()? {
            let Some(checkpoint) = sequence.checkpoint(number)? else {
                continue;
            };
            let Some(kept) = checkpoint.manifest.contents.pending.get(sink) else {
                continue;
            };
            let cuts = of_json(kept).map_err(|error| {
                let text = format!("checkpoint {number}: what {sink} has pending: {error}");
                StoreError::Unavailable { text }
            })?;
            pending.extend(cuts.iter().filter_map(StationCut::pending).cloned());
        }
        Ok(pending)
    }
}

impl From<CheckpointError> for StoreError {
    fn from(error: CheckpointError) -> Self {
        let (text, hint) = (error.to_string(), error.hint().map(str::to_owned));
        if error.is_fenced() {
            Self::Fenced { text, hint }
        } else if error.is_transient() && error.certainly_not_done() {
            Self::Unavailable { text }
        } else if error.is_transient() {
            Self::Unknown { text, hint }
        } else {
            Self::Lost { text, hint }
        }
    }
}

/// Reads a checkpoint of a sequence.
///
/// # Errors
/// If a data file is damaged, or holds what no station keeps.
pub fn read(sequence: &Sequence, manifest: &Manifest) -> Result<Restored, EngineError> {
    let number = manifest.number.0;
    let unreadable = |name: &str| EngineError::Unreadable {
        number,
        station: name.to_owned(),
    };
    let mut stations = BTreeMap::new();
    for (name, cuts) in manifest
        .contents
        .sources
        .iter()
        .chain(&manifest.contents.pending)
    {
        let cuts = of_json(cuts).map_err(|_| unreadable(name))?;
        stations.insert(name.clone(), cuts);
    }
    let mut all_blocks = BTreeMap::new();
    for operator in &manifest.contents.operators {
        let (cuts, blocks) = read_operator(sequence, number, operator)?;
        stations.insert(operator.name.clone(), cuts);
        all_blocks.insert(operator.name.clone(), blocks);
    }
    Ok(Restored::new(number, stations).with_blocks(all_blocks))
}

/// Reads what an operator kept on each worker, and in blocks. Every data file was found whole when this returns.
///
/// # Errors
/// As [`read`].
pub fn read_operator(
    sequence: &Sequence,
    number: u64,
    operator: &Operator,
) -> Result<(Vec<StationCut>, Blocks), EngineError> {
    let unreadable = || EngineError::Unreadable {
        number,
        station: operator.name.clone(),
    };
    let read = |part: &Part| {
        let read = sequence.read(part);
        read.map_err(|source| EngineError::Location {
            number,
            source: Box::new(source),
        })
    };
    if operator.more.is_null() {
        let cut = |part: &Part| StationCut::decode(&read(part)?.concat()).map_err(|_| unreadable());
        let cuts = operator.parts.iter().map(cut).collect::<Result<_, _>>()?;
        return Ok((cuts, Blocks::default()));
    }
    let cuts = of_json(&operator.more).map_err(|_| unreadable())?;
    let mut blocks = Blocks::default();
    let bytes: u64 = operator.parts.iter().map(|part| part.bytes).sum();
    for part in &operator.parts {
        let whole = read(part)?;
        blocks.push(InFile {
            sequence: sequence.clone(),
            part: part.clone(),
            read: (bytes <= READ_ONCE).then_some(whole),
        });
    }
    Ok((cuts, blocks))
}

/// State of so many bytes is held in memory from when it was found whole; more of it is read again when it is needed.
const READ_ONCE: u64 = 256 << 20;

/// The blocks of a data file.
struct InFile {
    sequence: Sequence,
    part: Part,
    read: Option<tidemill_checkpoint::Blocks>,
}

impl BlockFile for InFile {
    fn read(&self) -> Result<Vec<StatesKept>, Unrestored> {
        let blocks = match &self.read {
            Some(blocks) => blocks.clone(),
            None => self.sequence.read(&self.part).map_err(|_| Damaged)?,
        };
        let decode = |block: bytes::Bytes| StatesKept::decode(&block).map_err(Unrestored::from);
        blocks.map(decode).collect()
    }
}

/// Whether sources have something to read that they had not when everything had been read.
///
/// # Errors
/// If a source cannot be opened where it was.
pub fn has_new_input(plan: &Plan, restored: &Restored) -> Result<bool, EngineError> {
    for station in &plan.stations {
        let StationKind::Source(source) = &station.kind else {
            continue;
        };
        let wake: Wake = Arc::new(|| ());
        let kept = restored.positions(&station.name)?;
        let shares = tidemill_connectors::resume_all(&source.spec, &[wake], &kept);
        let shares = shares.map_err(|source| EngineError::Connector {
            name: format!("source {}", station.name),
            source,
        })?;
        let mut splits = shares.iter().flat_map(|share| &share.splits);
        if splits.any(|(_, split)| !split.position().is_finished()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts the output of a checkpoint in its place that was the last: it may have been taken and not been published.
///
/// # Errors
/// If a sink cannot be opened, or output that the checkpoint holds is nowhere.
pub fn publish(plan: &Plan, restored: &Restored, writer: &Writer) -> Result<(), EngineError> {
    let ends = Connectors {
        writer: Some(writer),
        workers: plan.workers,
    };
    for station in plan.stations.iter().enumerate() {
        build::open_sink(station, &ends, Some(restored))?;
    }
    Ok(())
}

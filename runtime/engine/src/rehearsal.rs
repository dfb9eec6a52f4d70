//! A rehearsal: a pipeline run step by step, its sources replaced by scripted splits and its sinks by collectors.
//!
//! Everything between is what runs otherwise: the plan's stations, tasks, exchanges and modules. But all workers are driven
//! by one thread, in turn, and every step runs until nothing is on its way any more, so that what a step gives depends on
//! the steps alone. The clock is the caller's ([`Options::now`]).
//!
//! ```text
//!   rows, watermarks, ends ─► scripted splits ─► workers 0..n, in turn, until quiet ─► collectors ─► one order
//! ```
//!
//! Invariants:
//! 1. Rows are taken one at a time: what a row causes comes out before the next one is read.
//! 2. What comes out of a step is the same, and in the same order, with any number of workers (`rehearsal/order.rs`,
//!    `decisions/0011-scenarios-row-by-row.md`).
//! 3. What an operator passes over with `skip` is shown all the same, as if it were sent to `<name>.failed`.

mod collect;
mod crash;
mod order;
mod source;
mod split;

use std::sync::Arc;

use arrow_array::RecordBatch;
use tidemill_connectors::format::FormatKind;
use tidemill_connectors::{
    Chunk, ConnectorError, Opened, Pending, Position, Sink, SourceSpec, Wake,
};
use tidemill_core::clock::Strategy;

use self::collect::{Collector, Collectors};
use self::crash::{Did, Taken};
use self::source::Source;
pub(crate) use self::source::as_json;
pub use self::source::{Does, Line, Unread};
use crate::ends::{Ends, OpenSink};
use crate::error::EngineError;
use crate::failure::Action;
use crate::plan::{Plan, PolicyPlan, SinkPlan, SourcePlan, StationKind};
use crate::run::Options;
use crate::worker::{self, Worker};

/// Where the watermarks of scripted splits come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Watermarks {
    /// From [`Rehearsal::watermark`] alone.
    #[default]
    ByHand,
    /// From the rows, by the strategies of the pipeline file, and by hand.
    FromRows,
}

/// What is put in place of the sources.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The splits of sources: name of the source, names of its splits. A source that is not named has one split, which has
    /// the source's name.
    pub splits: Vec<(String, Vec<String>)>,
    /// Where watermarks come from.
    pub watermarks: Watermarks,
    /// Whether rows may be ahead of the clock by any time.
    pub any_time_ahead: bool,
    /// Whether failed rows are shown and nothing more, also where the policy is to stop.
    pub failures_stop_nothing: bool,
    /// Whether what sources give is shown too.
    pub sources_too: bool,
}

/// One row that came out of a step.
#[derive(Clone, Debug)]
pub struct Came {
    /// The source or operator.
    pub station: String,
    /// Empty for its main output, else `late`, `failed` or the side output's name.
    pub port: String,
    /// The row, as the only one of its batch.
    pub row: RecordBatch,
    /// Its event time, in microseconds.
    pub time: i64,
    /// Its stamp, in microseconds.
    pub stamp: i64,
    /// What the row does, where its output holds changes: 0 insert, 1 update-before, 2 update-after, 3 delete.
    pub change: Option<u8>,
}

/// What came of a step.
#[derive(Debug, Default)]
pub struct Stepped {
    /// The rows that came out, in order.
    pub came: Vec<Came>,
    /// What stopped the pipeline, if something did. Nothing more comes then.
    pub stopped: Option<EngineError>,
}

/// See the module.
pub struct Rehearsal {
    plan: Plan,
    options: Options,
    workers: Vec<Worker>,
    sources: Vec<Source>,
    collectors: Collectors,
    stopped: bool,
    /// The last checkpoint, and what was done since.
    taken: Taken,
    done: Vec<Did>,
}

impl Rehearsal {
    /// Makes everything ready for the first step.
    ///
    /// # Errors
    /// If a module cannot be made ready.
    pub fn start(plan: Plan, script: &Script, options: &Options) -> Result<Self, EngineError> {
        let (plan, collectors) = collect::watched(plan, script.sources_too);
        let mut plan = scripted(plan, script);
        plan.state.rehearse();
        let sources: Vec<Source> = plan
            .stations
            .iter()
            .filter_map(|station| match &station.kind {
                StationKind::Source(source) => Some((station.name.clone(), source)),
                _ => None,
            })
            .map(|(name, source)| Source::new(name, source, script))
            .collect();
        let mut rehearsal = Self {
            plan,
            options: options.clone(),
            workers: Vec::new(),
            sources,
            collectors,
            stopped: false,
            taken: Taken::default(),
            done: Vec::new(),
        };
        rehearsal.begin()?;
        Ok(rehearsal)
    }

    /// The names of the splits of a source; nothing if there is no such source.
    pub fn splits(&self, source: &str) -> Option<Vec<Arc<str>>> {
        let source = self.sources.iter().find(|s| s.name == source)?;
        Some(source.feeds.iter().map(|(name, _)| name.clone()).collect())
    }

    /// The names of the sources.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// The names of the operators.
    pub fn operators(&self) -> impl Iterator<Item = &str> {
        let stations = self.plan.stations.iter();
        let operators = stations.filter(|station| {
            !matches!(station.kind, StationKind::Source(_) | StationKind::Sink(_))
        });
        operators.map(|station| station.name.as_str())
    }

    /// Whether a source reads CSV: its rows then need a header.
    pub fn needs_header(&self, source: &str) -> bool {
        let source = self.sources.iter().find(|s| s.name == source);
        source.is_some_and(|source| matches!(source.format.kind, FormatKind::Csv { .. }))
    }

    /// Whether rows of a source may delete.
    pub fn deletes(&self, source: &str) -> bool {
        let source = self.sources.iter().find(|s| s.name == source);
        source.is_some_and(|source| source.of_value.is_some())
    }

    /// A source reads one row from a split: a line of its format, for CSV behind a header line. What is no text (generators,
    /// Avro, Protobuf) is written as JSON.
    ///
    /// # Errors
    /// If the line is no row. A row that cannot be decoded fails as it does otherwise.
    ///
    /// # Panics
    /// If there is no such split, or it has ended.
    pub fn row(
        &mut self,
        (source, split): (&str, &str),
        line: Line<'_>,
        does: Does,
    ) -> Result<Stepped, Unread> {
        let at = self.find(source, split);
        let chunk = self.sources[at.0].read(at.1, line, does)?;
        self.feed_at(at, chunk);
        Ok(self.step())
    }

    /// A split delivers rows that were read elsewhere.
    ///
    /// # Panics
    /// If there is no such split, or it has ended.
    pub fn feed(&mut self, (source, split): (&str, &str), chunk: Chunk) {
        let at = self.find(source, split);
        self.feed_at(at, chunk);
    }

    /// The watermark of a split rises to `w`, if it stands lower.
    ///
    /// # Panics
    /// If there is no such split, or it has ended.
    pub fn watermark(&mut self, (source, split): (&str, &str), w: i64) {
        let (source, split) = self.find(source, split);
        assert!(!self.sources[source].feeds[split].1.is_ended());
        self.watermark_at((source, split), w);
    }

    /// A split has no more rows.
    ///
    /// # Panics
    /// If there is no such split.
    pub fn end(&mut self, (source, split): (&str, &str)) {
        let at = self.find(source, split);
        self.end_at(at);
    }

    /// Whether a split has been ended.
    ///
    /// # Panics
    /// If there is no such split.
    pub fn is_ended(&self, (source, split): (&str, &str)) -> bool {
        let (source, split) = self.find(source, split);
        self.sources[source].feeds[split].1.is_ended()
    }

    /// Lets everything happen that is due by what was given so far and by the clock.
    pub fn step(&mut self) -> Stepped {
        if self.stopped {
            return Stepped::default();
        }
        self.done.push(Did::Step);
        let stopped = self.turn().err();
        self.stopped = stopped.is_some();
        Stepped {
            came: self.collectors.take(),
            stopped,
        }
    }

    /// The source and the split, as numbers.
    fn find(&self, source: &str, split: &str) -> (usize, usize) {
        let number = self.sources.iter().position(|s| s.name == source);
        let number = number.unwrap_or_else(|| panic!("no source {source}"));
        let mut feeds = self.sources[number].feeds.iter();
        let split = feeds.position(|(name, _)| **name == *split);
        (
            number,
            split.unwrap_or_else(|| panic!("no such split of {source}")),
        )
    }

    fn turn(&mut self) -> Result<(), EngineError> {
        for worker in &mut self.workers {
            worker.look_at_clock();
            worker.task.tick()?;
            worker.task.read_sources()?;
        }
        worker::settle(&mut self.workers)
    }
}

/// The plan with what a script says of its sources, and nothing passed over.
fn scripted(mut plan: Plan, script: &Script) -> Plan {
    for station in &mut plan.stations {
        match &mut station.kind {
            StationKind::Source(source) => {
                if script.watermarks == Watermarks::ByHand {
                    source.clock.strategy = Strategy::None;
                    source.custom = None;
                }
                // The script says which split is read.
                source.max_drift = None;
                if script.any_time_ahead {
                    source.timing.max_ahead = None;
                }
                show(&mut source.policy, script);
            }
            StationKind::Transform(transform) => show(&mut transform.policy, script),
            StationKind::Window(window) => show(&mut window.policy, script),
            StationKind::Process(process) => show(&mut process.policy, script),
            StationKind::Sink(_) => {}
        }
    }
    plan
}

fn show(policy: &mut PolicyPlan, script: &Script) {
    if script.failures_stop_nothing {
        policy.most = None;
    }
    if policy.action == Action::Skip || script.failures_stop_nothing {
        policy.action = Action::DeadLetter;
    }
}

/// The ends of a rehearsal.
struct Stage<'a> {
    plan: &'a Plan,
    sources: &'a [Source],
    collectors: &'a Collectors,
}

impl Ends for Stage<'_> {
    fn source(
        &self,
        station: usize,
        plan: &SourcePlan,
        _kept: &[(Arc<str>, Position)],
        wakes: &[Wake],
    ) -> Result<Vec<Opened>, ConnectorError> {
        let name = &self.plan.stations[station].name;
        let source = self.sources.iter().find(|source| source.name == *name);
        let source = source.expect("every source of the plan is scripted");
        let schema = SourceSpec::schema(&plan.spec);
        let share = |worker| source.share((worker, wakes.len()), &schema);
        Ok((0..wakes.len()).map(share).collect())
    }

    fn sink(
        &self,
        (station, _): (usize, &str),
        _plan: &SinkPlan,
        _kept: Option<&[Pending]>,
    ) -> Result<OpenSink, ConnectorError> {
        let (output, into) = self.collectors.of(station);
        Ok(OpenSink {
            writers: Box::new(move |worker| {
                Box::new(Collector::new((output, worker), into.clone())) as Box<dyn Sink>
            }),
            publisher: None,
        })
    }
}

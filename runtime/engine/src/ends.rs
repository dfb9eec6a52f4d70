//! The ends of a pipeline: who opens what it reads from and writes to.

use std::sync::Arc;

use tidemill_connectors::{
    ConnectorError, Disk, Effects, Life, Missing, Opened, Pending, Position, SharedSink, Sink, Wake,
};

use tidemill_connectors::kafka::Transactions;

use crate::plan::{SinkPlan, SourcePlan};

/// Gives each worker its hand on a sink. All are asked for before the first one finishes.
pub type Writers = Box<dyn Fn(usize) -> Box<dyn Sink>>;

/// A sink that was opened.
pub struct OpenSink {
    /// What workers write with.
    pub writers: Writers,
    /// What publishes, where rows are published with checkpoints.
    pub publisher: Option<SharedSink>,
}

/// Opens sources and sinks.
pub trait Ends {
    /// The shares of a source of the workers that are woken by these. Of splits that are kept, where to read on.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn source(
        &self,
        station: usize,
        plan: &SourcePlan,
        kept: &[(Arc<str>, Position)],
        wakes: &[Wake],
    ) -> Result<Vec<Opened>, ConnectorError>;

    /// A sink by the number and name of its station, which goes on from what workers had pending, if this is not a beginning.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn sink(
        &self,
        station: (usize, &str),
        plan: &SinkPlan,
        kept: Option<&[Pending]>,
    ) -> Result<OpenSink, ConnectorError>;
}

/// What the pipeline file says.
pub struct Connectors<'a> {
    /// Who writes, where checkpoints are taken.
    pub writer: Option<&'a Writer>,
    /// How many workers there are.
    pub workers: usize,
}

/// Whose pending files the sinks of a run write.
#[derive(Clone)]
pub struct Writer {
    /// The pipeline's id, the same in every life of it and no other's: letters, digits, `-`.
    pub pipeline: String,
    /// This life of the process.
    pub incarnation: String,
    /// What becomes of output that a checkpoint holds and that is nowhere.
    pub missing: Missing,
    /// What they do to the file system.
    pub effects: Arc<dyn Effects>,
    /// What sinks of Kafka write in, where their rows become visible with checkpoints.
    pub transactions: Option<Arc<Transactions>>,
}

impl Writer {
    /// A life that writes to the machine's own file system, and refuses to go on without what a checkpoint holds.
    pub fn new(pipeline: impl Into<String>, incarnation: impl Into<String>) -> Self {
        Self {
            pipeline: pipeline.into(),
            incarnation: incarnation.into(),
            missing: Missing::Refuse,
            effects: Arc::new(Disk),
            transactions: None,
        }
    }
}

impl Ends for Connectors<'_> {
    fn source(
        &self,
        _station: usize,
        plan: &SourcePlan,
        kept: &[(Arc<str>, Position)],
        wakes: &[Wake],
    ) -> Result<Vec<Opened>, ConnectorError> {
        tidemill_connectors::resume_all(&plan.spec, wakes, kept)
    }

    fn sink(
        &self,
        (_, name): (usize, &str),
        plan: &SinkPlan,
        kept: Option<&[Pending]>,
    ) -> Result<OpenSink, ConnectorError> {
        let schema = plan.schema.clone();
        let Some(writer) = self.writer else {
            let sink = plan.spec.open(schema, false)?;
            return Ok(OpenSink {
                writers: Box::new(move |worker| sink.writer(worker)),
                publisher: None,
            });
        };
        let life = Life {
            owner: format!("{}-{name}", writer.pipeline),
            incarnation: writer.incarnation.clone(),
            effects: writer.effects.clone(),
            transactions: writer.transactions.clone(),
        };
        let sink = plan.spec.open_kept(schema, false, &life)?;
        if let Some(kept) = kept {
            sink.restore(kept, self.workers, writer.missing)?;
        }
        let takes_part = plan.spec.takes_part_in_checkpoints();
        let publisher = takes_part.then(|| sink.clone());
        Ok(OpenSink {
            writers: Box::new(move |worker| sink.writer(worker)),
            publisher,
        })
    }
}

//! The ends of a pipeline: who opens what it reads from and writes to.

use tidemill_connectors::{ConnectorError, Opened, Sink, Wake};

use crate::plan::{SinkPlan, SourcePlan};

/// Gives each worker its hand on a sink. All are asked for before the first one finishes.
pub type Writers = Box<dyn Fn(usize) -> Box<dyn Sink>>;

/// Opens sources and sinks.
pub trait Ends {
    /// The shares of a source of the workers that are woken by these.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn source(
        &self,
        station: usize,
        plan: &SourcePlan,
        wakes: &[Wake],
    ) -> Result<Vec<Opened>, ConnectorError>;

    /// A sink.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn sink(&self, station: usize, plan: &SinkPlan) -> Result<Writers, ConnectorError>;
}

/// What the pipeline file says.
pub struct Connectors;

impl Ends for Connectors {
    fn source(
        &self,
        _station: usize,
        plan: &SourcePlan,
        wakes: &[Wake],
    ) -> Result<Vec<Opened>, ConnectorError> {
        tidemill_connectors::open_all(&plan.spec, wakes)
    }

    fn sink(&self, _station: usize, plan: &SinkPlan) -> Result<Writers, ConnectorError> {
        let sink = plan.spec.open(plan.schema.clone(), false)?;
        Ok(Box::new(move |worker| sink.writer(worker)))
    }
}

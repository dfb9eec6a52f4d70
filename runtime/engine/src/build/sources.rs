//! Opening sources: each once for all workers, so that they agree on which split is whose.

use std::sync::Arc;

use crossbeam_utils::sync::Unparker;
use tidemill_connectors::{Opened, Wake};
use tidemill_core::clock::SourceClock;

use super::Builder;
use crate::error::EngineError;
use crate::metrics::Counters;
use crate::operator::source::alignment::{Aligned, Alignment};
use crate::operator::source::custom::Custom;
use crate::operator::source::{Source, SourceParts};
use crate::plan::{FunctionPlan, SourcePlan, StationKind};

/// A source that was opened: for each worker what is its own, taken out worker by worker.
pub(super) struct OpenSource {
    shares: std::vec::IntoIter<Opened>,
    alignment: Option<Arc<Alignment>>,
    /// Splits of which a position was kept and that are none any more.
    pub(super) forgotten: Arc<[Arc<str>]>,
}

impl Builder<'_> {
    /// Opens all sources, in the order of their stations.
    pub(super) fn open_sources(&self) -> Result<Vec<OpenSource>, EngineError> {
        let stations = self.plan.stations.iter().enumerate();
        let sources = stations.filter_map(|(index, station)| match &station.kind {
            StationKind::Source(source) => Some((index, source)),
            _ => None,
        });
        sources
            .map(|(index, source)| self.open_source(index, source))
            .collect()
    }

    fn open_source(&self, index: usize, plan: &SourcePlan) -> Result<OpenSource, EngineError> {
        let wake = |unparker: &Unparker| -> Wake {
            let unparker = unparker.clone();
            Arc::new(move || unparker.unpark())
        };
        let wakes: Vec<Wake> = self.unparkers.iter().map(wake).collect();
        let kept = self.positions(index)?;
        let shares = self.ends.source(index, plan, &kept, &wakes);
        let shares = shares.map_err(|source| EngineError::Connector {
            name: format!("source {}", self.plan.stations[index].name),
            source,
        })?;
        let forgotten = shares.first().map(|share| share.forgotten.clone());
        Ok(OpenSource {
            forgotten: forgotten.unwrap_or_default(),
            shares: shares.into_iter(),
            alignment: plan.max_drift.map(|drift| Alignment::new(drift, wakes)),
        })
    }

    pub(super) fn source(
        &self,
        (index, plan): (usize, &SourcePlan),
        (open, worker): (&mut OpenSource, usize),
        counters: Arc<Counters>,
    ) -> Result<Source, EngineError> {
        let custom = plan.custom.as_ref();
        let custom = custom.map(|custom| self.custom(index, custom, counters.clone()));
        let opened = open.shares.next().expect("every worker has a share");
        counters.watch.set_gauge(opened.gauge);
        let aligned = |with: &Arc<Alignment>| Aligned {
            with: with.clone(),
            worker,
        };
        Ok(Source::new(SourceParts {
            clock: SourceClock::new(plan.clock, opened.splits.len()),
            splits: opened.splits,
            names: opened.names,
            later: opened.later,
            aligned: open.alignment.as_ref().map(aligned),
            custom: custom.transpose()?,
            timing: plan.timing.clone(),
            bounded: opened.bounded,
            batch_rows: self.options.batch_rows,
            blame: self.blame(index, None),
            counters,
            profile: self.options.profile,
            is_cut: self.beginning.is_cut,
            at_end: self.beginning.at_end,
        }))
    }

    fn custom(
        &self,
        index: usize,
        function: &FunctionPlan,
        counters: Arc<Counters>,
    ) -> Result<Custom, EngineError> {
        let settings = self.settings(index, function);
        let functions = &self.options.functions;
        let guest = functions.watermark(&function.module, settings);
        Ok(Custom {
            guest: guest.map_err(|source| self.unready(index, source))?,
            inputs: function.inputs.clone(),
            states: Vec::new(),
            talk: self.talk(index),
            blame: self.blame(index, Some(function)),
            counters,
        })
    }
}

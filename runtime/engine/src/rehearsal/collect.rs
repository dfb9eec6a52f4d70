//! Collectors: what stands in place of the sinks, one for every output of every source and operator.

use std::sync::{Arc, Mutex, PoisonError};

use tidemill_connectors::{ConnectorError, Sink, SinkSpec};
use tidemill_rows::Batch;

use super::Came;
use super::order::{self, Causes};
use crate::plan::{Edge, Plan, SinkPlan, Station, StationKind, WorkTime};

/// An output that is collected.
struct Output {
    station: String,
    port: String,
    /// The collector's own station.
    collector: usize,
}

/// What was collected: the output, the worker, the rows.
pub type Collected = Vec<(usize, usize, Batch)>;

/// All collectors of a rehearsal.
pub struct Collectors {
    outputs: Vec<Output>,
    collected: Arc<Mutex<Collected>>,
    /// What made the rows of windows.
    pub causes: Causes,
}

/// The plan with its sinks replaced by collectors; those of what sources give, beside what fails there, only if that is asked
/// for.
pub fn watched(mut plan: Plan, sources_too: bool) -> (Plan, Collectors) {
    let is_sink = |station: &Station| matches!(station.kind, StationKind::Sink(_));
    let kept = plan.stations.iter().take_while(|s| !is_sink(s)).count();
    assert!(
        plan.stations[kept..].iter().all(is_sink),
        "sinks stand behind all that feeds them"
    );
    plan.stations.truncate(kept);
    plan.edges.retain(|edge| edge.to < kept);
    let mut outputs = Vec::new();
    let mut collectors = Vec::new();
    for (from, station) in plan.stations.iter().enumerate() {
        let left_out = !sources_too && matches!(station.kind, StationKind::Source(_));
        for (port, output) in station.ports.iter().enumerate() {
            if left_out && output.name.is_empty() {
                continue;
            }
            let to = kept + outputs.len();
            outputs.push(Output {
                station: station.name.clone(),
                port: output.name.clone(),
                collector: to,
            });
            plan.edges.push(Edge {
                from,
                port,
                to,
                exchange: None,
            });
            let sink = SinkPlan {
                spec: SinkSpec::Blackhole,
                schema: output.schema.clone(),
                changes: false,
            };
            collectors.push(Station {
                name: format!("{}.{}", station.name, output.name),
                kind: StationKind::Sink(sink),
                ports: Vec::new(),
                time: WorkTime::Event,
            });
        }
    }
    plan.stations.extend(collectors);
    let causes = Causes::new(
        plan.stations
            .iter()
            .map(|s| s.name.as_str().into())
            .collect(),
    );
    let collectors = Collectors {
        outputs,
        collected: Arc::default(),
        causes,
    };
    (plan, collectors)
}

impl Collectors {
    /// The output of a collector's station, and where it collects.
    ///
    /// # Panics
    /// If the station is no collector.
    pub fn of(&self, station: usize) -> (usize, Arc<Mutex<Collected>>) {
        let output = self.outputs.iter().position(|o| o.collector == station);
        let output = output.expect("every sink of a rehearsal is a collector");
        (output, self.collected.clone())
    }

    /// What was collected since the last time: by output, each in its order.
    pub fn take(&self) -> Vec<Came> {
        let mut collected = self
            .collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut batches = std::mem::take(&mut *collected);
        batches.sort_by_key(|(output, worker, _)| (*output, *worker));
        let mut came = Vec::new();
        for of_output in batches.chunk_by(|(a, ..), (b, ..)| a == b) {
            let Output { station, port, .. } = &self.outputs[of_output[0].0];
            let batches: Vec<&Batch> = of_output.iter().map(|(_, _, batch)| batch).collect();
            for (batch, row) in order::ordered(&batches, &self.causes) {
                came.push(Came {
                    station: station.clone(),
                    port: port.clone(),
                    row: batch.columns.slice(row, 1),
                    time: batch.times.times[row],
                    stamp: batch.times.stamps[row],
                    change: batch.changes.as_ref().map(|changes| changes[row]),
                });
            }
        }
        came
    }
}

/// A worker's hand on a collector.
pub struct Collector {
    /// The output and the worker.
    of: (usize, usize),
    into: Arc<Mutex<Collected>>,
}

impl Collector {
    /// Collects what a worker gives at an output.
    pub fn new(of: (usize, usize), into: Arc<Mutex<Collected>>) -> Self {
        Self { of, into }
    }
}

impl Sink for Collector {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        let (output, worker) = self.of;
        let mut into = self.into.lock().unwrap_or_else(PoisonError::into_inner);
        into.push((output, worker, batch.clone()));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), ConnectorError> {
        Ok(())
    }
}

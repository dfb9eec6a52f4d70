//! What sources and sinks must be where checkpoints are taken, and what is promised of them.

use anyhow::anyhow;
use tidemill_connectors::{Guarantee, SinkSpec, SourceSpec};
use tidemill_engine::Plan;
use tidemill_engine::checkpoint::kafka;
use tidemill_engine::plan::StationKind;

use crate::error::Failure;

/// Refuses a pipeline that can take no checkpoints. What is worth saying of one that can.
///
/// # Errors
/// If a sink would never be whole.
pub fn check(plan: &Plan) -> Result<Vec<String>, Failure> {
    let live = |kind: &StationKind| matches!(kind, StationKind::Source(s) if !s.spec.bounded());
    let live = plan.stations.iter().find(|station| live(&station.kind));
    let mut notes = Vec::new();
    for station in &plan.stations {
        match &station.kind {
            StationKind::Sink(sink) if sink.spec.needs_an_end() => {
                if let Some(source) = live {
                    let error = anyhow!(
                        "sink {} writes one file, whole at the end, and source {} has none",
                        station.name,
                        source.name
                    );
                    let hint = "`folder = \"…\"` publishes parts, each with a checkpoint";
                    return Err(Failure::wrong(error).hint(hint));
                }
            }
            StationKind::Source(source) if matches!(source.spec, SourceSpec::Stdin(_)) => {
                notes.push(format!(
                    "source {} reads standard input, which gives nothing twice: after a crash what it had read is lost",
                    station.name
                ));
            }
            _ => {}
        }
    }
    Ok(notes)
}

/// How often the rows of each sink are published, and why.
pub fn guarantees(plan: &Plan, makes_checkpoints: bool) -> Vec<String> {
    let is_stdin = |kind: &StationKind| match kind {
        StationKind::Source(source) => matches!(source.spec, SourceSpec::Stdin(_)),
        _ => false,
    };
    let stdin = plan.stations.iter().find(|station| is_stdin(&station.kind));
    let deciding = kafka::deciding(plan);
    let of_sink = |(name, sink): (&str, &SinkSpec)| {
        let elsewhere = matches!((sink, deciding), (SinkSpec::Kafka(sink), Some(first)) if sink.client.brokers != first.client.brokers);
        let guarantee = match sink.guarantee() {
            Guarantee::ExactlyOnce if elsewhere => Guarantee::AtLeastOnce,
            guarantee => guarantee,
        };
        let why = match guarantee {
            Guarantee::Nothing => return None,
            _ if !makes_checkpoints => {
                return Some(format!(
                    "sink {name}: no guarantee: without `[checkpoints]` a run that was stopped begins anew"
                ));
            }
            Guarantee::ExactlyOnce if sink.needs_an_end() => {
                "the file comes to stand in its place with the last checkpoint"
            }
            Guarantee::ExactlyOnce if matches!(sink, SinkSpec::Kafka(_)) => {
                "rows become visible to readers of committed records with checkpoints"
            }
            Guarantee::ExactlyOnce => "parts come to stand in their places with checkpoints",
            Guarantee::AtLeastOnce if elsewhere => {
                "another cluster decides about checkpoints; after a crash what came after the last one is written again"
            }
            Guarantee::AtLeastOnce => {
                "after a crash what came after the last checkpoint is written again"
            }
        };
        let but = match stdin {
            Some(source) => format!(
                ", but for rows that source {} had read and not given before a crash: standard input gives nothing twice",
                source.name
            ),
            None => String::new(),
        };
        Some(format!("sink {name}: {}: {why}{but}", guarantee.name()))
    };
    let sinks = plan
        .stations
        .iter()
        .filter_map(|station| match &station.kind {
            StationKind::Sink(sink) => Some((station.name.as_str(), &sink.spec)),
            _ => None,
        });
    sinks.filter_map(of_sink).collect()
}

/// Whether the pipeline publishes output with its checkpoints.
pub fn publishes(plan: &Plan) -> bool {
    plan.stations.iter().any(|station| match &station.kind {
        StationKind::Sink(sink) => sink.spec.guarantee() == Guarantee::ExactlyOnce,
        _ => false,
    })
}

//! The planner's memory: stations planned so far, and finding what an input names.

use arrow_schema::SchemaRef;
use tidemill_pipeline::nearest::nearest;
use tidemill_pipeline::{Diagnostics, Input, Pipeline};

use super::modules::Loaded;
use super::{Edge, Inputs, Port, Station, StationKind, WorkTime};
use crate::exchange::Partitioning;

/// Stations planned so far. Of a station that is not there nothing is known, so what depends on it says nothing.
pub struct Planner<'a> {
    /// The file.
    pub pipeline: &'a Pipeline,
    /// Sources and operators that could not be read whole, by name.
    pub unsound: &'a [String],
    /// Its modules, in its order.
    pub modules: &'a [Loaded],
    /// What is wrong.
    pub diagnostics: &'a mut Diagnostics,
    /// How many workers.
    pub workers: usize,
    /// Whether what sources read is looked for.
    pub reads: Inputs,
    /// Planned stations.
    pub stations: Vec<Planned>,
    /// Who feeds whom.
    pub edges: Vec<Edge>,
}

/// A station as far as it could be planned: where it cannot run, its outputs may still be known, and what takes them is
/// held against them.
#[derive(Debug)]
pub struct Planned {
    /// Its name in the pipeline file.
    pub name: String,
    /// What it does; nothing where something is wrong with it, which was said.
    pub kind: Option<StationKind>,
    /// What it gives.
    pub ports: Vec<Port>,
    /// Which time it works in.
    pub time: WorkTime,
}

impl Planned {
    /// The station, if it can run.
    pub fn station(self) -> Option<Station> {
        let Self {
            name,
            kind,
            ports,
            time,
        } = self;
        kind.map(|kind| Station {
            name,
            kind,
            ports,
            time,
        })
    }
}

/// One input of a station, found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Index of the station that sends.
    pub station: usize,
    /// Which of its outputs.
    pub port: usize,
    /// That output.
    pub output: Port,
}

impl Planner<'_> {
    /// Whether all that the file says of a source or an operator could be read.
    pub fn is_sound(&self, name: &str) -> bool {
        self.unsound.iter().all(|unsound| unsound != name)
    }

    /// Finds all inputs of a station and the one schema that they share. Nothing if that failed, here or before.
    pub fn inputs(&mut self, inputs: &[Input]) -> Option<(Vec<Found>, SchemaRef)> {
        let found: Vec<Option<Found>> = inputs.iter().map(|input| self.find(input)).collect();
        let found: Vec<Found> = found.into_iter().collect::<Option<_>>()?;
        let schema = found.first()?.output.schema.clone();
        for (other, input) in found.iter().zip(inputs).skip(1) {
            if other.output.schema.fields() != schema.fields() {
                self.diagnostics
                    .error(&input.span, format!("{input} has other columns than {}", inputs[0]))
                    .label(format!(
                        "expected ({}), found ({})",
                        columns_of(&schema),
                        columns_of(&other.output.schema)
                    ))
                    .help("the inputs of a list are one stream: they need the same columns in the same order");
                return None;
            }
        }
        Some((found, schema))
    }

    fn find(&mut self, input: &Input) -> Option<Found> {
        let index = self
            .stations
            .iter()
            .position(|station| station.name == input.name)?;
        let station = &self.stations[index];
        let side = input.side.as_deref().unwrap_or_default();
        if let Some(port) = station.ports.iter().position(|port| port.name == side) {
            return Some(Found {
                station: index,
                port,
                output: station.ports[port].clone(),
            });
        }
        let names: Vec<&str> = station
            .ports
            .iter()
            .map(|port| port.name.as_str())
            .filter(|n| !n.is_empty())
            .collect();
        let help = match nearest(side, names.iter().copied()) {
            Some(name) => format!("did you mean {}.{name}?", input.name),
            None => format!("{} has: {}", input.name, list(&names, &input.name)),
        };
        self.diagnostics
            .error(&input.span, format!("{} has no output {side}", input.name))
            .label("no such output")
            .help(help);
        None
    }

    /// Adds a station and the edges that lead to it; `partitioning` says how it wants rows spread.
    pub fn add(&mut self, station: Planned, inputs: &[Found], partitioning: Option<&Wanted>) {
        let to = self.stations.len();
        for input in inputs {
            let exchange = partitioning
                .filter(|_| self.workers > 1)
                .and_then(|wanted| {
                    let there = input.output.partitioned.as_ref() == Some(&wanted.columns);
                    (!there || wanted.columns.is_empty()).then(|| wanted.partitioning.clone())
                });
            let (from, port) = (input.station, input.port);
            self.edges.push(Edge {
                from,
                port,
                to,
                exchange,
            });
        }
        self.stations.push(station);
    }
}

/// How a station wants rows spread over the workers.
pub struct Wanted {
    /// The columns' names; none: all rows go to one worker.
    pub columns: Vec<String>,
    /// The same for the exchange.
    pub partitioning: Partitioning,
}

/// Columns as people write them: `account: text, amount: float?`.
pub fn columns_of(schema: &SchemaRef) -> String {
    let column = |field: &arrow_schema::FieldRef| {
        format!(
            "{}: {}",
            field.name(),
            tidemill_rows::LogicalType::word(field)
        )
    };
    schema
        .fields()
        .iter()
        .map(column)
        .collect::<Vec<_>>()
        .join(", ")
}

fn list(sides: &[&str], name: &str) -> String {
    let all: Vec<String> = sides.iter().map(|side| format!("{name}.{side}")).collect();
    all.join(", ")
}

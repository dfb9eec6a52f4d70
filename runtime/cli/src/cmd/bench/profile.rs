//! Where the time of a run goes: decode, source, exchange, guest, and what the host does around them.
//!
//! One more run, with clocks read once per batch around each part. Sinks make the text that they would write, and write
//! it nowhere.

mod clocked;

use std::sync::Arc;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tidemill_connectors::{Encoding, SinkSpec, ValueFormat};
use tidemill_engine::plan::StationKind;
use tidemill_engine::{EngineError, Options, Plan, Summary};

use self::clocked::Clocked;

/// A part of the work.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What is done: `decode`, `source`, `exchange`, `guest`, `transform`, `window`, `sink`.
    pub what: &'static str,
    /// For whom: a source, an operator, a sink.
    pub station: String,
    /// How long, over all workers.
    pub ns: u64,
}

/// Where the time went.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The parts, in the order of the pipeline.
    pub parts: Vec<Part>,
    /// How many rows were read.
    pub rows: u64,
}

/// Puts in place of every sink of a plan one that encodes as that would and writes nothing. `sinks` are what they were.
pub fn encode_only(plan: &mut Plan, sinks: Vec<SinkSpec>) {
    let mut sinks = sinks.into_iter();
    for station in &mut plan.stations {
        if let StationKind::Sink(sink) = &mut station.kind {
            let Some(spec) = sinks.next() else { continue };
            let format = match &spec {
                SinkSpec::Stdout { format } | SinkSpec::File { format, .. } => *format,
                SinkSpec::Folder(folder) => folder.format,
                SinkSpec::Kafka(kafka) => match kafka.format {
                    ValueFormat::Json => Encoding::Json,
                    ValueFormat::Csv { delimiter } => Encoding::Csv { delimiter },
                    // Its schema may be a registry's, which has no part in a benchmark.
                    ValueFormat::Avro(_) | ValueFormat::Protobuf(_) => continue,
                },
                SinkSpec::Encoded { .. } | SinkSpec::Blackhole => continue,
            };
            // A table keeps all its rows until the end, which is not what a long run would do.
            let format = match format {
                Encoding::Table => Encoding::Json,
                format => format,
            };
            sink.spec = SinkSpec::Encoded { format };
        }
    }
}

/// Runs a plan once more, with clocks.
///
/// # Errors
/// As any run.
pub fn measure(
    plan: &Plan,
    mut options: Options,
    rows: impl Fn(&Summary) -> u64,
) -> Result<Profile, EngineError> {
    let clocked = Arc::new(Clocked::default());
    options.functions = clocked.clone();
    options.profile = true;
    let summary = tidemill_engine::start(plan, &options)?.wait()?;
    Ok(Profile {
        rows: rows(&summary),
        parts: parts(plan, &summary, &clocked),
    })
}

fn parts(plan: &Plan, summary: &Summary, clocked: &Clocked) -> Vec<Part> {
    let mut parts = Vec::new();
    for (station, totals) in plan.stations.iter().zip(&summary.totals) {
        let mut part = |what, ns| {
            parts.push(Part {
                what,
                station: station.name.clone(),
                ns,
            });
        };
        if totals.exchange_ns > 0 {
            part("exchange", totals.exchange_ns);
        }
        let guest = clocked.ns(&station.name);
        let host = totals.busy_ns.saturating_sub(guest);
        match &station.kind {
            StationKind::Source(_) => {
                part("decode", totals.decode_ns);
                part("source", totals.busy_ns.saturating_sub(totals.decode_ns));
            }
            StationKind::Transform(_) => {
                part("guest", guest);
                part("transform", host);
            }
            StationKind::Window(_) => {
                part("guest", guest);
                part("window", host);
            }
            StationKind::Process(_) => {
                part("guest", guest);
                part("process", host);
            }
            StationKind::Sink(_) => part("sink", totals.busy_ns),
        }
    }
    parts
}

impl Profile {
    fn total(&self) -> u64 {
        self.parts.iter().map(|part| part.ns).sum()
    }

    /// A part's share of all, in percent.
    fn percent(&self, part: &Part) -> f64 {
        part.ns as f64 * 100.0 / self.total().max(1) as f64
    }

    /// Nanoseconds for each row that was read.
    fn per_row(&self, ns: u64) -> f64 {
        ns as f64 / self.rows.max(1) as f64
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["part", "of", "ns/row", "%"]);
        for part in &self.parts {
            table.add_row([
                part.what.to_owned(),
                part.station.clone(),
                format!("{:.1}", self.per_row(part.ns)),
                format!("{:.1}", self.percent(part)),
            ]);
        }
        let total = format!("{:.1}", self.per_row(self.total()));
        table.add_row(["all".to_owned(), String::new(), total, "100.0".to_owned()]);
        for column in [2, 3] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let lines: Vec<String> = table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let part = |part: &Part| {
            json!({
                "part": part.what, "of": part.station, "ns": part.ns,
                "ns_per_row": self.per_row(part.ns), "percent": self.percent(part),
            })
        };
        json!({ "rows": self.rows, "parts": self.parts.iter().map(part).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        let part = |what, ns| Part {
            what,
            station: "payments".to_owned(),
            ns,
        };
        let profile = Profile {
            rows: 10,
            parts: vec![part("decode", 300), part("source", 100)],
        };
        assert_eq!(profile.per_row(profile.total()), 40.0);
        let percents: Vec<f64> = profile.parts.iter().map(|p| profile.percent(p)).collect();
        assert_eq!(percents, [75.0, 25.0]);
        let text = profile.text();
        assert!(text.contains("decode  payments    30.0   75.0"), "{text}");
    }
}

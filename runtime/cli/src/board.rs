//! What progress and summaries show of each station: its kind, its counters, its watermark and how far that lags.

use std::time::Duration;

use serde_json::{Value, json};
use tidemill_connectors::SourceSpec;
use tidemill_core::clock::{Strategy, WhenIdle};
use tidemill_core::time;
use tidemill_engine::Totals;
use tidemill_engine::plan::{Plan, SourcePlan, StationKind, WorkTime};
use tidemill_rows::time_text::rfc3339;

use crate::clocks::now;
use crate::figures::per_second;

/// What is known of each station before the run, in the order of the plan.
#[derive(Clone, Debug)]
pub struct Board {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stations.
    pub stations: Vec<Station>,
}

/// What a station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reads rows.
    Source,
    /// Filters, maps.
    Transform,
    /// Aggregates windows.
    Window,
    /// Keeps state and timers per key.
    Process,
    /// Writes rows.
    Sink,
}

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Transform => "transform",
            Self::Window => "window",
            Self::Process => "process",
            Self::Sink => "sink",
        }
    }
}

/// One station.
#[derive(Clone, Debug)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The sources upstream, as indices; a source is its own.
    sources: Vec<usize>,
    /// Whether rows come as they happen, so that its watermark is held against the clock.
    live: bool,
    /// Why no rows are added up before they cross to another worker, where they do cross.
    alone: Option<&'static str>,
    /// Of a source: how its watermark is made.
    pub rules: Option<Rules>,
}

/// What lets the watermark of a source rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether its splits end.
    pub ends: bool,
    /// Whether there is no watermark before the end.
    pub never: bool,
    /// The silence after which a split is given up, in microseconds.
    pub idle_timeout: Option<i64>,
    /// Whether the watermark follows the clock while all splits are idle.
    pub advances: bool,
}

impl Rules {
    fn of(source: &SourcePlan) -> Self {
        Self {
            ends: source.clock.bounded || matches!(source.spec, SourceSpec::Stdin(_)),
            never: source.clock.strategy == Strategy::None,
            idle_timeout: source.clock.idle_timeout,
            advances: source.clock.when_idle == WhenIdle::Advance,
        }
    }
}

impl Board {
    /// The stations of a plan.
    pub fn new(plan: &Plan) -> Self {
        let mut stations: Vec<Station> = Vec::with_capacity(plan.stations.len());
        for (index, station) in plan.stations.iter().enumerate() {
            let upstream = plan
                .edges
                .iter()
                .filter(|edge| edge.to == index)
                .map(|edge| edge.from);
            let upstream: Vec<usize> = upstream.filter(|&from| from < index).collect();
            let (kind, own) = match &station.kind {
                StationKind::Source(source) => (Kind::Source, Some(is_live(&source.spec))),
                StationKind::Transform(_) => (Kind::Transform, None),
                StationKind::Window(_) => (Kind::Window, None),
                StationKind::Process(_) => (Kind::Process, None),
                StationKind::Sink(_) => (Kind::Sink, None),
            };
            let mut sources: Vec<usize> = match own {
                Some(_) => vec![index],
                None => upstream
                    .iter()
                    .flat_map(|&from| stations[from].sources.clone())
                    .collect(),
            };
            sources.sort_unstable();
            sources.dedup();
            let mut live = own.unwrap_or_else(|| upstream.iter().any(|&from| stations[from].live));
            if station.time == WorkTime::Processing {
                // Its time is the clock, whatever that of its sources.
                (sources, live) = (Vec::new(), true);
            }
            let rules = match &station.kind {
                StationKind::Source(source) => Some(Rules::of(source)),
                _ => None,
            };
            stations.push(Station {
                name: station.name.clone(),
                kind,
                sources,
                live,
                alone: plan.combining(index).and_then(Result::err),
                rules,
            });
        }
        Self {
            pipeline: plan.name.clone(),
            stations,
        }
    }

    /// The stations with their counters.
    pub fn with<'a>(
        &'a self,
        totals: &'a [Totals],
    ) -> impl Iterator<Item = (&'a Station, &'a Totals)> {
        self.stations.iter().zip(totals)
    }

    /// Rows that all sources have read.
    pub fn rows_read(&self, totals: &[Totals]) -> u64 {
        self.with(totals)
            .filter(|(station, _)| station.is_source())
            .map(|(_, t)| t.rows_in)
            .sum()
    }
}

/// Whether rows come as they happen. A generator's never do, also where it goes on for ever.
fn is_live(spec: &SourceSpec) -> bool {
    match spec {
        SourceSpec::Files(files) => files.follow,
        SourceSpec::Stdin(_) => true,
        SourceSpec::Kafka(kafka) => kafka.until.is_none(),
        SourceSpec::Nexmark(_) | SourceSpec::Datagen(_) => false,
    }
}

impl Station {
    /// Whether it is a source.
    pub fn is_source(&self) -> bool {
        self.kind == Kind::Source
    }

    /// Whether windows fire there.
    pub fn fires(&self) -> bool {
        self.kind == Kind::Window
    }

    /// Whether its time is that of rows of this source.
    pub fn reads(&self, source: usize) -> bool {
        self.sources.contains(&source)
    }

    /// Why no rows are added up before they cross to another worker, where they do cross.
    pub fn alone(&self) -> Option<&'static str> {
        self.alone
    }

    /// How far the watermark lags, in microseconds: behind the clock where rows come as they happen, else behind the
    /// largest event time read.
    pub fn lag(&self, own: &Totals, all: &[Totals], now: i64) -> Option<i64> {
        let largest = || self.sources.iter().map(|&source| all[source].largest).max();
        let against = if self.live {
            now
        } else {
            largest().filter(|&t| t != time::MIN)?
        };
        let known = own.watermark != time::MIN && own.watermark != time::MAX;
        known.then(|| against.saturating_sub(own.watermark).max(0))
    }

    /// The station's figures for programs; `rows` is what it took since `time` ago.
    pub fn event(&self, own: &Totals, all: &[Totals], (rows, time): (u64, Duration)) -> Value {
        let lag = self.lag(own, all, now());
        json!({
            "name": self.name, "kind": self.kind.word(),
            "rows_in": own.rows_in, "rows_out": own.rows_out, "filtered": own.filtered,
            "late": own.late, "behind": own.behind, "in_gaps": own.in_gaps,
            "windows_missed": own.windows_missed, "never_sent": own.never_sent, "null_keys": own.null_keys,
            "failed": own.failed, "failed_results": own.failed_results, "timers_dropped": own.timers_dropped, "keys": own.keys,
            "watermark": lag.map(|_| rfc3339(own.watermark).to_string()),
            "lag_ms": lag.map(|us| us / 1000),
            "busy_s": own.busy_ns as f64 / 1e9,
            "rows_per_s": per_second(rows, time).round(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_behind_the_clock_or_behind_the_largest_time() {
        let station = |live, sources: &[usize]| Station {
            name: "s".to_owned(),
            kind: Kind::Window,
            sources: sources.to_vec(),
            live,
            alone: None,
            rules: None,
        };
        let totals = |watermark, largest| Totals {
            watermark,
            largest,
            ..Totals::default()
        };
        let all = [
            totals(40, 50),
            totals(time::MIN, 70),
            totals(time::MIN, time::MIN),
        ];
        let cases = [
            // Live, its sources, its watermark, the lag at 100.
            (true, vec![0], 40, Some(60)),
            (true, vec![0], 140, Some(0)),
            (false, vec![0], 40, Some(10)),
            (false, vec![0, 1], 40, Some(30)),
            (false, vec![2], 40, None),
            (true, vec![0], time::MIN, None),
            (false, vec![0], time::MAX, None),
        ];
        for (live, sources, watermark, lag) in cases {
            let own = totals(watermark, time::MIN);
            assert_eq!(
                station(live, &sources).lag(&own, &all, 100),
                lag,
                "{live} {sources:?}"
            );
        }
    }
}

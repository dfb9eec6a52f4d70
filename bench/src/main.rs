//! `make bench`: measures what Tidemill promises, prints a table, writes `target/bench.json`.
//!
//! Rules: a rate is rows per CPU-second (user and system, all threads of the process) with one worker, the median of five
//! runs; ratios between worker counts are wall-clock. Deadlines are on. `native_ratio` is the time with the function in the
//! sandbox over the time with the same function compiled into this bench, in the same run.

mod bad_rows;
mod boundary;
mod checkpoints;
mod decode;
mod figure;
mod kafka;
mod learn;
mod native;
mod neighbour;
mod pipelines;
mod process;
mod settings;
mod state;
mod usage;
mod values;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::figure::Figure;

/// How often each figure is measured; the median counts.
pub const RUNS: usize = 5;

/// Where things are.
pub struct Places {
    /// The checkout.
    pub checkout: PathBuf,
    /// The module of the bench's functions.
    pub module: PathBuf,
    /// The `tidemill` command.
    pub command: PathBuf,
}

/// One group of figures.
type Group = (&'static str, fn(&Places) -> Result<Vec<Figure>>);

const GROUPS: &[Group] = &[
    ("boundary", boundary::measure),
    ("json-decode", decode::measure),
    ("avro-decode", values::measure),
    ("json-filter", pipelines::json_filter),
    ("json-tumble", pipelines::json_tumble),
    ("gen-tumble", pipelines::gen_tumble),
    ("gen-hop", pipelines::gen_hop),
    ("gen-hop-100", pipelines::gen_hop_100),
    ("gen-slide", pipelines::gen_slide),
    ("gen-session", pipelines::gen_session),
    ("gen-session-1m", pipelines::gen_session_1m),
    ("state-memory", state::memory),
    ("state-overhead", state::overhead),
    ("checkpoint-incremental", checkpoints::incremental),
    ("checkpoint-cost", checkpoints::cost),
    ("recover", checkpoints::recovery),
    ("state-rocksdb-cached", state::rocksdb_cached),
    ("state-rocksdb-spill", state::rocksdb_spill),
    ("state-budget", state::budget),
    ("gen-tumble-two-workers", pipelines::two_workers),
    ("gen-hot-key", pipelines::hot_key),
    ("loop-neighbour", neighbour::loop_neighbour),
    ("bad-rows", bad_rows::measure),
    ("lone-row", process::lone_row),
    ("start", process::start),
    ("idle-memory", process::idle_memory),
];

/// Those of a real Kafka, which are measured when they are named: `make bench-kafka`. All their names begin with `kafka-`.
const KAFKA: &[Group] = &[
    ("kafka-filter", kafka::filter),
    ("kafka-tumble", kafka::tumble),
    ("kafka-exactly-once", kafka::exactly_once),
    ("kafka-latency", kafka::latency),
    ("kafka-latency-eo", kafka::latency_exactly_once),
    ("kafka-takeover", kafka::takeover),
];

fn main() -> Result<()> {
    settings::as_the_command();
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let places = places()?;
    let mut figures: Vec<Figure> = Vec::new();
    let named = |name: &str| {
        wanted
            .iter()
            .any(|wanted| name.starts_with(wanted.as_str()))
    };
    let groups = GROUPS.iter().map(|group| (group, wanted.is_empty()));
    for ((name, measure), always) in groups.chain(KAFKA.iter().map(|group| (group, false))) {
        if always || named(name) {
            let measured = measure(&places).with_context(|| format!("measuring {name}"))?;
            measured.iter().for_each(figure::print);
            figures.extend(measured);
        }
    }
    let path = places.checkout.join("target/bench.json");
    let stays = |name: &str| !wanted.is_empty() || name.starts_with("kafka-");
    figure::write(&path, &figures, stays).with_context(|| format!("writing {}", path.display()))
}

fn places() -> Result<Places> {
    let var = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .with_context(|| format!("{name} is not set: run `make bench`"))
    };
    Ok(Places {
        checkout: var("TIDEMILL_CHECKOUT")?,
        module: var("TIDEMILL_BENCH_MODULE")?,
        command: var("TIDEMILL_COMMAND")?,
    })
}

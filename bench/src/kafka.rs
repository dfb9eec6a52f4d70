//! Figures of Kafka: a real broker beside the bench, topics filled before, clients included in what is measured.
//!
//! Rates are rows per CPU-second of the process that runs the pipeline, with all threads of its client; the broker and what fills
//! topics are processes and threads of others. Latencies run from the moment when a row was due at the producer.

mod cluster;
mod exactly_once;
mod latency;
mod takeover;

use anyhow::Result;

use self::cluster::Cluster;
use crate::Places;
use crate::figure::{Figure, Limit};
use crate::pipelines::{of_rate, pipeline, plan_of, sandboxed};

pub use self::exactly_once::measure as exactly_once;
pub use self::latency::{at_least_once as latency, exactly_once as latency_exactly_once};
pub use self::takeover::measure as takeover;

/// A filter, from a topic.
pub fn filter(places: &Places) -> Result<Vec<Figure>> {
    rate(places, ("kafka-filter", "json-filter"), 1e6)
}

/// A keyed count, from a topic.
pub fn tumble(places: &Places) -> Result<Vec<Figure>> {
    rate(places, ("kafka-tumble", "json-tumble"), 8e5)
}

/// The rate of a pipeline that has a file as its source, with a topic in its place.
fn rate(places: &Places, (name, of_file): (&'static str, &str), least: f64) -> Result<Vec<Figure>> {
    let cluster = Cluster::start()?;
    let topic = cluster.bids(places)?;
    let text = pipeline(places, of_file)?;
    let text = text.replace(
        "files = \"bids.jsonl\"",
        &cluster.source(&topic, "until = \"now\""),
    );
    let plan = plan_of(places, name, &text, 1)?;
    let rate = sandboxed(&plan)?;
    Ok(vec![of_rate(name, rate, Limit::Least(least))])
}

//! What output that is exact costs: a filter from a topic to a topic, in transactions, against the same without.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::cluster::{Cluster, PARTITIONS};
use crate::figure::{Figure, Limit, median};
use crate::pipelines::pipeline;
use crate::process::folder_of;
use crate::usage::children_cpu;
use crate::{Places, RUNS};

/// Rows per CPU-second with transactions, as a share of that without, in turns.
pub fn measure(places: &Places) -> Result<Vec<Figure>> {
    let cluster = Cluster::start()?;
    let topic = cluster.bids(places)?;
    let mut rates = [Vec::new(), Vec::new()];
    let mut walls = Vec::new();
    for run in 0..RUNS {
        for (guarantee, rates) in ["at-least-once", "exactly-once"].iter().zip(&mut rates) {
            let target = format!("{guarantee}-{run}");
            cluster.topic(&target, PARTITIONS)?;
            let text = text(places, &cluster, (&topic, &target), guarantee)?;
            let (cpu, wall) = run_of(places, &text)?;
            rates.push(ROWS / cpu);
            walls.push(wall);
        }
    }
    let [without, with] = rates.map(median);
    let note = format!(
        "{:.2} M rows/s, {:.2} M without transactions; {:.1} s each",
        with / 1e6,
        without / 1e6,
        median(walls)
    );
    Ok(vec![Figure {
        name: "kafka-exactly-once",
        value: 100.0 * with / without,
        unit: "percent",
        rate: Some(with),
        native_ratio: None,
        limit: Limit::Least(90.0),
        note,
    }])
}

/// Rows of the topic.
const ROWS: f64 = 3e6;

/// A filter that passes a tenth of the rows on, with a checkpoint a second. It looks at prices, whose last digits are spread evenly: half of all
/// bids are on auctions whose numbers are round.
fn text(
    places: &Places,
    cluster: &Cluster,
    (from, to): (&str, &str),
    guarantee: &str,
) -> Result<String> {
    let sink = format!(
        "kafka = {{ brokers = \"{}\", topic = \"{to}\", guarantee = \"{guarantee}\" }}\nformat = \"json\"\n\n\
         [checkpoints]\ninterval = \"1s\"\n",
        cluster.address()
    );
    let text = pipeline(places, "json-filter")?
        .replace("name = \"json-filter\"", &format!("name = \"{to}\""))
        .replace(
            "files = \"bids.jsonl\"",
            &cluster.source(from, "until = \"now\""),
        )
        .replace("n = 123", "n = 10")
        .replace("path = \"bid.auction\"", "path = \"bid.PRICE\"")
        .replace("path = \"bid.price\"", "path = \"bid.auction\"")
        .replace("bid.PRICE", "bid.price")
        .replace("blackhole = {}\n", &sink);
    Ok(text)
}

/// CPU and wall-clock seconds of the command, from its start to its end.
fn run_of(places: &Places, text: &str) -> Result<(f64, f64)> {
    let folder = folder_of(places, text)?;
    let (began, before) = (Instant::now(), children_cpu());
    let ended = Command::new(&places.command)
        .args(["run", "--workers", "1", "pipeline.toml"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", places.command.display()))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "the run failed: {said}");
    Ok((children_cpu() - before, began.elapsed().as_secs_f64()))
}

//! How late a row is: from the moment when it was due at the producer until a consumer has its result.
//!
//! A row that the producer could not send in time counts from when it was due: whoever waits does not wait less because of that.

use std::fmt::Write;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::cluster::{Cluster, PARTITIONS, send};
use crate::Places;
use crate::figure::{Figure, Limit};
use crate::process::folder_of;

/// Rows a second.
const RATE: u64 = 20_000;

/// How long rows are produced, and from when on they are counted: before that caches fill and compilers work.
const LONG: Duration = Duration::from_secs(20);
const WARM: Duration = Duration::from_secs(5);

const PIPELINE: &str = r#"
name = "NAME"

[sources.rows]
SOURCE
format = "json"

[sources.rows.columns]
auction = "integer"
due_us = "integer"

[operators.every]
input = "rows"
function = "functions.wasm/every-nth"
config = { n = 1 }

[sinks.out]
input = "every"
format = "json"
kafka = { brokers = "ADDRESS", topic = "NAME", guarantee = "GUARANTEE" }

[checkpoints]
interval = "INTERVAL"
min-pause = "0s"
"#;

/// Without transactions.
pub fn at_least_once(places: &Places) -> Result<Vec<Figure>> {
    let cluster = Cluster::start()?;
    let late = measure(places, &cluster, ("at-least-once", "1s"))?;
    let figure = |name, value, most| {
        let most = Limit::Most(most);
        Figure::plain(name, (value, "ms"), most, late.note())
    };
    Ok(vec![
        figure("kafka-latency-p50", late.at(0.5), 5.0),
        figure("kafka-latency", late.at(0.99), 20.0),
    ])
}

/// In transactions, which checkpoints commit.
pub fn exactly_once(places: &Places) -> Result<Vec<Figure>> {
    let cluster = Cluster::start()?;
    let figure = |name, (interval, ms): (&str, f64)| -> Result<Figure> {
        let late = measure(places, &cluster, ("exactly-once", interval))?;
        let most = Limit::Most(ms + 50.0);
        let value = (late.at(0.99), "ms");
        Ok(Figure::plain(name, value, most, late.note()))
    };
    Ok(vec![
        figure("kafka-latency-eo", ("1s", 1000.0))?,
        figure("kafka-latency-eo-100ms", ("100ms", 100.0))?,
    ])
}

/// How late rows were, in milliseconds, in order.
struct Late(Vec<f64>);

impl Late {
    fn at(&self, share: f64) -> f64 {
        let last = self.0.len() - 1;
        self.0[(last as f64 * share) as usize]
    }

    fn note(&self) -> String {
        format!(
            "p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms, {} rows",
            self.at(0.5),
            self.at(0.99),
            self.at(1.0),
            self.0.len()
        )
    }
}

fn measure(places: &Places, cluster: &Cluster, how: (&str, &str)) -> Result<Late> {
    let name = format!("{}-{}", how.0, how.1);
    let source = format!("{name}-rows");
    cluster.topic(&source, PARTITIONS)?;
    cluster.topic(&name, PARTITIONS)?;
    let text = PIPELINE
        .replace("SOURCE", &cluster.source(&source, ""))
        .replace("ADDRESS", cluster.address())
        .replace("NAME", &name)
        .replace("GUARANTEE", how.0)
        .replace("INTERVAL", how.1);
    let folder = folder_of(places, &text)?;
    let mut run = Command::new(&places.command)
        .args(["run", "--quiet", "--workers", "1", "pipeline.toml"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("starting {}", places.command.display()))?;
    let consumer = reader(cluster, &name)?;
    let measured = paced(cluster, &source, &consumer);
    let ended = end(&mut run);
    let late = measured?;
    ended?;
    let least = RATE as f64 * (LONG - WARM).as_secs_f64();
    ensure!(
        late.0.len() as f64 == least,
        "{} rows of {least}",
        late.0.len()
    );
    Ok(late)
}

/// Ends a run, which must not have ended by itself.
fn end(run: &mut Child) -> Result<()> {
    let ended = run.try_wait()?;
    run.kill()?;
    run.wait()?;
    ensure!(ended.is_none(), "the run has ended by itself");
    Ok(())
}

/// Produces at an even pace, and reads what comes of it in this thread.
fn paced(cluster: &Cluster, source: &str, consumer: &BaseConsumer) -> Result<Late> {
    let mut config = cluster.client();
    config.set("linger.ms", "1");
    let producer: BaseProducer = config.create()?;
    let began = Instant::now();
    let failed = AtomicBool::new(false);
    scope(|scope| {
        let produced = scope.spawn(|| {
            let done = produce(&producer, source, began);
            failed.store(done.is_err(), Ordering::Relaxed);
            done
        });
        let late = consume(consumer, began, &failed);
        let produced = produced.join();
        produced.map_err(|_| anyhow::anyhow!("the producing thread panicked"))??;
        late
    })
}

fn produce(producer: &BaseProducer, topic: &str, began: Instant) -> Result<()> {
    let rows = RATE * LONG.as_secs();
    let mut row = String::new();
    let mut sent = 0;
    while sent < rows {
        let due = began.elapsed().as_micros() as u64 * RATE / 1_000_000;
        while sent < due.min(rows) {
            row.clear();
            let due_us = sent * 1_000_000 / RATE;
            write!(
                row,
                "{{\"auction\":{sent},\"due_us\":{due_us},\"filler\":\"{:0200}\"}}",
                0
            )?;
            send(
                producer,
                topic,
                (sent % PARTITIONS as u64) as i32,
                row.as_bytes(),
            )?;
            sent += 1;
        }
        producer.poll(Duration::ZERO);
        sleep(Duration::from_micros(500));
    }
    Ok(producer.flush(Duration::from_secs(30))?)
}

fn consume(consumer: &BaseConsumer, began: Instant, failed: &AtomicBool) -> Result<Late> {
    let (rows, warm) = (RATE * LONG.as_secs(), RATE * WARM.as_secs());
    let mut late = Vec::new();
    let mut seen = 0;
    while seen < rows {
        ensure!(began.elapsed() < LONG * 3, "{seen} of {rows} rows came");
        ensure!(!failed.load(Ordering::Relaxed), "producing failed");
        let Some(record) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let now = began.elapsed().as_secs_f64() * 1e3;
        let record = record?;
        let value = record.payload().context("a result has a value")?;
        let row: serde_json::Value = serde_json::from_slice(value)?;
        let due_us = row["due_us"]
            .as_u64()
            .context("a result says when it was due")?;
        seen += 1;
        if due_us >= warm * 1_000_000 / RATE {
            late.push(now - due_us as f64 / 1e3);
        }
    }
    late.sort_by(f64::total_cmp);
    Ok(Late(late))
}

/// Reads what is committed, from now on.
pub fn reader(cluster: &Cluster, topic: &str) -> Result<BaseConsumer> {
    let mut config = cluster.client();
    config
        .set("group.id", "bench")
        .set("enable.auto.commit", "false");
    config.set("isolation.level", "read_committed");
    config.set("fetch.wait.max.ms", "100");
    let consumer: BaseConsumer = config.create()?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    Ok(consumer)
}

//! How long rows wait when one of two processes that share a pipeline is killed: until the other one has taken over, and until the
//! same one is there again under its name.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{scope, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, Producer};
use serde_json::Value;

use super::cluster::{Cluster, PARTITIONS, send};
use super::latency::reader;
use crate::Places;
use crate::figure::{Figure, Limit};
use crate::process::folder_of;

/// After so long without a sign of life a process is taken for dead.
const SESSION: Duration = Duration::from_secs(6);

/// How often each is measured. The longest counts.
const KILLS: u32 = 3;

/// Between two rows of a partition.
const PACE: Duration = Duration::from_millis(2);

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

const PIPELINE: &str = r#"
name = "shared"
instances = "on-one-host"

[sources.rows]
SOURCE
format = "json"

[sources.rows.columns]
auction = "integer"
due_us = "integer"
part = { type = "integer", from = "partition" }

[operators.every]
input = "rows"
function = "functions.wasm/every-nth"
config = { n = 1 }

[sinks.out]
input = "every"
format = "json"
kafka = { brokers = "ADDRESS", topic = "shared-out" }

[checkpoints]
interval = "1s"
min-pause = "0s"
"#;

/// Both figures.
pub fn measure(places: &Places) -> Result<Vec<Figure>> {
    let cluster = Cluster::start()?;
    cluster.topic("shared-in", PARTITIONS)?;
    cluster.topic("shared-out", PARTITIONS)?;
    let session = format!(
        "properties = {{ \"session.timeout.ms\" = \"{}\" }}",
        SESSION.as_millis()
    );
    let text = PIPELINE
        .replace("SOURCE", &cluster.source("shared-in", &session))
        .replace("ADDRESS", cluster.address());
    let folder = folder_of(places, &text)?;
    let done = AtomicBool::new(false);
    let began = Instant::now();
    scope(|scope| {
        let producing = scope.spawn(|| produce(&cluster, began, &done));
        let watch = Watch {
            consumer: reader(&cluster, "shared-out")?,
            began,
        };
        let measured = kills((places, folder.path()), &watch);
        done.store(true, Ordering::Relaxed);
        let produced = producing.join();
        produced.map_err(|_| anyhow!("the producing thread panicked"))??;
        measured
    })
}

fn kills((places, folder): (&Places, &Path), watch: &Watch) -> Result<Vec<Figure>> {
    let (mut restarts, mut takeovers) = (Vec::new(), Vec::new());
    let mut first = Instance::start(places, folder, "a")?;
    first.runs(PARTITIONS as usize)?;
    let mut second = Instance::start(places, folder, "b")?;
    second.runs(PARTITIONS as usize / 2)?;
    watch.rows_of((0..i64::from(PARTITIONS)).collect(), watch.began.elapsed())?;
    for kill in 0..KILLS {
        // Not always at the same moment between two checkpoints.
        sleep(Duration::from_millis(1500 + 370 * u64::from(kill)));
        let (own, killed) = (second.tasks.clone(), watch.began.elapsed());
        second.kill()?;
        second = Instance::start(places, folder, "b")?;
        restarts.push(watch.rows_of(own, killed)? - killed.as_secs_f64());
        second.runs(PARTITIONS as usize / 2)?;
    }
    for kill in 0..KILLS {
        sleep(Duration::from_millis(1500 + 370 * u64::from(kill)));
        let (own, killed) = (second.tasks.clone(), watch.began.elapsed());
        second.kill()?;
        let beyond = watch.rows_of(own, killed)? - killed.as_secs_f64() - SESSION.as_secs_f64();
        takeovers.push(beyond);
        second = Instance::start(places, folder, "b")?;
        second.runs(PARTITIONS as usize / 2)?;
    }
    first.kill()?;
    second.kill()?;
    Ok(vec![
        figure(
            "kafka-takeover",
            &takeovers,
            format!("beyond a session of {} s", SESSION.as_secs()),
        ),
        figure("kafka-restart", &restarts, "under its name".to_owned()),
    ])
}

fn figure(name: &'static str, seconds: &[f64], note: String) -> Figure {
    let longest = seconds.iter().copied().fold(f64::MIN, f64::max);
    let all: Vec<String> = seconds.iter().map(|s| format!("{s:.2}")).collect();
    let note = format!(
        "{note}; the longest of {} s, checkpoints every second",
        all.join(", ")
    );
    Figure::plain(name, (longest, "s"), Limit::Most(3.0), note)
}

/// One of the processes.
struct Instance {
    child: Child,
    said: Receiver<Value>,
    /// What it runs.
    tasks: BTreeSet<i64>,
}

impl Instance {
    fn start(places: &Places, folder: &Path, name: &str) -> Result<Self> {
        let mut child = Command::new(&places.command)
            .args([
                "run",
                "--instance",
                name,
                "--format",
                "json",
                "pipeline.toml",
            ])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", places.command.display()))?;
        let stderr = child.stderr.take().context("standard error is piped")?;
        let (to, said) = channel();
        spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            let events = lines.filter_map(|line| serde_json::from_str(&line).ok());
            events.for_each(|event| _ = to.send(event));
        });
        Ok(Self {
            child,
            said,
            tasks: BTreeSet::new(),
        })
    }

    /// Waits until it runs so many tasks.
    fn runs(&mut self, count: usize) -> Result<()> {
        while self.tasks.len() != count {
            let event = self
                .said
                .recv_timeout(LONG)
                .context("a process says nothing")?;
            if event["event"] == "tasks" {
                let tasks = event["tasks"].as_array().context("a list of tasks")?;
                self.tasks = tasks.iter().filter_map(Value::as_i64).collect();
            }
            ensure!(event["event"] != "error", "a process ended: {event}");
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// Whatever goes wrong, no process is left behind.
impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A consumer of committed rows.
struct Watch {
    consumer: BaseConsumer,
    began: Instant,
}

impl Watch {
    /// When, in seconds, rows of all these partitions had come that were due after a moment.
    fn rows_of(&self, mut partitions: BTreeSet<i64>, after: Duration) -> Result<f64> {
        ensure!(!partitions.is_empty(), "the process ran no task");
        let until = self.began.elapsed() + LONG;
        while self.began.elapsed() < until {
            let Some(record) = self.consumer.poll(Duration::from_millis(20)) else {
                continue;
            };
            let record = record?;
            let row: Value =
                serde_json::from_slice(record.payload().context("a row has a value")?)?;
            let due = row["due_us"]
                .as_u64()
                .context("a row says when it was due")?;
            let part = row["part"].as_i64().context("a row says whose it is")?;
            if u128::from(due) > after.as_micros()
                && partitions.remove(&part)
                && partitions.is_empty()
            {
                return Ok(self.began.elapsed().as_secs_f64());
            }
        }
        bail!("no rows of partitions {partitions:?} came")
    }
}

fn produce(cluster: &Cluster, began: Instant, done: &AtomicBool) -> Result<()> {
    let producer: BaseProducer = cluster.client().set("linger.ms", "1").create()?;
    let mut sent = 0_u64;
    while !done.load(Ordering::Relaxed) {
        let due = began.elapsed().as_micros();
        for partition in 0..PARTITIONS {
            let row = format!("{{\"auction\":{sent},\"due_us\":{due}}}");
            send(&producer, "shared-in", partition, row.as_bytes())?;
            sent += 1;
        }
        producer.poll(Duration::ZERO);
        sleep(PACE);
    }
    Ok(producer.flush(LONG)?)
}

//! Figures of the `tidemill` command as a process: latency, start, memory.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::Places;
use crate::figure::{Figure, Limit, median};

const PIPELINE: &str = r#"
name = "lone"

[sources.bids]
SOURCE
format = "json"
event-time = "time"
out-of-orderness = "1s"

[sources.bids.columns]
auction = "integer"
time = "time"

[operators.every]
input = "bids"
function = "functions.wasm/every-nth"
config = { n = 1 }

[sinks.out]
input = "every"
stdout = {}
format = "json"
"#;

const ROW: &str = "{\"auction\":7,\"time\":\"2026-01-01T00:00:00Z\"}\n";

/// A folder with a pipeline that passes every row on.
fn folder(places: &Places, source: &str) -> Result<tempfile::TempDir> {
    folder_of(places, &PIPELINE.replace("SOURCE", source))
}

/// A folder with a pipeline and the module of the bench's functions.
pub fn folder_of(places: &Places, pipeline: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("pipeline.toml"), pipeline)?;
    fs::copy(&places.module, folder.path().join("functions.wasm"))?;
    Ok(folder)
}

fn command(places: &Places, folder: &Path) -> Result<Child> {
    let child = Command::new(&places.command)
        .args(["run", "--quiet", "--workers", "1", "pipeline.toml"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    child.with_context(|| format!("starting {}", places.command.display()))
}

/// What the kernel tells of a process's memory, in bytes; nothing if the process has ended.
fn told(child: &Child, what: &str) -> Result<Option<f64>> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let told = status.lines().find_map(|line| line.strip_prefix(what));
    let kb = told.and_then(|text| text.trim().strip_suffix(" kB"));
    let kb = kb.map(|kb| kb.trim().parse::<f64>()).transpose()?;
    Ok(kb.map(|kb| kb * 1024.0))
}

/// A run that reads what it makes itself.
pub struct Alone(Child);

impl Alone {
    /// Starts the pipeline of a folder.
    pub fn start(places: &Places, folder: &Path) -> Result<Self> {
        Ok(Self(command(places, folder)?))
    }

    /// Waits for its end. Gives the most memory that was ever resident, in bytes.
    pub fn peak(mut self) -> Result<f64> {
        let mut peak = 0.0;
        loop {
            if let Some(now) = told(&self.0, "VmHWM:")? {
                peak = f64::max(peak, now);
            }
            if let Some(status) = self.0.try_wait()? {
                anyhow::ensure!(status.success(), "the run ended with {status}");
                return Ok(peak);
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// A run that is fed by standard input.
pub struct Fed {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Fed {
    /// Starts the pipeline of a folder.
    pub fn start(places: &Places, folder: &Path) -> Result<Self> {
        let mut child = command(places, folder)?;
        let out = BufReader::new(child.stdout.take().context("standard output is piped")?);
        Ok(Self { child, out })
    }

    /// Sends a row and waits for it to come out.
    fn row(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.send(ROW)?;
        let line = self.line()?;
        anyhow::ensure!(
            line.contains("\"auction\":7"),
            "the row came out as {line:?}"
        );
        Ok(started.elapsed())
    }

    /// Sends lines.
    pub fn send(&mut self, lines: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut();
        let stdin = stdin.context("standard input is piped")?;
        stdin.write_all(lines.as_bytes())?;
        Ok(stdin.flush()?)
    }

    /// Waits for the next line that comes out.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        anyhow::ensure!(self.out.read_line(&mut line)? > 0, "the run ended early");
        Ok(line)
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> Result<f64> {
        told(&self.child, "VmRSS:")?.context("the kernel tells resident memory")
    }

    /// Stops it where it is.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        anyhow::ensure!(self.child.wait()?.success(), "the run failed");
        Ok(())
    }
}

/// A lone row from standard input to standard output: the median of 200, sent 50 ms apart.
pub fn lone_row(places: &Places) -> Result<Vec<Figure>> {
    let folder = folder(places, "stdin = {}")?;
    let mut fed = Fed::start(places, folder.path())?;
    fed.row()?;
    let mut times = Vec::new();
    for _ in 0..200 {
        sleep(Duration::from_millis(50));
        times.push(fed.row()?.as_secs_f64() * 1e3);
    }
    fed.end()?;
    let worst = times.iter().copied().fold(0.0, f64::max);
    let note = format!("slowest of 200: {worst:.2} ms");
    Ok(vec![Figure::plain(
        "lone-row",
        (median(times), "ms"),
        Limit::Most(2.0),
        note,
    )])
}

/// From the start of the process to its first row, the module in the cache: the median of ten.
pub fn start(places: &Places) -> Result<Vec<Figure>> {
    let folder = folder(places, "stdin = {}")?;
    let mut times = Vec::new();
    for _ in 0..11 {
        let started = Instant::now();
        let mut fed = Fed::start(places, folder.path())?;
        fed.row()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        fed.end()?;
    }
    // The first one may have compiled the module.
    let note = format!("with the cache cold: {:.0} ms", times.remove(0));
    Ok(vec![Figure::plain(
        "start",
        (median(times), "ms"),
        Limit::Most(150.0),
        note,
    )])
}

/// Resident memory 5 s after the last of a million rows of a followed file.
pub fn idle_memory(places: &Places) -> Result<Vec<Figure>> {
    let folder = folder(places, "files = { path = \"rows.jsonl\", follow = true }")?;
    fs::write(folder.path().join("rows.jsonl"), ROW.repeat(1_000_000))?;
    let mut fed = Fed::start(places, folder.path())?;
    for _ in 0..1_000_000 {
        fed.line()?;
    }
    sleep(Duration::from_secs(5));
    let bytes = fed.resident()?;
    fed.kill()?;
    let note = "after a million rows".to_owned();
    Ok(vec![Figure::plain(
        "idle-memory",
        (bytes / (1024.0 * 1024.0), "MB"),
        Limit::Most(64.0),
        note,
    )])
}

//! Figures of checkpoints and of going on from them: the command, with many keys, fed by a file that grows.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::Places;
use crate::figure::{Figure, Limit, median};
use crate::learn;
use crate::process::folder_of;

/// Keys with an entry of eleven numbers each: about a gigabyte.
const GIGABYTE: u64 = 10_000_000;

/// One key in so many is given rows after all have had one.
const HOT: u64 = 20;

/// What one row of this key asks for.
const ASKED: u64 = 7 * HOT;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(300);

/// A pipeline with many keys, and the file that feeds it.
struct Fed {
    folder: TempDir,
    file: File,
    keys: u64,
    /// Rows of [`ASKED`] that are in the file, and how often it was asked for.
    rows: u64,
    asked: u64,
}

/// A run of it.
struct Run {
    child: Child,
    out: Receiver<String>,
    /// What it says of checkpoints.
    taken: Receiver<Value>,
}

impl Fed {
    fn new(places: &Places, keys: u64, interval: &str) -> Result<Self> {
        let folder = folder_of(places, &pipeline(interval))?;
        let file = File::create(folder.path().join("rows.jsonl"))?;
        let mut fed = Self {
            folder,
            file,
            keys,
            rows: 0,
            asked: 0,
        };
        fed.write(0..keys, 1)?;
        Ok(fed)
    }

    /// Appends a row for each of these keys, `every` of them apart.
    fn write(&mut self, numbers: std::ops::Range<u64>, every: u64) -> Result<()> {
        let mut lines = String::new();
        for number in numbers {
            let number = number * every % self.keys;
            self.rows += u64::from(number == ASKED);
            learn::row(number, &mut lines);
            if lines.len() > 1 << 20 {
                self.file.write_all(lines.as_bytes())?;
                lines.clear();
            }
        }
        Ok(self.file.write_all(lines.as_bytes())?)
    }

    /// Asks what is known, and waits for the right answer: by then all rows before it are done.
    fn ask(&mut self, run: &Run) -> Result<()> {
        self.file.write_all(learn::question(ASKED).as_bytes())?;
        self.asked += 1;
        let answer = run.out.recv_timeout(LONG).context("the run said nothing")?;
        let answer: Value = serde_json::from_str(&answer)?;
        let (rows, asked) = (self.rows, self.asked);
        ensure!(
            answer["rows"] == rows && answer["asked"] == asked,
            "{rows} rows, asked {asked} times, and it says {answer}"
        );
        Ok(())
    }

    fn start(&self, places: &Places) -> Result<Run> {
        Run::start(places, self.folder.path())
    }
}

/// A pipeline that is fed by a file and takes a checkpoint so often.
fn pipeline(interval: &str) -> String {
    let checkpoints = format!("[checkpoints]\ninterval = \"{interval}\"\nmin-pause = \"0s\"");
    learn::pipeline(
        "files = { path = \"rows.jsonl\", follow = true }",
        &checkpoints,
    )
}

impl Run {
    fn start(places: &Places, folder: &Path) -> Result<Self> {
        let mut child = Command::new(&places.command)
            .args(["run", "--workers", "1", "--format", "json", "pipeline.toml"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", places.command.display()))?;
        let (to_out, out) = channel();
        let stdout = child.stdout.take().context("standard output is piped")?;
        spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.for_each(|line| _ = to_out.send(line));
        });
        let (to_taken, taken) = channel();
        let stderr = child.stderr.take().context("standard error is piped")?;
        spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                match serde_json::from_str::<Value>(&line) {
                    Ok(said) if said["event"] == "checkpoint" => _ = to_taken.send(said),
                    _ => {}
                }
            }
        });
        Ok(Self { child, out, taken })
    }

    /// Waits for a checkpoint that was begun after now.
    fn next_checkpoint(&self) -> Result<Value> {
        while self.taken.try_recv().is_ok() {}
        // The one under way may have been begun before.
        self.checkpoint()?;
        self.checkpoint()
    }

    fn checkpoint(&self) -> Result<Value> {
        self.taken.recv_timeout(LONG).context("no checkpoint")
    }

    /// CPU time so far, user and system, of all threads, in seconds.
    fn cpu(&self) -> Result<f64> {
        let (mut clock, mut time) = (
            0,
            libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
        );
        // SAFETY: both only write to what they are given.
        let failed = unsafe {
            libc::clock_getcpuclockid(self.child.id() as libc::pid_t, &mut clock) != 0
                || libc::clock_gettime(clock, &mut time) != 0
        };
        ensure!(!failed, "the system tells no CPU time of the run");
        Ok(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }

    /// `kill -9`.
    fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// Appends rows of hot keys, evenly, until it is told to stop.
struct Load {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Fed>>,
}

impl Load {
    /// So many rows a tenth of a second: all hot keys in two seconds and a half.
    fn start(mut fed: Fed) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = over.clone();
        let thread = spawn(move || {
            let (mut next, hot) = (0, fed.keys / HOT);
            while !end.load(Ordering::Relaxed) {
                let started = Instant::now();
                fed.write(next..next + hot / 25, HOT)?;
                next = (next + hot / 25) % hot;
                sleep(Duration::from_millis(100).saturating_sub(started.elapsed()));
            }
            Ok(fed)
        });
        Self { over, thread }
    }

    fn end(self) -> Result<Fed> {
        self.over.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow::anyhow!("the feeding thread panicked"))?
    }
}

/// Checkpoints of ten million keys of which a twentieth changes in between, while rows come.
pub fn incremental(places: &Places) -> Result<Vec<Figure>> {
    let mut fed = Fed::new(places, GIGABYTE, "3s")?;
    let run = fed.start(places)?;
    fed.ask(&run)?;
    run.next_checkpoint()?;
    let load = Load::start(fed);
    run.next_checkpoint()?;
    let (mut times, mut stalls, mut bytes) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..crate::RUNS {
        let taken = run.checkpoint()?;
        times.push(number(&taken, "took_ms")? / 1e3);
        stalls.push(number(&taken, "stall_ms")?);
        bytes = number(&taken, "bytes")?;
    }
    let mut fed = load.end()?;
    fed.ask(&run)?;
    run.kill()?;
    let longest = stalls.iter().copied().fold(0.0, f64::max);
    let note = format!(
        "{:.0} MB each, {:.0} MB on disk before",
        bytes / 1e6,
        on_disk(fed.folder.path())? / 1e6
    );
    Ok(vec![
        Figure::plain(
            "checkpoint-incremental",
            (median(times), "s"),
            Limit::Most(1.5),
            note,
        ),
        Figure::plain(
            "checkpoint-stall",
            (longest, "ms"),
            Limit::Most(20.0),
            "the longest of five".to_owned(),
        ),
    ])
}

/// What an interval of a second costs: CPU time for the same rows, less that with hardly any checkpoints.
///
/// What the rest of the machine does makes the same rows cost a tenth more from one moment to the next, and never less. So runs
/// with and without are given rows in turns, many of several checkpoints each, and the quietest quarter of the turns counts.
pub fn cost(places: &Places) -> Result<Vec<Figure>> {
    let mut both = [Took::default(), Took::default()];
    for _ in 0..PAIRS {
        let mut pair = [InTurns::begin(places, "1h")?, InTurns::begin(places, "1s")?];
        pair[1].run.next_checkpoint()?;
        for turn in 0..TURNS {
            for number in [turn % 2, 1 - turn % 2] {
                pair[number].turn(&mut both[number])?;
            }
        }
        for one in pair {
            one.run.kill()?;
        }
    }
    let [without, with] = both;
    let rows = (ROUNDS * GIGABYTE / HOT) as f64;
    let note = format!(
        "{:.0} ns of CPU a row with, {:.0} ns without, in the quietest quarter of {} turns; {:.1} in all, {:.1} by the clock",
        1e9 * quietest(&with.cpu) / rows,
        1e9 * quietest(&without.cpu) / rows,
        PAIRS * TURNS,
        more(mean(&with.cpu), mean(&without.cpu)),
        more(mean(&with.wall), mean(&without.wall)),
    );
    let cost = more(quietest(&with.cpu), quietest(&without.cpu));
    Ok(vec![Figure::plain(
        "checkpoint-cost",
        (cost, "percent"),
        Limit::Most(5.0),
        note,
    )])
}

/// How many pairs of runs there are, and how often each run of a pair has its turn.
const PAIRS: usize = 3;
const TURNS: usize = 8;

/// How often all hot keys are given a row each in a turn: several seconds.
const ROUNDS: u64 = 20;

/// What rows took in each turn, in seconds.
#[derive(Default)]
struct Took {
    /// Of CPU time, of all threads.
    cpu: Vec<f64>,
    /// By the clock.
    wall: Vec<f64>,
}

/// The mean of the smallest quarter of these.
fn quietest(all: &[f64]) -> f64 {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    mean(&all[..all.len().div_ceil(4)])
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

/// How much more it is, in percent.
fn more(with: f64, without: f64) -> f64 {
    100.0 * (with / without - 1.0)
}

/// A run that is given rows in turns.
struct InTurns {
    fed: Fed,
    run: Run,
}

impl InTurns {
    /// A run that has all keys.
    fn begin(places: &Places, interval: &str) -> Result<Self> {
        let mut fed = Fed::new(places, GIGABYTE, interval)?;
        let run = fed.start(places)?;
        fed.ask(&run)?;
        Ok(Self { fed, run })
    }

    /// Gives it rows of hot keys, and waits until they are done.
    fn turn(&mut self, took: &mut Took) -> Result<()> {
        let (before, started) = (self.run.cpu()?, Instant::now());
        for _ in 0..ROUNDS {
            self.fed.write(0..GIGABYTE / HOT, HOT)?;
        }
        self.fed.ask(&self.run)?;
        took.cpu.push(self.run.cpu()? - before);
        took.wall.push(started.elapsed().as_secs_f64());
        Ok(())
    }
}

/// From the start after `kill -9` to the first correct row, with a fifth of a gigabyte of state and with a whole one.
pub fn recovery(places: &Places) -> Result<Vec<Figure>> {
    Ok(vec![
        recover(places, ("recover-200mb", GIGABYTE / 5), 2.0)?,
        recover(places, ("recover-1gb", GIGABYTE), 5.0)?,
    ])
}

fn recover(places: &Places, (name, keys): (&'static str, u64), most: f64) -> Result<Figure> {
    let mut fed = Fed::new(places, keys, "1s")?;
    let mut run = fed.start(places)?;
    fed.ask(&run)?;
    let mut times = Vec::new();
    for _ in 0..crate::RUNS {
        run.next_checkpoint()?;
        run.kill()?;
        let started = Instant::now();
        run = fed.start(places)?;
        fed.ask(&run)?;
        times.push(started.elapsed().as_secs_f64());
    }
    run.kill()?;
    let bytes = on_disk(fed.folder.path())?;
    let note = format!("{keys} keys, {:.0} MB on disk", bytes / 1e6);
    Ok(Figure::plain(
        name,
        (median(times), "s"),
        Limit::Most(most),
        note,
    ))
}

/// What the checkpoints of a folder take.
fn on_disk(folder: &Path) -> Result<f64> {
    fn of(path: &Path) -> Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            bytes += if kind.is_dir() {
                of(&entry.path())?
            } else {
                entry.metadata()?.len()
            };
        }
        Ok(bytes)
    }
    Ok(of(&folder.join("checkpoints"))? as f64)
}

fn number(said: &Value, of: &str) -> Result<f64> {
    said[of]
        .as_f64()
        .with_context(|| format!("no {of} in {said}"))
}

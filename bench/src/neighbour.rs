//! What a row that loops costs its worker beyond that row's deadline, and what another worker notices of it.
//!
//! In CPU time of the thread that is the worker: the deadline is counted in it, so that a busy machine changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use arrow_array::{ArrayRef, Int64Array};
use tidemill_wasm::{Limits, Module, RowsIn, Settings, Transform};

use crate::Places;
use crate::figure::{Figure, Limit, median};
use crate::pipelines::host;
use crate::usage;

/// Rows of a batch, as pipelines have them.
const ROWS: usize = 2048;
/// Where the row that loops stands: at the ends, at seams of the search, somewhere.
const PLACES: [usize; 6] = [0, 15, 128, 777, 1920, ROWS - 1];
/// A row that `loops-at` never comes back from.
const LOOPS: i64 = 13;

/// The figure: the worst of all places, in a function's first batch and in a later one.
pub fn loop_neighbour(places: &Places) -> Result<Vec<Figure>> {
    let module = host(places)?.load(&places.module, &Limits::default())?;
    let other = Other::start(&module)?;
    let (mut first, mut later, mut shares) = (0.0f64, 0.0f64, Vec::new());
    for place in PLACES {
        for (worst, before) in [(&mut first, 0), (&mut later, 200)] {
            // By turns, so that what else the machine does falls on both.
            let quiet = other.rate(|| quiet(&module))?;
            let beside = other.rate(|| {
                *worst = worst.max(beyond_deadline(&module, place, before)?);
                Ok(())
            })?;
            shares.push(100.0 * beside / quiet);
        }
    }
    other.end()?;
    let note = format!(
        "in a function's first batch {first:.1} ms, in a later one {later:.1} ms; another worker keeps {:.0} % of its \
         speed",
        median(shares)
    );
    Ok(vec![Figure::plain(
        "loop-neighbour",
        (first.max(later), "ms"),
        Limit::Most(50.0),
        note,
    )])
}

/// Milliseconds beyond the deadline, after so many batches without such a row.
fn beyond_deadline(module: &Module, place: usize, before: usize) -> Result<f64> {
    let mut function = transform(module)?;
    let good = batch(None);
    for _ in 0..before {
        apply(&mut function, &good)?;
    }
    let bad = batch(Some(place));
    let started = usage::thread_cpu();
    let failed = apply(&mut function, &bad)?;
    let spent = usage::thread_cpu() - started;
    ensure!(
        failed == [place as u32],
        "row {place} loops, blamed were {failed:?}"
    );
    Ok(1e3 * (spent - Limits::default().deadline.as_secs_f64()))
}

/// The same work without a loop, for as long.
fn quiet(module: &Module) -> Result<()> {
    let mut function = transform(module)?;
    let (good, started) = (batch(None), Instant::now());
    while started.elapsed() < Limits::default().deadline {
        apply(&mut function, &good)?;
    }
    Ok(())
}

fn batch(bad: Option<usize>) -> ArrayRef {
    let auction = |row| if Some(row) == bad { LOOPS } else { 1 };
    Arc::new(Int64Array::from_iter_values((0..ROWS).map(auction)))
}

/// Takes a batch through, and gives the rows that failed.
fn apply(function: &mut Transform, auctions: &ArrayRef) -> Result<Vec<u32>> {
    let times = [0; ROWS];
    let outcome = function.apply(&RowsIn {
        len: ROWS,
        times: &times,
        stamps: None,
        changes: None,
        columns: std::slice::from_ref(auctions),
    })?;
    Ok(outcome.failed.iter().map(|failed| failed.row).collect())
}

fn transform(module: &Module) -> Result<Transform> {
    let (function, described) = module
        .description()
        .function("loops-at")
        .context("the module lacks loops-at")?;
    let config = described.config_json(&serde_json::Map::new());
    Ok(module.transform(Settings {
        function,
        config: config.map_err(anyhow::Error::msg)?,
        limits: Limits::default(),
        operator: "loop-neighbour".to_owned(),
    })?)
}

/// Another worker of the same process, with an instance of its own.
struct Other {
    batches: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Result<()>>,
}

impl Other {
    fn start(module: &Module) -> Result<Self> {
        let mut function = transform(module)?;
        let (batches, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (counted, stopped) = (batches.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let good = batch(None);
            while !stopped.load(Ordering::Relaxed) {
                apply(&mut function, &good)?;
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        Ok(Self {
            batches,
            stop,
            thread,
        })
    }

    /// Its batches per second while something else runs.
    fn rate(&self, run: impl FnOnce() -> Result<()>) -> Result<f64> {
        let (before, started) = (self.batches.load(Ordering::Relaxed), Instant::now());
        run()?;
        let batches = self.batches.load(Ordering::Relaxed) - before;
        Ok(batches as f64 / started.elapsed().as_secs_f64())
    }

    fn end(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow::anyhow!("the other worker panicked"))?
    }
}

//! Figures of keyed state.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use tidemill_engine::functions::InModules;

use crate::Places;
use crate::figure::{Figure, Limit};
use crate::learn;
use crate::pipelines::{Ran, of_rate, pipeline, plan, plan_of, run, sandboxed};
use crate::process::{Alone, Fed, folder_of};

/// A process function with one value slot for each of a million keys.
pub fn memory(places: &Places) -> Result<Vec<Figure>> {
    let plan = plan(places, "state-memory", 1)?;
    let rate = sandboxed(&plan)?;
    Ok(vec![of_rate("state-memory", rate, Limit::Least(2e6))])
}

/// The same, held by RocksDB, of which all is in memory.
pub fn rocksdb_cached(places: &Places) -> Result<Vec<Figure>> {
    let plan = plan(places, "state-rocksdb-cached", 1)?;
    let rate = sandboxed(&plan)?;
    Ok(vec![of_rate(
        "state-rocksdb-cached",
        rate,
        Limit::Least(1e6),
    )])
}

/// The pipeline of state that is larger than memory.
const SPILL: &str = "state-rocksdb-spill";

/// So many of its rows bring every key's state about, as good as: what comes behind them is measured.
const FILLING: u64 = 4_500_000;

/// The same with state four times as large as what is for it in memory, once all of it is there.
pub fn rocksdb_spill(places: &Places) -> Result<Vec<Figure>> {
    let all = ran(places, None)?;
    let filling = ran(places, Some(FILLING))?;
    let rows = (all.rows - filling.rows) as f64;
    let cpu = all.spent.cpu - filling.spent.cpu;
    let rate = rows / cpu;
    Ok(vec![Figure {
        name: SPILL,
        value: rate,
        unit: "rows/s",
        rate: Some(rate),
        native_ratio: None,
        limit: Limit::Least(120e3),
        note: format!(
            "{:.0} rows/s wall-clock, {:.0} rows/s while state comes about",
            rows / (all.spent.wall - filling.spent.wall),
            filling.rows as f64 / filling.spent.cpu
        ),
    }])
}

/// A run of the pipeline, or of its first rows.
fn ran(places: &Places, rows: Option<u64>) -> Result<Ran> {
    let text = pipeline(places, SPILL)?;
    let text = match rows {
        Some(rows) => text.replace("rows = 6_000_000", &format!("rows = {rows}")),
        None => text,
    };
    run(&plan_of(places, SPILL, &text, 1)?, Arc::new(InModules))
}

/// How much of the memory that it may take the whole process takes, at most, while state is many times as large.
pub fn budget(places: &Places) -> Result<Vec<Figure>> {
    // So large that the program itself is a small part of it.
    let text = pipeline(places, SPILL)?.replace("128MiB", "256MiB");
    let text = text.replace("max = 2_099_999", "max = 4_999_999");
    let folder = folder_of(places, &text)?;
    let peak = Alone::start(places, folder.path())?.peak()?;
    let percent = 100.0 * peak / (256 << 20) as f64;
    Ok(vec![Figure::plain(
        "state-budget",
        (percent, "percent"),
        Limit::Most(100.0),
        format!("{:.1} MiB of 256 MiB at most", peak / (1 << 20) as f64),
    )])
}

/// So many keys have state.
const KEYS: u64 = 1_000_000;

/// So many seconds of a row each: by then the allocator has given back what was freed, which it keeps for ten.
const SETTLES: usize = 20;

/// What a key and its entry take of the process's memory, over what they are: the resident memory with a million keys less
/// that after as many rows of one key.
pub fn overhead(places: &Places) -> Result<Vec<Figure>> {
    let one = resident(places, 1)?;
    let many = resident(places, KEYS)?;
    let per_key = (many - one) / KEYS as f64;
    Ok(vec![Figure::plain(
        "state-overhead",
        (per_key / learn::DATA, "ratio"),
        Limit::Most(2.0),
        format!(
            "{per_key:.1} bytes for a key and an entry of {} bytes",
            learn::DATA
        ),
    )])
}

/// Resident bytes after a million rows of so many keys.
fn resident(places: &Places, keys: u64) -> Result<f64> {
    let folder = folder_of(places, &learn::pipeline("stdin = {}", ""))?;
    let mut fed = Fed::start(places, folder.path())?;
    let mut lines = String::new();
    for n in 0..KEYS {
        learn::row(n % keys, &mut lines);
        if lines.len() > 1 << 16 {
            fed.send(&lines)?;
            lines.clear();
        }
    }
    fed.send(&lines)?;
    for _ in 0..SETTLES {
        fed.send(&learn::question(KEYS))?;
        fed.line()?;
        sleep(Duration::from_secs(1));
    }
    let bytes = fed.resident()?;
    fed.kill()?;
    Ok(bytes)
}

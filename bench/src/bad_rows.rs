//! What bad rows cost: one in a thousand under `skip`, against none.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tidemill_engine::functions::InModules;

use crate::figure::{Figure, Limit, median};
use crate::pipelines::{bids, data, plan, run};
use crate::{Places, RUNS};

/// Every so many-th row is bad.
const EVERY: usize = 1_000;

/// The speed with bad rows, as a share of that without.
pub fn measure(places: &Places) -> Result<Vec<Figure>> {
    bids(places)?;
    bad_bids(places)?;
    let (good, bad) = (
        plan(places, "no-bad-rows", 1)?,
        plan(places, "bad-rows", 1)?,
    );
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let without = run(&good, Arc::new(InModules))?;
        let with = run(&bad, Arc::new(InModules))?;
        ensure!(with.rows + with.failed >= without.rows, "a row has gone");
        ensure!(
            with.failed == without.rows / EVERY as u64,
            "{} failed",
            with.failed
        );
        let per_row = with.spent.cpu / without.rows as f64;
        ratios.push(without.spent.cpu / without.rows as f64 / per_row);
        rates.push(1.0 / per_row);
    }
    let rate = median(rates);
    Ok(vec![Figure {
        name: "bad-rows",
        value: 100.0 * median(ratios),
        unit: "percent",
        rate: Some(rate),
        native_ratio: None,
        limit: Limit::Least(60.0),
        note: format!("{:.2} M rows/s with one bad row in {EVERY}", rate / 1e6),
    }])
}

/// The bids with every thousandth made bad, each third in another way. Made once.
fn bad_bids(places: &Places) -> Result<()> {
    let folder = data(places)?;
    let file = folder.join("bad-bids.jsonl");
    if file.exists() {
        return Ok(());
    }
    let part = file.with_extension("part");
    let mut out = BufWriter::new(fs::File::create(&part)?);
    let bids = BufReader::new(fs::File::open(folder.join("bids.jsonl"))?);
    for (number, line) in (1..).zip(bids.lines()) {
        let line = line?;
        let bad = number % EVERY == 0;
        writeln!(
            out,
            "{}",
            if bad {
                spoilt(&line, number / EVERY)?
            } else {
                line
            }
        )?;
    }
    out.flush()?;
    Ok(fs::rename(part, file)?)
}

/// A bid that cannot be decoded, that the function fails, or with which it traps.
fn spoilt(line: &str, number: usize) -> Result<String> {
    let (before, rest) = line.split_once("\"price\":").context("a bid has a price")?;
    let (_, after) = rest
        .split_once(',')
        .context("a bid has more than a price")?;
    Ok(match number % 3 {
        0 => before.to_owned(),
        1 => format!("{before}\"price\":-1,{after}"),
        _ => format!("{before}\"price\":-2,{after}"),
    })
}

//! Pipelines run in this process: rows per CPU-second.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tidemill_connectors::nexmark::{Kind, NexmarkSpec, write_json_lines};
use tidemill_engine::functions::{Functions, InModules};
use tidemill_engine::plan::Plan;
use tidemill_engine::{BATCH_ROWS, Options, Totals};
use tidemill_wasm::{Compiler, Host, HostConfig};

use crate::figure::{Figure, Limit, median};
use crate::native::CompiledIn;
use crate::usage::{self, Spent};
use crate::{Places, RUNS};

/// Bids in the JSON file.
const BIDS: u64 = 3_000_000;

/// A host of the bench's own, with a cache beside its data.
pub fn host(places: &Places) -> Result<Host> {
    let cache = data(places)?.join("modules");
    let compiler = Compiler::Child(places.command.clone());
    Ok(Host::new(HostConfig { cache, compiler })?)
}

/// The folder of what the bench makes.
pub fn data(places: &Places) -> Result<PathBuf> {
    let folder = places.checkout.join("target/bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The plan of a pipeline file of the bench.
pub fn plan(places: &Places, name: &str, workers: usize) -> Result<Plan> {
    plan_of(places, name, &pipeline(places, name)?, workers)
}

/// The text of a pipeline file of the bench.
pub fn pipeline(places: &Places, name: &str) -> Result<String> {
    let file = places.checkout.join(format!("bench/pipelines/{name}.toml"));
    Ok(fs::read_to_string(file)?)
}

/// The plan of a pipeline with this text.
pub fn plan_of(places: &Places, name: &str, text: &str, workers: usize) -> Result<Plan> {
    let data = data(places)?;
    let file = data.join(format!("{name}.toml"));
    fs::write(&file, text)?;
    fs::copy(&places.module, data.join("functions.wasm"))?;
    let checked = tidemill_pipeline::read(&file)?;
    let (plan, _) = tidemill_engine::plan(checked, &host(places)?, workers)?;
    Ok(plan)
}

/// What one run took and came to.
pub struct Ran {
    /// Time.
    pub spent: Spent,
    /// Rows that the source gave.
    pub rows: u64,
    /// Rows that came to the sink.
    pub results: u64,
    /// Rows that failed, wherever.
    pub failed: u64,
}

/// Runs a plan to its end.
pub fn run(plan: &Plan, functions: Arc<dyn Functions>) -> Result<Ran> {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_micros() as i64)
    };
    let options = Options {
        batch_rows: BATCH_ROWS,
        now: Arc::new(now),
        log: Arc::new(|_, _| {}),
        functions,
        profile: false,
    };
    let (summary, spent) =
        usage::of(|| -> Result<_> { Ok(tidemill_engine::start(plan, &options)?.wait()?) });
    let totals: Vec<Totals> = summary?.totals;
    let first = totals.first().context("a pipeline has a source")?;
    let last = totals.last().context("a pipeline has a sink")?;
    Ok(Ran {
        spent,
        rows: first.rows_out,
        results: last.rows_in,
        failed: totals.iter().map(|station| station.failed).sum(),
    })
}

/// Rows per CPU-second and what goes with it.
pub struct Rate {
    rate: f64,
    /// Where the function is compiled into this bench too.
    native_ratio: Option<f64>,
    note: String,
}

/// What runs of one plan took, per row.
#[derive(Default)]
struct Runs {
    cpu: Vec<f64>,
    wall: Vec<f64>,
    native: Vec<f64>,
    results: f64,
}

impl Runs {
    fn add_native(&mut self, plan: &Plan) -> Result<()> {
        let ran = run(plan, Arc::new(CompiledIn))?;
        self.native.push(ran.spent.cpu / ran.rows as f64);
        Ok(())
    }

    fn add(&mut self, plan: &Plan) -> Result<()> {
        let ran = run(plan, Arc::new(InModules))?;
        self.cpu.push(ran.spent.cpu / ran.rows as f64);
        self.wall.push(ran.spent.wall / ran.rows as f64);
        self.results = ran.results as f64 / ran.rows as f64;
        Ok(())
    }

    fn rate(self) -> Rate {
        let cpu = median(self.cpu);
        Rate {
            rate: 1.0 / cpu,
            native_ratio: (!self.native.is_empty()).then(|| cpu / median(self.native)),
            note: format!(
                "{:.2} M rows/s wall-clock, {:.4} results per row",
                1e-6 / median(self.wall),
                self.results
            ),
        }
    }
}

/// The rates of plans that run in turns, so that whatever else the machine does meets all alike.
fn rates<const N: usize>(plans: [&Plan; N]) -> Result<[Rate; N]> {
    let mut runs: [Runs; N] = std::array::from_fn(|_| Runs::default());
    for _ in 0..RUNS {
        for (runs, plan) in runs.iter_mut().zip(plans) {
            runs.add(plan)?;
            runs.add_native(plan)?;
        }
    }
    Ok(runs.map(Runs::rate))
}

/// The rate of a plan whose functions are not compiled into this bench.
pub fn sandboxed(plan: &Plan) -> Result<Rate> {
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        runs.add(plan)?;
    }
    Ok(runs.rate())
}

fn rows_per_second(name: &'static str, plan: &Plan, least: f64) -> Result<Figure> {
    let [rate] = rates([plan])?;
    Ok(of_rate(name, rate, Limit::Least(least)))
}

/// A rate as a figure.
pub fn of_rate(name: &'static str, rate: Rate, limit: Limit) -> Figure {
    let Rate {
        rate,
        native_ratio,
        note,
    } = rate;
    Figure {
        name,
        value: rate,
        unit: "rows/s",
        rate: Some(rate),
        native_ratio,
        limit,
        note,
    }
}

/// The rate of a plan as a share of its partner's in the same run.
fn share(name: &'static str, (own, partner): (Rate, f64), least: f64) -> Figure {
    Figure {
        name,
        value: 100.0 * own.rate / partner,
        unit: "percent",
        rate: Some(own.rate),
        native_ratio: own.native_ratio,
        limit: Limit::Least(least),
        note: format!("{:.2} M rows/s; {}", own.rate / 1e6, own.note),
    }
}

/// Bids as JSON lines, made once.
pub fn bids(places: &Places) -> Result<()> {
    let file = data(places)?.join("bids.jsonl");
    if file.exists() {
        return Ok(());
    }
    let spec = NexmarkSpec {
        kind: Kind::Bids,
        events: Some(BIDS * 50 / 46),
        events_per_second: 10_000.0,
        seed: 1,
        ..NexmarkSpec::default()
    };
    let part = file.with_extension("part");
    write(&spec, &part)?;
    Ok(fs::rename(part, file)?)
}

fn write(spec: &NexmarkSpec, file: &Path) -> Result<()> {
    let mut out = std::io::BufWriter::new(fs::File::create(file)?);
    write_json_lines(spec, &mut out)?;
    Ok(std::io::Write::flush(&mut out)?)
}

/// JSON lines, a filter.
pub fn json_filter(places: &Places) -> Result<Vec<Figure>> {
    bids(places)?;
    Ok(vec![rows_per_second(
        "json-filter",
        &plan(places, "json-filter", 1)?,
        1.5e6,
    )?])
}

/// JSON lines, a keyed count.
pub fn json_tumble(places: &Places) -> Result<Vec<Figure>> {
    bids(places)?;
    Ok(vec![rows_per_second(
        "json-tumble",
        &plan(places, "json-tumble", 1)?,
        1.2e6,
    )?])
}

/// Generated rows, a keyed count.
pub fn gen_tumble(places: &Places) -> Result<Vec<Figure>> {
    Ok(vec![rows_per_second(
        "gen-tumble",
        &plan(places, "gen-tumble", 1)?,
        5e6,
    )?])
}

/// Hopping windows, as a share of tumbling ones in the same run.
pub fn gen_hop(places: &Places) -> Result<Vec<Figure>> {
    let (tumble, hop) = (plan(places, "gen-tumble", 1)?, plan(places, "gen-hop", 1)?);
    let [tumble, hop] = rates([&tumble, &hop])?;
    Ok(vec![share("gen-hop", (hop, tumble.rate), 70.0)])
}

/// Hopping windows of a hundred panes, as a share of those of one.
pub fn gen_hop_100(places: &Places) -> Result<Vec<Figure>> {
    let (one, hundred) = (
        plan(places, "gen-hop-1", 1)?,
        plan(places, "gen-hop-100", 1)?,
    );
    let [one, hundred] = rates([&one, &hundred])?;
    let hundred = share("gen-hop-100", (hundred, one.rate), 90.0);
    Ok(vec![of_rate("gen-hop-1", one, Limit::Partner), hundred])
}

/// A result for each row, over the rows of its key in the minute before it.
pub fn gen_slide(places: &Places) -> Result<Vec<Figure>> {
    let plan = plan(places, "gen-slide", 1)?;
    Ok(vec![rows_per_second("gen-slide", &plan, 1e6)?])
}

/// Sessions of keys that come in bursts.
pub fn gen_session(places: &Places) -> Result<Vec<Figure>> {
    let plan = plan(places, "gen-session", 1)?;
    Ok(vec![rows_per_second("gen-session", &plan, 3e6)?])
}

/// A million sessions open at a time.
pub fn gen_session_1m(places: &Places) -> Result<Vec<Figure>> {
    let plan = plan(places, "gen-session-1m", 1)?;
    Ok(vec![rows_per_second("gen-session-1m", &plan, 2e6)?])
}

/// Two workers against one, wall-clock.
pub fn two_workers(places: &Places) -> Result<Vec<Figure>> {
    let (one, two) = (
        plan(places, "gen-tumble", 1)?,
        plan(places, "gen-tumble", 2)?,
    );
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let alone = run(&one, Arc::new(InModules))?.spent.wall;
        let both = run(&two, Arc::new(InModules))?;
        ratios.push(alone / both.spent.wall);
        rates.push(both.rows as f64 / both.spent.wall);
    }
    let rate = median(rates);
    Ok(vec![Figure {
        name: "gen-tumble-two-workers",
        value: 100.0 * median(ratios),
        unit: "percent",
        rate: Some(rate),
        native_ratio: None,
        limit: Limit::Least(180.0),
        note: format!("{:.2} M rows/s wall-clock on two workers", rate / 1e6),
    }])
}

/// One key with nine of ten rows, against none, on two workers, wall-clock.
pub fn hot_key(places: &Places) -> Result<Vec<Figure>> {
    let (even, hot) = (plan(places, "gen-sum", 2)?, plan(places, "gen-hot-key", 2)?);
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let without = run(&even, Arc::new(InModules))?.spent.wall;
        let with = run(&hot, Arc::new(InModules))?;
        ratios.push(without / with.spent.wall);
        rates.push(with.rows as f64 / with.spent.wall);
    }
    let rate = median(rates);
    Ok(vec![Figure {
        name: "gen-hot-key",
        value: 100.0 * median(ratios),
        unit: "percent",
        rate: Some(rate),
        native_ratio: None,
        limit: Limit::Least(80.0),
        note: format!("{:.2} M rows/s wall-clock on two workers", rate / 1e6),
    }])
}

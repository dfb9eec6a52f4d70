//! `tidemill bench`: how fast a pipeline is, without what its sinks cost.

mod profile;

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::{Value, json};
use tidemill_connectors::SinkSpec;
use tidemill_engine::plan::StationKind;
use tidemill_engine::{Plan, Summary};

use self::profile::Profile;
use crate::args::{Format, PipelineArgs, WorkerArgs};
use crate::board::Board;
use crate::error::Failure;
use crate::figures::{counted, per_second, rate, took};
use crate::talk::Talk;
use crate::{clocks, folders, load};

/// Measure how fast a pipeline is
///
/// Runs it several times with every sink replaced by `blackhole`: rows are made and counted, but neither encoded nor
/// written. Prints rows per second of the clock and per second of CPU time (user and system, all threads), as medians.
///
/// Then shows where the time of one more run went, in which sinks make the text that they would write and write it nowhere:
/// decoding, the rest of reading (source), bringing rows to the worker of their key (exchange), the module's functions (guest),
/// what the host does around them (transform, window), and sinks. Times are those of the workers, added up.
#[derive(clap::Args, Debug)]
#[command(
    after_long_help = "Examples:\n  tidemill bench --workers 1\n  tidemill bench fraud.toml --runs 3 --format json"
)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    workers: WorkerArgs,
    /// How often it is run
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Leave out where the time goes
    #[arg(long)]
    no_profile: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// One run's figures.
#[derive(Clone, Copy, Debug)]
struct Run {
    rows: u64,
    time: Duration,
    cpu: Duration,
}

/// Measures a pipeline.
pub fn bench(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let mut plan = load::plan(&args.pipeline, &args.workers, &folders::host()?, &talk)?;
    refuse_endless(&plan)?;
    let sinks = without_sinks(&mut plan);
    let mut runs = Vec::new();
    for number in 1..=args.runs {
        let run = once(&plan, &talk)?;
        talk.note(format!("run {number} of {}: {}", args.runs, run.text()));
        runs.push(run);
    }
    let verdict = verdict(&plan, &runs);
    let mut figures = figures(&plan, &runs);
    let mut text = verdict;
    if !args.no_profile {
        let profile = profile(&mut plan, sinks, &talk)?;
        text.push_str(&format!("\n\n{}", profile.text()));
        figures["profile"] = profile.json();
    }
    let text = match args.format {
        Format::Text => text,
        Format::Json => figures.to_string(),
    };
    // Nobody may listen any more: nothing is lost.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// Puts a blackhole in place of every sink. What was there comes back.
fn without_sinks(plan: &mut Plan) -> Vec<SinkSpec> {
    let sinks = plan.stations.iter_mut().filter_map(|s| match &mut s.kind {
        StationKind::Sink(sink) => Some(sink),
        _ => None,
    });
    sinks
        .map(|sink| std::mem::replace(&mut sink.spec, SinkSpec::Blackhole))
        .collect()
}

/// One more run, with clocks, and with sinks that encode.
fn profile(plan: &mut Plan, sinks: Vec<SinkSpec>, talk: &Talk) -> Result<Profile, Failure> {
    profile::encode_only(plan, sinks);
    let board = Board::new(plan);
    let rows = |summary: &Summary| board.rows_read(&summary.totals);
    Ok(profile::measure(plan, load::options(talk), rows)?)
}

/// What never ends cannot be measured from start to end.
fn refuse_endless(plan: &Plan) -> Result<(), Failure> {
    let endless = plan.stations.iter().find(
        |station| matches!(&station.kind, StationKind::Source(source) if !source.spec.bounded()),
    );
    match endless {
        None => Ok(()),
        Some(source) => {
            let error = anyhow!(
                "source {} has no end, and bench runs to the end",
                source.name
            );
            Err(Failure::wrong(error)
                .hint("give it files, or a generator a number of rows, with --set"))
        }
    }
}

fn once(plan: &Plan, talk: &Talk) -> Result<Run, Failure> {
    let (start, cpu) = (Instant::now(), clocks::cpu());
    let summary = tidemill_engine::start(plan, &load::options(talk))?.wait()?;
    let (time, cpu) = (start.elapsed(), clocks::cpu().saturating_sub(cpu));
    Ok(Run {
        rows: Board::new(plan).rows_read(&summary.totals),
        time,
        cpu,
    })
}

impl Run {
    fn text(&self) -> String {
        format!(
            "{} in {}: {} rows/s, {} rows per CPU second",
            counted(self.rows, "row"),
            took(self.time),
            rate(per_second(self.rows, self.time)),
            rate(per_second(self.rows, self.cpu))
        )
    }
}

/// The middle one; of two, the lower.
fn median(runs: &[Run], figure: impl Fn(&Run) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[(figures.len() - 1) / 2]
}

fn verdict(plan: &Plan, runs: &[Run]) -> String {
    format!(
        "{}: {} rows/s, {} rows per CPU second (median of {}, {})",
        plan.name,
        rate(median(runs, |run| per_second(run.rows, run.time))),
        rate(median(runs, |run| per_second(run.rows, run.cpu))),
        counted(runs.len() as u64, "run"),
        counted(plan.workers as u64, "worker"),
    )
}

fn figures(plan: &Plan, runs: &[Run]) -> Value {
    let each: Vec<_> = runs
        .iter()
        .map(|run| {
            let (time, cpu) = (run.time.as_secs_f64(), run.cpu.as_secs_f64());
            json!({ "rows": run.rows, "elapsed_s": time, "cpu_s": cpu })
        })
        .collect();
    json!({
        "pipeline": plan.name, "workers": plan.workers,
        "rows_per_s": median(runs, |run| per_second(run.rows, run.time)).round(),
        "rows_per_cpu_s": median(runs, |run| per_second(run.rows, run.cpu)).round(),
        "runs": each,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let run = |rows| Run {
            rows,
            time: Duration::from_secs(1),
            cpu: Duration::from_secs(2),
        };
        let of = |rows: &[u64]| {
            let runs: Vec<Run> = rows.iter().map(|&rows| run(rows)).collect();
            median(&runs, |run| per_second(run.rows, run.cpu))
        };
        assert_eq!(of(&[10, 2, 4]), 2.0);
        assert_eq!(of(&[10, 2]), 1.0);
        assert_eq!(of(&[8]), 4.0);
    }
}

//! `tidemill check`: everything that can be known of a pipeline before its first row.

mod pure;

use std::io::Write;

use anyhow::anyhow;
use tidemill_connectors::SourceSpec;
use tidemill_engine::Plan;
use tidemill_engine::plan::{EventTime, Station, StationKind, WorkTime, explain};
use tidemill_wasm::Module;

use crate::args::{Format, PipelineArgs, WorkerArgs};
use crate::error::Failure;
use crate::figures::counted;
use crate::recovery::ends;
use crate::talk::Talk;
use crate::{folders, infer, load, module_text};

/// Check a pipeline file and its modules
///
/// Reads the file, loads the modules, and holds them against each other: names, types, wiring, windows, configuration, the
/// files that sources read and sinks write. Everything that is wrong is shown in one go, with the file's lines; then the exit
/// code is 2.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill check
  tidemill check --explain fraud.toml
  tidemill check --infer >> pipeline.toml   columns for sources that have none yet")]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    workers: WorkerArgs,
    /// Print the plan: chains, exchanges, keys, panes
    #[arg(long)]
    explain: bool,
    /// Call every function several times with the same rows, in other ways, and compare what it gives
    ///
    /// In batches of other sizes, on fresh instances and used ones, with rows and keys in another order; what claims to be
    /// combinable is merged in several orders. A difference proves that a function is not pure; then the exit code is 1.
    #[arg(long)]
    pure: bool,
    /// How many rows of each source functions are compared with
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rows: u32,
    /// Make rows up from the sources' columns, instead of reading their first ones
    #[arg(long, requires = "pure")]
    made_up_rows: bool,
    /// Print the columns of sources that have none, or others than their files, guessed from the first rows
    #[arg(long, conflicts_with_all = ["explain", "pure"])]
    infer: bool,
}

/// Checks a pipeline.
pub fn check(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    if args.infer {
        return infer(args);
    }
    let host = folders::host()?;
    let (plan, wanted) =
        load::plan_with_checkpoints(&args.pipeline, (&args.workers, false), &host, &talk)?;
    let notes = match wanted {
        Some(_) => ends::check(&plan)?,
        None => Vec::new(),
    };
    let mut text = format!("{}: nothing is wrong\n", args.pipeline.pipeline.display());
    text.push_str(&format!("  {}\n", wiring(&plan)));
    for module in modules(&plan) {
        text.push_str(&format!(
            "  module {} (sha256 {}): {}; it may {}\n",
            module.file().display(),
            module.short_hash(),
            module_text::offers(module),
            module_text::may_do(module)
        ));
    }
    for station in &plan.stations {
        if let StationKind::Source(source) = &station.kind {
            text.push_str(&format!(
                "  source {}: {}\n",
                station.name,
                input(station, &source.spec)?
            ));
        }
    }
    for line in ends::guarantees(&plan, wanted.is_some())
        .iter()
        .chain(&notes)
    {
        text.push_str(&format!("  {line}\n"));
    }
    for line in by_the_clock(&plan) {
        text.push_str(&format!(
            "  {line}: its results depend on when they were made\n"
        ));
    }
    if args.explain {
        text.push_str(&format!("\n{}", explain(&plan)));
    }
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if args.pure {
        let rows = pure::Rows {
            most: args.rows as usize,
            made_up: args.made_up_rows,
        };
        return pure::check(&args.pipeline, &folders::host()?, rows);
    }
    Ok(())
}

/// Prints columns ready to paste. The file may be unfinished: what else is wrong with it does not matter yet.
fn infer(args: &Args) -> Result<(), Failure> {
    let text = infer::columns(&load::as_far_as_it_goes(&args.pipeline)?)?;
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// What works by the clock of the run, not by what rows say (semantics, Rows 3).
fn by_the_clock(plan: &Plan) -> Vec<String> {
    let by_clock = |station: &Station| match &station.kind {
        StationKind::Source(source) if source.timing.event_time == EventTime::Ingestion => {
            let windows = plan
                .stations
                .iter()
                .any(|s| matches!(s.kind, StationKind::Window(_) | StationKind::Process(_)));
            windows.then(|| {
                format!(
                    "source {}: event time is the clock of reading",
                    station.name
                )
            })
        }
        _ if station.time == WorkTime::Processing => {
            Some(format!("operator {}: works by the clock", station.name))
        }
        _ => None,
    };
    plan.stations.iter().filter_map(by_clock).collect()
}

fn wiring(plan: &Plan) -> String {
    let of = |wanted: fn(&StationKind) -> bool, noun: &str| {
        let n = plan
            .stations
            .iter()
            .filter(|station| wanted(&station.kind))
            .count();
        counted(n as u64, noun)
    };
    format!(
        "{}, {}, {}; {}",
        of(|kind| matches!(kind, StationKind::Source(_)), "source"),
        of(
            |kind| !matches!(kind, StationKind::Source(_) | StationKind::Sink(_)),
            "operator"
        ),
        of(|kind| matches!(kind, StationKind::Sink(_)), "sink"),
        match plan.has_tasks {
            true => "a task per partition number".to_owned(),
            false => counted(plan.workers as u64, "worker"),
        }
    )
}

/// The modules of a plan, each once.
fn modules(plan: &Plan) -> Vec<&Module> {
    let mut modules: Vec<&Module> = Vec::new();
    for station in &plan.stations {
        let module = match &station.kind {
            StationKind::Transform(transform) => &transform.function.module,
            StationKind::Window(window) => &window.function.module,
            StationKind::Process(process) => &process.function.module,
            StationKind::Source(source) => match &source.custom {
                Some(custom) => &custom.module,
                None => continue,
            },
            StationKind::Sink(_) => continue,
        };
        if modules.iter().all(|known| known.file() != module.file()) {
            modules.push(module);
        }
    }
    modules
}

/// What a source reads; its files must be there.
fn input(station: &Station, spec: &SourceSpec) -> Result<String, Failure> {
    let refused = |error| Failure::wrong(anyhow!("source {}: {error}", station.name));
    spec.check().map_err(refused)?;
    let names = match (spec, spec.split_names()) {
        // A cluster need not be in reach of whoever checks a file.
        (SourceSpec::Kafka(kafka), Err(error)) if error.may_pass() => {
            let (brokers, topics) = (&kafka.client.brokers, kafka.topics.names());
            return Ok(format!("kafka at {brokers}: {topics}; {error}"));
        }
        (_, names) => names.map_err(refused)?,
    };
    let splits = names.len() as u64;
    Ok(match spec {
        SourceSpec::Files(files) if files.follow => counted(splits, "file") + ", followed",
        SourceSpec::Files(_) => counted(splits, "file"),
        SourceSpec::Stdin(_) => "standard input".to_owned(),
        SourceSpec::Kafka(kafka) => format!(
            "kafka at {}: {}, {}",
            kafka.client.brokers,
            kafka.topics.names(),
            counted(splits, "partition")
        ),
        SourceSpec::Nexmark(_) => format!("nexmark, {}", counted(splits, "split")),
        SourceSpec::Datagen(_) => format!("datagen, {}", counted(splits, "split")),
    })
}

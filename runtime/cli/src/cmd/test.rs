//! `tidemill test`: scenario files, run in the real engine with the real modules.
//!
//! ```text
//!   *.scenario ─ find ─► parse ─► rehearse (engine) ─► lines that came ─► compared ─► report, JUnit, or the file anew
//! ```

mod find;
mod junit;
mod rehearse;
mod report;
mod script;
mod shown;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tidemill_pipeline::{Diagnostics, Report, SourceText};
use tidemill_scenario::{Mistake, difference};
use tidemill_wasm::Host;

use self::report::Reporter;
use crate::args::Format;
use crate::error::Failure;
use crate::exit::Exit;
use crate::folders;

/// Run scenario files against their pipelines
///
/// A scenario says what is done to a pipeline, step by step (rows, watermarks, the clock, the end), and what comes out of
/// each step (rows, late rows, failures, side outputs). It is run in the real engine with the modules as they were built.
/// docs/testing.md describes the files.
#[derive(clap::Args, Debug)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Scenario files, or folders of them [default: every *.scenario below this folder]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what comes out into the files, instead of comparing it
    #[arg(long)]
    update: bool,
    /// Only scenarios with this text in their path
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write a report for build servers to this file, in JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const HELP: &str = "\
Exit codes:
  0  every scenario gave what it should, or was updated
  1  one gave something else
  2  one could not be run: it, its pipeline or a module is wrong; or there is none
  3  a defect of Tidemill";

/// How a scenario ended.
#[derive(Debug)]
pub enum Outcome {
    /// What came is what should.
    Passed,
    /// The file now says what came.
    Updated,
    /// Steps gave something else.
    Different(Vec<Different>),
    /// It could not be run.
    Broken(Failure),
}

/// A step that gave something else.
#[derive(Debug)]
pub struct Different {
    /// The line of the directive.
    pub line: usize,
    /// The directive.
    pub directive: String,
    /// What should have come.
    pub expected: Vec<String>,
    /// What came.
    pub came: Vec<String>,
    /// The difference as plain text, and in colours.
    pub text: [String; 2],
    /// What functions logged during the step.
    pub log: Vec<String>,
}

/// A scenario that was run.
#[derive(Debug)]
pub struct Ran {
    /// Its path, as it was found.
    pub file: PathBuf,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub time: Duration,
}

/// Runs scenarios.
pub fn test(args: &Args) -> Result<ExitCode, Failure> {
    let mut files = find::scenarios(&args.files)?;
    let all = files.len();
    if let Some(filter) = &args.filter {
        files.retain(|file| file.to_string_lossy().contains(filter));
    }
    if files.is_empty() {
        return Err(none(args, all));
    }
    let host = folders::host()?;
    let mut reporter = Reporter::new(args.format);
    let mut ran = Vec::new();
    for file in files {
        let start = Instant::now();
        let outcome = outcome(&file, args.update, &host);
        let time = start.elapsed();
        let one = Ran {
            file,
            outcome,
            time,
        };
        reporter.tell(&one);
        ran.push(one);
    }
    reporter.sum_up(&ran);
    if let Some(path) = &args.junit {
        std::fs::write(path, junit::report(&ran))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(code(&ran))
}

fn none(args: &Args, all: usize) -> Failure {
    match &args.filter {
        Some(filter) if all > 0 => {
            Failure::wrong(anyhow!("no scenario of {all} has {filter} in its path"))
                .hint("without --filter all of them are run")
        }
        _ => Failure::wrong(anyhow!("there is no scenario"))
            .hint("a scenario is a file <name>.scenario; docs/testing.md has one to begin with"),
    }
}

fn code(ran: &[Ran]) -> ExitCode {
    let is = |outcome: fn(&Outcome) -> bool| ran.iter().any(|ran| outcome(&ran.outcome));
    if is(|outcome| matches!(outcome, Outcome::Broken(_))) {
        Exit::Wrong.into()
    } else if is(|outcome| matches!(outcome, Outcome::Different(_))) {
        Exit::Failed.into()
    } else {
        ExitCode::SUCCESS
    }
}

fn outcome(file: &Path, update: bool, host: &Host) -> Outcome {
    run(file, update, host).unwrap_or_else(Outcome::Broken)
}

fn run(file: &Path, update: bool, host: &Host) -> Result<Outcome, Failure> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {}", file.display()))
        .map_err(Failure::wrong)?;
    let mistaken = |mistake: Mistake| Failure::from(report_of(&mistake, file, &text));
    let scenario = tidemill_scenario::parse(&text).map_err(mistaken)?;
    let script = script::script(&scenario).map_err(mistaken)?;
    let came = match rehearse::rehearse(&script, file, host) {
        Ok(came) => came,
        Err(rehearse::Stop::Mistake(mistake)) => return Err(mistaken(mistake)),
        Err(rehearse::Stop::Failure(failure)) => return Err(failure),
    };
    let lines: Vec<Vec<String>> = came.iter().map(|came| came.lines.clone()).collect();
    let steps = scenario.steps.iter().zip(&came);
    let different: Vec<Different> = steps
        .filter(|(step, came)| !difference::is_met(step, &came.lines))
        .map(|(step, came)| Different {
            line: step.directive.number,
            directive: step.directive.text.to_owned(),
            expected: step
                .expected
                .iter()
                .map(|line| line.text.to_owned())
                .collect(),
            came: came.lines.clone(),
            text: [difference::Colour::Plain, difference::Colour::Terminal].map(|colour| {
                let name = file.display().to_string();
                difference::of_step(&name, step, &came.lines, colour)
            }),
            log: came.log.clone(),
        })
        .collect();
    if different.is_empty() {
        return Ok(Outcome::Passed);
    }
    if update {
        std::fs::write(file, scenario.with(&lines))
            .with_context(|| format!("cannot write {}", file.display()))?;
        return Ok(Outcome::Updated);
    }
    Ok(Outcome::Different(different))
}

/// A mistake as every mistake in a file is shown: with its line.
fn report_of(mistake: &Mistake, file: &Path, text: &str) -> Report {
    let mut diagnostics = Diagnostics::new(SourceText::new(file, text));
    diagnostics
        .error(&mistake.span, &mistake.title)
        .label(&mistake.label)
        .help(&mistake.help);
    diagnostics.into_result().expect_err("there is an error")
}

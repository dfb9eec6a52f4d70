//! `tidemill rerun`: a row that failed, again, alone.

mod shown;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use tidemill_engine::Plan;
use tidemill_engine::plan::StationKind;
use tidemill_engine::rerun::{self, Again, RerunError};
use tidemill_scenario::pipeline::moment;

use super::dlq;
use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::exit::Exit;
use crate::letter::Letter;
use crate::talk::Talk;
use crate::{folders, load};

/// Give a row that failed to its function again, alone
///
/// Shows what the function gives for it now, or why it fails again: with its log, the module's backtrace, the time that the
/// calls took and the memory of the instance. Nothing is read from the sources and nothing written to the sinks.
///
/// The row is a dead letter in a topic or file of this pipeline (--letter), a line of a file that a sink of `<name>.failed` wrote
/// or that `tidemill dlq list --format json` gave (--letters), or any row of an operator's input
/// (--operator and --row). An aggregate starts from a fresh accumulator, or from --accumulator. A source whose watermarks a
/// function makes is named as an operator is; the function starts from a fresh state, or from --accumulator.
#[derive(clap::Args, Debug)]
#[command(after_long_help = HELP)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// A file of dead letters, as a sink of `<name>.failed` writes it in JSON; `-` is standard input
    #[arg(long, value_name = "FILE", required_unless_present_any = ["row", "letter"])]
    letters: Option<PathBuf>,
    /// A dead letter as `tidemill dlq list` names it, such as `0:17`
    #[arg(long, value_name = "LETTER", conflicts_with_all = ["letters", "row"])]
    letter: Option<String>,
    /// Only this line of it, from 1
    #[arg(long, value_name = "N", requires = "letters", value_parser = clap::value_parser!(u64).range(1..))]
    line: Option<u64>,
    /// The operator that the row is given to, or the source whose watermark function it is given to
    #[arg(long, value_name = "NAME", requires = "row")]
    operator: Option<String>,
    /// The row, as a JSON object with the columns of the operator's input
    #[arg(
        long,
        value_name = "JSON",
        requires = "operator",
        conflicts_with = "letters"
    )]
    row: Option<String>,
    /// The row's event time
    #[arg(long, value_name = "TIME", requires = "row", value_parser = time)]
    time: Option<i64>,
    /// The accumulator, or the state of a watermark, to begin with, as a JSON object of its columns
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    accumulator: Option<String>,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const HELP: &str = "\
Exit codes:
  0  every row succeeds now
  1  a row fails
  2  a row cannot be given again: it, the pipeline file or a module is wrong
  3  a defect of Tidemill";

fn time(text: &str) -> Result<i64, String> {
    let wanted = "expected a time such as 2013-01-01T10:15:00Z, or microseconds since 1970";
    moment(text).ok_or_else(|| wanted.to_owned())
}

/// What is given again, and what is known of how it failed.
struct Case {
    /// Where it stands, for people.
    place: String,
    letter: Option<Letter>,
    again: Again,
}

/// Gives rows again.
pub fn rerun(args: &Args) -> Result<ExitCode, Failure> {
    let host = folders::host()?;
    // Every row gets a plan of its own; compiled modules come from the cache.
    let plan = || load::plan_rehearsal(&args.pipeline, 1, &host);
    let talk = Talk::new(Format::Text, false);
    let cases = cases(args, &plan()?, &talk)?;
    let (all, mut failed) = (cases.len(), 0);
    for case in cases {
        let ran = rerun::rerun(plan()?, &case.again).map_err(|e| unfit(e, &case.place))?;
        failed += usize::from(ran.failed.is_some());
        shown::tell(&case, &ran, args.format);
    }
    shown::sum_up((all, failed), args.format);
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => Exit::Failed.into(),
    })
}

fn cases(args: &Args, plan: &Plan, talk: &Talk) -> Result<Vec<Case>, Failure> {
    if let (Some(row), Some(operator)) = (&args.row, &args.operator) {
        let again = Again {
            operator: operator.clone(),
            row: row.clone(),
            time: args.time.unwrap_or(0),
            accumulator: args.accumulator.clone(),
        };
        return Ok(vec![Case {
            place: "the row".to_owned(),
            letter: None,
            again,
        }]);
    }
    if let Some(name) = &args.letter {
        let (place, line) = dlq::line(&args.pipeline, name)?;
        let letter = Letter::parse(&line).map_err(|e| Failure::wrong(anyhow!("{place}: {e}")))?;
        return Ok(vec![case(place, letter, args, plan)?]);
    }
    let path = args.letters.as_ref().expect("clap requires one of them");
    let text = match path.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(path),
    };
    let text = text
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(Failure::wrong)?;
    let mut cases = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if args.line.is_some_and(|only| only != number) || line.trim().is_empty() {
            continue;
        }
        let place = format!("{}:{number}", path.display());
        let letter = Letter::parse(line).map_err(|error| {
            Failure::wrong(anyhow!("{place}: {error}")).hint(
                "dead letters are what a sink of `<name>.failed` writes with format = \"json\"",
            )
        })?;
        match case(place, letter, args, plan) {
            Ok(case) => cases.push(case),
            // One file may hold the letters of sources too; only who asks for such a line is refused.
            Err(unserved) if args.line.is_some() => return Err(unserved),
            Err(unserved) => talk.note(format!("passed over: {}", unserved.cause())),
        }
    }
    match (args.line, cases.is_empty()) {
        (Some(line), true) => Err(Failure::wrong(anyhow!(
            "{} has no row in line {line}",
            path.display()
        ))),
        _ => Ok(cases),
    }
}

fn case(place: String, letter: Letter, args: &Args, plan: &Plan) -> Result<Case, Failure> {
    let station = plan.stations.iter().find(|s| s.name == letter.operator);
    // Of a source's rows only those were given to a function that its watermark refused.
    let in_function = match station.map(|station| &station.kind) {
        Some(StationKind::Source(source)) => {
            source.custom.is_some() && letter.module_hash.is_some()
        }
        _ => true,
    };
    let Some(row) = letter.row.clone().filter(|_| in_function) else {
        let error = anyhow!(
            "{place}: {} failed in no function: {}",
            letter.operator,
            letter.message
        );
        return Err(Failure::wrong(error).hint(
            "its source could not read it; a scenario (`tidemill test`) shows whether it can now",
        ));
    };
    let again = Again {
        operator: letter.operator.clone(),
        row,
        time: letter.time.unwrap_or(0),
        accumulator: args.accumulator.clone(),
    };
    Ok(Case {
        place,
        letter: Some(letter),
        again,
    })
}

fn unfit(error: RerunError, place: &str) -> Failure {
    let hint = match &error {
        RerunError::Row { .. } => Some(
            "its columns are those of the operator's input; `tidemill inspect` shows the function's",
        ),
        RerunError::Accumulator { .. } => {
            Some("`tidemill inspect` shows the accumulator's columns")
        }
        _ => None,
    };
    let failure = Failure::wrong(
        anyhow::Error::from(error).context(format!("{place} cannot be given again")),
    );
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

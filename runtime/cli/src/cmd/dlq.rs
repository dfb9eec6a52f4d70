//! `tidemill dlq`: rows that failed and lie in dead-letter topics or files.

mod files;
mod list;
mod names;
mod places;
mod replay;
mod select;
mod show;

use std::io::Write;

use clap::Subcommand;

use crate::error::Failure;

pub use show::line;

/// List, show and replay dead letters
///
/// Dead letters are rows that failed and that `on-failure = "dead-letter"` has sent to a sink of `<name>.failed`: to topics of
/// Kafka, or to files of JSON lines. Where they lie, the pipeline file says. A letter is named by its place, as in
/// `bad-payments-0:17` or, if there is one topic, `0:17`: partition and offset. In files it is `out/bad/part-0.jsonl:3`.
///
/// `replay` sends the records behind letters in topics again, to the topics that they came from, each exactly once, whatever
/// happens to the process. The pipeline may run meanwhile. `tidemill rerun` gives a letter to its function alone, without
/// writing anything: to see whether a new module would take it.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill dlq list
  tidemill dlq list fraud.toml --operator velocity --since 2h
  tidemill dlq show fraud.toml 0:17
  tidemill rerun fraud.toml --letter 0:17
  tidemill dlq replay fraud.toml --reason decode --dry-run
  tidemill dlq replay fraud.toml 0:17 0:18")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(list::Args),
    Show(show::Args),
    Replay(replay::Args),
}

/// Looks at dead letters, or sends them again.
pub fn dlq(args: &Args) -> Result<std::process::ExitCode, Failure> {
    match &args.what {
        What::List(args) => list::list(args)?,
        What::Show(args) => show::show(args)?,
        What::Replay(args) => return replay::replay(args),
    }
    Ok(std::process::ExitCode::SUCCESS)
}

/// Writes data to standard output.
fn print(text: &str) {
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

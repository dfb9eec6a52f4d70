//! The command line, as clap reads it.

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

use crate::cmd::{
    bench, build, check, checkpoint, compile_module, completions, dev, dlq, doctor, inspect, kafka,
    man, new, rerun, run, savepoint, schema, state, stop, test,
};
use crate::talk::Talk;

/// A stream processor whose user logic runs as WebAssembly.
///
/// A pipeline file says which rows are read, what happens to them and where results go; modules hold the functions. Data is
/// written to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(
    name = "tidemill",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(after_help = "`tidemill <command> --help` says more about a command.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The command as people know it: what is hidden is not completed, and has no manual page.
pub fn shown() -> clap::Command {
    let whole = Cli::command();
    let visible = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let mut shown = clap::Command::new("tidemill")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .subcommands(visible.cloned());
    if let Some(about) = whole.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(about) = whole.get_long_about() {
        shown = shown.long_about(about.clone());
    }
    shown
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    New(new::Args),
    Run(run::Args),
    Check(check::Args),
    Build(build::Args),
    Test(test::Args),
    Rerun(rerun::Args),
    Dlq(dlq::Args),
    Kafka(kafka::Args),
    Savepoint(savepoint::Args),
    Stop(stop::Args),
    State(state::Args),
    Checkpoint(checkpoint::Args),
    Inspect(inspect::Args),
    Bench(bench::Args),
    Dev(dev::Args),
    Doctor(doctor::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    CompileModule(compile_module::Args),
}

impl Command {
    /// How this command talks.
    pub fn talk(&self) -> Talk {
        match self {
            Self::Run(args) => Talk::new(args.format, args.quiet),
            Self::Dev(args) => args.talk(),
            _ => Talk::new(Format::Text, false),
        }
    }
}

/// Which pipeline, and what is different from its file.
#[derive(Args, Debug)]
pub struct PipelineArgs {
    /// The pipeline file
    #[arg(default_value = "pipeline.toml")]
    pub pipeline: PathBuf,
    /// Sets a key of the pipeline file for this time, such as `sources.payments.files=other.jsonl`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
}

/// How many workers.
#[derive(Args, Debug)]
pub struct WorkerArgs {
    /// Threads that work on rows [default: the file's `workers`, else one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
}

/// For whom output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: JSON
    Json,
}

/// Reads `key=value`.
///
/// # Errors
/// If it is none.
pub fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.to_owned())),
        None => Err("expected `key=value`, such as `workers=2`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

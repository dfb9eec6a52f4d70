//! The `tidemill` command.
//!
//! Owns what people and scripts see: arguments, progress, summaries, messages, exit codes. Everything that happens to rows
//! is the engine's, everything that is wrong with a pipeline file the pipeline crate's and the planner's.
//!
//! 1. Standard output is data, standard error is talk ([`talk`]).
//! 2. An error is told once, here, with a `hint:` line last where there is something to do.
//! 3. Exit codes are those of [`exit::Exit`], and `tidemill run --help` lists them.

mod args;
mod board;
mod clocks;
mod cmd;
mod desk;
mod error;
mod exit;
mod figures;
mod folders;
mod gauges;
mod hot_keys;
mod infer;
mod lateness;
mod letter;
mod load;
mod memory;
mod module_text;
mod progress;
mod recovery;
mod sdk;
mod sequences;
mod signals;
mod summary;
mod talk;
mod traps;
mod waits;

use std::panic::catch_unwind;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;

fn main() -> ExitCode {
    traps::without_backtraces_of_the_host();
    memory::keep_between_bursts();
    signals::survive_file_limits();
    let cli = Cli::parse();
    let talk = cli.command.talk();
    match catch_unwind(|| cmd::dispatch(cli.command)) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            talk.failure(&failure);
            failure.exit().into()
        }
        // The panic's message and place were told by Rust's own hook.
        Err(_) => {
            talk.line(
                "error: this is a defect of Tidemill, please report it with what stands above",
            );
            Exit::Internal.into()
        }
    }
}

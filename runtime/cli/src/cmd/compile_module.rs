//! `tidemill compile-module`, hidden: the child process that compiles one module within limits.

use std::ffi::OsString;
use std::process::ExitCode;

use tidemill_wasm::compile_child_main;

/// Compiles one module within limits; started by the other commands.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What the parent says.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    job: Vec<OsString>,
}

/// Runs the child's side.
pub fn compile_module(args: Args) -> ExitCode {
    compile_child_main(args.job)
}

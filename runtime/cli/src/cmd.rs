//! The commands, one file each.

pub mod bench;
pub mod build;
pub mod check;
pub mod checkpoint;
pub mod compile_module;
pub mod completions;
pub mod dev;
pub mod dlq;
pub mod doctor;
pub mod inspect;
pub mod kafka;
pub mod man;
pub mod new;
pub mod rerun;
pub mod run;
pub mod savepoint;
pub mod schema;
pub mod state;
pub mod stop;
pub mod test;

use std::process::ExitCode;

use crate::args::Command;
use crate::error::Failure;

/// Runs a command.
pub fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::New(args) => new::new(&args)?,
        Command::Run(args) => run::run(&args)?,
        Command::Check(args) => check::check(&args)?,
        Command::Build(args) => build::build(&args)?,
        Command::Rerun(args) => return rerun::rerun(&args),
        Command::Test(args) => return test::test(&args),
        Command::Checkpoint(args) => checkpoint::checkpoint(&args)?,
        Command::Savepoint(args) => savepoint::savepoint(&args)?,
        Command::State(args) => state::state(&args)?,
        Command::Stop(args) => stop::stop(&args)?,
        Command::Inspect(args) => inspect::inspect(&args)?,
        Command::Bench(args) => bench::bench(&args)?,
        Command::Dlq(args) => return dlq::dlq(&args),
        Command::Kafka(args) => kafka::kafka(&args)?,
        Command::Dev(args) => dev::dev(&args)?,
        Command::Schema(_) => schema::schema(),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args)?,
        Command::Doctor(_) => return Ok(doctor::doctor()),
        Command::CompileModule(args) => return Ok(compile_module::compile_module(args)),
    }
    Ok(ExitCode::SUCCESS)
}

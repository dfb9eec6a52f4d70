//! From the command line to a plan.

use std::sync::Arc;

use tidemill_engine::functions::InModules;
use tidemill_engine::{BATCH_ROWS, Options, Plan};
use tidemill_pipeline::{
    Checked, Instances, Partial, Pipeline, Report, Settings, Spanned, read_as_far,
};
use tidemill_wasm::Host;

use crate::args::{PipelineArgs, WorkerArgs};
use crate::clocks;
use crate::error::Failure;
use crate::recovery::Wanted;
use crate::talk::Talk;

/// Reads and checks a pipeline file.
///
/// # Errors
/// A report of everything that is wrong with it.
pub fn read(args: &PipelineArgs) -> Result<Checked, Report> {
    as_far(args).map_err(|partial| partial.report)
}

fn as_far(args: &PipelineArgs) -> Result<Checked, Box<Partial>> {
    let environment = &|name: &str| std::env::var(name).ok();
    read_as_far(
        &args.pipeline,
        &Settings {
            overrides: &args.set,
            environment,
            secret: &tidemill_pipeline::read_secret,
        },
    )
}

/// Reads a pipeline file that may be wrong, for what can be said of it all the same.
///
/// # Errors
/// If nothing of it can be read.
pub fn as_far_as_it_goes(args: &PipelineArgs) -> Result<Pipeline, Report> {
    match as_far(args) {
        Ok(checked) => Ok(checked.pipeline),
        Err(partial) => {
            let Partial {
                pipeline, report, ..
            } = *partial;
            pipeline.ok_or(report)
        }
    }
}

/// Reads, checks and plans a pipeline; tells the warnings.
///
/// # Errors
/// If it cannot run as it stands.
pub fn plan(
    args: &PipelineArgs,
    workers: &WorkerArgs,
    host: &Host,
    talk: &Talk,
) -> Result<Plan, Failure> {
    let checked = sound(args, host)?;
    planned(checked, workers, host, talk)
}

/// Reads a pipeline file and checks it. Everything that is wrong is said in one go: also of modules and data, as far as the
/// file can be understood.
fn sound(args: &PipelineArgs, host: &Host) -> Result<Checked, Failure> {
    as_far(args).map_err(|partial| tidemill_engine::examine(*partial, host, cores()).into())
}

fn planned(
    checked: Checked,
    workers: &WorkerArgs,
    host: &Host,
    talk: &Talk,
) -> Result<Plan, Failure> {
    let workers = count(workers, &checked.pipeline);
    let (plan, warnings) = tidemill_engine::plan(checked, host, workers)?;
    talk.warnings(&warnings);
    Ok(plan)
}

/// Reads, checks and plans a pipeline as [`plan`] does, and says how it takes checkpoints, if it does. `is_shared`: several
/// processes on this host share it, whatever its file says.
///
/// # Errors
/// If it cannot run as it stands.
pub fn plan_with_checkpoints(
    args: &PipelineArgs,
    (workers, is_shared): (&WorkerArgs, bool),
    host: &Host,
    talk: &Talk,
) -> Result<(Plan, Option<Wanted>), Failure> {
    let mut checked = sound(args, host)?;
    if is_shared && !checked.pipeline.instances.value.has_tasks() {
        let name = checked.pipeline.name.span.clone();
        checked.pipeline.instances = Spanned::new(Instances::OnOneHost, name);
    }
    let wanted = Wanted::of(&checked.pipeline);
    Ok((planned(checked, workers, host, talk)?, wanted?))
}

/// Reads, checks and plans a pipeline for a rehearsal: what its sources read need not be there.
///
/// # Errors
/// If it cannot run as it stands.
pub fn plan_rehearsal(args: &PipelineArgs, workers: usize, host: &Host) -> Result<Plan, Report> {
    let checked = read(args)?;
    Ok(tidemill_engine::plan_rehearsal(checked, host, workers)?.0)
}

/// How every command runs plans.
pub fn options(talk: &Talk) -> Options {
    let talk = talk.clone();
    Options {
        batch_rows: BATCH_ROWS,
        now: Arc::new(clocks::now),
        log: Arc::new(move |operator, line| talk.logged(operator, line)),
        functions: Arc::new(InModules),
        profile: false,
    }
}

/// How many workers a pipeline runs on.
pub fn count(args: &WorkerArgs, pipeline: &Pipeline) -> usize {
    let asked = args.workers.map(usize::from);
    let written = pipeline.workers.as_ref().map(|workers| workers.value);
    asked.or(written).unwrap_or_else(cores)
}

/// How many cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

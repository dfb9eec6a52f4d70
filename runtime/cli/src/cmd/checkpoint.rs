//! `tidemill checkpoint`: what lies in a pipeline's checkpoint location, and whether it is whole.
//!
//! Looking changes nothing and takes no lock: it may be done while the pipeline runs.

mod delete;
pub mod list;
mod show;
mod verify;

use std::io::Write;

use anyhow::anyhow;
use clap::Subcommand;
use tidemill_checkpoint::{CheckpointError, Location, Sequence, Settings};
use tidemill_pipeline::Pipeline;

use crate::args::PipelineArgs;
use crate::error::Failure;
use crate::load;
use crate::sequences::{self, TaskArgs};

/// Look at a pipeline's checkpoints, and delete savepoints
///
/// Lists, shows and verifies what lies in the location that `[checkpoints]` of the pipeline file names. By that nothing is
/// changed, and the pipeline may run meanwhile.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill checkpoint list
  tidemill checkpoint show 7 fraud.toml
  tidemill checkpoint verify --format json
  tidemill checkpoint delete 7 fraud.toml")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(list::Args),
    Show(show::Args),
    Verify(verify::Args),
    Delete(delete::Args),
}

/// Looks at checkpoints, or deletes one.
pub fn checkpoint(args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::List(args) => list::list(args),
        What::Show(args) => show::show(args),
        What::Verify(args) => verify::verify(args),
        What::Delete(args) => delete::delete(args),
    }
}

/// The one sequence of checkpoints that is meant of the pipeline, whose file may be wrong elsewhere.
fn sequence(args: &PipelineArgs, task: TaskArgs) -> Result<Sequence, Failure> {
    Ok(sequences::one(&load::as_far_as_it_goes(args)?, task)?.sequence)
}

/// Where a pipeline's checkpoints lie.
pub fn location(pipeline: &Pipeline) -> Result<Location, Failure> {
    let Some(checkpoints) = &pipeline.checkpoints else {
        let error = anyhow!("pipeline {} makes no checkpoints", pipeline.name.value);
        return Err(Failure::wrong(error)
            .hint("a section `[checkpoints]` of the pipeline file says where they lie"));
    };
    let options = checkpoints.settings.iter();
    let settings = Settings {
        relative_to: pipeline.folder.clone(),
        options: options
            .map(|(key, value)| (key.value.clone(), value.value.clone()))
            .collect(),
    };
    Ok(Location::open(&checkpoints.location.value, &settings)?)
}

/// Writes data to standard output.
fn print(text: &str) {
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        let hint = error.hint().map(str::to_owned);
        let failure = match &error {
            CheckpointError::Configuration { .. } => Self::wrong(error),
            CheckpointError::Internal(_) => Self::defect(error),
            error if error.is_transient() => {
                Self::from(anyhow::Error::from(error.clone())).passing()
            }
            _ => Self::from(anyhow::Error::from(error)),
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

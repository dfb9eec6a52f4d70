//! `tidemill checkpoint delete`: lets a savepoint go.

use tidemill_checkpoint::{Deleted, Life};

use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures::counted;
use crate::load;
use crate::recovery::choose::{self, From};
use crate::sequences::{self, TaskArgs};
use crate::talk::Talk;

/// Delete a savepoint, which nothing else does
///
/// What other checkpoints and savepoints need of it stays. The one that the next run goes on from is not deleted, and none
/// while a process has begun that may have gone on from it; otherwise the pipeline may run meanwhile.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill checkpoint delete 7
  tidemill checkpoint delete s3://bucket/saves@7 fraud.toml")]
pub struct Args {
    /// Its number, as `checkpoint list` shows it; or `LOCATION@NUMBER` where a copy lies
    savepoint: From,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    task: TaskArgs,
}

/// Deletes a savepoint.
pub(super) fn delete(args: &Args) -> Result<(), Failure> {
    let pipeline = load::as_far_as_it_goes(&args.pipeline)?;
    let own = sequences::one(&pipeline, args.task)?;
    let (sequence, savepoint) = choose::find(&own.sequence, &own.place, &args.savepoint)?;
    let number = savepoint.number();
    let files = match sequence.delete_savepoint(number, &Life::of_this_process()?)? {
        Deleted::Files(files) => format!("{} removed", counted(files as u64, "file")),
        Deleted::Later => {
            "a process has begun meanwhile: its files are removed when the pipeline is next started"
                .to_owned()
        }
    };
    Talk::new(Format::Text, false).note(format!(
        "savepoint {number} of pipeline {} is deleted, {files}",
        sequence.pipeline()
    ));
    Ok(())
}

//! `tidemill stop`: ends a running pipeline with a savepoint.

mod instances;

use std::collections::BTreeMap;

use tidemill_checkpoint::Wish;

use self::instances::Instances;
use super::savepoint::{AskArgs, Asking, deliver};
use crate::args::Format;
use crate::error::Failure;
use crate::talk::Talk;
use crate::{load, sequences};

/// Stop a running pipeline with a savepoint
///
/// Nothing is read any more, what was read is worked off and saved, output is published, and the process ends with code 0.
/// Open windows are saved, not fired: `run` goes on. With `--drain` the input is taken to have ended instead: everything
/// fires and is published, files that are whole at the end come to stand in their places, and the next `run` has nothing to
/// go on with. Standard output has what `run --from` takes. (SIGINT and SIGTERM stop a process too, with a checkpoint.)
///
/// Of a pipeline that several processes share all end, also those that have no task; with `--task N` only that one ends.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill stop
  tidemill stop fraud.toml --to s3://bucket/saves
  tidemill stop fraud.toml --drain")]
pub struct Args {
    #[command(flatten)]
    ask: AskArgs,
    /// Take the input to have ended: fire all windows
    #[arg(long)]
    drain: bool,
}

/// Stops a pipeline.
pub fn stop(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let wish = match args.drain {
        true => Wish::Drain,
        false => Wish::Stop,
    };
    let pipeline = load::as_far_as_it_goes(&args.ask.pipeline)?;
    let asking = Asking::of(&pipeline, args.ask.task, args.ask.patience())?;
    let instances = match args.ask.task.task {
        None => Instances::ask(sequences::of(&pipeline)?)?,
        Some(_) => Instances::none(sequences::of(&pipeline)?),
    };
    let taken = asking.ask(wish, &talk)?;
    if taken.is_empty() && instances.is_empty() {
        return Err(asking.nobody()?);
    }
    deliver(&args.ask, &taken, &talk)?;
    let mut ended = BTreeMap::new();
    for taken in &taken {
        if let Some(by) = &taken.by {
            ended.insert(by.process.as_str(), taken.ended(asking.until())?);
        }
    }
    ended.extend(instances.ended(asking.until())?);
    for (process, ended) in ended {
        talk.note(match ended {
            Some(true) => format!("{process} has ended"),
            Some(false) => format!("{process} has not ended yet"),
            None => format!("{process} ends now"),
        });
    }
    Ok(())
}

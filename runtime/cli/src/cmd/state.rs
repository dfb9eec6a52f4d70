//! `tidemill state`: what operators keep, as typed rows.
//!
//! State is read from a checkpoint or savepoint, whole and of one moment, whether the pipeline runs or not; nothing is
//! changed, and modules are not needed. Of a running pipeline the newest checkpoint is a moment old: `--now` has it take a
//! savepoint first.

mod diff;
mod dump;
mod list;

use std::io::Write;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::Value;
use tidemill_checkpoint::{Checkpoint, Sequence};
use tidemill_engine::checkpoint::view::{self, Entry, OperatorState};
use tidemill_pipeline::nearest::nearest;

use super::checkpoint::list::kind;
use super::savepoint::{AskArgs, ask};
use crate::args::PipelineArgs;
use crate::error::Failure;
use crate::load;
use crate::recovery::choose::{From, find};
use crate::sequences::{self, TaskArgs};
use crate::talk::Talk;

/// Look at the state of a pipeline's operators
///
/// Reads what operators keep at a checkpoint or savepoint, the newest unless another is named, as typed rows: one for each
/// window, pane or stored row of a key. Nothing is changed, modules are not needed, and the pipeline may run meanwhile.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill state list
  tidemill state get velocity '{\"account\":\"a\"}'
  tidemill state dump velocity --at 12 > velocity.jsonl
  tidemill state diff 12 s3://bucket/saves@40")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(list::Args),
    Get(dump::GetArgs),
    Dump(dump::Args),
    Diff(diff::Args),
}

/// Looks at state.
pub fn state(args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::List(args) => list::list(args),
        What::Get(args) => dump::get(args),
        What::Dump(args) => dump::dump(args),
        What::Diff(args) => diff::diff(args),
    }
}

/// Which pipeline, and which moment.
#[derive(clap::Args, Debug)]
struct AtArgs {
    /// The pipeline file
    #[arg(long = "file", value_name = "FILE", default_value = "pipeline.toml")]
    file: std::path::PathBuf,
    /// Sets a key of the pipeline file for this time
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = crate::args::key_and_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    task: TaskArgs,
    /// A checkpoint or savepoint: a number, or `LOCATION` or `LOCATION@NUMBER` elsewhere [default: the newest]
    #[arg(long, value_name = "SAVEPOINT")]
    at: Option<From>,
    /// Have the running pipeline take a savepoint first, and look at that
    #[arg(long, conflicts_with = "at")]
    now: bool,
}

impl AtArgs {
    fn pipeline(&self) -> PipelineArgs {
        PipelineArgs {
            pipeline: self.file.clone(),
            set: self.set.clone(),
        }
    }

    /// What operators keep at the moment that is asked for; says which that is.
    fn read(&self, talk: &Talk) -> Result<Vec<OperatorState>, Failure> {
        match (&self.at, self.now) {
            (_, true) => {
                let taken = ask(
                    &AskArgs::of(self.pipeline(), self.task),
                    tidemill_checkpoint::Wish::Savepoint,
                    talk,
                )?;
                let number = taken.first().map(|taken| From::Number(taken.number.0));
                self.at_moment(number.as_ref(), talk)
            }
            (at, false) => self.at_moment(at.as_ref(), talk),
        }
    }

    fn at_moment(&self, at: Option<&From>, talk: &Talk) -> Result<Vec<OperatorState>, Failure> {
        let (sequence, checkpoint) = self.find(at)?;
        let manifest = &checkpoint.manifest;
        talk.note(format!(
            "state of pipeline {} at {} {}, made {}",
            manifest.pipeline,
            kind(&checkpoint),
            manifest.number,
            manifest.made
        ));
        Ok(view::of_checkpoint(&sequence, manifest)?)
    }

    fn find(&self, at: Option<&From>) -> Result<(Sequence, Checkpoint), Failure> {
        let pipeline = load::as_far_as_it_goes(&self.pipeline())?;
        let sequences::Found {
            sequence: own,
            place,
            ..
        } = sequences::one(&pipeline, self.task)?;
        if let Some(from) = at {
            return find(&own, &place, from);
        }
        match own.newest_checkpoint()? {
            Some(newest) => Ok((own, newest)),
            None => {
                let error = anyhow!(
                    "pipeline {} has no checkpoints in {}",
                    own.pipeline(),
                    own.place()
                );
                Err(Failure::from(error)
                    .hint("state is read from a checkpoint: run the pipeline first"))
            }
        }
    }
}

/// The operator of a name.
fn of_name<'a>(states: &'a [OperatorState], name: &str) -> Result<&'a OperatorState, Failure> {
    let found = states.iter().find(|state| state.operator == name);
    found.ok_or_else(|| {
        let names = states.iter().map(|state| state.operator.as_str());
        let hint = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there is: {}", names.collect::<Vec<_>>().join(", ")),
        };
        Failure::wrong(anyhow!("the checkpoint holds no operator {name}")).hint(hint)
    })
}

/// Which keys are meant: all of which these columns have these values.
pub struct KeyFilter(Vec<(String, Value)>);

impl KeyFilter {
    /// Reads a key as it is shown, `{"account":"a"}`, some columns of it, or the bare value of a key of one column.
    ///
    /// # Errors
    /// If the operator has no such key.
    pub fn read(text: &str, state: &OperatorState) -> Result<Self, Failure> {
        let columns: Vec<&str> = state
            .key
            .iter()
            .filter_map(|column| Some(column.rsplit_once(": ")?.0))
            .collect();
        let value: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        let hint = format!(
            "its key is {}, so that one is written as {{\"{}\":…}}",
            state.key.join(", "),
            columns.first().copied().unwrap_or_default()
        );
        let wrong = |what: String| Failure::wrong(anyhow!(what)).hint(hint.clone());
        let object = match (value, &columns[..]) {
            (Value::Object(object), _) => object,
            (value, [one]) => [((*one).to_owned(), value)].into_iter().collect(),
            _ => serde_json::Map::new(),
        };
        if object.is_empty() {
            return Err(wrong(format!(
                "no key of operator {}: {text}",
                state.operator
            )));
        }
        if let Some(unknown) = object.keys().find(|name| !columns.contains(&name.as_str())) {
            return Err(wrong(format!(
                "the key of operator {} has no column {unknown}",
                state.operator
            )));
        }
        Ok(Self(object.into_iter().collect()))
    }

    /// Whether an entry is of such a key.
    pub fn takes(&self, entry: &Entry) -> bool {
        let key: Value = serde_json::from_str(&entry.key).unwrap_or_default();
        let is = |(name, value): &(String, Value)| match (&key[name], value) {
            // A text is also written without its marks.
            (Value::Number(is), Value::Number(wanted)) => is.as_f64() == wanted.as_f64(),
            (Value::String(is), Value::Number(wanted)) => *is == wanted.to_string(),
            (is, wanted) => is == wanted,
        };
        self.0.iter().all(is)
    }
}

/// Writes data to standard output.
fn print(text: &str) {
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

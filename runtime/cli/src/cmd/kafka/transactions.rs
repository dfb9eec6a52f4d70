//! `tidemill kafka transactions`: the transactional ids of a pipeline, and an end to what dead processes have left open.
//!
//! A process that dies in a transaction leaves it open until the broker's time-out, or until somebody has its id; until then readers of
//! committed records wait before it, also for what others write. Brokers say of no transaction whose pipeline it is: the
//! ids follow from what lies in the location of the checkpoints.

use std::io::Write;

use anyhow::anyhow;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};
use tidemill_checkpoint::Newest;
use tidemill_connectors::kafka::{ClientSpec, Transactions};
use tidemill_engine::checkpoint::kafka::transactional_id;
use tidemill_engine::plan::cluster;
use tidemill_pipeline::{KafkaGuarantee, Pipeline, SinkConnector};

use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::load;
use crate::sequences::{self, Found, TaskArgs};
use crate::talk::Talk;

/// List a pipeline's transactional ids, and abort what dead processes have left open
///
/// Whether a process runs can be known where checkpoints lie in a folder: it holds the lock. With `--abort` the id of each process
/// that does not run is taken, which aborts what it has left open: readers of committed records go on. Nothing is lost by it, since
/// what was not committed is made again by whoever goes on.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    task: TaskArgs,
    /// Abort what processes have left open that do not run any more
    #[arg(long)]
    abort: bool,
    /// Also where nobody can know whether the process runs: one that does ends, and goes on by itself from its newest checkpoint
    #[arg(long, requires = "abort")]
    even_if_it_runs: bool,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// An id, and who had it last.
struct Held {
    task: Option<i32>,
    id: String,
    by: Option<Newest>,
    /// Its newest checkpoint, and when that was made.
    newest: Option<(u64, String)>,
    aborted: bool,
}

impl Held {
    fn of(found: &Found) -> Result<Option<Self>, Failure> {
        let sequence = &found.sequence;
        let Some(id) = sequence.id()? else {
            return Ok(None);
        };
        let newest = sequence.newest_checkpoint()?;
        Ok(Some(Self {
            task: found.task,
            id: transactional_id(sequence.pipeline(), found.task, &id),
            by: sequence.newest()?,
            newest: newest.map(|newest| (newest.number().0, newest.manifest.made.to_string())),
            aborted: false,
        }))
    }

    fn runs(&self) -> Option<bool> {
        self.by.as_ref().map_or(Some(false), |by| by.runs)
    }

    fn state(&self) -> &'static str {
        match (self.aborted, self.runs()) {
            (true, _) => "aborted",
            (false, Some(true)) => "runs",
            (false, Some(false)) => "ended",
            (false, None) => "unknown",
        }
    }

    fn json(&self) -> Value {
        json!({
            "task": self.task, "transactional-id": self.id, "state": self.state(),
            "process": self.by.as_ref().map(|by| &by.process),
            "checkpoint": self.newest.as_ref().map(|(number, _)| number),
            "made": self.newest.as_ref().map(|(_, made)| made),
        })
    }
}

/// Lists transactional ids, and aborts.
pub(super) fn transactions(args: &Args) -> Result<(), Failure> {
    let pipeline = load::as_far_as_it_goes(&args.pipeline)?;
    let cluster = deciding(&pipeline)?;
    let all = sequences::all(&pipeline, args.task)?;
    let held: Result<Vec<Option<Held>>, Failure> = all.iter().map(Held::of).collect();
    let mut held: Vec<Held> = held?.into_iter().flatten().collect();
    if args.abort {
        abort(&mut held, &cluster, args.even_if_it_runs)?;
    }
    let text = match args.format {
        Format::Json => format!("{:#}\n", held.iter().map(Held::json).collect::<Value>()),
        Format::Text if held.is_empty() => {
            format!("pipeline {} has never begun\n", pipeline.name.value)
        }
        Format::Text => table(&held),
    };
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// The cluster of the first sink whose rows become visible with checkpoints.
fn deciding(pipeline: &Pipeline) -> Result<ClientSpec, Failure> {
    let mut sinks = pipeline
        .sinks
        .iter()
        .filter_map(|sink| match &sink.connector.value {
            SinkConnector::Kafka(kafka) if kafka.guarantee == KafkaGuarantee::ExactlyOnce => {
                Some(kafka)
            }
            _ => None,
        });
    let Some(sink) = sinks.next() else {
        let error = anyhow!(
            "pipeline {} writes nothing to Kafka exactly once",
            pipeline.name.value
        );
        return Err(Failure::wrong(error).hint("only such sinks have transactions"));
    };
    Ok(cluster(&sink.cluster))
}

fn abort(held: &mut [Held], cluster: &ClientSpec, even_if_it_runs: bool) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    for one in held {
        match one.runs() {
            Some(false) => {}
            None if even_if_it_runs => {}
            Some(true) => {
                let process = one.by.as_ref().map_or("a process", |by| &by.process);
                talk.note(format!(
                    "{}: {process} runs, and ends its transactions itself",
                    one.id
                ));
                continue;
            }
            None => {
                talk.note(format!(
                    "{}: nobody can know whether its process runs; `--even-if-it-runs` aborts all the same",
                    one.id
                ));
                continue;
            }
        }
        Transactions::abort(cluster, &one.id)?;
        one.aborted = true;
    }
    Ok(())
}

fn table(held: &[Held]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "task",
        "transactional id",
        "state",
        "process",
        "checkpoint",
        "made",
    ]);
    for one in held {
        let (number, made) = match &one.newest {
            Some((number, made)) => (number.to_string(), made.clone()),
            None => Default::default(),
        };
        table.add_row([
            one.task.map_or_else(String::new, |task| task.to_string()),
            one.id.clone(),
            one.state().to_owned(),
            one.by
                .as_ref()
                .map_or_else(String::new, |by| by.process.clone()),
            number,
            made,
        ]);
    }
    let lines = table.trim_fmt();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

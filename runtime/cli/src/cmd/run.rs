//! `tidemill run`: a pipeline in the foreground, from start to end.

pub mod lives;
mod watch;

use anyhow::Context;
use std::io::IsTerminal;
use std::time::Instant;

use tidemill_connectors::SinkSpec;
use tidemill_engine::plan::StatePlan;
use tidemill_engine::plan::StationKind;
use tidemill_engine::{Checkpoints, EngineError, Plan, Summary};

use self::lives::Lives;
use crate::args::{Format, PipelineArgs, WorkerArgs};
use crate::board::Board;
use crate::error::Failure;
use crate::memory;
use crate::progress::{Progress, Shown};
use crate::recovery::{RecoveryArgs, Start, ends};
use crate::signals::{Caught, Stop};
use crate::summary::{End, Ran};
use crate::talk::Talk;
use crate::{clocks, exit, folders, load, recovery, summary};

/// Run a pipeline
///
/// Reads until the input ends, which for standard input and followed files may be never. SIGINT (Ctrl-C) and SIGTERM stop
/// it gracefully: nothing more is read, rows in flight are written, open windows are not fired. A second signal ends it at
/// once.
///
/// On a terminal, progress is shown on standard error, unless rows go to the same terminal. With `--format json`, progress
/// (every second), warnings, log lines, the summary and errors are lines of JSON with a field `event`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = exit::HELP)]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    workers: WorkerArgs,
    /// How standard error talks
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Build and run again each time the pipeline file, a module or the source of one changes
    ///
    /// What is wrong is said, and what ran before goes on. Sources must be other than standard input. SIGINT and SIGTERM end it.
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub recovery: RecoveryArgs,
}

/// Runs a pipeline.
pub fn run(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(args.format, args.quiet);
    if args.watch {
        return watch::watch(args, &talk);
    }
    let signals = Caught::new()?;
    memory::give_back_in_time().context("starting a thread")?;
    let host = folders::host()?;
    let (plan, wanted) = load::plan_with_checkpoints(&args.pipeline, &args.workers, &host, &talk)?;
    if matches!(plan.state, StatePlan::RocksDb(_)) {
        memory::keep_briefly();
    }
    let stop = Stop::default();
    let life = Life {
        plan: &plan,
        board: Board::new(&plan),
        stop: &stop,
        talk: &talk,
    };
    let Some(wanted) = wanted else {
        args.recovery.check_without_checkpoints()?;
        signals.stop(stop.clone(), talk.clone())?;
        return life.live(None);
    };
    let notes = ends::check(&plan)?;
    let all = ends::guarantees(&plan, true).into_iter().chain(notes);
    all.for_each(|note| talk.note(note));
    signals.stop(stop.clone(), talk.clone())?;
    let mut recovery = args.recovery.clone();
    let mut lives = Lives::new(wanted.restarts, &stop, &talk);
    loop {
        let failure = match recovery::start(&wanted, (&plan, &recovery), lives.taken(), &talk) {
            Ok(Start::Run(incarnation, checkpoints, _desk)) => {
                match life.live(Some(*checkpoints)) {
                    Ok(()) => return Ok(()),
                    Err(failure) => wanted.or_fenced(incarnation, failure),
                }
            }
            Ok(Start::Finished(number)) => {
                talk.note(format!(
                    "everything was read and published with checkpoint {number}; `--fresh` begins anew"
                ));
                return Ok(());
            }
            // What cannot begin is wrong until somebody sees to it; what has begun may find things as they were soon.
            Err(failure) if lives.is_first() => return Err(failure),
            Err(failure) => failure,
        };
        if lives.goes_on(failure)? {
            // A checkpoint of this run is what it goes on from now.
            recovery = recovery.newest();
        }
    }
}

/// What every life of a run has.
struct Life<'a> {
    plan: &'a Plan,
    board: Board,
    stop: &'a Stop,
    talk: &'a Talk,
}

impl Life<'_> {
    /// Runs to the end, or until something stops it.
    fn live(&self, checkpoints: Option<Checkpoints>) -> Result<(), Failure> {
        let Self {
            plan, board, talk, ..
        } = self;
        let (start, cpu) = (Instant::now(), clocks::cpu());
        let options = load::options(talk);
        let running = match checkpoints {
            None => tidemill_engine::start(plan, &options)?,
            Some(checkpoints) => {
                tidemill_engine::start_with_checkpoints(plan, &options, checkpoints)?
            }
        };
        self.stop.runs(running.stopper());
        let metrics = running.metrics();
        let before = running.before().to_vec();
        let progress = Progress::start(shown(plan, talk), board, metrics.clone(), talk);
        let ended = running.wait();
        drop(progress);
        let end = match &ended {
            Ok(Summary { stopped: false, .. }) => End::Done,
            Ok(Summary { stopped: true, .. }) => End::Stopped,
            Err(EngineError::OutputClosed) => return Ok(()),
            Err(_) => End::Failed,
        };
        let (time, cpu) = (start.elapsed(), clocks::cpu().saturating_sub(cpu));
        let ran = Ran {
            time,
            cpu,
            totals: metrics.totals(),
            before,
            end,
            metrics,
        };
        if !talk.is_quiet() {
            summary::tell(board, &ran, talk);
        }
        ended.map(|_| ()).map_err(Failure::from)
    }
}

/// Where progress is shown. Rows on the same terminal would tear it apart, and are progress enough.
fn shown(plan: &Plan, talk: &Talk) -> Shown {
    let to_stdout = |kind: &StationKind| match kind {
        StationKind::Sink(sink) => matches!(sink.spec, SinkSpec::Stdout { .. }),
        _ => false,
    };
    let rows_on_terminal = std::io::stdout().is_terminal()
        && plan.stations.iter().any(|station| to_stdout(&station.kind));
    if talk.is_json() && !talk.is_quiet() {
        Shown::Told
    } else if talk.has_watcher() && !rows_on_terminal {
        Shown::Drawn
    } else {
        Shown::Nowhere
    }
}

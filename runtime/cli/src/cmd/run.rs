//! `tidemill run`: a pipeline in the foreground, from start to end.

mod instances;
pub mod lives;
mod watch;

use anyhow::Context;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidemill_connectors::SinkSpec;
use tidemill_engine::metrics::Metrics;
use tidemill_engine::plan::StatePlan;
use tidemill_engine::plan::StationKind;
use tidemill_engine::{Checkpoints, EngineError, Plan, Summary, Totals};

use self::lives::Ended;
use crate::args::{Format, PipelineArgs, WorkerArgs};
use crate::board::Board;
use crate::error::Failure;
use crate::memory;
use crate::progress::{Progress, Shown};
use crate::recovery::{RecoveryArgs, ends};
use crate::signals::{Caught, Stop};
use crate::summary::{End, Ran};
use crate::talk::Talk;
use crate::{clocks, exit, folders, load, summary};

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
    /// Share the pipeline's topics with other processes, under this name [default: the host's, if the file says `instances`]
    ///
    /// Each partition number of the topics is a task, which one of the processes runs. A process that is started again under its
    /// name goes on with what it had; when one is gone for the session's time-out (`session.timeout.ms`, 10 s), or is stopped,
    /// others take over. `--from` and `--fresh` are for one process, while nobody runs the tasks that are meant.
    #[arg(long, value_name = "NAME", conflicts_with = "watch")]
    pub instance: Option<String>,
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
    let workers = (&args.workers, args.instance.is_some());
    let (plan, wanted) = load::plan_with_checkpoints(&args.pipeline, workers, &host, &talk)?;
    if matches!(plan.state, StatePlan::RocksDb(_)) {
        memory::keep_briefly();
    }
    let stop = Stop::default();
    let run = Run {
        plan: &plan,
        board: Board::new(&plan),
        stop: &stop,
        talk: &talk,
    };
    let Some(wanted) = wanted else {
        args.recovery.check_without_checkpoints()?;
        signals.stop(stop.clone(), talk.clone())?;
        return run.live(None).map(|_| ());
    };
    let notes = ends::check(&plan)?;
    let all = ends::guarantees(&plan, true).into_iter().chain(notes);
    all.for_each(|note| talk.note(note));
    signals.stop(stop.clone(), talk.clone())?;
    if plan.has_tasks {
        let name = args.instance.as_deref();
        return instances::run(&run, &wanted, (name, &args.recovery));
    }
    instances::check_alone(&wanted)?;
    let live = |checkpoints| run.live(Some(checkpoints));
    match lives::live_on(&wanted, (&plan, &args.recovery), (&stop, &talk), &live)? {
        Ended::Done | Ended::Stopped => Ok(()),
        Ended::TakenOver(failure) => Err(failure),
    }
}

/// A pipeline, and who watches it.
struct Run<'a> {
    plan: &'a Plan,
    board: Board,
    stop: &'a Stop,
    talk: &'a Talk,
}

impl Run<'_> {
    /// Runs to the end, or until something stops it.
    fn live(&self, checkpoints: Option<Checkpoints>) -> Result<Ended, Failure> {
        let Self {
            plan, board, talk, ..
        } = self;
        let clock = Clock::start();
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
        let watched = metrics.clone();
        let watched = Arc::new(move || watched.clone());
        let progress = Progress::start(shown(plan, talk), board, watched, talk);
        let ended = running.wait();
        drop(progress);
        let end = match &ended {
            Ok(Summary { stopped: false, .. }) => End::Done,
            Ok(Summary { stopped: true, .. }) => End::Stopped,
            Err(EngineError::OutputClosed) => return Ok(Ended::Done),
            Err(_) => End::Failed,
        };
        self.tell(&clock, (metrics, before), end);
        ended.map(Ended::from).map_err(Failure::from)
    }

    /// Says how it went.
    fn tell(&self, clock: &Clock, (metrics, before): (Arc<Metrics>, Vec<Totals>), end: End) {
        if self.talk.is_quiet() {
            return;
        }
        let ran = Ran {
            time: clock.time.elapsed(),
            cpu: clocks::cpu().saturating_sub(clock.cpu),
            totals: metrics.totals(),
            before,
            end,
            metrics,
        };
        summary::tell(&self.board, &ran, self.talk);
    }
}

/// When something began, and what of all cores had been taken by then.
struct Clock {
    time: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> Self {
        Self {
            time: Instant::now(),
            cpu: clocks::cpu(),
        }
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

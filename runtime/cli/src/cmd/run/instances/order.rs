//! `--from` and `--fresh` of a process that shares a pipeline: an order to whoever begins the tasks that are meant.
//!
//! It is given once, before any of them begins: when this process has been given all of them, so that nobody else runs one.
//! What can be known to be wrong with it is said before, since what was ordered stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tidemill_checkpoint::{Life, Number, Origin, Restore};
use tidemill_engine::Plan;
use tidemill_engine::plan::TaskOf;

use crate::cmd::run::Run;
use crate::error::Failure;
use crate::recovery::choose::{self, From};
use crate::recovery::{self, RecoveryArgs, Wanted, ordered};
use crate::talk::Talk;

/// How long after others' sessions have ended at the latest tasks are waited for.
const SETTLES: Duration = Duration::from_secs(10);

/// What a person has told this process, before it is an order.
pub struct Order<'a> {
    wanted: &'a Wanted,
    restore: Restore,
    life: Life,
    /// How long others may be members that have ended.
    session: Duration,
    since: Option<Instant>,
    talk: &'a Talk,
}

impl<'a> Order<'a> {
    /// What a process was told about so many tasks; nothing if it was told nothing.
    ///
    /// # Errors
    /// If it cannot be done.
    pub fn of(
        wanted: &'a Wanted,
        (run, args): (&'a Run<'a>, &RecoveryArgs),
        partitions: i32,
        session: Duration,
    ) -> Result<Option<Self>, Failure> {
        let tasks = match &args.from {
            None if args.fresh => (0..partitions).map(|n| (n, Origin::Nothing)).collect(),
            None => return Ok(None),
            Some(from) => origins(wanted, from, partitions)?,
        };
        let life = Life::of_this_process()?;
        let order = Self {
            wanted,
            restore: Restore {
                pipeline: wanted.sequence().pipeline().to_owned(),
                number: wanted.sequence().newest_restore()?.next(),
                tasks,
                allow_duplicates: args.allow_duplicates,
                allow_dropped_state: args.allow_dropped_state.clone(),
                process: life.process.clone(),
                made: life.clock.now(),
            },
            life,
            session,
            since: None,
            talk: run.talk,
        };
        if !args.take_over {
            order.check_alone()?;
        }
        for (number, origin) in &order.restore.tasks {
            let plan = run.plan.of_task(TaskOf {
                partition: *number,
                partitions,
            });
            check((wanted, *number), origin, (&plan, args))?;
        }
        Ok(Some(order))
    }

    /// Whether it can be given now: all of the tasks that it is about are this process' own.
    ///
    /// # Errors
    /// If others have some of them and keep them.
    pub fn is_due(&mut self, own: &BTreeSet<i32>) -> Result<bool, Failure> {
        let mut tasks = self.restore.tasks.keys();
        let Some(first) = tasks.find(|number| !own.contains(number)) else {
            return Ok(true);
        };
        match self.since {
            None => {
                self.since = Some(Instant::now());
                self.talk.note(format!(
                    "waits for task {first}, which the group takes for another process' yet"
                ));
                Ok(false)
            }
            Some(since) if since.elapsed() < self.session + SETTLES => Ok(false),
            Some(_) => Err(others_run(*first)),
        }
    }

    /// Gives it.
    ///
    /// # Errors
    /// If that was not done, or another process has given one meanwhile.
    pub fn give(self) -> Result<(), Failure> {
        match self.wanted.sequence().order(&self.restore, &self.life)? {
            true => Ok(()),
            false => {
                let error =
                    anyhow!("another process was told to begin tasks anew at the same time");
                Err(Failure::from(error).hint("see who else starts this pipeline, and what with"))
            }
        }
    }

    /// Where locks tell, it need not be waited for.
    fn check_alone(&self) -> Result<(), Failure> {
        for number in self.restore.tasks.keys() {
            if self.wanted.sequence().task(*number).is_locked()? == Some(true) {
                return Err(others_run(*number));
            }
        }
        Ok(())
    }
}

fn others_run(number: i32) -> Failure {
    let error = anyhow!(
        "another process runs task {number}, and `--from` and `--fresh` are for tasks that nobody runs"
    );
    Failure::wrong(error).hint(
        "`tidemill stop` stops all processes; then one is started so, and others without: they go on with what it has begun; \
         `--take-over` does not wait for one that hangs",
    )
}

/// Refuses what is for no pipeline with tasks.
///
/// # Errors
/// If `--from` names one checkpoint.
pub fn check_form(args: &RecoveryArgs) -> Result<(), Failure> {
    match &args.from {
        Some(From::Number(number) | From::Location(_, Some(number))) => Err(of_no_task(*number)),
        _ => Ok(()),
    }
}

fn of_no_task(number: u64) -> Failure {
    let error = anyhow!("`--from` names checkpoint {number}, and each task has its own");
    Failure::wrong(error).hint(
        "`--from 0=17,3=9` names one for each task that is not to go on from its newest; `tidemill checkpoint list` has them",
    )
}

/// By task, what `--from` names.
fn origins(
    wanted: &Wanted,
    from: &From,
    partitions: i32,
) -> Result<BTreeMap<i32, Origin>, Failure> {
    match from {
        From::Number(number) | From::Location(_, Some(number)) => Err(of_no_task(*number)),
        From::Location(address, None) => {
            let of_task = |number: i32| {
                let sequence = wanted.place().of_task(number).sequence(address)?;
                let newest = sequence.newest_checkpoint()?;
                let newest = newest.ok_or_else(|| none_elsewhere(number, &sequence.place()))?;
                Ok((number, elsewhere(address, newest.number())))
            };
            (0..partitions).map(of_task).collect()
        }
        From::Tasks(address, tasks) => {
            let of_task = |(number, at): (&i32, &u64)| match address {
                _ if *number >= partitions => {
                    let error = anyhow!("there is no task {number}");
                    Err(Failure::wrong(error).hint(format!("tasks are 0 to {}", partitions - 1)))
                }
                None => Ok((*number, Origin::Own(Number(*at)))),
                Some(address) => Ok((*number, elsewhere(address, Number(*at)))),
            };
            tasks.iter().map(of_task).collect()
        }
    }
}

fn none_elsewhere(number: i32, place: &str) -> Failure {
    Failure::wrong(anyhow!("no savepoint of task {number} in {place}")).hint(
        "`tidemill savepoint --to LOCATION` copies those of all tasks; `--from LOCATION@0=17` takes some and leaves other tasks as they are",
    )
}

/// Whoever begins the task may have been started in another folder.
fn elsewhere(address: &str, number: Number) -> Origin {
    let is_folder = !address.contains("://");
    let absolute = is_folder.then(|| std::path::absolute(Path::new(address)));
    let location = match absolute {
        Some(Ok(path)) => path.to_string_lossy().into_owned(),
        _ => address.to_owned(),
    };
    Origin::Elsewhere { location, number }
}

/// Whether a task can begin so, as far as that is known before it does.
fn check(
    (wanted, number): (&Wanted, i32),
    origin: &Origin,
    (plan, args): (&Plan, &RecoveryArgs),
) -> Result<(), Failure> {
    let Some(from) = ordered::from(origin) else {
        return Ok(());
    };
    let (sequence, place) = (
        wanted.sequence().task(number),
        wanted.place().of_task(number),
    );
    let chosen = choose::asked_for((&sequence, &place), &from, (plan, args))?;
    recovery::changes_since(&chosen, (plan, args)).map(|_| ())
}

//! One of several processes that share a pipeline: it is given partition numbers, and runs a task for each.
//!
//! ```text
//!   group: given 0, 1 ──► claim, fence, restore ──► task 0, task 1     each with checkpoints and transactions of its own
//!          asks 1 back ─► task 1 ends with a checkpoint ──► given back
//! ```
//!
//! Who is given a number says the group. That nothing is lost or doubled meanwhile does not depend on it: who begins a task
//! claims its sequence of checkpoints and its transactional id, and with that fences whoever had them (decision 0036).

mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::json;
use tidemill_checkpoint::Life;
use tidemill_connectors::kafka::{Change, Membership, MembershipSpec, Partitions, Shared, Topics};
use tidemill_engine::Plan;
use tidemill_engine::checkpoint::kafka;
use tidemill_engine::plan::{StationKind, TaskOf};

use self::shown::Tasks;
use super::Run;
use super::lives::{self, Ended};
use crate::error::Failure;
use crate::recovery::{End as AtTheEnd, RecoveryArgs, Wanted};
use crate::signals::Stop;
use crate::summary::End;

/// How long the group is listened to before tasks are looked at again.
const TURN: Duration = Duration::from_millis(50);

/// How often topics are looked for that are not there.
const LOOK: Duration = Duration::from_millis(500);

/// How long a task that another process has taken over is left alone, where the group has not said that it is that one's: by
/// then a process that was away for long has heard so.
const SETTLES: Duration = Duration::from_secs(5);

/// Refuses a pipeline to run in one process that others have shared.
///
/// # Errors
/// If it has tasks.
pub fn check_alone(wanted: &Wanted) -> Result<(), Failure> {
    let sequence = wanted.sequence();
    match sequence.partitions()?.last() {
        None => Ok(()),
        Some(tasks) => {
            let error = anyhow!(
                "pipeline {} has run in several processes, as {tasks} tasks: {} has their checkpoints",
                sequence.pipeline(),
                sequence.place()
            );
            Err(Failure::wrong(error).hint(
                "`--instance NAME`, or `instances` in the pipeline file, goes on with them; another `location` begins anew",
            ))
        }
    }
}

/// Runs what this process is given, until it is stopped or all of that has ended.
///
/// # Errors
/// What has ended a task, or the membership.
pub fn run(
    run: &Run<'_>,
    wanted: &Wanted,
    (name, recovery): (Option<&str>, &RecoveryArgs),
    catch_signals: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if recovery.from.is_some() {
        let error = anyhow!("`--from` names one checkpoint, and each task has its own");
        return Err(Failure::wrong(error).hint(
            "without it each task goes on from its newest; `instances = \"one\"` has one for all",
        ));
    }
    let instance = called(name)?;
    catch_signals()?;
    let Some(partitions) = Count::new(run, wanted)?.wait()? else {
        return Ok(());
    };
    let membership = Membership::join(spec(run.plan, &instance)?)?;
    let tasks = Tasks::default();
    std::thread::scope(|scope| {
        let process = Process {
            run,
            wanted,
            recovery,
            instance: &instance,
            partitions,
            membership: &membership,
            tasks: &tasks,
            scope,
            own: BTreeSet::new(),
            running: BTreeMap::new(),
            ended: BTreeSet::new(),
            asked: false,
            looked: Instant::now(),
            settles: BTreeMap::new(),
            asked_back: None,
            told: None,
            fresh: recovery.fresh,
            failure: None,
        };
        process.work()
    })
}

/// What a process is called: as it was told, or as its host is.
fn called(name: Option<&str>) -> Result<String, Failure> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => {
            let system = rustix::system::uname();
            system.nodename().to_string_lossy().into_owned()
        }
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 249 || !name.chars().all(known) {
        let error = anyhow!("no name for an instance: {name:?}");
        return Err(Failure::wrong(error)
            .hint("`--instance` takes up to 249 letters, digits, `.`, `_` and `-`, such as `--instance fraud-1`"));
    }
    Ok(name)
}

/// The group and the topic whose partitions are shared: those of the first source.
fn spec(plan: &Plan, instance: &str) -> Result<MembershipSpec, Failure> {
    let first = kafka::sources(plan).next().map(|(_, _, source)| source);
    let topic = first.and_then(|source| match &source.topics {
        Topics::Named(names) => names.first().cloned(),
        Topics::Like(_) => None,
    });
    match (first, topic) {
        (Some(source), Some(topic)) => Ok(MembershipSpec {
            client: source.client.clone(),
            group: source.group.clone(),
            topic,
            instance: instance.to_owned(),
        }),
        _ => Err(Failure::defect(anyhow!(
            "a plan with tasks has no topic to share"
        ))),
    }
}

/// How many tasks there are.
struct Count<'a> {
    run: &'a Run<'a>,
    wanted: &'a Wanted,
    topics: Shared,
}

impl<'a> Count<'a> {
    fn new(run: &'a Run<'a>, wanted: &'a Wanted) -> Result<Self, Failure> {
        let topics = Shared::of(kafka::sources(run.plan).map(|(_, _, source)| source))?;
        Ok(Self {
            run,
            wanted,
            topics,
        })
    }

    /// Waits until all topics are there; nothing if somebody stops it before.
    fn wait(&self) -> Result<Option<i32>, Failure> {
        let mut said = None;
        loop {
            match self.topics.look()? {
                Partitions::Are(count) => return self.noted(count).map(Some),
                Partitions::Waits(topic) if said.as_ref() != Some(&topic) => {
                    self.run.talk.note(format!("waits for {topic}"));
                    said = Some(topic);
                }
                Partitions::Waits(_) => {}
            }
            if self.run.stop.wait(LOOK) {
                return Ok(None);
            }
        }
    }

    /// Notes how many tasks there are, unless that cannot be.
    fn noted(&self, count: i32) -> Result<i32, Failure> {
        let sequence = self.wanted.sequence();
        let number = u64::try_from(count).unwrap_or(0);
        let known = sequence.partitions()?;
        if known.is_empty() && !sequence.numbers()?.is_empty() {
            let error = anyhow!(
                "pipeline {} has run in one process: {} has its checkpoints",
                sequence.pipeline(),
                sequence.place()
            );
            return Err(Failure::wrong(error).hint(
                "`instances = \"one\"`, without `--instance`, goes on with them; with another `location`, `start = \"group\"` and \
                 `--fresh` several processes begin where the group stands, without what was kept",
            ));
        }
        let keyed =
            |kind: &StationKind| matches!(kind, StationKind::Window(_) | StationKind::Process(_));
        let keyed = self
            .run
            .plan
            .stations
            .iter()
            .find(|station| keyed(&station.kind));
        if let (Some(was), Some(operator)) = (known.last().filter(|was| **was != number), keyed) {
            let error = anyhow!(
                "the topics had {was} partitions and have {count}: keys of operator {} are in other tasks than what was kept of them",
                operator.name
            );
            return Err(Failure::from(error).hint(
                "write to new topics, or begin anew in another `location`: what is kept of a key cannot follow it",
            ));
        }
        if !known.contains(&number) {
            sequence.note_partitions(number, &Life::of_this_process()?)?;
        }
        Ok(count)
    }
}

/// A task that runs.
struct Task<'s> {
    stop: Stop,
    thread: ScopedJoinHandle<'s, Result<Ended, Failure>>,
}

/// See the module.
struct Process<'s, 'e> {
    run: &'e Run<'e>,
    wanted: &'e Wanted,
    recovery: &'e RecoveryArgs,
    instance: &'e str,
    partitions: i32,
    membership: &'e Membership,
    tasks: &'e Tasks,
    scope: &'s Scope<'s, 'e>,
    /// What it was given.
    own: BTreeSet<i32>,
    running: BTreeMap<i32, Task<'s>>,
    /// Of its own, those that have come to their end.
    ended: BTreeSet<i32>,
    /// Whether somebody has asked one of them to stop.
    asked: bool,
    /// When it was last looked whether those of others have come to their end too.
    looked: Instant,
    /// Of its own, those that another process has taken over, and until when they are left alone.
    settles: BTreeMap<i32, Instant>,
    asked_back: Option<Vec<i32>>,
    /// What it was said to run.
    told: Option<BTreeSet<i32>>,
    /// Whether tasks are begun anew, as they are given for the first time.
    fresh: bool,
    failure: Option<Failure>,
}

impl<'s, 'e: 's> Process<'s, 'e> {
    fn work(mut self) -> Result<(), Failure> {
        let clock = super::Clock::start();
        let progress = self.tasks.show(self.run);
        let mut stopping = false;
        loop {
            if let Err(failure) = self.turn() {
                self.failure.get_or_insert(failure);
            }
            stopping |= self.failure.is_some() || self.run.stop.wait(Duration::ZERO);
            if stopping {
                self.running.values().for_each(|task| task.stop.ask());
            } else if let Err(failure) = self.begin() {
                self.failure = Some(failure);
                continue;
            }
            if self.running.is_empty() && (stopping || self.nothing_is_left()) {
                break;
            }
        }
        drop(progress);
        let end = match (&self.failure, stopping) {
            (Some(_), _) => End::Failed,
            (None, true) => End::Stopped,
            (None, false) => End::Done,
        };
        self.run.tell(&clock, self.tasks.counted(), end);
        self.failure.map_or(Ok(()), Err)
    }

    /// Hears what the group says, and sees which tasks have ended.
    fn turn(&mut self) -> Result<(), Failure> {
        let heard = match self.failure {
            // The group may be what has failed.
            Some(_) => {
                std::thread::sleep(TURN);
                Ok(None)
            }
            None => self.membership.next(TURN),
        };
        if let Some(change) = heard? {
            self.change(change)?;
        }
        let over = self
            .running
            .iter()
            .filter(|(_, task)| task.thread.is_finished());
        let over: Vec<i32> = over.map(|(number, _)| *number).collect();
        for number in over {
            if let Some(task) = self.running.remove(&number) {
                let ended = task.thread.join();
                let ended = ended
                    .unwrap_or_else(|_| Err(Failure::defect(anyhow!("task {number} panicked"))));
                self.over(number, ended)?;
            }
        }
        let busy = |asked: &Vec<i32>| asked.iter().any(|number| self.running.contains_key(number));
        if self.asked_back.as_ref().is_some_and(|asked| !busy(asked)) {
            self.asked_back = None;
            self.membership.give_back();
        }
        self.tell();
        Ok(())
    }

    /// Whether neither it nor another process, should that one die, has anything to do any more.
    fn nothing_is_left(&mut self) -> bool {
        if self.own != self.ended || (self.own.is_empty() && !self.is_bounded()) {
            return false;
        }
        if self.asked || self.recovery.at_end == AtTheEnd::Keep {
            return !self.own.is_empty();
        }
        if self.looked.elapsed() < LOOK {
            return false;
        }
        self.looked = Instant::now();
        // What cannot be read now can be soon.
        let finished = |number| {
            let newest = self.wanted.sequence().task(number).newest_checkpoint();
            newest
                .is_ok_and(|newest| newest.is_some_and(|newest| newest.manifest.contents.finished))
        };
        (0..self.partitions).all(finished)
    }

    fn is_bounded(&self) -> bool {
        kafka::sources(self.run.plan).all(|(_, _, source)| source.until.is_some())
    }

    fn change(&mut self, change: Change) -> Result<(), Failure> {
        match change {
            Change::Given(numbers) => {
                if numbers.iter().any(|number| *number >= self.partitions) {
                    self.partitions = self.count()?;
                }
                if self.fresh && numbers.len() as i32 != self.partitions {
                    let error = anyhow!(
                        "`--fresh` begins all tasks anew, and other processes run some of them"
                    );
                    return Err(Failure::wrong(error).hint("stop them first, or leave it out"));
                }
                self.own.extend(numbers);
            }
            Change::AskedBack(numbers) => {
                self.leave(&numbers);
                self.asked_back = Some(numbers);
            }
            Change::Lost(numbers) => self.leave(&numbers),
        }
        Ok(())
    }

    fn count(&self) -> Result<i32, Failure> {
        let count = Count::new(self.run, self.wanted)?;
        Ok(count.wait()?.unwrap_or(self.partitions))
    }

    fn leave(&mut self, numbers: &[i32]) {
        for number in numbers {
            self.own.remove(number);
            self.ended.remove(number);
            self.settles.remove(number);
            if let Some(task) = self.running.get(number) {
                task.stop.ask();
            }
        }
    }

    /// A task has ended.
    fn over(&mut self, number: i32, ended: Result<Ended, Failure>) -> Result<(), Failure> {
        let talk = self.run.talk.of_task(number);
        let own = self.own.contains(&number);
        match ended {
            Ok(ended) if own && !matches!(ended, Ended::TakenOver(_)) => {
                self.asked |= matches!(ended, Ended::Stopped);
                self.ended.insert(number);
            }
            Ok(Ended::Done | Ended::Stopped) => {}
            Ok(Ended::TakenOver(failure)) => {
                talk.note(failure.cause().to_string());
                if own {
                    self.settles.insert(number, Instant::now() + SETTLES);
                }
            }
            // Whoever has it by now goes on from its newest checkpoint.
            Err(failure) if !own => talk.note(format!(
                "ended without a last checkpoint: {}",
                failure.cause()
            )),
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Begins what it was given and does not run.
    fn begin(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.settles.retain(|_, until| *until > now);
        let idle = self.own.iter().filter(|number| {
            !self.running.contains_key(number)
                && !self.ended.contains(number)
                && !self.settles.contains_key(number)
        });
        for number in idle.copied().collect::<Vec<i32>>() {
            let stop = Stop::default();
            let fresh = self.fresh;
            let (run, wanted) = (
                self.run,
                self.wanted.of_task(number, self.membership.member()),
            );
            let plan = run.plan.of_task(TaskOf {
                partition: number,
                partitions: self.partitions,
            });
            let recovery = match fresh {
                true => self.recovery.clone(),
                false => self.recovery.anywhere(),
            };
            let (tasks, its_stop) = (self.tasks, stop.clone());
            let job = move || {
                let talk = run.talk.of_task(number);
                let live =
                    |checkpoints| tasks.live((number, &plan), checkpoints, (&its_stop, &talk));
                lives::live_on(&wanted, (&plan, &recovery), (&its_stop, &talk), &live)
            };
            let thread = std::thread::Builder::new().name(format!("task-{number}"));
            let thread = thread
                .spawn_scoped(self.scope, job)
                .context("no thread could be started for a task")?;
            self.running.insert(number, Task { stop, thread });
        }
        if !self.own.is_empty() {
            self.fresh = false;
        }
        Ok(())
    }

    /// Says which tasks it runs, when that has changed.
    fn tell(&mut self) {
        let runs: BTreeSet<i32> = self.running.keys().copied().collect();
        if self.told.as_ref() == Some(&runs) || (self.told.is_none() && runs.is_empty()) {
            return;
        }
        let (talk, instance) = (self.run.talk, self.instance);
        if talk.is_json() && !talk.is_quiet() {
            talk.event(&json!({ "event": "tasks", "instance": instance, "tasks": runs, "of": self.partitions }));
        } else {
            let numbers: Vec<String> = runs.iter().map(ToString::to_string).collect();
            talk.note(match numbers.len() {
                0 => format!("instance {instance} runs no task of {}", self.partitions),
                1 => format!(
                    "instance {instance} runs task {} of {}",
                    numbers[0], self.partitions
                ),
                _ => format!(
                    "instance {instance} runs tasks {} of {}",
                    numbers.join(", "),
                    self.partitions
                ),
            });
        }
        self.told = Some(runs);
    }
}

//! What a process does with what the group says: begins tasks, ends them, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::json;
use tidemill_connectors::kafka::{Change, Membership};
use tidemill_engine::checkpoint::kafka;
use tidemill_engine::plan::TaskOf;

use super::LOOK;
use super::count::Count;
use super::order::Order;
use super::presence::Presence;
use super::shown::Tasks;
use crate::cmd::run::lives::{self, Ended};
use crate::cmd::run::{Clock, Run};
use crate::error::Failure;
use crate::recovery::{End as AtTheEnd, RecoveryArgs, Wanted, ordered};
use crate::signals::Stop;
use crate::summary::End;

/// How long the group is listened to before tasks are looked at again.
const TURN: Duration = Duration::from_millis(50);

/// How long a task that another process has taken over is left alone, where the group has not said that it is that one's: by
/// then a process that was away for long has heard so.
const SETTLES: Duration = Duration::from_secs(5);

/// A task that runs.
struct Task<'s> {
    stop: Stop,
    /// Whether it can be asked for a savepoint.
    lives: Arc<AtomicBool>,
    /// Whether it was given up: should the number be given again before it has ended, another task is begun for it.
    left: bool,
    thread: ScopedJoinHandle<'s, Result<Ended, Failure>>,
}

/// What stays the same as long as a process lives.
#[derive(Clone, Copy)]
pub struct About<'e> {
    /// The pipeline.
    pub run: &'e Run<'e>,
    /// How it takes checkpoints.
    pub wanted: &'e Wanted,
    /// How tasks begin that are given for the first time.
    pub recovery: &'e RecoveryArgs,
    /// What the process is called.
    pub instance: &'e str,
    /// Whether it is asked to end.
    pub presence: &'e Presence,
    /// Its part in the group.
    pub membership: &'e Membership,
    /// What its tasks count.
    pub tasks: &'e Tasks,
}

/// See the module.
pub struct Process<'s, 'e> {
    about: About<'e>,
    partitions: i32,
    scope: &'s Scope<'s, 'e>,
    /// What it was given.
    own: BTreeSet<i32>,
    /// Whether it was given anything yet, be it nothing.
    given: bool,
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
    /// What it was told of how tasks begin, until that is ordered.
    order: Option<Order<'e>>,
    failure: Option<Failure>,
}

impl<'s, 'e: 's> Process<'s, 'e> {
    /// A process that was given nothing yet; there are so many tasks.
    pub fn new(
        about: About<'e>,
        (partitions, order): (i32, Option<Order<'e>>),
        scope: &'s Scope<'s, 'e>,
    ) -> Self {
        Self {
            about,
            partitions,
            scope,
            own: BTreeSet::new(),
            given: false,
            running: BTreeMap::new(),
            ended: BTreeSet::new(),
            asked: false,
            looked: Instant::now(),
            settles: BTreeMap::new(),
            asked_back: None,
            told: None,
            order,
            failure: None,
        }
    }

    /// Works until it is stopped, or all of its tasks have ended.
    ///
    /// # Errors
    /// What has ended a task, or the membership.
    pub fn work(mut self) -> Result<(), Failure> {
        let clock = Clock::start();
        let progress = self.about.tasks.show(self.about.run);
        let mut stopping = false;
        loop {
            if let Err(failure) = self.turn() {
                self.failure.get_or_insert(failure);
            }
            stopping |= self.failure.is_some() || self.about.run.stop.wait(Duration::ZERO);
            let asked = self.about.presence.is_asked();
            if stopping {
                self.running.values().for_each(|task| task.stop.ask());
            } else if asked {
                // Whoever asks finds those that live. What is about to live is where it was, and begins again should that be
                // taken back.
                let tasks = self.running.values_mut();
                for task in tasks.filter(|task| !task.lives.load(Relaxed)) {
                    task.left = true;
                    task.stop.ask();
                }
            } else if let Err(failure) = self.begin() {
                self.failure = Some(failure);
                continue;
            }
            if self.running.is_empty() && (stopping || asked || self.nothing_is_left()) {
                stopping |= asked;
                break;
            }
        }
        drop(progress);
        // What has failed is started again under its name, and others need not fail with it. But for what it never began.
        if self.failure.is_none() || self.told.is_none() {
            self.about.membership.leave();
        }
        let end = match (&self.failure, stopping) {
            (Some(_), _) => End::Failed,
            (None, true) => End::Stopped,
            (None, false) => End::Done,
        };
        self.about.run.tell(&clock, self.about.tasks.counted(), end);
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
            None => self.about.membership.next(TURN),
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
                let own = !task.left && self.own.contains(&number);
                self.over((number, own), ended)?;
            }
        }
        let busy = |asked: &Vec<i32>| asked.iter().any(|number| self.running.contains_key(number));
        if self.asked_back.as_ref().is_some_and(|asked| !busy(asked)) {
            self.asked_back = None;
            self.about.membership.give_back();
        }
        self.tell();
        Ok(())
    }

    /// Whether neither it nor another process, should that one die, has anything to do any more.
    fn nothing_is_left(&mut self) -> bool {
        if self.order.is_some()
            || self.own != self.ended
            || (self.own.is_empty() && !self.is_bounded())
        {
            return false;
        }
        if self.asked || self.about.recovery.at_end == AtTheEnd::Keep {
            return !self.own.is_empty();
        }
        if self.looked.elapsed() < LOOK {
            return false;
        }
        self.looked = Instant::now();
        // What cannot be read now can be soon.
        let sequence = self.about.wanted.sequence();
        let finished = |number| {
            let newest = sequence.task(number).newest_checkpoint();
            newest
                .is_ok_and(|newest| newest.is_some_and(|newest| newest.manifest.contents.finished))
                && matches!(ordered::is_open(sequence, number), Ok(false))
        };
        (0..self.partitions).all(finished)
    }

    fn is_bounded(&self) -> bool {
        kafka::sources(self.about.run.plan).all(|(_, _, source)| source.until.is_some())
    }

    fn change(&mut self, change: Change) -> Result<(), Failure> {
        match change {
            Change::Given(numbers) => {
                if numbers.iter().any(|number| *number >= self.partitions) {
                    self.partitions = self.count()?;
                }
                self.own.extend(numbers);
                self.given = true;
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
        let count = Count::new(self.about.run, self.about.wanted)?;
        let count = count.wait(self.about.presence)?;
        Ok(count.unwrap_or(self.partitions))
    }

    fn leave(&mut self, numbers: &[i32]) {
        for number in numbers {
            self.own.remove(number);
            self.ended.remove(number);
            self.settles.remove(number);
            if let Some(task) = self.running.get_mut(number) {
                task.stop.ask();
                task.left = true;
            }
        }
    }

    /// A task has ended, of its own or one that it has left.
    fn over(
        &mut self,
        (number, own): (i32, bool),
        ended: Result<Ended, Failure>,
    ) -> Result<(), Failure> {
        let talk = self.about.run.talk.of_task(number);
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
        if !self.has_ordered()? {
            return Ok(());
        }
        let now = Instant::now();
        self.settles.retain(|_, until| *until > now);
        let idle = self.own.iter().filter(|number| {
            !self.running.contains_key(number)
                && !self.ended.contains(number)
                && !self.settles.contains_key(number)
        });
        for number in idle.copied().collect::<Vec<i32>>() {
            let (stop, lives) = (Stop::default(), Arc::<AtomicBool>::default());
            let (run, wanted) = (
                self.about.run,
                self.about
                    .wanted
                    .of_task(number, self.about.membership.member()),
            );
            let plan = run.plan.of_task(TaskOf {
                partition: number,
                partitions: self.partitions,
            });
            let recovery = self.about.recovery.by_order();
            let (tasks, its_stop, its_lives) = (self.about.tasks, stop.clone(), lives.clone());
            let job = move || {
                let talk = run.talk.of_task(number);
                let live = |checkpoints| {
                    its_lives.store(true, Relaxed);
                    let ended = tasks.live((number, &plan), checkpoints, (&its_stop, &talk));
                    its_lives.store(false, Relaxed);
                    ended
                };
                lives::live_on(&wanted, (&plan, &recovery), (&its_stop, &talk), &live)
            };
            let thread = std::thread::Builder::new().name(format!("task-{number}"));
            let thread = thread
                .spawn_scoped(self.scope, job)
                .context("no thread could be started for a task")?;
            let task = Task {
                stop,
                lives,
                left: false,
                thread,
            };
            self.running.insert(number, task);
        }
        Ok(())
    }

    /// Gives the order that it has brought along, as soon as it can. Whether there is none left.
    fn has_ordered(&mut self) -> Result<bool, Failure> {
        let Some(order) = &mut self.order else {
            return Ok(true);
        };
        if !self.given || !order.is_due(&self.own)? {
            return Ok(false);
        }
        self.order.take().map_or(Ok(()), Order::give)?;
        Ok(true)
    }

    /// Says which tasks it runs, when that has changed.
    fn tell(&mut self) {
        let runs: BTreeSet<i32> = self.running.keys().copied().collect();
        if self.told.as_ref() == Some(&runs) || (self.told.is_none() && runs.is_empty()) {
            return;
        }
        let (talk, instance) = (self.about.run.talk, self.about.instance);
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

//! A round: one pipeline that is struck, again and again, until it is left alone.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tidemill_test_kafka::{Act, Point, Proxy, Request, Topic};

use super::feed::{EVERY, Feeder};
use super::judge::Judge;
use super::life::{End, How, Life, Target};
use super::moment::{Aim, Moment};
use super::scene::Scene;
use super::summary::Summary;
use crate::random::Random;

/// How long a request that is aimed at is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// Of so many rounds two stop a process, one kills the broker, one disturbs connections, and two have two processes that share the
/// pipeline; the others kill.
const SORTS: u64 = 9;

/// See the module.
pub struct Round<'a> {
    pub(super) scene: &'a mut Scene,
    number: u64,
    pub(super) random: Random,
    pub(super) proxy: Proxy,
    pub(super) input: Topic,
    outputs: Vec<Topic>,
    pub(super) folder: PathBuf,
    judge: Judge,
    pub(super) summary: &'a mut Summary,
    say: &'a mut dyn FnMut(&str),
    lives: u32,
}

impl<'a> Round<'a> {
    /// The round of a number.
    pub fn new(
        scene: &'a mut Scene,
        number: u64,
        summary: &'a mut Summary,
        say: &'a mut dyn FnMut(&str),
    ) -> Result<Self> {
        let proxy = Proxy::before(scene.address());
        let (input, outputs) = scene.topics(&format!("round-{number}"));
        let folder = scene.stage(&input, &proxy.address())?;
        Ok(Self {
            number,
            random: Random::of(scene.settings.seed, number + 1),
            judge: Judge::new(&outputs, &input, &folder),
            scene,
            proxy,
            input,
            outputs,
            folder,
            summary,
            say,
            lives: 0,
        })
    }

    /// The round itself.
    pub fn run(&mut self) -> Result<()> {
        if matches!(self.number % SORTS, 2 | 7) {
            return self.shared();
        }
        let feeder = Feeder::start(&self.input, self.scene.records.clone(), EVERY);
        for _ in 0..3 + self.random.below(4) {
            match self.number % SORTS {
                1 | 5 => self.stopped()?,
                3 => self.without_broker()?,
                6 => self.disturbed()?,
                _ => self.killed()?,
            }
            if feeder.is_done() {
                break;
            }
        }
        feeder.finish()?;
        self.left_alone(None)
    }

    /// What the round leaves: a folder, and if it went wrong its topics with the broker's data.
    pub fn end(self, went: &Result<()>) -> PathBuf {
        let topics = (self.input, self.outputs);
        match went {
            Ok(()) => drop(topics),
            Err(_) => std::mem::forget(topics),
        }
        self.folder
    }

    /// A life that is killed at a request, or at a moment of the clock.
    fn killed(&mut self) -> Result<()> {
        let moment = self.moment();
        let (aim, target) = (Aim::drawn(&mut self.random, moment), Target::default());
        self.aim(aim, (&target, libc::SIGKILL));
        let mut life = self.start(false, &target)?;
        let long = aim.map_or(PATIENCE.mul_f64(self.random.share() / 4.0), |_| PATIENCE);
        let struck = life.wait(long, || target.is_struck())?;
        self.proxy.forget();
        if !struck {
            self.summary.missed += u64::from(aim.is_some());
            life.signal(libc::SIGKILL);
        }
        let end = life.end()?;
        ensure!(end == End::Killed, "a life to be killed ended so: {end:?}");
        let at = match aim.filter(|_| struck) {
            Some(aim) => (moment, side(aim.point)),
            None => (Moment::Random, "clock"),
        };
        *self.summary.kills.entry(at).or_default() += 1;
        self.look(&format!("killed at {} {}", at.0.name(), at.1))
    }

    /// A life that is stopped at a request while another one takes over, and woken.
    fn stopped(&mut self) -> Result<()> {
        let moment = self.moment();
        let (aim, target) = (Aim::drawn(&mut self.random, moment), Target::default());
        self.aim(aim, (&target, libc::SIGSTOP));
        let mut first = self.start(false, &target)?;
        let long = aim.map_or(PATIENCE.mul_f64(self.random.share() / 4.0), |_| PATIENCE);
        if !first.wait(long, || target.is_struck())? {
            target.strike(libc::SIGSTOP);
        }
        self.proxy.forget();
        let other = Target::default();
        let mut second = self.start(true, &other)?;
        let alone = Duration::from_millis(self.random.below(1500));
        second.wait(alone, || false)?;
        self.look("another one has taken over")?;
        first.signal(libc::SIGCONT);
        let together = Duration::from_millis(300 + self.random.below(1500));
        second.wait(together, || false)?;
        let second_lived = second.lives()?;
        second.signal(libc::SIGKILL);
        let (first, second) = (first.ended_by(libc::SIGKILL)?, second.end()?);
        let outcome = format!(
            "stopped at {}, woken: {first:?}; the other one: {second:?}",
            moment.name()
        );
        match (&first, second_lived) {
            (End::Fenced, true) => self.summary.fenced += 1,
            // It stood before the lock, which the other one has taken.
            (End::Refused, true) => self.summary.refused += 1,
            // It had claimed, and took the transactional id when it woke up: that fences the one that goes on, before it
            // finds out that it is fenced itself. Nothing is lost by it, but that somebody has to start one.
            (End::Fenced, false) if second == End::Fenced => self.summary.both += 1,
            // It had not claimed, so it came later: it goes on, and the other one is fenced.
            (End::Killed, false) if second == End::Fenced => self.summary.went_on += 1,
            _ => bail!("both went on, or neither: {outcome}"),
        }
        *self.summary.stops.entry(moment).or_default() += 1;
        self.look(&outcome)
    }

    /// A life whose broker is killed and started again. It goes on by itself.
    fn without_broker(&mut self) -> Result<()> {
        let target = Target::default();
        let mut life = self.start(false, &target)?;
        life.wait(Duration::from_millis(300 + self.random.below(1500)), || {
            false
        })?;
        self.scene.kill_broker()?;
        life.wait(Duration::from_millis(self.random.below(2000)), || false)?;
        self.scene.restart_broker()?;
        life.wait(Duration::from_millis(500 + self.random.below(2000)), || {
            false
        })?;
        self.summary.brokers += 1;
        ensure!(
            life.lives()?,
            "without a broker a life ended so: {:?}",
            life.end()?
        );
        life.signal(libc::SIGKILL);
        let end = life.end()?;
        self.look(&format!(
            "the broker was killed and started again; then {end:?}"
        ))
    }

    /// A life whose connection is disturbed at a commit. It goes on by itself.
    fn disturbed(&mut self) -> Result<()> {
        let acts = [
            ("cut", Act::Cut),
            ("answer lost", Act::LoseAnswer),
            ("half-closed", Act::HalfClose),
            ("delayed", Act::Delay(Duration::from_millis(400))),
        ];
        let (name, act) = self.random.one_of(&acts);
        let after = self.random.below(8) as u32;
        let met = self.proxy.met();
        self.proxy.at(Request::EndTxn, after, act);
        let mut life = self.start(false, &Target::default())?;
        let proxy = &self.proxy;
        let came = life.wait(PATIENCE, || proxy.met() > met)?;
        life.wait(Duration::from_millis(500 + self.random.below(1000)), || {
            false
        })?;
        self.proxy.forget();
        self.summary.missed += u64::from(!came);
        ensure!(
            life.lives()?,
            "{name} at a commit: a life ended so: {:?}",
            life.end()?
        );
        life.signal(libc::SIGKILL);
        let end = life.end()?;
        *self.summary.disturbed.entry(name).or_default() += u64::from(came);
        self.look(&format!("{name} at a commit, then {end:?}"))
    }

    /// A life that nobody disturbs, and one that finds nothing to do.
    pub(super) fn left_alone(&mut self, instance: Option<&'static str>) -> Result<()> {
        for _ in 0..2 {
            let how = How {
                instance,
                ..self.how(false, true)
            };
            let life = self.life(how, &Target::default())?;
            let end = life.end()?;
            ensure!(
                end == End::Done,
                "left alone, life {} ended so: {end:?}",
                self.lives
            );
            let seen = self.judge.is_all(&self.scene.expected);
            self.summary.rows += seen.context("in the end")?;
        }
        self.tell("ended, and everything is as it should be");
        Ok(())
    }

    pub(super) fn moment(&mut self) -> Moment {
        self.random.one_of(&self.scene.settings.moments)
    }

    /// Has the next process struck at a request.
    pub(super) fn aim(&self, aim: Option<Aim>, (target, signal): (&Target, i32)) {
        let Some(aim) = aim else { return };
        let target = target.clone();
        let strike = move || target.strike(signal);
        self.proxy.call(aim.request, aim.after, (aim.point, strike));
    }

    fn start(&mut self, take_over: bool, target: &Target) -> Result<Life> {
        let how = self.how(take_over, false);
        self.life(how, target)
    }

    pub(super) fn how(&mut self, take_over: bool, ends: bool) -> How {
        let workers = match self.number % 3 {
            2 => 1 + self.random.below(3),
            workers => 1 + workers,
        };
        How {
            workers,
            take_over,
            ends,
            instance: None,
        }
    }

    pub(super) fn life(&mut self, how: How, target: &Target) -> Result<Life> {
        self.lives += 1;
        Life::start(
            &self.scene.settings,
            (&self.folder, self.lives),
            how,
            target,
        )
    }

    /// Looks at what is committed.
    pub(super) fn look(&mut self, what: &str) -> Result<()> {
        let seen = self.judge.look(&self.scene.expected);
        let seen = seen.with_context(|| what.to_owned())?;
        let all = self.scene.expected.len();
        self.tell(&format!("{what}; {seen} of {all} rows are there"));
        Ok(())
    }

    pub(super) fn tell(&mut self, what: &str) {
        (self.say)(&format!(
            "round {} life {}: {what}",
            self.number, self.lives
        ));
    }
}

pub(super) fn side(point: Point) -> &'static str {
    match point {
        Point::Before => "before",
        Point::Unanswered => "unanswered",
        Point::Answered => "answered",
    }
}

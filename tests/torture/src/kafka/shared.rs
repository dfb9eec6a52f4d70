//! Rounds in which two processes share the pipeline: one of them is struck, and is there again soon, or the other one goes on with its
//! tasks.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use tidemill_test_kafka::Proxy;

use super::feed::{EVERY, Feeder};
use super::life::{End, How, Life, Target};
use super::moment::{Aim, Moment};
use super::round::{PATIENCE, Round, side};

/// What the processes are called.
const NAMES: [&str; 2] = ["a", "b"];

/// A process that shows no sign of life for so long is dead for the others.
const SESSION: Duration = Duration::from_secs(6);

/// A session takes its time, and there are to be rows all along.
const SLOWER: u32 = 5;

/// One of the processes.
struct Process {
    name: &'static str,
    proxy: Proxy,
    life: Life,
}

impl Process {
    /// That it has not ended by itself, as it should not.
    fn goes_on(&mut self, when: &str) -> Result<()> {
        let ended = self.life.ended()?;
        ensure!(
            ended.is_none(),
            "{when}process {} ended by itself: {ended:?}",
            self.name
        );
        Ok(())
    }
}

/// What becomes of a process that is struck.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is started again at once.
    Again,
    /// It is started again when the other one has its tasks.
    TakenOver,
    /// It wakes up when the other one has its tasks.
    Wakes,
}

impl Round<'_> {
    /// A round of two processes.
    pub(super) fn shared(&mut self) -> Result<()> {
        let proxies = NAMES.map(|name| (name, Proxy::before(self.scene.address())));
        let addresses: Vec<(&str, String)> = proxies
            .iter()
            .map(|(name, proxy)| (*name, proxy.address()))
            .collect();
        self.scene
            .stage_shared(&self.folder, &self.input, &addresses)?;
        let feeder = Feeder::start(&self.input, self.scene.records.clone(), EVERY * SLOWER);
        let mut processes = Vec::new();
        for (name, proxy) in proxies {
            let life = self.instance(name, &Target::default())?;
            processes.push(Process { name, proxy, life });
        }
        for _ in 0..3 + self.random.below(3) {
            if self.random.one_in(5) {
                self.without_broker_for_both(&mut processes)?;
                continue;
            }
            let which = self.random.below(2) as usize;
            let other = processes.remove(1 - which);
            let struck = processes.remove(0);
            processes = self.struck(struck, other)?;
            if feeder.is_done() {
                break;
            }
        }
        feeder.finish()?;
        let mut proxies = Vec::new();
        for process in processes {
            process.life.signal(libc::SIGKILL);
            let end = process.life.end()?;
            ensure!(
                end == End::Killed,
                "process {} ended so: {end:?}",
                process.name
            );
            proxies.push(process.proxy);
        }
        self.left_alone(Some(NAMES[0]))
    }

    /// The broker is killed and started again. Both go on by themselves.
    fn without_broker_for_both(&mut self, processes: &mut [Process]) -> Result<()> {
        // Who begins without a broker ends.
        sleep(Duration::from_millis(1500 + self.random.below(1500)));
        self.scene.kill_broker()?;
        sleep(Duration::from_millis(self.random.below(2000)));
        self.scene.restart_broker()?;
        sleep(Duration::from_millis(1000 + self.random.below(3000)));
        self.summary.brokers += 1;
        for process in processes {
            process.goes_on("without a broker ")?;
        }
        self.look("the broker was killed and started again")
    }

    /// Strikes one of two processes.
    fn struck(&mut self, mut one: Process, mut other: Process) -> Result<Vec<Process>> {
        let thens = [Then::Again, Then::Again, Then::TakenOver, Then::Wakes];
        let then = self.random.one_of(&thens);
        let signal = match then {
            Then::Wakes => libc::SIGSTOP,
            Then::Again | Then::TakenOver => libc::SIGKILL,
        };
        let moment = self.moment();
        let aim = Aim::drawn(&mut self.random, moment);
        let target = if matches!(moment, Moment::Fence | Moment::Record | Moment::Rebalance) {
            // Only a process that starts, or is given something, does that.
            one.life.signal(libc::SIGKILL);
            one.life.end()?;
            let target = Target::default();
            self.aim_at((&one.proxy, &target), aim, signal);
            one.life = self.instance(one.name, &target)?;
            target
        } else {
            let target = one.life.target();
            self.aim_at((&one.proxy, &target), aim, signal);
            target
        };
        let long = aim.map_or(PATIENCE.mul_f64(self.random.share() / 4.0), |_| PATIENCE);
        let met = one.life.wait(long, || target.is_struck())?;
        one.proxy.forget();
        if !met {
            self.summary.missed += u64::from(aim.is_some());
            one.life.signal(signal);
        }
        let at = match aim.filter(|_| met) {
            Some(aim) => (moment, side(aim.point)),
            None => (Moment::Random, "clock"),
        };
        if then != Then::Again {
            other.life.wait(
                SESSION + Duration::from_millis(1000 + self.random.below(1500)),
                || false,
            )?;
            self.summary.taken_over += 1;
        }
        other.goes_on("")?;
        let what = match then {
            Then::Wakes => {
                one.life.signal(libc::SIGCONT);
                *self.summary.stops.entry(moment).or_default() += 1;
                "slept, and wakes up"
            }
            Then::Again | Then::TakenOver => {
                let end = one.life.end()?;
                ensure!(end == End::Killed, "process {} ended so: {end:?}", one.name);
                *self.summary.kills.entry(at).or_default() += 1;
                self.summary.again += u64::from(then == Then::Again);
                one.life = self.instance(one.name, &Target::default())?;
                "killed, and started again"
            }
        };
        let late = if then == Then::Again {
            ""
        } else {
            " when the other one had its tasks"
        };
        self.look(&format!(
            "process {} at {} {}: {what}{late}",
            one.name,
            at.0.name(),
            at.1
        ))?;
        one.life
            .wait(Duration::from_millis(self.random.below(2500)), || false)?;
        one.goes_on("")?;
        other.goes_on("")?;
        self.look("both go on")?;
        Ok(vec![one, other])
    }

    fn aim_at(&self, (proxy, target): (&Proxy, &Target), aim: Option<Aim>, signal: i32) {
        let Some(aim) = aim else { return };
        let target = target.clone();
        let strike = move || target.strike(signal);
        proxy.call(aim.request, aim.after, (aim.point, strike));
    }

    fn instance(&mut self, name: &'static str, target: &Target) -> Result<Life> {
        let how = How {
            instance: Some(name),
            ..self.how(false, false)
        };
        self.life(how, target)
    }
}

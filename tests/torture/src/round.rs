//! A round: one pipeline that is killed, again and again, until it ends.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::expected::Rows;
use crate::life::{Acts, End, How, Life};
use crate::moment::{Aim, Hit, Moment};
use crate::published::Published;
use crate::random::Random;
use crate::scene::{BACKENDS, Backend, Scene};
use crate::summary::{Summary, Workers};

/// So many times a pipeline is killed at least, and fewer than so many more.
const KILLS: (u64, u64) = (4, 12);

/// See the module.
pub struct Round<'a> {
    /// What all rounds share.
    pub scene: &'a Scene,
    /// Which it is.
    pub number: u64,
    /// What is drawn in it.
    pub random: Random,
    /// Where it is.
    pub folder: PathBuf,
    /// Its backend; that of the last life, where they change.
    pub backend: Backend,
    /// Its workers.
    pub workers: Workers,
    /// What readers have seen.
    pub published: Published,
    /// Where everything is counted.
    pub summary: &'a mut Summary,
    /// Who is told.
    pub say: &'a mut dyn FnMut(&str),
    /// How often the next lives go on by themselves.
    pub restarts: u64,
    lives: u32,
}

impl<'a> Round<'a> {
    /// The round of a number.
    pub fn new(
        scene: &'a Scene,
        number: u64,
        summary: &'a mut Summary,
        say: &'a mut dyn FnMut(&str),
    ) -> Result<Self> {
        let folder = scene.stage(&format!("round-{number}"))?;
        Ok(Self {
            scene,
            number,
            random: Random::of(scene.settings.seed, number + 1),
            backend: BACKENDS[(number / 3) as usize % BACKENDS.len()],
            workers: Workers::ALL[number as usize % 3],
            published: Published::new(folder.join("out")),
            folder,
            summary,
            say,
            restarts: 0,
            lives: 0,
        })
    }

    /// Lives that are killed, and one that is not.
    pub fn kills(&mut self) -> Result<()> {
        let (least, more) = KILLS;
        let mut last = None;
        for _ in 0..least + self.random.below(more) {
            if self.random.one_in(8) {
                self.terminated()?;
            }
            last = self.killed(last)?;
            if last.is_none() {
                break;
            }
        }
        self.end()
    }

    /// A life that is to be killed. At which moment it was; nothing if it has ended before.
    pub fn killed(&mut self, last: Option<Moment>) -> Result<Option<Moment>> {
        let moment = self.moment(last);
        let aim = (moment != Moment::Random).then(|| self.aim(moment));
        let time = self.scene.whole.mul_f64(self.random.share() * self.left());
        let life = self.start(false, aim.map(|aim| (aim, Hit::Signal(libc::SIGKILL))))?;
        let (end, acts) = match aim {
            Some(_) => life.end(),
            None => life.end_after(time, libc::SIGKILL),
        }?;
        self.note(&acts);
        match end {
            End::Killed => {
                let kills = self
                    .summary
                    .kills
                    .entry((moment, self.backend.name, self.workers));
                *kills.or_default() += 1;
                self.look(&format!("killed {}", struck(aim, time, &acts)))?;
                Ok(Some(moment))
            }
            End::Done => {
                self.summary.missed += 1;
                self.look("ended, and was to be killed")?;
                Ok(None)
            }
            other => bail!("life {} ended so: {other:?}", self.lives),
        }
    }

    /// A life that is asked to stop, by SIGTERM: it takes a last checkpoint and ends well.
    fn terminated(&mut self) -> Result<()> {
        let time = self.scene.whole.mul_f64(self.random.share());
        let life = self.start(false, None)?;
        let (end, acts) = life.end_after(time, libc::SIGTERM)?;
        self.note(&acts);
        // Before it has begun nothing is there yet that could stop in order.
        let early = matches!(&end, End::Failed(how) if how.starts_with("signal: 15 "));
        ensure!(
            end == End::Done || early,
            "asked to stop, life {} ended so: {end:?}",
            self.lives
        );
        self.summary.terminated += 1;
        self.look(&format!("asked to stop after {} ms", time.as_millis()))
    }

    /// The moment of the next kill. Where something may have been left to publish, that is what is mostly aimed at.
    fn moment(&mut self, last: Option<Moment>) -> Moment {
        use Moment::{Between, Claim, Manifest, Publish, Recovery, Republish};
        let wanted: &[Moment] = &self.scene.settings.moments;
        let left = matches!(last, Some(Manifest | Between | Publish | Republish));
        if left && !self.random.one_in(3) {
            let first = [Republish, Republish, Recovery, Claim];
            let first: Vec<Moment> = first.into_iter().filter(|m| wanted.contains(m)).collect();
            if !first.is_empty() {
                return self.random.one_of(&first);
            }
        }
        match self.random.one_of(wanted) {
            Republish if !left => Between,
            moment => moment,
        }
    }

    /// Draws an act of a moment in the next life.
    pub fn aim(&mut self, moment: Moment) -> Aim {
        let left = self.left();
        Aim::drawn(&mut self.random, moment, left)
    }

    /// Which share of the rows is not published yet.
    fn left(&self) -> f64 {
        let all: u64 = self.scene.expected.values().map(Rows::len).sum();
        1.0 - self.published.seen().1 as f64 / all as f64
    }

    /// Starts the next life.
    pub fn start(&mut self, take_over: bool, aim: Option<(Aim, Hit)>) -> Result<Life> {
        self.lives += 1;
        let workers = match self.workers {
            Workers::One => 1,
            Workers::Two => 2,
            Workers::Changing => {
                // What one backend has kept another one goes on from.
                self.backend = self.random.one_of(&BACKENDS);
                1 + self.random.below(3)
            }
        };
        let how = How {
            backend: self.backend,
            workers,
            take_over,
            restarts: self.restarts,
            aim,
        };
        Life::start(self.scene, &self.folder, self.lives, &how)
    }

    /// A life that nobody disturbs, and what all lives together have published. One more finds nothing to do.
    pub fn end(&mut self) -> Result<()> {
        for _ in 0..2 {
            let (end, acts) = self.start(false, None)?.end()?;
            self.note(&acts);
            ensure!(end == End::Done, "life {} ended so: {end:?}", self.lives);
            let in_order = self.workers != Workers::Changing;
            self.published
                .is_all(&self.scene.expected, in_order)
                .context("in the end")?;
        }
        let (files, rows) = self.published.seen();
        self.summary.files += files as u64;
        self.summary.rows += rows;
        self.tell(&format!(
            "ended, with {rows} rows in {files} files as they should be"
        ));
        Ok(())
    }

    /// Looks at what is published.
    pub fn look(&mut self, what: &str) -> Result<()> {
        self.published
            .look(&self.scene.expected)
            .with_context(|| what.to_owned())?;
        let (files, rows) = self.published.seen();
        self.tell(&format!("{what}; published: {rows} rows in {files} files"));
        Ok(())
    }

    /// Counts what a life has done.
    pub fn note(&mut self, acts: &Acts) {
        self.summary.recoveries += u64::from(acts.recovered);
    }

    /// Tells what has happened in a life.
    pub fn tell(&mut self, what: &str) {
        let (backend, workers) = (self.backend.name, self.workers);
        (self.say)(&format!(
            "round {} life {} ({backend}, {workers:?}): {what}",
            self.number, self.lives
        ));
    }
}

/// What a life was about when it was hit.
pub fn struck(aim: Option<Aim>, time: Duration, acts: &Acts) -> String {
    match aim {
        Some(aim) => format!("{} act {}: {}", aim.side.name(), aim.number, acts.last),
        None => format!("after {} ms, about {}", time.as_millis(), acts.last),
    }
}

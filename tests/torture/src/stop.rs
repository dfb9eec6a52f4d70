//! Rounds in which a process is stopped in the middle of an act, another one takes over, and the first wakes up.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::life::{Acts, End, Life};
use crate::moment::{Hit, Moment};
use crate::round::{Round, struck};

impl Round<'_> {
    /// A few kills, so that there is something to go on from; then a process that is stopped; then as it goes.
    pub fn stops(&mut self) -> Result<()> {
        let mut last = None;
        for _ in 0..self.random.below(4) {
            last = self.killed(last)?;
            if last.is_none() {
                return self.end();
            }
        }
        let moments = self.scene.settings.moments.iter().copied();
        let mut moments: Vec<Moment> = moments.filter(|m| *m != Moment::Random).collect();
        if moments.is_empty() {
            moments.push(Moment::Publish);
        }
        let moment = self.random.one_of(&moments);
        let aim = self.aim(moment);
        let mut first = self.start(false, Some((aim, Hit::Signal(libc::SIGSTOP))))?;
        if first.is_stopped()? {
            *self.summary.stops.entry(moment).or_default() += 1;
            let acts = first.acts()?;
            self.look(&format!(
                "stopped {}",
                struck(Some(aim), self.scene.whole, &acts)
            ))?;
            self.taken_over(first, &acts)?;
        } else {
            let (end, acts) = first.end()?;
            self.note(&acts);
            ensure!(end == End::Done, "the one to be stopped ended so: {end:?}");
            self.summary.missed += 1;
        }
        self.end()
    }

    /// Another process takes over from a stopped one, which wakes up after a while.
    fn taken_over(&mut self, first: Life, before: &Acts) -> Result<()> {
        if !at_lock(before) {
            let (end, _) = self.start(false, None)?.end()?;
            ensure!(
                end == End::Refused,
                "a second one, which should be refused, ended so: {end:?}"
            );
            self.summary.refused += 1;
        }
        let aim = self.random.one_in(4).then(|| {
            let moments = [Moment::Publish, Moment::Manifest, Moment::Snapshot];
            let moment = self.random.one_of(&moments);
            (self.aim(moment), Hit::Signal(libc::SIGKILL))
        });
        let mut second = self.start(true, aim)?;
        second.wait(self.scene.whole.mul_f64(self.random.share() * 1.2))?;
        self.look("another one has taken over")?;
        first.wake();
        let (first, acts) = first.end()?;
        let (second, of_second) = second.end()?;
        self.note(&of_second);
        let outcome = format!("woken: {first:?}; the other one: {second:?}");
        self.judge((&first, before, &acts), (&second, &of_second))
            .map_err(|why| why.context(outcome.clone()))?;
        self.look(&outcome)
    }

    /// Judges how both ended: who had claimed and finds another claim behind its own is fenced.
    fn judge(
        &mut self,
        (first, before, acts): (&End, &Acts, &Acts),
        (second, of_second): (&End, &Acts),
    ) -> Result<()> {
        let claimed = !before.made.is_empty();
        let other_claimed = !of_second.made.is_empty();
        match first {
            End::Fenced => {
                ensure!(
                    other_claimed,
                    "nobody had claimed behind the first, and it was fenced"
                );
                self.summary.fenced += 1;
            }
            End::Done if claimed => {
                let finished = self.has_finished(acts)?;
                ensure!(
                    finished || !other_claimed,
                    "the first was to be fenced, and went on"
                );
                self.summary.had_done += 1;
            }
            End::Done => self.summary.went_on += 1,
            // It stood before the lock, which the other one has taken.
            End::Refused if at_lock(before) => self.summary.refused += 1,
            other => bail!("the first ended so: {other:?}"),
        }
        match second {
            End::Done | End::Killed => Ok(()),
            End::Fenced if !claimed => Ok(()),
            other => bail!("the one that had taken over ended so: {other:?}"),
        }
    }

    /// Whether a process had no manifest more to make: its last one says that everything was read, or it has made none and
    /// another one's says so.
    fn has_finished(&self, acts: &Acts) -> Result<bool> {
        let made = match acts.made.as_slice() {
            [claim] => {
                let folder = self.folder.join(claim);
                let folder = folder
                    .parent()
                    .context("a claim lies in a folder")?
                    .read_dir()?;
                folder.map(|entry| Ok(entry?.path())).collect()
            }
            [.., last] => Ok(vec![self.folder.join(last)]),
            [] => Ok(Vec::new()),
        };
        let made: Result<Vec<PathBuf>> = made;
        for manifest in made? {
            // The other one may be removing it.
            let text = fs::read_to_string(manifest).unwrap_or_default();
            if text.contains(r#""decided-by":"manifest","finished":true"#) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a process stands at the lock itself, so that it may not hold it yet.
fn at_lock(acts: &Acts) -> bool {
    acts.last.ends_with("/lock")
}

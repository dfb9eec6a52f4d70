//! What splits are doing: idle, finished, paused, and back again (Watermarks 6 and 8).
//!
//! A split is idle only after time in which it could have delivered. So silence is not what the clock says since its last
//! row: it begins when the split is asked and has nothing, goes on each time that it is asked again, and leaves out
//! the time in which it could not have delivered. A split that nobody asks does not become idle, nor does a paused one.

use super::super::split::{Split, SplitState};
use super::{Place, SourceClock, WhenIdle};
use crate::time;

/// What keeps a source's watermark where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The split of lowest watermark that counts.
    By(usize),
    /// A split is back from idleness and does not count yet, and none that counts is left.
    CatchingUp(usize),
    /// All splits are idle, or finished.
    AllIdle,
    /// All splits are finished, or there are none.
    Over,
}

impl SourceClock {
    /// The split has delivered all its rows. After the last one W rises to the largest of theirs; the end round is the
    /// caller's.
    pub fn finish(&mut self, split: usize) {
        self.splits[split].state = SplitState::Finished;
        self.counted.remove(split);
        self.update();
    }

    /// The split was asked, and has delivered rows that are no rows: it moves no watermark but is not silent.
    pub fn heard(&mut self, split: usize) {
        self.wake(split);
    }

    /// The split was asked at `now` and had nothing. If that has been so for longer than the idle-timeout, it is idle.
    pub fn silent(&mut self, split: usize, now: i64) {
        let Some(timeout) = self.config.idle_timeout.filter(|_| !self.config.bounded) else {
            return;
        };
        let one = &mut self.splits[split];
        let since = *one.silent_since.get_or_insert(now);
        if one.state == SplitState::Active && now - since > timeout {
            one.state = SplitState::Idle;
            self.counted.remove(split);
            self.update();
        }
    }

    /// For this long a split could not have delivered (back-pressure, a checkpoint, no leader, failed fetches): it does
    /// not count as silence.
    pub fn not_deliverable(&mut self, split: usize, from: i64, to: i64) {
        if let Some(since) = &mut self.splits[split].silent_since {
            *since += (to - from.max(*since)).max(0);
        }
    }

    /// It is `now`: while all splits are idle, W rises with the clock where that is wanted. To be called from time to
    /// time.
    pub fn tick(&mut self, now: i64) {
        if !self.is_idle() {
            return;
        }
        let from = self.largest().max(self.watermark);
        let (since, from) = *self.all_idle_since.get_or_insert((now, from));
        if self.config.when_idle == WhenIdle::Advance && from != time::MIN {
            self.watermark = self.watermark.max(from.saturating_add(now - since));
        }
    }

    /// Pauses every split that is more than `max_drift` ahead of the slowest, and lets the others go on. `elsewhere` is
    /// [`SourceClock::slowest`] of the same source on other workers. A paused split counts as before.
    pub fn align(&mut self, max_drift: i64, elsewhere: i64) {
        let limit = self.limit(max_drift, elsewhere);
        for split in &mut self.splits {
            let ahead = split.watermark > limit;
            match split.state {
                SplitState::Active if ahead => {
                    split.state = SplitState::Paused;
                    split.silent_since = None;
                }
                SplitState::Paused if !ahead => {
                    split.state = SplitState::Active;
                    split.silent_since = None;
                }
                _ => {}
            }
        }
    }

    /// The largest watermark of a split that may still deliver under `max_drift`.
    pub fn limit(&self, max_drift: i64, elsewhere: i64) -> i64 {
        self.slowest().min(elsewhere).saturating_add(max_drift)
    }

    /// The lowest watermark of a split that counts and has had a row; [`time::MAX`] if there is none. A split without a row
    /// stands nowhere: nothing can be said to be ahead of it.
    pub fn slowest(&self) -> i64 {
        let counts = |(number, split): &(usize, &Split)| {
            self.counted.contains(*number) && split.watermark != time::MIN
        };
        let counted = self.splits.iter().enumerate().filter(counts);
        counted
            .map(|(_, split)| split.watermark)
            .min()
            .unwrap_or(time::MAX)
    }

    /// Takes rows in the order in which they came until the split's watermark is past `limit`, one at least; how many.
    ///
    /// # Panics
    /// As [`SourceClock::accept`].
    pub fn accept_up_to(
        &mut self,
        (split, limit): (usize, i64),
        times: &[i64],
        stamps: &mut Vec<i64>,
        w: &mut Vec<i64>,
    ) -> usize {
        let until: Place = (limit.saturating_add(1), 0);
        let mut taken = 0;
        while taken < times.len() && (taken == 0 || self.splits[split].watermark <= limit) {
            taken += self.run((split, until), &times[taken..], stamps, w);
        }
        taken
    }

    /// Whether no split delivers, though not all are finished.
    pub fn is_idle(&self) -> bool {
        !self.splits.iter().any(Split::delivers) && !self.is_finished()
    }

    /// Whether no split counts, so that the source is left out of the minimum over inputs: all are idle or finished, or
    /// back from idleness and still behind.
    pub fn is_left_out(&self) -> bool {
        self.counted.first().is_none()
    }

    /// Whether all splits are finished.
    pub fn is_finished(&self) -> bool {
        let finished = |split: &Split| split.state == SplitState::Finished;
        self.splits.iter().all(finished)
    }

    /// What keeps the watermark where it is.
    pub fn held(&self) -> Held {
        if let Some((_, split)) = self.counted.first() {
            return Held::By(split as usize);
        }
        match self.splits.iter().position(Split::delivers) {
            Some(split) => Held::CatchingUp(split),
            None if self.is_finished() => Held::Over,
            None => Held::AllIdle,
        }
    }

    /// When a split will be given up as idle if it stays silent, as far as is known: [`None`] if it delivers, or never.
    pub fn idle_at(&self, split: usize) -> Option<i64> {
        let timeout = self.config.idle_timeout.filter(|_| !self.config.bounded)?;
        let one = &self.splits[split];
        let silent = one
            .silent_since
            .filter(|_| one.state == SplitState::Active)?;
        silent.checked_add(timeout)
    }
}

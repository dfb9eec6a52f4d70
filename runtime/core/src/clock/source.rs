//! A source over its splits, on one worker: reading order, stamps, W at each row, idleness.
//!
//! Invariants:
//! 1. The watermark only rises.
//! 2. A row's stamp is the watermark of its own split as of the preceding row of that split; W at a row is the minimum over
//!    the splits that count, before the row, and never less than the watermark (Watermarks 2 and 10).
//! 3. A split counts if it is active or paused, unless it is back from idleness and its own watermark has not yet reached
//!    the source's (Watermarks 6).

mod saving;
mod states;

pub use saving::SavedSplit;
pub use states::Held;

use super::queue::{LAST, Place, Queue};
use super::split::{Split, SplitState};
use super::strategy::Strategy;
use crate::time;

/// What happens while no split delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WhenIdle {
    /// W is the largest of the splits' and stays.
    #[default]
    Hold,
    /// W rises with the clock, from the largest of the splits'.
    Advance,
}

/// How a source's watermark is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// From event times to watermarks.
    pub strategy: Strategy,
    /// After how many microseconds without a row a split is given up; [`None`]: never.
    pub idle_timeout: Option<i64>,
    /// What happens while no split delivers.
    pub when_idle: WhenIdle,
    /// Whether there is an end. Splits of such a source are never idle.
    pub bounded: bool,
}

/// The watermark of a source on one worker.
#[derive(Clone, Debug)]
pub struct SourceClock {
    config: SourceConfig,
    splits: Vec<Split>,
    /// Those that count.
    counted: Queue,
    watermark: i64,
    /// Since when all splits are idle, and the watermark from which W rises with the clock.
    all_idle_since: Option<(i64, i64)>,
}

impl SourceClock {
    /// A source of `splits` splits, numbered in the order of their names, each at [`time::MIN`].
    pub fn new(config: SourceConfig, splits: usize) -> Self {
        let mut clock = Self {
            config,
            splits: Vec::with_capacity(splits),
            counted: Queue::default(),
            watermark: time::MIN,
            all_idle_since: None,
        };
        (0..splits).for_each(|_| _ = clock.add_split());
        clock
    }

    /// A split found later: it starts at the watermark and counts at once (Watermarks 7). Returns its number.
    pub fn add_split(&mut self) -> usize {
        self.splits.push(Split::new(self.watermark));
        let split = self.splits.len() - 1;
        self.counted.insert(split, self.watermark);
        self.all_idle_since = None;
        split
    }

    /// The split to read the next row of: the unfinished one of lowest watermark, ties by name (Watermarks 7). [`None`] if
    /// all are finished or idle.
    pub fn next_split(&self) -> Option<usize> {
        self.counted.first().map(|(_, split)| split as usize)
    }

    /// Takes the longest run of rows, one at least, that reading order gives to this split, which is
    /// [`SourceClock::next_split`]. Appends the stamp of each and W at each, and returns how many it took.
    ///
    /// # Panics
    /// If the split is finished or there is no such split.
    pub fn take(
        &mut self,
        split: usize,
        times: &[i64],
        stamps: &mut Vec<i64>,
        w: &mut Vec<i64>,
    ) -> usize {
        let until = self.counted.first_but(split);
        self.run((split, until), times, stamps, w)
    }

    /// Takes rows in the order in which they came, as live sources do: all of them.
    ///
    /// # Panics
    /// If the split is finished or there is no such split.
    pub fn accept(&mut self, split: usize, times: &[i64], stamps: &mut Vec<i64>, w: &mut Vec<i64>) {
        let mut rest = times;
        while !rest.is_empty() {
            // A split that begins to count again in the middle changes what the minimum is over.
            let taken = self.run((split, LAST), rest, stamps, w);
            rest = &rest[taken..];
        }
    }

    /// Takes rows of a split as long as it comes before `until` in reading order.
    fn run(
        &mut self,
        (split, until): (usize, Place),
        times: &[i64],
        stamps: &mut Vec<i64>,
        w: &mut Vec<i64>,
    ) -> usize {
        self.wake(split);
        let counts = self.counted.contains(split);
        let others = self.counted.first_but(split).0;
        let (strategy, watermark) = (self.config.strategy, self.watermark);
        let mut own = self.splits[split].watermark;
        let mut taken = 0;
        for &time in times {
            stamps.push(own);
            w.push(match (counts, others) {
                (true, _) => own.min(others).max(watermark),
                (false, time::MAX) => watermark,
                (false, _) => others.max(watermark),
            });
            own = own.max(strategy.after(time));
            taken += 1;
            if (own, split as u32) >= until || (!counts && own >= watermark) {
                break;
            }
        }
        self.set(split, own);
        taken
    }

    /// Raises the watermark of a split by hand. It counts again if it was idle.
    pub fn raise(&mut self, split: usize, w: i64) {
        self.wake(split);
        self.set(split, w.max(self.splits[split].watermark));
    }

    fn set(&mut self, split: usize, own: i64) {
        self.splits[split].watermark = own;
        if self.counted.contains(split) {
            self.counted.raise(split, own);
        } else if own >= self.watermark {
            self.counted.insert(split, own);
        }
        self.update();
    }

    /// A row has come from a split.
    fn wake(&mut self, split: usize) {
        let split = &mut self.splits[split];
        assert!(
            split.state != SplitState::Finished,
            "a finished split delivers no rows"
        );
        split.silent_since = None;
        if split.state == SplitState::Idle {
            split.state = SplitState::Active;
            self.all_idle_since = None;
        }
    }

    /// Lets the watermark rise to what the splits now allow.
    fn update(&mut self) {
        let allowed = match self.counted.first() {
            Some((w, _)) => w,
            // A split that is back from idleness and still behind: it is waited for, but holds nothing back.
            None if self.splits.iter().any(Split::delivers) => return,
            None => self.largest(),
        };
        self.watermark = self.watermark.max(allowed);
    }

    /// How its watermark is made.
    pub fn config(&self) -> SourceConfig {
        self.config
    }

    /// The watermark: what the source passes on.
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// What a split is doing.
    pub fn state(&self, split: usize) -> SplitState {
        self.splits[split].state
    }

    /// A split's own watermark.
    pub fn split_watermark(&self, split: usize) -> i64 {
        self.splits[split].watermark
    }

    /// The largest of the splits' watermarks.
    pub fn largest(&self) -> i64 {
        self.splits
            .iter()
            .map(|split| split.watermark)
            .max()
            .unwrap_or(time::MIN)
    }
}

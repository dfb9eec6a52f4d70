//! Saving where the splits of a source stand, and going on from it.

use super::super::split::{Split, SplitState};
use super::{SourceClock, SourceConfig};

/// Where a split stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedSplit {
    /// Its watermark.
    pub watermark: i64,
    /// What it was doing. Whether it is paused follows from where it stands.
    pub state: SplitState,
    /// Whether it counted.
    pub counts: bool,
}

impl SourceClock {
    /// Where a split stands.
    pub fn save(&self, split: usize) -> SavedSplit {
        let one = &self.splits[split];
        SavedSplit {
            watermark: one.watermark,
            state: match one.state {
                SplitState::Paused => SplitState::Active,
                state => state,
            },
            counts: self.counted.contains(split),
        }
    }

    /// A source on one worker that goes on with these splits. `passed_on` is what every worker of the source had passed on
    /// at least, which is where a split starts that is not known yet.
    pub fn restored(config: SourceConfig, splits: &[Option<SavedSplit>], passed_on: i64) -> Self {
        let mut clock = Self::new(config, 0);
        clock.watermark = passed_on;
        for (number, saved) in splits.iter().enumerate() {
            let Some(saved) = saved else {
                clock.add_split();
                continue;
            };
            clock.splits.push(Split {
                state: saved.state,
                ..Split::new(saved.watermark)
            });
            if saved.counts {
                clock.counted.insert(number, saved.watermark);
            }
        }
        if !splits.is_empty() {
            clock.update();
        }
        clock
    }
}

//! One split: its watermark, and whether it counts.

/// What a split is doing (Watermarks 6): four different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitState {
    /// Delivers rows, or may at any moment.
    Active,
    /// Has delivered nothing for longer than the idle-timeout: left out of the minimum.
    Idle,
    /// Has delivered all its rows: left out of the minimum.
    Finished,
    /// Held back, because it is ahead of others; counts.
    Paused,
}

/// A split of a source.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) state: SplitState,
    /// Its own watermark.
    pub(super) watermark: i64,
    /// Since when it could have delivered but has not; absent where a row has come since the last tick.
    pub(super) silent_since: Option<i64>,
}

impl Split {
    pub(super) fn new(watermark: i64) -> Self {
        Self {
            state: SplitState::Active,
            watermark,
            silent_since: None,
        }
    }

    /// Whether rows may come from it.
    pub(super) fn delivers(&self) -> bool {
        matches!(self.state, SplitState::Active | SplitState::Paused)
    }
}

//! How a split's watermark follows from its event times (Watermarks 4).

use crate::time;

/// A source's strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// No row is more than this many microseconds older than the newest one before it.
    OutOfOrderness(i64),
    /// No row is older than one before it.
    Monotonic,
    /// A function says. Whoever hands rows to the clock hands over what it said of each in place of the row's time,
    /// [`time::MIN`] where it said nothing.
    Custom,
    /// No watermark, until the end.
    None,
}

impl Strategy {
    /// The watermark after a row of this time. That of the rows before it may be larger.
    #[inline]
    pub fn after(self, time: i64) -> i64 {
        match self {
            Self::OutOfOrderness(d) => time.saturating_sub(d).saturating_sub(1),
            Self::Monotonic => time.saturating_sub(1),
            Self::Custom => time,
            Self::None => time::MIN,
        }
    }
}

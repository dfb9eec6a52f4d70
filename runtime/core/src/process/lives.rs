//! Times to live.

use crate::time;

/// Whether an entry that lives from `clock` for `ttl` has expired where W (or the clock) stands at `w`.
pub fn expired(clock: i64, ttl: i64, w: i64) -> bool {
    ends(clock, ttl) <= w
}

/// When an entry expires.
fn ends(clock: i64, ttl: i64) -> i64 {
    clock.saturating_add(ttl)
}

/// Until when all is alive that the rows of a key in one call may see: what the call is given, and what its earlier rows
/// may have written. A call is cut before a row for which any of it would have expired.
#[derive(Clone, Copy, Debug)]
pub struct Lives {
    until: i64,
}

impl Default for Lives {
    fn default() -> Self {
        Self { until: time::MAX }
    }
}

impl Lives {
    /// The call is given an entry that lives from `clock` for `ttl`.
    pub fn given(&mut self, clock: i64, ttl: i64) {
        self.until = self.until.min(ends(clock, ttl));
    }

    /// Whether the call is to be cut before a row at which W stands at `w`. If not, the row is taken: it may write entries
    /// that live from `time` for `ttl`, the shortest that there is.
    pub fn cut_before(&mut self, time: i64, w: i64, ttl: i64) -> bool {
        let cut = self.until <= w;
        if !cut {
            self.given(time, ttl);
        }
        cut
    }
}

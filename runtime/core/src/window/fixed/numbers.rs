//! How often a key's windows have fired: kept while they may fire again.

use smallvec::SmallVec;

/// Windows that have fired, ascending, and how often.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(SmallVec<[(i64, u32); 2]>);

impl Numbers {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last window that has fired.
    pub(super) fn last(&self) -> Option<i64> {
        self.0.last().map(|&(window, _)| window)
    }

    /// All of them, ascending.
    pub(super) fn all(&self) -> &[(i64, u32)] {
        &self.0
    }

    /// A window behind all others has fired so often.
    pub(super) fn set(&mut self, window: i64, number: u32) {
        self.0.push((window, number));
    }

    /// The number of a window's next firing, from 1.
    pub(super) fn next(&mut self, window: i64) -> u32 {
        let at = self.0.partition_point(|&(w, _)| w < window);
        if self.0.get(at).is_none_or(|&(w, _)| w != window) {
            self.0.insert(at, (window, 0));
        }
        self.0[at].1 += 1;
        self.0[at].1
    }

    /// Forgets windows that cannot fire again.
    pub(super) fn expire(&mut self, gone: impl Fn(i64) -> bool) {
        let first = self
            .0
            .iter()
            .position(|&(window, _)| !gone(window))
            .unwrap_or(self.0.len());
        self.0.drain(..first);
    }
}

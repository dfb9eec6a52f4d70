//! Why nothing comes out: what a source on one worker says of its watermark and of the order of its rows, for whoever asks.
//!
//! Written by the source's worker where it changes, at most once a batch; read by whoever shows progress.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidemill_connectors::Gauge;
use tidemill_core::clock::Lateness;

/// What keeps the watermark of a source on one worker where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBy {
    /// Who it is.
    pub holder: Holder,
    /// The split's watermark; where all are idle, the source's. Microseconds.
    pub watermark: i64,
    /// Since when the watermark has stood there, by the clock.
    pub since: i64,
    /// When the split is given up as idle if it stays silent; absent while it delivers, or where it never is.
    pub idle_at: Option<i64>,
}

/// Who keeps a watermark where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The split of lowest watermark.
    Split(Arc<str>),
    /// A split that is back from idleness and behind, where none other delivers.
    Returned(Arc<str>),
    /// All splits are idle.
    AllIdle,
    /// There is no split yet: files that may appear have not.
    NoSplit,
}

impl Holder {
    /// Whether those behind wait for it.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Split(_))
    }
}

/// What a source on one worker says.
#[derive(Default)]
pub struct Watch {
    held: Mutex<Option<HeldBy>>,
    /// Absent where rows have no event time of their own.
    lateness: Mutex<Option<Lateness>>,
    /// What the source itself shows.
    gauge: Mutex<Option<Arc<dyn Gauge>>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Watch");
        shown.field("held", &self.held()).finish_non_exhaustive()
    }
}

impl Watch {
    /// Who keeps the watermark where it is; nobody once the input has ended.
    pub fn held(&self) -> Option<HeldBy> {
        lock(&self.held).clone()
    }

    /// How late rows were, if there is a telling.
    pub fn lateness(&self) -> Option<Lateness> {
        lock(&self.lateness).clone()
    }

    /// What the source itself shows, if it shows anything.
    pub fn gauge(&self) -> Option<Arc<dyn Gauge>> {
        lock(&self.gauge).clone()
    }

    pub(crate) fn set_gauge(&self, gauge: Option<Arc<dyn Gauge>>) {
        *lock(&self.gauge) = gauge;
    }

    pub(crate) fn tell(&self, held: Option<HeldBy>) {
        *lock(&self.held) = held;
    }

    /// Takes the times of a split's next rows; `newest` is as in [`Lateness::observe`].
    pub(crate) fn observe(&self, newest: &mut i64, times: &[i64]) {
        let mut lateness = lock(&self.lateness);
        let lateness = lateness.get_or_insert_default();
        lateness.observe(newest, times);
    }
}

/// What is in there is whole at any moment.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

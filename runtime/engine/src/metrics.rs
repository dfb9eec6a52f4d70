//! Counters of a running pipeline: one set per operator and worker, written by that worker once per batch, read by whoever
//! shows progress.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tidemill_connectors::Gauge;
use tidemill_core::clock::Lateness;
use tidemill_core::time;

use crate::busiest::{KeyRows, TOLD};
use crate::watch::{HeldBy, Watch};

/// Counters of one source, operator or sink on one worker.
#[derive(Debug)]
pub struct Counters {
    /// Rows taken. For a source: rows read, bad ones included.
    pub rows_in: AtomicU64,
    /// Rows given at the main and the side outputs; for a window operator, results.
    pub rows_out: AtomicU64,
    /// Rows that a transform took and gave nothing for.
    pub filtered: AtomicU64,
    /// Rows that failed.
    pub failed: AtomicU64,
    /// Rows refused because of time.
    pub late: AtomicU64,
    /// Rows that were behind and taken all the same.
    pub behind: AtomicU64,
    /// Rows that belong to no window.
    pub in_gaps: AtomicU64,
    /// Windows that a row missed while others took it.
    pub windows_missed: AtomicU64,
    /// Rows that no firing of their window has shown.
    pub never_sent: AtomicU64,
    /// Rows with a null key that `null-key = "skip"` passed over.
    pub null_keys: AtomicU64,
    /// Firings whose result failed and was dropped.
    pub failed_results: AtomicU64,
    /// Timers that were set after the input had ended, and never fire.
    pub timers_dropped: AtomicU64,
    /// Rows that were added up before they crossed to this worker.
    pub combined: AtomicU64,
    /// To how many accumulators they were.
    pub partials: AtomicU64,
    /// Keys for which something is kept.
    pub keys: AtomicU64,
    /// The watermark, in microseconds.
    pub watermark: AtomicI64,
    /// The largest event time read, in microseconds; sources only.
    pub largest: AtomicI64,
    /// Calls of the virtual clock that a module made while rows were processed.
    pub clock_calls: AtomicU64,
    /// Calls of the virtual random source, likewise.
    pub random_calls: AtomicU64,
    /// Time spent, in nanoseconds.
    pub busy_ns: AtomicU64,
    /// Of it, time spent reading and decoding; sources of a run that is profiled only.
    pub decode_ns: AtomicU64,
    /// Time spent by senders on bringing rows to the worker of their key; of a run that is profiled only.
    pub exchange_ns: AtomicU64,
    /// Whether the input has ended.
    pub ended: AtomicBool,
    /// Of a source: what it says of its watermark and of the order of its rows.
    pub watch: Watch,
    /// The busiest keys, once the input has ended.
    pub busiest: Mutex<Vec<KeyRows>>,
}

impl Counters {
    /// Says which keys were the busiest.
    pub fn set_busiest(&self, keys: Vec<KeyRows>) {
        *self.busiest.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

impl Default for Counters {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            rows_in: zero(),
            rows_out: zero(),
            filtered: zero(),
            failed: zero(),
            late: zero(),
            behind: zero(),
            in_gaps: zero(),
            windows_missed: zero(),
            never_sent: zero(),
            null_keys: zero(),
            failed_results: zero(),
            timers_dropped: zero(),
            combined: zero(),
            partials: zero(),
            keys: zero(),
            watermark: AtomicI64::new(time::MIN),
            largest: AtomicI64::new(time::MIN),
            clock_calls: zero(),
            random_calls: zero(),
            busy_ns: zero(),
            decode_ns: zero(),
            exchange_ns: zero(),
            ended: AtomicBool::new(false),
            watch: Watch::default(),
            busiest: Mutex::default(),
        }
    }
}

/// What a run goes on counting after a restart, as it is kept: the order of the fields is the format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(Vec<u64>);

impl Counts {
    /// These and others, added up.
    pub(crate) fn with(self, other: &Self) -> Self {
        let len = self.0.len().max(other.0.len());
        let at = |counts: &[u64], i: usize| counts.get(i).copied().unwrap_or(0);
        Self((0..len).map(|i| at(&self.0, i) + at(&other.0, i)).collect())
    }
}

impl Counters {
    /// The counters that go on after a restart.
    fn lasting(&self) -> [&AtomicU64; 14] {
        [
            &self.rows_in,
            &self.rows_out,
            &self.filtered,
            &self.failed,
            &self.late,
            &self.behind,
            &self.in_gaps,
            &self.windows_missed,
            &self.never_sent,
            &self.null_keys,
            &self.failed_results,
            &self.combined,
            &self.partials,
            &self.timers_dropped,
        ]
    }

    /// What has been counted.
    pub(crate) fn counts(&self) -> Counts {
        let counters = self.lasting();
        Counts(counters.iter().map(|c| c.load(Relaxed)).collect())
    }

    /// How many failures have been counted, of rows and of results.
    pub(crate) fn failures(&self) -> u64 {
        self.failed.load(Relaxed) + self.failed_results.load(Relaxed)
    }

    /// Goes on from what was counted before a restart.
    pub(crate) fn go_on_from(&self, counts: &Counts) {
        for (counter, &count) in self.lasting().iter().zip(&counts.0) {
            counter.store(count, Relaxed);
        }
    }
}

/// Adds to a counter of this worker's own.
pub fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Relaxed) + n, Relaxed);
}

/// All counters of a run: `[node][worker]`.
#[derive(Debug)]
pub struct Metrics {
    names: Vec<String>,
    counters: Vec<Vec<Arc<Counters>>>,
}

/// One node's counters, added up over the workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are those of `Counters`, which documents them"
)]
pub struct Totals {
    pub name: String,
    pub rows_in: u64,
    pub rows_out: u64,
    pub filtered: u64,
    pub failed: u64,
    pub late: u64,
    pub behind: u64,
    pub in_gaps: u64,
    pub windows_missed: u64,
    pub never_sent: u64,
    pub null_keys: u64,
    pub failed_results: u64,
    pub timers_dropped: u64,
    pub combined: u64,
    pub partials: u64,
    pub keys: u64,
    /// The smallest over the workers whose input has not ended; the largest once all have.
    pub watermark: i64,
    pub largest: i64,
    pub clock_calls: u64,
    pub random_calls: u64,
    pub busy_ns: u64,
    pub decode_ns: u64,
    pub exchange_ns: u64,
    pub ended: bool,
    /// The busiest first; known once the input has ended.
    pub busiest: Vec<KeyRows>,
}

impl Metrics {
    /// Counters for these nodes.
    pub fn new(names: Vec<String>, workers: usize) -> Self {
        let counters = names
            .iter()
            .map(|_| (0..workers).map(|_| Arc::default()).collect())
            .collect();
        Self { names, counters }
    }

    /// Those of several runs of one plan, as if the workers of all were one's.
    pub fn together<'m>(names: Vec<String>, runs: impl Iterator<Item = &'m Self> + Clone) -> Self {
        let of = |node: usize| {
            runs.clone()
                .flat_map(move |run| run.counters[node].iter().cloned())
        };
        let counters = (0..names.len()).map(|node| of(node).collect()).collect();
        Self { names, counters }
    }

    /// Nothing is counted any more: watermarks are not waited for.
    pub fn end(&self) {
        let all = self.counters.iter().flatten();
        all.for_each(|counters| counters.ended.store(true, Relaxed));
    }

    /// The counters of one node on one worker.
    pub fn of(&self, node: usize, worker: usize) -> Arc<Counters> {
        self.counters[node][worker].clone()
    }

    /// Who keeps the watermark of a source where it is: of its workers that of the lowest watermark, one that counts first.
    pub fn held(&self, node: usize) -> Option<HeldBy> {
        let held = self.counters[node].iter().filter_map(|c| c.watch.held());
        held.min_by_key(|held| (!held.holder.counts(), held.watermark, held.since))
    }

    /// What a source itself shows: one thing per run.
    pub fn gauges(&self, node: usize) -> impl Iterator<Item = Arc<dyn Gauge>> {
        self.counters[node].iter().filter_map(|c| c.watch.gauge())
    }

    /// How late the rows of a source were, where they have an event time of their own.
    pub fn lateness(&self, node: usize) -> Option<Lateness> {
        let workers = self.counters[node].iter();
        let each = workers.filter_map(|c| c.watch.lateness());
        each.reduce(|mut all, one| {
            all.merge(&one);
            all
        })
    }

    /// The counters of each node, added up over the workers.
    pub fn totals(&self) -> Vec<Totals> {
        self.names
            .iter()
            .zip(&self.counters)
            .map(|(name, workers)| total(name, workers))
            .collect()
    }
}

fn total(name: &str, workers: &[Arc<Counters>]) -> Totals {
    let sum = |f: fn(&Counters) -> &AtomicU64| workers.iter().map(|c| f(c).load(Relaxed)).sum();
    let going: Vec<i64> = workers
        .iter()
        .filter(|c| !c.ended.load(Relaxed))
        .map(|c| c.watermark.load(Relaxed))
        .collect();
    let largest_watermark = || {
        workers
            .iter()
            .map(|c| c.watermark.load(Relaxed))
            .max()
            .unwrap_or(time::MIN)
    };
    Totals {
        name: name.to_owned(),
        rows_in: sum(|c| &c.rows_in),
        rows_out: sum(|c| &c.rows_out),
        filtered: sum(|c| &c.filtered),
        failed: sum(|c| &c.failed),
        late: sum(|c| &c.late),
        behind: sum(|c| &c.behind),
        in_gaps: sum(|c| &c.in_gaps),
        windows_missed: sum(|c| &c.windows_missed),
        never_sent: sum(|c| &c.never_sent),
        null_keys: sum(|c| &c.null_keys),
        failed_results: sum(|c| &c.failed_results),
        timers_dropped: sum(|c| &c.timers_dropped),
        combined: sum(|c| &c.combined),
        partials: sum(|c| &c.partials),
        keys: sum(|c| &c.keys),
        watermark: going
            .iter()
            .copied()
            .min()
            .unwrap_or_else(largest_watermark),
        largest: workers
            .iter()
            .map(|c| c.largest.load(Relaxed))
            .max()
            .unwrap_or(time::MIN),
        clock_calls: sum(|c| &c.clock_calls),
        random_calls: sum(|c| &c.random_calls),
        busy_ns: sum(|c| &c.busy_ns),
        decode_ns: sum(|c| &c.decode_ns),
        exchange_ns: sum(|c| &c.exchange_ns),
        ended: going.is_empty(),
        busiest: busiest(workers),
    }
}

/// The busiest keys of all workers: each key is on one of them.
fn busiest(workers: &[Arc<Counters>]) -> Vec<KeyRows> {
    let of = |counters: &Arc<Counters>| {
        let known = counters.busiest.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    };
    let mut all: Vec<KeyRows> = workers.iter().flat_map(of).collect();
    all.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.key.cmp(&b.key)));
    all.truncate(TOLD);
    all
}

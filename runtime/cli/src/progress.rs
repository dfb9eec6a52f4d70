//! Progress while a pipeline runs: on a terminal a line per station, redrawn; for programs a line of JSON every second.
//!
//! A thread of its own reads the counters; the data path neither waits for it nor knows of it.

mod bars;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use tidemill_engine::Totals;
use tidemill_engine::metrics::Metrics;

use crate::board::Board;
use crate::clocks::now;
use crate::gauges::{self, Noted};
use crate::talk::Talk;
use crate::waits;
use bars::Bars;

/// How often a terminal is drawn anew.
const DRAW: Duration = Duration::from_millis(250);
/// How often programs are told.
const TELL: Duration = Duration::from_secs(1);

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nowhere, but for what sources wait for, if they say so from the beginning.
    Nowhere,
    /// Nowhere, but for what sources wait for, whenever they come.
    Noted,
    /// On the terminal.
    Drawn,
    /// As lines of JSON.
    Told,
}

/// Where counters are looked up, each time anew: tasks come and go.
pub type Watched = Arc<dyn Fn() -> Arc<Metrics> + Send + Sync>;

/// Progress being shown, until it is dropped.
pub struct Progress {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows the progress of a run that has just started.
    pub fn start(shown: Shown, board: &Board, watched: Watched, talk: &Talk) -> Self {
        let none = Self {
            end: None,
            thread: None,
        };
        let stations = 0..board.stations.len();
        let metrics = watched();
        let gauges = stations
            .into_iter()
            .any(|s| metrics.gauges(s).next().is_some());
        if shown == Shown::Nowhere && !gauges {
            return none;
        }
        let (end, ended) = channel();
        let (board, talk) = (board.clone(), talk.clone());
        let show = move || match shown {
            Shown::Drawn => draw(&board, &watched, &talk, &ended),
            Shown::Told => tell(&board, &watched, &talk, &ended),
            Shown::Nowhere | Shown::Noted => note(&board, &watched, &talk, &ended),
        };
        match std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(show)
        {
            Ok(thread) => Self {
                end: Some(end),
                thread: Some(thread),
            },
            // A run without progress is better than none.
            Err(_) => none,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It has only drawn: if it panicked, the hook has said so.
            let _ = thread.join();
        }
    }
}

/// Whether the run has gone on for another `step`.
fn goes_on(ended: &Receiver<()>, step: Duration) -> bool {
    ended.recv_timeout(step) == Err(RecvTimeoutError::Timeout)
}

fn draw(board: &Board, watched: &Watched, talk: &Talk, ended: &Receiver<()>) {
    let mut rates = Rates::new(watched().totals());
    // A run that is over at once shows its summary only.
    let mut bars: Option<Bars> = None;
    while goes_on(ended, DRAW) {
        let metrics = watched();
        let totals = metrics.totals();
        let bars = bars.get_or_insert_with(|| Bars::new(talk.draw()));
        let waits = waits::find(board, &totals, &metrics);
        let gauges = gauges::look(board, &metrics);
        bars.show((board, &totals), &rates.since(&totals), &waits, &gauges);
    }
    if let Some(bars) = bars {
        bars.clear();
    }
}

fn tell(board: &Board, watched: &Watched, talk: &Talk, ended: &Receiver<()>) {
    let start = Instant::now();
    let mut rates = Rates::new(watched().totals());
    while goes_on(ended, TELL) {
        let metrics = watched();
        let totals = metrics.totals();
        let since = rates.since(&totals);
        let mut stations: Vec<_> = board
            .with(&totals)
            .zip(since)
            .map(|((station, own), since)| station.event(own, &totals, since))
            .collect();
        gauges::add(&mut stations, &gauges::look(board, &metrics));
        waits::add(&mut stations, &waits::find(board, &totals, &metrics), now());
        talk.event(&json!({
            "event": "progress", "pipeline": board.pipeline,
            "elapsed_s": start.elapsed().as_secs_f64(), "stations": stations,
        }));
    }
}

/// Where nothing is drawn: only what sources wait for.
fn note(board: &Board, watched: &Watched, talk: &Talk, ended: &Receiver<()>) {
    let mut noted = Noted::default();
    while goes_on(ended, TELL) {
        let shown = gauges::look(board, &watched());
        let lines = gauges::lines(board, &shown).collect();
        noted.new_of(lines).iter().for_each(|line| talk.note(line));
    }
}

/// What each station took since the last look.
struct Rates {
    at: Instant,
    before: Vec<Totals>,
}

impl Rates {
    fn new(totals: Vec<Totals>) -> Self {
        Self {
            at: Instant::now(),
            before: totals,
        }
    }

    /// Rows taken since the last look, and how long ago that was.
    fn since(&mut self, totals: &[Totals]) -> Vec<(u64, Duration)> {
        let time = self.at.elapsed();
        let rows = |(now, before): (&Totals, &Totals)| now.rows_in.saturating_sub(before.rows_in);
        let taken = totals
            .iter()
            .zip(&self.before)
            .map(|both| (rows(both), time))
            .collect();
        *self = Self::new(totals.to_vec());
        taken
    }
}

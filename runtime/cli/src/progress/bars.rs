//! Progress on a terminal: a line per station.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tidemill_engine::Totals;
use tidemill_rows::time_text::rfc3339;

use crate::board::{Board, Kind, Station};
use crate::clocks::now;
use crate::figures::{count, per_second, rate, span};
use crate::waits::Wait;

/// A watermark that has stood for so many microseconds is worth a line.
const A_WHILE_US: i64 = 2_000_000;

/// The lines that are drawn.
pub struct Bars {
    all: MultiProgress,
    lines: Vec<ProgressBar>,
    /// Below them: who waits for whom.
    waits: Vec<ProgressBar>,
    style: ProgressStyle,
    /// Width of the names.
    width: usize,
}

impl Bars {
    /// A line for each station.
    pub fn new(all: &MultiProgress, board: &Board) -> Self {
        let style = ProgressStyle::with_template("{wide_msg}").expect("the template is sound");
        let line = |_: &Station| {
            let line = all.add(ProgressBar::no_length().with_style(style.clone()));
            line.tick();
            line
        };
        let lines = board.stations.iter().map(line).collect();
        let width = board
            .stations
            .iter()
            .map(|s| s.name.chars().count())
            .max()
            .unwrap_or(0);
        Self {
            all: all.clone(),
            lines,
            waits: Vec::new(),
            style,
            width,
        }
    }

    /// Draws figures; `since` is what each station took in the last moments.
    pub fn show(&self, board: &Board, totals: &[Totals], since: &[(u64, Duration)]) {
        let stations = board.with(totals).zip(since).zip(&self.lines);
        for (((station, own), &(rows, time)), line) in stations {
            line.set_message(self.text(station, own, totals, per_second(rows, time)));
        }
    }

    /// Draws who has waited for whom for a while.
    pub fn show_waits(&mut self, waits: &[Wait]) {
        let now = now();
        let shown: Vec<&Wait> = waits
            .iter()
            .filter(|w| w.lasts(now) >= A_WHILE_US)
            .collect();
        while self.waits.len() > shown.len() {
            let line = self.waits.pop().expect("there is one");
            self.all.remove(&line);
        }
        while self.waits.len() < shown.len() {
            let line = ProgressBar::no_length().with_style(self.style.clone());
            self.waits.push(self.all.add(line));
        }
        for (wait, line) in shown.iter().zip(&self.waits) {
            line.set_message(wait.text(now));
        }
    }

    /// Takes the lines away.
    pub fn clear(&self) {
        // A terminal that cannot be cleared keeps the last figures, which are true.
        let _ = self.all.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn text(&self, station: &Station, own: &Totals, all: &[Totals], rows_per_s: f64) -> String {
        let mut text = format!(
            "{:9} {:width$} {:>7} rows/s {:>13} in",
            station.kind.word(),
            station.name,
            rate(rows_per_s),
            count(own.rows_in),
            width = self.width,
        );
        if station.kind == Kind::Sink {
            return text;
        }
        text.push_str(&format!(" {:>13} out", count(own.rows_out)));
        if let Some(lag) = station.lag(own, all, now()) {
            text.push_str(&format!(
                "  watermark {}, lag {}",
                rfc3339(own.watermark),
                span(lag)
            ));
        }
        for (n, what) in [
            (own.late, "late"),
            (own.failed + own.failed_results, "failed"),
        ] {
            if n > 0 {
                text.push_str(&format!("  {} {what}", count(n)));
            }
        }
        text
    }
}

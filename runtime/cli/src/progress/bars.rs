//! Progress on a terminal: a line per station, and below them who waits for whom.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tidemill_engine::Totals;
use tidemill_rows::time_text::rfc3339;

use crate::board::{Board, Kind, Station};
use crate::clocks::now;
use crate::figures::{count, per_second, rate, span};
use crate::gauges::{self, Shown};
use crate::waits::Wait;

/// A watermark that has stood for so many microseconds is worth a line.
const A_WHILE_US: i64 = 2_000_000;

/// What stays free at the end of a line: some terminals break one that fills them.
const FREE: usize = 1;

/// The lines that are drawn.
pub struct Bars {
    all: MultiProgress,
    lines: Vec<ProgressBar>,
    style: ProgressStyle,
}

impl Bars {
    /// Nothing is drawn yet.
    pub fn new(all: &MultiProgress) -> Self {
        Self {
            all: all.clone(),
            lines: Vec::new(),
            style: ProgressStyle::with_template("{msg}").expect("the template is sound"),
        }
    }

    /// Draws figures, and who has waited for whom for a while; `since` is what each station took in the last moments.
    pub fn show(
        &mut self,
        (board, totals): (&Board, &[Totals]),
        since: &[(u64, Duration)],
        waits: &[Wait],
        gauges: &[Shown],
    ) {
        let (now, room) = (now(), room());
        let mut lines = stations(board, totals, since, gauges);
        lines.iter_mut().for_each(|line| cut(line, room));
        let news = gauges::lines(board, gauges);
        lines.extend(news.flat_map(|(_, line)| wrapped(&line, room)));
        let long = waits.iter().filter(|w| w.lasts(now) >= A_WHILE_US);
        lines.extend(long.flat_map(|wait| wrapped(&wait.text(now), room)));
        self.draw(&lines);
    }

    fn draw(&mut self, lines: &[String]) {
        while self.lines.len() > lines.len() {
            let line = self.lines.pop().expect("there is one");
            self.all.remove(&line);
        }
        while self.lines.len() < lines.len() {
            let line = ProgressBar::no_length().with_style(self.style.clone());
            self.lines.push(self.all.add(line));
        }
        for (line, text) in self.lines.iter().zip(lines) {
            line.set_message(text.clone());
        }
    }

    /// Takes the lines away.
    pub fn clear(&self) {
        // A terminal that cannot be cleared keeps the last figures, which are true.
        let _ = self.all.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }
}

/// A line per station, figures below figures; what matters least is last, where a narrow terminal has no room for it.
fn stations(
    board: &Board,
    totals: &[Totals],
    since: &[(u64, Duration)],
    gauges: &[Shown],
) -> Vec<String> {
    let cells: Vec<[String; 5]> = board
        .with(totals)
        .zip(since)
        .map(|((station, own), &(rows, time))| {
            let out = match station.kind {
                Kind::Sink => String::new(),
                _ => format!("{} out", count(own.rows_out)),
            };
            [
                station.kind.word().to_owned(),
                station.name.clone(),
                format!("{} rows/s", rate(per_second(rows, time))),
                format!("{} in", count(own.rows_in)),
                out,
            ]
        })
        .collect();
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let [kind, name, rows, taken, given] = [0, 1, 2, 3, 4].map(width);
    let stations = board.with(totals).zip(gauges).zip(&cells);
    stations
        .map(|(((station, own), gauge), [a, b, c, d, e])| {
            let figures = format!("{a:kind$}  {b:name$}  {c:>rows$}  {d:>taken$}  {e:>given$}");
            let more = remarks((station, gauge), own, totals);
            format!("{figures}  {more}").trim_end().to_owned()
        })
        .collect()
}

fn remarks((station, gauge): (&Station, &Shown), own: &Totals, all: &[Totals]) -> String {
    if station.kind == Kind::Sink {
        return String::new();
    }
    let mut remarks = Vec::new();
    for (n, what) in [
        (own.late, "late"),
        (own.failed + own.failed_results, "failed"),
    ] {
        if n > 0 {
            remarks.push(format!("{} {what}", count(n)));
        }
    }
    if let Some(backlog) = gauge.backlog {
        remarks.push(format!("backlog {}", count(backlog)));
    }
    if let Some(lag) = station.lag(own, all, now()) {
        // To the millisecond: who wants to know more asks programs.
        let watermark = own.watermark.div_euclid(1000) * 1000;
        let watermark = rfc3339(watermark);
        remarks.push(format!("lag {}, watermark {watermark}", span(lag)));
    }
    remarks.join("  ")
}

/// How many characters a line may have.
fn room() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    let width = size.map_or(0, |size| usize::from(size.ws_col));
    let known = if width == 0 { 80 } else { width };
    known.saturating_sub(FREE).max(20)
}

/// Leaves away what has no room.
fn cut(line: &mut String, room: usize) {
    if line.chars().count() > room {
        *line = line.chars().take(room - 1).chain(['…']).collect();
    }
}

/// A text in lines that have room, broken between words where that is possible.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        let fits = line.chars().count() + 1 + word.chars().count() <= room;
        match line.is_empty() {
            true => line.push_str(word),
            false if fits => *line = format!("{line} {word}"),
            false => lines.push(format!("  {word}")),
        }
    }
    lines.iter_mut().for_each(|line| cut(line, room));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let text = "average waits for readings: a.jsonl stands still";
        let cases: [(usize, &[&str]); 3] = [
            (80, &[text]),
            (
                30,
                &["average waits for readings:", "  a.jsonl stands still"],
            ),
            (
                12,
                &[
                    "average",
                    "  waits for",
                    "  readings:",
                    "  a.jsonl",
                    "  stands",
                    "  still",
                ],
            ),
        ];
        for (room, expected) in cases {
            assert_eq!(wrapped(text, room), expected, "{room}");
        }
        assert_eq!(wrapped("a-very-long-name", 10), ["a-very-lo…"]);
    }
}

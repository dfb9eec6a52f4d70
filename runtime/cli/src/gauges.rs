//! What sources themselves show: how far they are behind, and what they wait for.

use serde_json::Value;
use tidemill_engine::metrics::Metrics;

use crate::board::Board;

/// What a source shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// How many records are there and were not read.
    pub backlog: Option<u64>,
    /// What it waits for, or what is wrong just now.
    pub news: Option<String>,
}

/// What each station shows, in the order of the board.
pub fn look(board: &Board, metrics: &Metrics) -> Vec<Shown> {
    let shown = |index: usize| Shown {
        backlog: metrics
            .gauges(index)
            .filter_map(|gauge| gauge.backlog())
            .reduce(|all, one| all + one),
        news: metrics.gauges(index).find_map(|gauge| gauge.news()),
    };
    (0..board.stations.len()).map(shown).collect()
}

/// The news of all sources, each in a line.
pub fn lines<'a>(
    board: &'a Board,
    shown: &'a [Shown],
) -> impl Iterator<Item = (usize, String)> + 'a {
    let stations = board.stations.iter().zip(shown).enumerate();
    stations.filter_map(|(index, (station, shown))| {
        let news = shown.news.as_ref()?;
        Some((index, format!("source {}: {news}", station.name)))
    })
}

/// Adds to the stations' events what each shows.
pub fn add(stations: &mut [Value], shown: &[Shown]) {
    for (station, shown) in stations.iter_mut().zip(shown) {
        if let Some(backlog) = shown.backlog {
            station["backlog"] = backlog.into();
        }
        if let Some(news) = &shown.news {
            station["news"] = news.as_str().into();
        }
    }
}

/// Notes news once, when they come and when they have changed.
#[derive(Default)]
pub struct Noted(Vec<(usize, String)>);

impl Noted {
    /// The lines that were not among those of the last look.
    pub fn new_of(&mut self, lines: Vec<(usize, String)>) -> Vec<String> {
        let new = lines.iter().filter(|line| !self.0.contains(line));
        let new = new.map(|(_, line)| line.clone()).collect();
        self.0 = lines;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_noted_when_they_come_and_when_they_come_again() {
        let mut noted = Noted::default();
        let line = |text: &str| (0, text.to_owned());
        assert_eq!(noted.new_of(vec![line("a")]), ["a"]);
        assert_eq!(noted.new_of(vec![line("a")]), [""; 0]);
        assert_eq!(noted.new_of(vec![line("b")]), ["b"]);
        assert_eq!(noted.new_of(vec![]), [""; 0]);
        assert_eq!(noted.new_of(vec![line("b")]), ["b"]);
    }
}

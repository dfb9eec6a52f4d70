//! Why nothing comes out: which split holds a window operator's watermark back, since when, and what would release it.

use serde_json::{Value, json};
use tidemill_core::time;
use tidemill_engine::Totals;
use tidemill_engine::metrics::Metrics;
use tidemill_engine::watch::{HeldBy, Holder};
use tidemill_rows::time_text::rfc3339;

use crate::board::{Board, Rules};
use crate::figures::span;

/// Operators that wait for one split.
#[derive(Clone, Debug)]
pub struct Wait {
    /// The operators, as indices of the board.
    pub stations: Vec<usize>,
    names: Vec<String>,
    source: String,
    rules: Rules,
    held: HeldBy,
}

/// What would let a watermark rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    /// A row of the split.
    Row,
    /// The split's end.
    End,
    /// More silence, for which it is given up.
    IdleTimeout,
    /// The clock, which it follows by now.
    Clock,
    /// The clock, if the pipeline file said so.
    WhenIdle,
    /// A file that appears.
    File,
}

impl Release {
    fn word(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::End => "end",
            Self::IdleTimeout => "idle-timeout",
            Self::Clock => "clock",
            Self::WhenIdle => "when-idle",
            Self::File => "file",
        }
    }
}

/// Who waits for whom, of the window operators that hold something.
pub fn find(board: &Board, totals: &[Totals], metrics: &Metrics) -> Vec<Wait> {
    let mut waits: Vec<Wait> = Vec::new();
    for (index, (station, own)) in board.with(totals).enumerate() {
        if !station.fires() || own.keys == 0 {
            continue;
        }
        let held = |source: usize| Some((source, metrics.held(source)?));
        let sources = (0..board.stations.len()).filter(|&source| station.reads(source));
        let lowest = sources
            .filter_map(held)
            .min_by_key(|(_, held)| (!held.holder.counts(), held.watermark));
        let Some((source, held)) = lowest else {
            continue;
        };
        let source = &board.stations[source];
        let same = |wait: &&mut Wait| wait.source == source.name && wait.held == held;
        if let Some(wait) = waits.iter_mut().find(same) {
            wait.stations.push(index);
            wait.names.push(station.name.clone());
        } else if let Some(rules) = source.rules {
            waits.push(Wait {
                stations: vec![index],
                names: vec![station.name.clone()],
                source: source.name.clone(),
                rules,
                held,
            });
        }
    }
    waits
}

impl Wait {
    /// How long it has gone on, in microseconds.
    pub fn lasts(&self, now: i64) -> i64 {
        now.saturating_sub(self.held.since).max(0)
    }

    /// In a sentence.
    pub fn text(&self, now: i64) -> String {
        let waits = if self.names.len() == 1 {
            "waits"
        } else {
            "wait"
        };
        format!(
            "{} {waits} for {}: {}; {}",
            self.names.join(", "),
            self.source,
            self.who(now),
            self.released(now)
        )
    }

    fn who(&self, now: i64) -> String {
        let since = span(self.lasts(now));
        let at = match self.held.watermark {
            time::MIN => "has no watermark".to_owned(),
            w => format!("stands at {}", rfc3339(w)),
        };
        match &self.held.holder {
            Holder::Split(name) => format!("{name} {at} since {since}"),
            Holder::Returned(name) => {
                format!("{name} is back from idleness, behind all others, and {at} since {since}")
            }
            Holder::AllIdle => format!("all its splits are idle, and it {at} since {since}"),
            Holder::NoSplit => format!("no file of it is there, since {since}"),
        }
    }

    fn releases(&self) -> Vec<Release> {
        let rules = &self.rules;
        match self.held.holder {
            Holder::Split(_) if rules.never => vec![Release::End],
            Holder::Split(_) => {
                let mut releases = vec![Release::Row];
                if rules.ends {
                    releases.push(Release::End);
                }
                if rules.idle_timeout.is_some() {
                    releases.push(Release::IdleTimeout);
                }
                releases
            }
            Holder::Returned(_) => vec![Release::Row],
            Holder::AllIdle if rules.advances => vec![Release::Clock],
            Holder::AllIdle => vec![Release::Row, Release::WhenIdle],
            Holder::NoSplit => vec![Release::File],
        }
    }

    fn released(&self, now: i64) -> String {
        let each = self.releases();
        let texts: Vec<String> = each.iter().map(|r| self.release(*r, now)).collect();
        let mut text = match texts.as_slice() {
            [rest @ .., last] if !rest.is_empty() => {
                format!("released by {} or {last}", rest.join(", "))
            }
            _ => format!("released by {}", texts.concat()),
        };
        if matches!(self.held.holder, Holder::Split(_)) {
            if self.rules.never {
                text += " (`watermark = \"none\"`)";
            } else if !self.rules.ends && self.rules.idle_timeout.is_none() {
                text += " (`idle-timeout = \"none\"`)";
            }
        }
        text
    }

    fn release(&self, release: Release, now: i64) -> String {
        match (release, self.held.idle_at, self.rules.idle_timeout) {
            (Release::Row, ..) => "a later row of it".to_owned(),
            (Release::End, ..) => "its end".to_owned(),
            (Release::IdleTimeout, Some(at), _) => {
                format!("`idle-timeout` in {}", span(at.saturating_sub(now).max(0)))
            }
            (Release::IdleTimeout, _, timeout) => {
                format!(
                    "`idle-timeout`, {} without a row",
                    span(timeout.unwrap_or(0))
                )
            }
            (Release::Clock, ..) => "the clock, which it follows".to_owned(),
            (Release::WhenIdle, ..) => "`when-idle = \"advance\"`".to_owned(),
            (Release::File, ..) => "a file that appears".to_owned(),
        }
    }

    /// For programs.
    pub fn event(&self, now: i64) -> Value {
        let (split, state) = match &self.held.holder {
            Holder::Split(name) => (Some(name), "counts"),
            Holder::Returned(name) => (Some(name), "returned"),
            Holder::AllIdle => (None, "all-idle"),
            Holder::NoSplit => (None, "no-split"),
        };
        let watermark = Some(self.held.watermark).filter(|&w| w != time::MIN);
        let releases: Vec<&str> = self.releases().into_iter().map(Release::word).collect();
        json!({
            "source": self.source, "split": split.map(|name| &**name), "state": state,
            "watermark": watermark.map(rfc3339), "since": rfc3339(self.held.since),
            "since_ms": self.lasts(now) / 1000, "idle_at": self.held.idle_at.map(rfc3339),
            "released_by": releases,
        })
    }
}

/// Adds to the stations' events who each waits for.
pub fn add(stations: &mut [Value], waits: &[Wait], now: i64) {
    for wait in waits {
        for &station in &wait.stations {
            stations[station]["held_by"] = wait.event(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: Rules = Rules {
        ends: false,
        never: false,
        idle_timeout: Some(60_000_000),
        advances: false,
    };

    fn said(rules: Rules, holder: Holder, watermark: i64, idle_at: Option<i64>) -> String {
        let held = HeldBy {
            holder,
            watermark,
            since: 0,
            idle_at,
        };
        let wait = Wait {
            stations: vec![1],
            names: vec!["hours".to_owned()],
            source: "rows".to_owned(),
            rules,
            held,
        };
        wait.text(34_000_000)
    }

    #[test]
    fn who_since_when_and_what_releases() {
        let split = || Holder::Split("a.jsonl".into());
        let never = Rules {
            idle_timeout: None,
            ..LIVE
        };
        let bounded = Rules {
            ends: true,
            ..never
        };
        let at = 1_000_000;
        let cases = [
            (
                said(LIVE, split(), at, Some(60_000_000)),
                "hours waits for rows: a.jsonl stands at 1970-01-01T00:00:01Z since 34s; \
                 released by a later row of it or `idle-timeout` in 26s",
            ),
            (
                said(LIVE, split(), time::MIN, None),
                "hours waits for rows: a.jsonl has no watermark since 34s; \
                 released by a later row of it or `idle-timeout`, 1m without a row",
            ),
            (
                said(never, split(), at, None),
                "hours waits for rows: a.jsonl stands at 1970-01-01T00:00:01Z since 34s; \
                 released by a later row of it (`idle-timeout = \"none\"`)",
            ),
            (
                said(bounded, split(), at, None),
                "hours waits for rows: a.jsonl stands at 1970-01-01T00:00:01Z since 34s; \
                 released by a later row of it or its end",
            ),
            (
                said(
                    Rules {
                        never: true,
                        ..bounded
                    },
                    split(),
                    time::MIN,
                    None,
                ),
                "hours waits for rows: a.jsonl has no watermark since 34s; \
                 released by its end (`watermark = \"none\"`)",
            ),
            (
                said(LIVE, Holder::AllIdle, at, None),
                "hours waits for rows: all its splits are idle, and it stands at 1970-01-01T00:00:01Z since 34s; \
                 released by a later row of it or `when-idle = \"advance\"`",
            ),
            (
                said(LIVE, Holder::NoSplit, time::MIN, None),
                "hours waits for rows: no file of it is there, since 34s; released by a file that appears",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }
}

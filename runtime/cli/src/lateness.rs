//! How far a source's rows came out of order, and which `out-of-orderness` would have kept how many of them.

use serde_json::{Value, json};
use tidemill_core::clock::Lateness;
use tidemill_engine::metrics::Metrics;
use tidemill_pipeline::units::show_duration;

use crate::board::Board;
use crate::figures::counted;

/// Shares of rows, as words and as "all but one in".
const SHARES: [(&str, u64); 2] = [("99 %", 100), ("99.9 %", 1000)];

/// Microseconds of the units to which a duration is rounded up.
const STEPS: [i64; 5] = [3_600_000_000, 60_000_000, 1_000_000, 1_000, 1];

/// What the summary says of each source on which a window depends, ready to paste.
pub fn lines(board: &Board, metrics: &Metrics) -> Vec<String> {
    let sources = board.stations.iter().enumerate().filter(|(index, _)| {
        let windows = board.stations.iter().filter(|station| station.fires());
        windows.into_iter().any(|window| window.reads(*index))
    });
    sources
        .filter_map(|(index, source)| {
            let lateness = metrics.lateness(index).filter(|late| late.rows() > 0)?;
            Some(text(&source.name, &lateness))
        })
        .flatten()
        .collect()
}

fn text(source: &str, lateness: &Lateness) -> Vec<String> {
    let rows = counted(lateness.rows(), "row");
    if lateness.most() == 0 {
        return vec![format!("{source}: its {rows} came in order of time")];
    }
    let mut lines = vec![format!(
        "{source}: of its {rows} this would have kept so many in time:"
    )];
    let keeping = keeping(lateness);
    for same in keeping.chunk_by(|one, next| one.1 == next.1) {
        let shares: Vec<&str> = same.iter().map(|(share, _)| *share).collect();
        let key = format!("out-of-orderness = \"{}\"", same[0].1);
        lines.push(format!("  {key:34} # {}", shares.join(", ")));
    }
    lines
}

/// Shares of the rows and what keeps them.
fn keeping(lateness: &Lateness) -> Vec<(&'static str, String)> {
    let most = lateness.most();
    let keeping = |n: u64| round_up(lateness.all_but_one_in(n)).min(most);
    let shares = SHARES.map(|(share, n)| (share, show_duration(keeping(n))));
    let all = [("all", show_duration(most))];
    shares.into_iter().chain(all).collect()
}

/// A duration of at most three figures or so that is not shorter.
fn round_up(us: i64) -> i64 {
    let step = STEPS.into_iter().find(|step| us >= 100 * step).unwrap_or(1);
    us.div_euclid(step) * step + if us % step > 0 { step } else { 0 }
}

/// The same for programs.
pub fn event(metrics: &Metrics, station: usize) -> Option<Value> {
    let lateness = metrics.lateness(station)?;
    let [(_, p99), (_, p999), (_, all)] = keeping(&lateness).try_into().ok()?;
    Some(json!({
        "rows": lateness.rows(), "most_us": lateness.most(),
        "keeps_99": p99, "keeps_99_9": p999, "keeps_all": all,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_up_is_no_shorter_and_not_much_longer() {
        let cases = [
            (0, 0),
            (99, 99),
            (99_999, 99_999),
            (100_001, 101_000),
            (3_211_263, 3_212_000),
            (100_000_001, 101_000_000),
            (6_000_000_000, 6_000_000_000),
            (6_000_000_001, 6_060_000_000),
            (400 * 3_600_000_000 + 1, 401 * 3_600_000_000),
        ];
        for (us, rounded) in cases {
            assert_eq!(round_up(us), rounded, "{us}");
        }
    }

    #[test]
    fn lines_are_ready_to_paste() {
        let mut lateness = Lateness::default();
        let mut newest = i64::MIN;
        lateness.observe(&mut newest, &[9_000_000, 0, 8_500_000, 10_000_000]);
        let expected = [
            "rows: of its 4 rows this would have kept so many in time:",
            "  out-of-orderness = \"9s\"            # 99 %, 99.9 %, all",
        ];
        assert_eq!(text("rows", &lateness), expected);
        let mut ordered = Lateness::default();
        ordered.observe(&mut i64::MIN.clone(), &[1, 2]);
        assert_eq!(text("r", &ordered), ["r: its 2 rows came in order of time"]);
    }
}

//! What must come: rows that are late by their own split's stamps, and the rows of each window. Nothing here knows in which
//! order rows of different splits come.

use std::collections::{BTreeMap, BTreeSet};

use crate::cases::{Case, Keep, Window};
use crate::support::input::Row;
use crate::support::model;

/// A window of a key: its bounds, where the rows decide them.
pub type Group = (Option<String>, i64, i64);

/// What must come, whatever the order between splits.
pub struct Expected {
    pub late: BTreeSet<i64>,
    /// Rows of each window, in order of time.
    pub rows: BTreeMap<Group, Vec<Row>>,
}

impl Expected {
    pub fn of(case: &Case, splits: &[Vec<Row>], out_of_orderness: i64) -> Self {
        let mut late = BTreeSet::new();
        let mut taken: BTreeMap<Option<String>, Vec<Row>> = BTreeMap::new();
        let mut rows: BTreeMap<Group, Vec<Row>> = BTreeMap::new();
        for split in splits {
            let (stamps, _) = model::stamps(split, out_of_orderness);
            for (row, stamp) in split.iter().zip(stamps) {
                let windows = case.window.of(row.at);
                let open = |end: i64| end != i64::MAX && end - 1 + case.lateness <= stamp;
                let refused = match case.window {
                    Window::Slide(_) => row.at <= stamp,
                    _ => !windows.is_empty() && windows.iter().all(|&(_, end)| open(end)),
                };
                if refused {
                    late.insert(row.value);
                    continue;
                }
                taken.entry(row.key.clone()).or_default().push(row.clone());
                for (start, end) in windows.into_iter().filter(|&(_, end)| !open(end)) {
                    rows.entry((row.key.clone(), start, end))
                        .or_default()
                        .push(row.clone());
                }
            }
        }
        for (key, mut taken) in taken {
            taken.sort_by_key(|row| row.at);
            rows.extend(case.window.of_all(&key, &taken));
        }
        rows.values_mut().for_each(|rows| case.keep.of(rows));
        Self { late, rows }
    }
}

impl Window {
    /// The windows of a row that is alone, where others do not decide.
    fn of(self, at: i64) -> Vec<(i64, i64)> {
        match self {
            Window::Hop { size, step } => {
                let last = at.div_euclid(step) * step;
                let starts = (0..).map(|n| last - n * step);
                starts
                    .take_while(|start| at < start + size)
                    .map(|start| (start, start + size))
                    .collect()
            }
            Window::Cumulate { size, step } => {
                let start = at.div_euclid(size) * size;
                let ends = (1..=size / step).map(|n| start + n * step);
                ends.filter(|&end| at < end)
                    .map(|end| (start, end))
                    .collect()
            }
            Window::Global => vec![(0, i64::MAX)],
            Window::Session(_) | Window::Slide(_) | Window::Rows(_) => Vec::new(),
        }
    }

    /// The windows that rows of a key make together.
    fn of_all(self, key: &Option<String>, rows: &[Row]) -> Vec<(Group, Vec<Row>)> {
        match self {
            Window::Session(gap) => {
                let sessions = rows.chunk_by(|a, b| b.at - a.at <= gap);
                let bounds =
                    |rows: &[Row]| (key.clone(), rows[0].at, rows[rows.len() - 1].at + gap);
                sessions.map(|rows| (bounds(rows), rows.to_vec())).collect()
            }
            Window::Slide(range) => {
                let seen = |at: i64| {
                    rows.iter()
                        .filter(move |row| (at - range..=at).contains(&row.at))
                };
                let result = |row: &Row| {
                    (
                        (key.clone(), row.at - range, row.at + 1),
                        seen(row.at).cloned().collect(),
                    )
                };
                rows.iter().map(result).collect()
            }
            Window::Rows(_) => vec![((key.clone(), 0, i64::MAX), rows.to_vec())],
            _ => Vec::new(),
        }
    }

    /// Whether bounds do not tell the windows of a key apart.
    pub fn is_one(self) -> bool {
        matches!(self, Window::Global | Window::Rows(_))
    }
}

impl Keep {
    fn of(self, rows: &mut Vec<Row>) {
        rows.sort_by_key(|row| row.at);
        let last = rows.last().map_or(0, |row| row.at);
        match self {
            Keep::All => {}
            Keep::Newest(most) => drop(rows.drain(..rows.len().saturating_sub(most))),
            Keep::Within(time) => rows.retain(|row| row.at >= last - time),
        }
    }
}

//! Windows after `docs/semantics.md`, as naively as they can be: every window keeps its rows, and nothing is shared, cut
//! into panes or put into batches. For one split, where W at a row is the row's stamp (Watermarks 10).

use std::collections::BTreeMap;

use super::input::Row;
use super::spec::{Kind, Spec};

/// A result of `sum`, with the columns of every result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Result {
    pub key: Option<String>,
    pub start: i64,
    pub end: i64,
    pub firing: &'static str,
    pub number: i64,
    pub last: bool,
    pub sum: i64,
    pub rows: i64,
}

/// What must come out, in order for each key.
#[derive(Default)]
pub struct Expected {
    pub results: Vec<Result>,
    pub late: Vec<Row>,
    pub in_gaps: u64,
}

#[derive(Clone, Default)]
struct Open {
    unsent: Vec<i64>,
    sent: Vec<i64>,
    firings: i64,
}

/// The windows of one key, by start and end.
type Windows = BTreeMap<(i64, i64), Open>;

struct Model {
    spec: Spec,
    keys: BTreeMap<Option<String>, Windows>,
    out: Expected,
}

/// Stamps of a split's rows, and its watermark after them (Watermarks 2 and 4).
pub fn stamps(rows: &[Row], out_of_orderness: i64) -> (Vec<i64>, i64) {
    let mut watermark = i64::MIN;
    let mut stamp = |row: &Row| {
        let stamp = watermark;
        watermark = watermark.max(row.at - out_of_orderness - 1);
        stamp
    };
    let stamps = rows.iter().map(&mut stamp).collect();
    (stamps, watermark)
}

/// Sums the values of rows that `keep` lets through, by key or all together.
pub fn run(
    spec: Spec,
    (rows, out_of_orderness): (&[Row], i64),
    keyed: bool,
    keep: impl Fn(&Row) -> bool,
) -> Expected {
    let mut model = Model {
        spec,
        keys: BTreeMap::new(),
        out: Expected::default(),
    };
    let (stamps, end) = stamps(rows, out_of_orderness);
    for (row, stamp) in rows.iter().zip(stamps).filter(|(row, _)| keep(row)) {
        let key = row.key.clone().filter(|_| keyed);
        model.rise(stamp);
        model.take(row, key, stamp);
    }
    model.rise(end);
    model.rise(i64::MAX);
    model.out
}

impl Model {
    /// Fires what is due and forgets what takes no row any more.
    fn rise(&mut self, w: i64) {
        let mut due: Vec<(i64, i64, Option<String>)> = Vec::new();
        for (key, windows) in &self.keys {
            // What has fired has nothing unsent, unless it is a session that has grown since.
            let fires = windows
                .iter()
                .filter(|((_, end), open)| !open.unsent.is_empty() && self.spec.due(*end) <= w);
            due.extend(fires.map(|((start, end), _)| (*end, *start, key.clone())));
        }
        due.sort();
        for (end, start, key) in due {
            self.fire(&key, (start, end), "on-time");
        }
        for windows in self.keys.values_mut() {
            let spec = self.spec;
            windows.retain(|(_, end), _| spec.due(*end) + spec.lateness > w);
        }
    }

    fn fire(&mut self, key: &Option<String>, (start, end): (i64, i64), firing: &'static str) {
        let windows = self.keys.get_mut(key).expect("a key with windows");
        let open = windows.get_mut(&(start, end)).expect("an open window");
        let unsent = std::mem::take(&mut open.unsent);
        open.sent.extend(&unsent);
        open.firings += 1;
        let content = if self.spec.discarding {
            &unsent
        } else {
            &open.sent
        };
        self.out.results.push(Result {
            key: key.clone(),
            start,
            end,
            firing,
            number: open.firings,
            last: firing == "on-time" && self.spec.lateness == 0,
            sum: content.iter().sum(),
            rows: content.len() as i64,
        });
    }

    fn take(&mut self, row: &Row, key: Option<String>, stamp: i64) {
        let windows = match self.spec.kind {
            Kind::Hop { size, step, offset } => hops(row.at, (size, step, offset)),
            Kind::Session { gap } => vec![self.joined(&key, row.at, gap)],
            Kind::Other(window) => unreachable!("the model knows no {window}"),
        };
        self.out.in_gaps += u64::from(windows.is_empty());
        let takes = |end: i64| self.spec.due(end) + self.spec.lateness > stamp;
        let open: Vec<(i64, i64)> = windows
            .iter()
            .copied()
            .filter(|(_, end)| takes(*end))
            .collect();
        if open.is_empty() && !windows.is_empty() {
            self.out.late.push(row.clone());
        }
        for (start, end) in open {
            let own = self.keys.entry(key.clone()).or_default();
            let mut one = Open::default();
            // A session swallows what it covers; any other window only itself.
            let covered: Vec<(i64, i64)> = own
                .keys()
                .copied()
                .filter(|other| match self.spec.kind {
                    Kind::Session { .. } => start <= other.0 && other.1 <= end,
                    _ => *other == (start, end),
                })
                .collect();
            for other in covered {
                let other = own.remove(&other).expect("it was there");
                one.unsent.extend(other.unsent);
                one.sent.extend(other.sent);
                one.firings = one.firings.max(other.firings);
            }
            one.unsent.push(row.value);
            own.insert((start, end), one);
            if self.spec.due(end) <= stamp {
                self.fire(&key, (start, end), "correction");
            }
        }
    }

    /// The session that a row opens or joins: all that it overlaps or touches, and what those touch.
    fn joined(&self, key: &Option<String>, at: i64, gap: i64) -> (i64, i64) {
        let (mut start, mut end) = (at, at + gap);
        let empty = Windows::new();
        let windows = self.keys.get(key).unwrap_or(&empty);
        for (from, to) in windows.keys() {
            if *from <= at + gap && at <= *to {
                start = start.min(*from);
                end = end.max(*to);
            }
        }
        (start, end)
    }
}

/// The windows that a time lies in, in order.
fn hops(at: i64, (size, step, offset): (i64, i64, i64)) -> Vec<(i64, i64)> {
    let last = (at - offset).div_euclid(step) * step + offset;
    let mut starts: Vec<i64> = (0..)
        .map(|n| last - n * step)
        .take_while(|start| at < start + size)
        .collect();
    starts.reverse();
    starts
        .into_iter()
        .map(|start| (start, start + size))
        .collect()
}

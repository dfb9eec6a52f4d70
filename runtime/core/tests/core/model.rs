//! A naive model of windows: keeps every row and recomputes everything, row by row. Slow and plain on purpose.

use std::collections::BTreeMap;

use tidemill_core::time;
use tidemill_core::window::{Firing, Mode, Moment, WindowKind, WindowSpec};

use crate::machine::TestRow;

/// A result of the model: values sorted, since the order of merging is not its business.
#[derive(Clone, Debug, PartialEq)]
pub struct Modelled {
    pub key: String,
    pub firing: Firing,
    pub values: Vec<i64>,
}

/// What the model says of all rows.
#[derive(Default)]
pub struct Model {
    pub fired: Vec<Modelled>,
    pub late: Vec<usize>,
}

/// A window of one key.
#[derive(Clone, Debug, Default)]
struct Window {
    /// Time and value of each row.
    rows: Vec<(i64, i64)>,
    sent: usize,
    number: u32,
}

type Windows = BTreeMap<(i64, i64), Window>;

/// Runs one key's rows; `end` is the W before the end round.
pub fn run(spec: &WindowSpec, key: &str, rows: &[(usize, TestRow)], end: i64) -> Model {
    let mut key = Key {
        spec: *spec,
        name: key.to_owned(),
        windows: Windows::new(),
        w: time::MIN,
        out: Model::default(),
    };
    for (index, row) in rows {
        key.rise(row.w.max(key.w), time::MAX);
        if !key.take(row) {
            key.out.late.push(*index);
        }
    }
    key.rise(end.max(key.w), time::MAX);
    key.rise(time::MAX, end.max(key.w));
    key.out
}

struct Key {
    spec: WindowSpec,
    name: String,
    windows: Windows,
    w: i64,
    out: Model,
}

impl Key {
    /// 0 or, for sessions, 1: they fire at their end, one later than other windows.
    fn hold(&self) -> i64 {
        i64::from(matches!(self.spec.kind, WindowKind::Session { .. }))
    }

    fn due(&self, end: i64) -> i64 {
        end - 1 + self.hold()
    }

    fn rise(&mut self, w: i64, ceiling: i64) {
        let mut ends: Vec<(i64, i64)> = self.windows.keys().copied().collect();
        ends.sort_by_key(|(start, end)| (*end, *start));
        for (start, end) in ends {
            if self.due(end) > self.w && self.due(end) <= w {
                let stamp = time::back((self.due(end) - 1).min(ceiling), self.hold());
                self.fire((start, end), Moment::OnTime, (stamp, stamp));
            }
        }
        let lateness = self.spec.lateness;
        let hold = self.hold();
        self.windows
            .retain(|(_, end), _| end - 1 + hold + lateness > w);
        self.w = w;
    }

    fn fire(&mut self, (start, end): (i64, i64), moment: Moment, (stamp, w): (i64, i64)) {
        let window = self.windows.get_mut(&(start, end)).expect("a window");
        let from = if self.spec.mode == Mode::Discarding {
            window.sent
        } else {
            0
        };
        let mut values: Vec<i64> = window.rows[from..]
            .iter()
            .map(|(_, value)| *value)
            .collect();
        values.sort_unstable();
        window.sent = window.rows.len();
        window.number += 1;
        let number = window.number;
        let last = moment == Moment::OnTime && self.spec.lateness == 0;
        let time = end - 1;
        let firing = Firing {
            key: 0,
            start,
            end,
            time,
            moment,
            number,
            last,
            stamp,
            w,
            row: None,
        };
        self.out.fired.push(Modelled {
            key: self.name.clone(),
            firing,
            values,
        });
    }

    /// Whether the row was taken, or is in a gap.
    fn take(&mut self, row: &TestRow) -> bool {
        let candidates = match self.spec.kind {
            WindowKind::Session { gap } => vec![self.session(row.time, gap)],
            kind => windows_of(kind, row.time),
        };
        let judged = row.stamp.max(self.w);
        let mut taken = candidates.is_empty();
        for (start, end) in candidates {
            if self.due(end) + self.spec.lateness <= judged {
                continue;
            }
            taken = true;
            let mut window = self.joined((start, end));
            window.rows.push((row.time, row.value));
            self.windows.insert((start, end), window);
            if self.due(end) <= self.w {
                let w = time::back(self.w, self.hold());
                self.fire((start, end), Moment::Correction, (row.stamp, w));
            }
        }
        taken
    }

    /// The session that a row would be in: grows until nothing more touches it.
    fn session(&self, time: i64, gap: i64) -> (i64, i64) {
        let mut one = (time, time + gap);
        while let Some(other) = self
            .windows
            .keys()
            .find(|o| o.0 <= one.1 && one.0 <= o.1 && (o.0 < one.0 || o.1 > one.1))
        {
            one = (one.0.min(other.0), one.1.max(other.1));
        }
        one
    }

    /// What the window has so far; of sessions, all that it covers, those sent first.
    fn joined(&mut self, (start, end): (i64, i64)) -> Window {
        if !matches!(self.spec.kind, WindowKind::Session { .. }) {
            return self.windows.get(&(start, end)).cloned().unwrap_or_default();
        }
        let covered: Vec<(i64, i64)> = self
            .windows
            .keys()
            .filter(|o| o.0 >= start && o.1 <= end)
            .copied()
            .collect();
        let (mut sent, mut unsent, mut number) = (vec![], vec![], 0);
        for window in covered
            .iter()
            .map(|one| self.windows.remove(one).expect("a window"))
        {
            sent.extend_from_slice(&window.rows[..window.sent]);
            unsent.extend_from_slice(&window.rows[window.sent..]);
            number = number.max(window.number);
        }
        let done = sent.len();
        sent.extend(unsent);
        Window {
            rows: sent,
            sent: done,
            number,
        }
    }
}

/// All windows of a time, tried one by one.
pub fn windows_of(kind: WindowKind, time: i64) -> Vec<(i64, i64)> {
    let (size, step, offset) = match kind {
        WindowKind::Tumble { size, offset } => (size, size, offset),
        WindowKind::Hop { size, step, offset } => (size, step, offset),
        WindowKind::Cumulate { size, step, offset } => {
            let start = (time - offset).div_euclid(size) * size + offset;
            let ends = (1..=size / step).map(|n| start + n * step);
            return ends
                .filter(|end| time < *end)
                .map(|end| (start, end))
                .collect();
        }
        WindowKind::Session { .. } => unreachable!("sessions depend on other rows"),
    };
    (time - size + 1..=time)
        .filter(|start| (start - offset).rem_euclid(step) == 0)
        .map(|start| (start, start + size))
        .collect()
}

//! A naive model of windows: keeps every row and recomputes everything, row by row. Slow and plain on purpose.

use std::collections::BTreeMap;

use tidemill_core::time;
use tidemill_core::window::{Firing, Keep, Mode, Moment, WindowKind, WindowSpec};

use crate::machine::{Change, TestRow};

/// A result of the model. Values are in event-time order where rows are stored; elsewhere sorted, since the order of
/// merging is not the model's business.
#[derive(Clone, Debug, PartialEq)]
pub struct Modelled {
    pub key: String,
    pub change: Change,
    pub firing: Firing,
    pub values: Vec<i64>,
}

/// What the model says of all rows.
#[derive(Default)]
pub struct Model {
    pub fired: Vec<Modelled>,
    pub late: Vec<usize>,
    pub never_sent: u64,
}

/// A row in a window.
#[derive(Clone, Copy, Debug)]
struct Row {
    time: i64,
    /// Its place in arrival order.
    index: usize,
    value: i64,
    sent: bool,
}

/// A window of one key.
#[derive(Clone, Debug, Default)]
struct Window {
    rows: Vec<Row>,
    number: u32,
    /// Rows since the last firing by their number.
    counted: u32,
    sent: Option<Modelled>,
}

/// By end and start.
type Windows = BTreeMap<(i64, i64), Window>;

/// What fires a window.
#[derive(Clone, Copy)]
struct Why {
    moment: Moment,
    at: i64,
    stamp: i64,
    w: i64,
}

/// Something that happens to a key.
pub enum Event {
    /// A row comes; its index.
    Row(usize, TestRow),
    /// The clock ticks, at this W.
    Clock(i64),
}

/// Runs one key's rows; `end` is the W before the end round.
pub fn run(spec: &WindowSpec, key: &str, events: &[Event], end: i64) -> Model {
    let mut key = Key {
        spec: *spec,
        name: key.to_owned(),
        windows: Windows::new(),
        w: time::MIN,
        out: Model::default(),
    };
    for event in events {
        match event {
            Event::Row(index, row) => {
                key.rise(row.w.max(key.w), time::MAX);
                if !key.take(*index, row) {
                    key.out.late.push(*index);
                }
            }
            Event::Clock(w) => {
                key.rise((*w).max(key.w), time::MAX);
                key.clock(*w);
            }
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

    fn endless(&self) -> bool {
        matches!(self.spec.kind, WindowKind::Global | WindowKind::Rows { .. })
    }

    /// W at which a window fires at its end.
    fn ends(&self, end: i64) -> i64 {
        if self.endless() {
            time::MAX - 1
        } else {
            end - 1 + self.hold()
        }
    }

    /// W at which it is gone.
    fn gone(&self, end: i64) -> i64 {
        self.ends(end)
            + if self.endless() {
                0
            } else {
                self.spec.lateness
            }
    }

    /// The first tick after `after`.
    fn tick(&self, (end, start): (i64, i64), window: &Window, after: i64) -> Option<i64> {
        let every = self.spec.triggers.every?;
        let (first, after) = match start {
            time::MIN => (0, after.max(time::FIRST)),
            start => (start, after.max(start)),
        };
        if after >= end {
            return None;
        }
        let tick = after.saturating_add(every - (after - first).rem_euclid(every));
        (tick < end && window.rows.iter().any(|row| !row.sent)).then_some(tick)
    }

    fn rise(&mut self, w: i64, ceiling: i64) {
        if let WindowKind::Slide { range } = self.spec.kind {
            return self.slide(range, w, ceiling);
        }
        loop {
            let after = self.w;
            let next = |(&place, window): (&(i64, i64), &Window)| {
                let fixed = [self.ends(place.0), self.gone(place.0)];
                let times = fixed.into_iter().chain(self.tick(place, window, after));
                times.filter(|&at| at > after).min()
            };
            let Some(at) = self
                .windows
                .iter()
                .filter_map(next)
                .min()
                .filter(|&at| at <= w)
            else {
                break;
            };
            let stamp = time::back((at - 1).min(ceiling), self.hold());
            for place in self.windows.keys().copied().collect::<Vec<_>>() {
                let ended = self.ends(place.0) == at && !self.spec.triggers.only;
                let tick = self.tick(place, &self.windows[&place], at - 1) == Some(at);
                let moment = if ended { Moment::OnTime } else { Moment::Early };
                if ended || tick {
                    self.fire(
                        place,
                        Why {
                            moment,
                            at,
                            stamp,
                            w: stamp,
                        },
                    );
                }
                if self.gone(place.0) == at {
                    self.drop(place);
                }
            }
            self.w = at;
        }
        self.w = w;
    }

    /// A result for each row whose time W has come to, over all rows of its range. One window holds all rows.
    fn slide(&mut self, range: i64, w: i64, ceiling: i64) {
        let all = self.windows.entry((0, 0)).or_default().rows.clone();
        let mut due: Vec<&Row> = all
            .iter()
            .filter(|row| row.time > self.w && row.time <= w)
            .collect();
        due.sort_by_key(|row| row.time);
        for &&Row { time: at, .. } in &due {
            let inside = |row: &&Row| (at - range..=at).contains(&row.time);
            let inside: Vec<Row> = all.iter().filter(inside).copied().collect();
            let values = kept(inside, self.spec.stored);
            let stamp = (at - 1).min(ceiling);
            let firing = Firing {
                key: 0,
                start: at - range,
                end: at + 1,
                time: at,
                moment: Moment::OnTime,
                number: 1,
                last: true,
                at,
                stamp,
                w: stamp,
                row: None,
            };
            let key = self.name.clone();
            self.out.fired.push(Modelled {
                key,
                change: Change::Insert,
                firing,
                values,
            });
        }
        self.w = w;
    }

    fn drop(&mut self, place: (i64, i64)) {
        let window = self.windows.remove(&place).expect("a window");
        self.out.never_sent += window.rows.iter().filter(|row| !row.sent).count() as u64;
    }

    fn clock(&mut self, w: i64) {
        let why = Why {
            moment: Moment::Early,
            at: w,
            stamp: time::back(w, self.hold()),
            w: time::back(w, self.hold()),
        };
        for place in self.windows.keys().copied().collect::<Vec<_>>() {
            let unsent = self.windows[&place].rows.iter().any(|row| !row.sent);
            if unsent && self.ends(place.0) > self.w {
                self.fire(place, why);
            }
        }
    }

    fn fire(&mut self, (end, start): (i64, i64), why: Why) {
        let (endless, spec) = (self.endless(), self.spec);
        let window = self.windows.get_mut(&(end, start)).expect("a window");
        let mut content = window.rows.clone();
        if spec.mode == Mode::Discarding {
            content.retain(|row| !row.sent);
        }
        if content.is_empty() {
            return;
        }
        window.rows.iter_mut().for_each(|row| row.sent = true);
        window.number += 1;
        let largest = window.rows.iter().map(|row| row.time).max().unwrap();
        let complete =
            matches!(spec.kind, WindowKind::Rows { count } if window.rows.len() == count as usize);
        let lateness = if endless { 0 } else { spec.lateness };
        let firing = Firing {
            key: 0,
            start,
            end,
            time: if endless { largest } else { end - 1 },
            moment: why.moment,
            number: window.number,
            last: complete || why.moment == Moment::OnTime && lateness == 0,
            at: why.at,
            stamp: why.stamp,
            w: why.w,
            row: None,
        };
        let values = kept(content, spec.stored);
        let mut result = Modelled {
            key: self.name.clone(),
            change: Change::Insert,
            firing,
            values,
        };
        if spec.mode == Mode::Retract {
            if let Some(before) = window.sent.take() {
                result.change = Change::UpdateAfter;
                self.out
                    .fired
                    .push(again(before, Change::UpdateBefore, why));
            }
            window.sent = Some(result.clone());
        }
        self.out.fired.push(result);
    }

    /// Whether the row was taken, or is in a gap.
    fn take(&mut self, index: usize, row: &TestRow) -> bool {
        if matches!(self.spec.kind, WindowKind::Slide { .. }) {
            let taken = row.time > row.stamp.max(self.w);
            if taken {
                let row = Row {
                    time: row.time,
                    index,
                    value: row.value,
                    sent: true,
                };
                self.windows.entry((0, 0)).or_default().rows.push(row);
            }
            return taken;
        }
        let candidates = match self.spec.kind {
            WindowKind::Session { gap } => vec![self.session(row.time, gap)],
            WindowKind::Global => vec![(time::MIN, time::MAX)],
            WindowKind::Rows { .. } => vec![self.rows(row.time)],
            kind => windows_of(kind, row.time),
        };
        let judged = row.stamp.max(self.w);
        let mut taken = candidates.is_empty();
        let mut took = vec![];
        for (start, end) in candidates {
            if !self.endless() && self.gone(end) <= judged {
                continue;
            }
            taken = true;
            let mut window = self.joined((start, end), row);
            window.rows.push(Row {
                time: row.time,
                index,
                value: row.value,
                sent: false,
            });
            window.counted += 1;
            self.windows.insert((end, start), window);
            took.push((end, start));
        }
        for place in took {
            self.fire_for_row(place, row);
        }
        taken
    }

    fn fire_for_row(&mut self, place: (i64, i64), row: &TestRow) {
        let (triggers, kind) = (self.spec.triggers, self.spec.kind);
        let ended = self.ends(place.0) <= self.w;
        let window = self.windows.get_mut(&place).expect("a window");
        let complete =
            matches!(kind, WindowKind::Rows { count } if window.rows.len() == count as usize);
        let counted = triggers.every_rows.is_some_and(|n| window.counted >= n);
        if counted {
            window.counted = 0;
        }
        let moment = match () {
            () if complete && !triggers.only => Moment::OnTime,
            () if ended => Moment::Correction,
            () => Moment::Early,
        };
        if (ended || complete) && !triggers.only || counted || triggers.each_row {
            let w = time::back(self.w, self.hold());
            self.fire(
                place,
                Why {
                    moment,
                    at: self.w,
                    stamp: row.stamp,
                    w,
                },
            );
        }
        if complete {
            self.drop(place);
        }
    }

    /// The session that a row would be in: grows until nothing more touches it.
    fn session(&self, time: i64, gap: i64) -> (i64, i64) {
        let mut one = (time, time + gap);
        while let Some((end, start)) = self.windows.keys().find(|(end, start)| {
            *start <= one.1 && one.0 <= *end && (*start < one.0 || *end > one.1)
        }) {
            one = (one.0.min(*start), one.1.max(*end));
        }
        one
    }

    /// The bounds of the window of rows with one more.
    fn rows(&self, time: i64) -> (i64, i64) {
        let (end, start) = self
            .windows
            .keys()
            .next()
            .copied()
            .unwrap_or((time + 1, time));
        (start.min(time), end.max(time + 1))
    }

    /// What the window has so far; where bounds grow, all that it covers.
    fn joined(&mut self, (start, end): (i64, i64), row: &TestRow) -> Window {
        let grows = matches!(
            self.spec.kind,
            WindowKind::Session { .. } | WindowKind::Rows { .. }
        );
        let covered = |place: &(i64, i64)| {
            if grows {
                place.1 >= start && place.0 <= end
            } else {
                *place == (end, start)
            }
        };
        let covered: Vec<(i64, i64)> = self
            .windows
            .keys()
            .filter(|place| covered(place))
            .copied()
            .collect();
        let mut all: Vec<Window> = covered
            .iter()
            .map(|place| self.windows.remove(place).expect("a window"))
            .collect();
        let mut joined = match all.len() {
            0 => return Window::default(),
            1 => return all.remove(0),
            _ => Window::default(),
        };
        for window in all {
            joined.rows.extend(window.rows);
            joined.number = joined.number.max(window.number);
            joined.counted += window.counted;
            if let Some(sent) = window.sent {
                let w = time::back(self.w, self.hold());
                let why = Why {
                    moment: Moment::Early,
                    at: 0,
                    stamp: row.stamp,
                    w,
                };
                self.out.fired.push(again(sent, Change::Delete, why));
            }
        }
        joined
    }
}

/// A result as it was sent, to be taken back.
fn again(sent: Modelled, change: Change, why: Why) -> Modelled {
    let firing = Firing {
        stamp: why.stamp,
        w: why.w,
        ..sent.firing
    };
    Modelled {
        change,
        firing,
        ..sent
    }
}

/// The values that a function sees of a window's content.
fn kept(mut content: Vec<Row>, stored: Option<Keep>) -> Vec<i64> {
    content.sort_by_key(|row| (row.time, row.index));
    let largest = content.last().map_or(0, |row| row.time);
    match stored {
        Some(Keep::Newest(count)) => {
            drop(content.drain(..content.len().saturating_sub(count as usize)))
        }
        Some(Keep::Within(d)) => content.retain(|row| row.time >= largest - d),
        _ => {}
    }
    let mut values: Vec<i64> = content.iter().map(|row| row.value).collect();
    if stored.is_none() {
        values.sort_unstable();
    }
    values
}

/// All windows of a time, tried one by one, in order of end.
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
        _ => unreachable!("these depend on other rows"),
    };
    (time - size + 1..=time)
        .filter(|start| (start - offset).rem_euclid(step) == 0)
        .map(|start| (start, start + size))
        .collect()
}

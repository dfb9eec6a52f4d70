//! A key's world for unit tests: rows, watermarks and the clock in, emitted rows and timers out, by
//! the rules of the engine (`docs/semantics.md`, Timers and process functions, State).

mod columns;
mod keys;

pub(crate) mod held;

use std::collections::BTreeMap;

use self::columns::order;
use self::keys::{Key, Pending};
use crate::bindings::exports::tidemill::operator::process::{Due, Processed};
use crate::bindings::tidemill::operator::columns::{Batch, Column, Table};
use crate::bindings::tidemill::operator::outcome::{Emitted, Produced};
use crate::function::Parts;
use crate::record::{FromRow, Made, Record};
use crate::{Failure, Function, Timestamp};

/// Runs a process function in a unit test, on this machine, without Wasm. Time moves as the test
/// says.
///
/// ```
/// use tidemill::Harness;
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Ping {
///     #[record(event_time)]
///     at: Timestamp,
/// }
///
/// #[derive(Record, Debug, PartialEq)]
/// struct Silent {
///     since: Timestamp,
/// }
///
/// #[derive(State)]
/// struct Sensor {
///     last: Value<Timestamp>,
/// }
///
/// #[derive(Timers)]
/// struct Timers {
///     silent: Timer,
/// }
///
/// /// Says which sensors have been silent for ten seconds.
/// #[derive(Config)]
/// struct Watch;
///
/// #[process]
/// impl Watch {
///     fn on_row(&self, ping: Ping, sensor: &mut Sensor, timers: &mut Timers, _out: &mut Output<Silent>) {
///         sensor.last.set(ping.at);
///         timers.silent.move_to(ping.at.plus_micros(10_000_000));
///     }
///
///     fn on_timer(&self, _fired: Fired, sensor: &mut Sensor, _timers: &mut Timers, out: &mut Output<Silent>) {
///         if let Some(&since) = sensor.last.get() {
///             out.push(Silent { since });
///         }
///     }
/// }
///
/// let second = Timestamp::from_seconds;
/// let mut harness = Harness::new(Watch);
/// harness.row("kitchen", Ping { at: second(1) });
/// harness.row("kitchen", Ping { at: second(5) });
/// harness.advance_to(second(14));
/// assert!(harness.rows::<Silent>().is_empty());
/// assert_eq!(harness.timers(), [("silent", second(15))]);
/// harness.advance_to(second(15));
/// assert_eq!(harness.rows::<Silent>(), [Silent { since: second(5) }]);
/// ```
pub struct Harness {
    function: Box<dyn Function>,
    parts: Parts,
    /// In order of keys.
    keys: BTreeMap<Vec<u8>, Key>,
    watermark: i64,
    clock: i64,
    ended: bool,
    emitted: Vec<(u32, Batch)>,
    failures: Vec<String>,
}

/// What a row's key can be in a [`Harness`]: a text, an integer, or a record of key columns.
pub trait HarnessKey {
    /// The key columns, one row.
    fn columns(&self) -> Vec<Column>;
}

impl<T: Record> HarnessKey for T {
    fn columns(&self) -> Vec<Column> {
        made(self).columns
    }
}

impl HarnessKey for &str {
    fn columns(&self) -> Vec<Column> {
        super::entry::table([(*self).to_owned()].iter()).columns
    }
}

impl HarnessKey for i64 {
    fn columns(&self) -> Vec<Column> {
        super::entry::table([*self].iter()).columns
    }
}

fn made<T: Record>(row: &T) -> Made {
    let mut columns = T::with_rows(1);
    row.write(&mut columns);
    T::finish(columns)
}

impl Harness {
    /// A function that has seen nothing. Its watermark stands before everything.
    pub fn new<F: Function>(function: F) -> Self {
        Self {
            parts: F::parts(),
            function: Box::new(function),
            keys: BTreeMap::new(),
            watermark: i64::MIN,
            clock: i64::MIN,
            ended: false,
            emitted: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Gives a row of a key. Its time is the row's own (`#[record(event_time)]`); a row that shows
    /// none has that of the watermark, or the start of 1970 before there is one. A row moves no
    /// watermark.
    ///
    /// # Panics
    /// If `row` is not the record that `on_row` takes.
    pub fn row<R: Record>(&mut self, key: impl HarnessKey, row: R) -> &mut Self {
        let Made {
            columns,
            times,
            changes,
        } = made(&row);
        let time = times.and_then(|times| times.first().copied());
        let by_watermark = if self.watermark == i64::MIN {
            0
        } else {
            self.watermark
        };
        let time = time.unwrap_or(by_watermark);
        let id = self.key(&key);
        self.settle(&id);
        let batch = Batch {
            rows: 1,
            times: vec![time],
            stamps: Some(vec![self.watermark]),
            changes,
            columns,
        };
        let w = self.watermark;
        let moment = Moment {
            time,
            w,
            after: w.saturating_add(1),
        };
        self.serve(&id, moment, |function, key| {
            function.on_rows(&key.columns, &batch, &[0], &key.values())
        });
        self
    }

    /// Event time has come so far: fires the timers that are due.
    pub fn advance_to(&mut self, watermark: Timestamp) -> &mut Self {
        self.watermark = self.watermark.max(watermark.micros());
        let w = self.watermark;
        self.fire(false, w);
        self
    }

    /// The host's clock has come so far: fires the timers of the clock that are due.
    pub fn clock_to(&mut self, clock: Timestamp) -> &mut Self {
        self.clock = self.clock.max(clock.micros());
        let now = self.clock;
        self.fire(true, now);
        self
    }

    /// The input has ended: fires what is still set, once.
    pub fn end(&mut self) -> &mut Self {
        self.ended = true;
        self.fire(false, i64::MAX);
        self
    }

    /// The rows that were given to the main output.
    ///
    /// # Panics
    /// If these are other records.
    pub fn rows<'b, T: FromRow<'b>>(&'b self) -> Vec<T> {
        self.target(0)
    }

    /// The rows that were given to a side output: the first field of the sides is 0.
    ///
    /// # Panics
    /// If these are other records.
    pub fn side<'b, T: FromRow<'b>>(&'b self, index: u32) -> Vec<T> {
        self.target(index + 1)
    }

    /// Forgets the rows that were given so far.
    pub fn forget_rows(&mut self) -> &mut Self {
        self.emitted.clear();
        self
    }

    /// Rows and timers that failed, as `code: message`.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The timers that are set, by time and name.
    pub fn timers(&self) -> Vec<(&'static str, Timestamp)> {
        let all = self.keys.values().flat_map(|key| &key.timers);
        let name = |timer: &Pending| self.parts.timers[timer.name as usize].name;
        let mut timers: Vec<_> = all
            .map(|timer| (name(timer), Timestamp::from_micros(timer.at)))
            .collect();
        timers.sort_by_key(|&(name, at)| (at, name));
        timers
    }

    fn target<'b, T: FromRow<'b>>(&'b self, target: u32) -> Vec<T> {
        let batches = self.emitted.iter().filter(|(to, _)| *to == target);
        let mut rows = Vec::new();
        for (_, batch) in batches {
            let reader = T::open(batch.into()).expect("the records that the function gives");
            // SAFETY: the reader was opened with this many rows.
            rows.extend((0..batch.rows as usize).map(|row| unsafe { T::read(&reader, row) }));
        }
        rows
    }

    fn key(&mut self, key: &impl HarnessKey) -> Vec<u8> {
        let columns = key.columns();
        let id = order(&columns);
        let parts = &self.parts;
        self.keys
            .entry(id.clone())
            .or_insert_with(|| Key::new(columns, parts));
        id
    }

    /// Fires what of a key is due before its next row.
    fn settle(&mut self, id: &[u8]) {
        let w = self.watermark;
        while let Some(timer) = self.keys[id].earliest(self.parts.timers, false, w) {
            self.fire_one(id, timer);
        }
    }

    /// Fires timers of event time or of the clock that are due: those of a time in rounds, each key's
    /// first.
    fn fire(&mut self, processing: bool, until: i64) {
        loop {
            let due: Vec<(Vec<u8>, Pending)> = self
                .keys
                .iter()
                .filter_map(|(id, key)| {
                    let timer = key.earliest(self.parts.timers, processing, until)?;
                    Some((id.clone(), timer))
                })
                .collect();
            let Some(first) = due.iter().map(|(_, timer)| timer.fires_at()).min() else {
                return;
            };
            for (id, timer) in due {
                if timer.fires_at() == first {
                    self.fire_one(&id, timer);
                }
            }
        }
    }

    fn fire_one(&mut self, id: &[u8], timer: Pending) {
        let due = Due {
            names: vec![timer.name],
            times: vec![timer.at],
            ended: self.ended,
        };
        if let Some(key) = self.keys.get_mut(id) {
            key.remove(&timer);
        }
        let moment = Moment {
            time: timer.at,
            w: timer.fires_at(),
            after: timer.fires_at(),
        };
        self.serve(id, moment, |function, key| {
            function.on_timers(&key.columns, &due, &key.values())
        });
    }

    /// One call about a row or a timer.
    fn serve(
        &mut self,
        id: &[u8],
        moment: Moment,
        call: impl FnOnce(&dyn Function, &Key) -> Result<Processed, String>,
    ) {
        let Some(mut key) = self.keys.remove(id) else {
            return;
        };
        let Moment { time, w, after } = moment;
        key.expire(self.parts.slots, w, self.clock);
        let (lent, done) = held::lend(key, |key| call(self.function.as_ref(), key));
        key = lent;
        let processed = done.unwrap_or_else(|message| panic!("{message}"));
        self.failures
            .extend(processed.output.failures.iter().map(shown));
        key.change(
            &processed,
            (time, after, self.clock),
            self.ended,
            &self.parts,
        );
        for emitted in processed.output.emitted {
            self.emitted.push((emitted.target, batch(emitted, time)));
        }
        self.keys.insert(id.to_vec(), key);
    }
}

/// When a row is taken, or a timer fires.
struct Moment {
    /// Its own time.
    time: i64,
    /// Where W stands.
    w: i64,
    /// From when on what it sets can fire.
    after: i64,
}

fn shown(failure: &crate::bindings::tidemill::operator::outcome::Failure) -> String {
    Failure::invalid(failure.code.as_str(), failure.message.as_str()).to_string()
}

fn batch(emitted: Emitted, time: i64) -> Batch {
    let rows = emitted.origins.len();
    let column = |produced| match produced {
        Produced::Made(column) => column,
        Produced::Input(_) => unreachable!("this SDK makes all columns"),
    };
    Batch {
        rows: rows as u32,
        times: emitted.times.unwrap_or_else(|| vec![time; rows]),
        stamps: None,
        changes: emitted.changes,
        columns: emitted.columns.into_iter().map(column).collect(),
    }
}

/// A table of one row.
fn one(columns: Vec<Column>) -> Table {
    Table { rows: 1, columns }
}

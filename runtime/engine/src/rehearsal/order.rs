//! The one order in which rows come out of a step, whatever the number of workers.
//!
//! Each worker gives a key's rows in their order, and keys of different workers in none. To bring them together, a row that
//! a window or a process operator made (or refused) carries its *cause* in place of an origin, through transforms and exchanges: the time at which
//! it fired, its window and its key. Rows of one key keep their order; rows of different keys stand in the order of their
//! causes, which is the order of results (semantics, Independence).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use tidemill_rows::key::EncodedKeys;
use tidemill_rows::{Batch, Origin, json};
use tidemill_wasm::Output as Shape;

use crate::checkpoint::changes::StateChange;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::cut::At;
use crate::checkpoint::kept::{Block, Blocks, OperatorKept};
use crate::checkpoint::restored::{Mine, Unrestored};
use crate::error::EngineError;
use crate::event::{Event, Output, Port};
use crate::operator::Operator;
use crate::operator::{process, window};
use crate::plan::{Plan, StationKind};
use crate::task::Task;

/// What made a row, as far as its place among others depends on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    /// What time caused carries the time at which it fired, less one and the operator's hold.
    stamp: i64,
    end: i64,
    start: i64,
    key: Vec<u8>,
}

/// The causes of all rows so far; a row's origin names its cause by its position.
#[derive(Clone)]
pub struct Causes {
    names: Arc<[Arc<str>]>,
    all: Arc<Mutex<Vec<Cause>>>,
}

impl Causes {
    /// None yet, of stations with these names.
    pub fn new(names: Arc<[Arc<str>]>) -> Self {
        Self {
            names,
            all: Arc::default(),
        }
    }

    fn add(&self, cause: Cause) -> u64 {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(cause);
        all.len() as u64 - 1
    }

    /// The station and the cause of a row, if it has one.
    fn of(&self, batch: &Batch, row: usize) -> Option<(u32, Cause)> {
        let origin = batch.origin.as_ref()?;
        if !Arc::ptr_eq(origin.names(), &self.names) {
            return None;
        }
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        Some((
            origin.split(row),
            all[origin.position(row) as usize].clone(),
        ))
    }
}

/// Rows that keep their order among themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Of a split: they were all made on its worker.
    Split(Option<u32>),
    /// Of a key of a window or a process operator.
    Key(u32, Vec<u8>),
}

/// A row's place: its batch and its number there.
type Place<'a> = (&'a Batch, usize);

/// The rows of one output in the order in which they are shown. Batches stand by worker, those of a worker in their order.
pub fn ordered<'a>(batches: &[&'a Batch], causes: &Causes) -> Vec<Place<'a>> {
    let rows = batches
        .iter()
        .flat_map(|batch| (0..batch.len()).map(move |row| (*batch, row)));
    if batches.iter().any(|batch| batch.origin.is_none()) {
        let mut rows: Vec<Place<'a>> = rows.collect();
        rows.sort_by(by_text);
        return rows;
    }
    let mut groups: BTreeMap<Group, VecDeque<(Option<Cause>, Place<'a>)>> = BTreeMap::new();
    for (batch, row) in rows {
        let (group, cause) = match causes.of(batch, row) {
            Some((station, cause)) => (Group::Key(station, cause.key.clone()), Some(cause)),
            None => {
                let origin = batch.origin.as_ref();
                (Group::Split(origin.map(|origin| origin.split(row))), None)
            }
        };
        groups
            .entry(group)
            .or_default()
            .push_back((cause, (batch, row)));
    }
    merged(groups)
}

/// Always the group whose next row has the smallest cause.
fn merged<'a>(mut groups: BTreeMap<Group, VecDeque<(Option<Cause>, Place<'a>)>>) -> Vec<Place<'a>> {
    let mut next: BTreeSet<(Option<Cause>, Group)> = groups
        .iter()
        .map(|(group, rows)| (rows[0].0.clone(), group.clone()))
        .collect();
    let mut ordered = Vec::new();
    while let Some((_, group)) = next.pop_first() {
        let rows = groups.get_mut(&group).expect("a group that has rows");
        let (_, place) = rows.pop_front().expect("a group that has rows");
        ordered.push(place);
        if let Some((cause, _)) = rows.front() {
            next.insert((cause.clone(), group));
        }
    }
    ordered
}

/// Failed rows have no origin left: by time, and then in an order that is at least always the same.
fn by_text(a: &Place<'_>, b: &Place<'_>) -> Ordering {
    let time = |(batch, row): &Place<'_>| batch.times.times[*row];
    let text = |(batch, row): &Place<'_>| json::row(&batch.columns, *row);
    time(a).cmp(&time(b)).then_with(|| text(a).cmp(&text(b)))
}

/// Lets the windows and process operators of a task give their rows causes.
pub fn trace(task: &mut Task, plan: &Plan, causes: &Causes) {
    let is_node = |kind: &StationKind| !matches!(kind, StationKind::Source(_));
    let stations = plan.stations.iter().enumerate();
    let nodes = stations.filter(|(_, station)| is_node(&station.kind));
    for (node, (number, station)) in task.nodes.iter_mut().zip(nodes) {
        let (key, made) = match &station.kind {
            StationKind::Window(window) => (window.key.clone(), Made::Window),
            StationKind::Process(process) => {
                let new = |(shape, _): &(Shape, _)| matches!(shape, Shape::New(_));
                let new = process.targets.iter().map(new).collect();
                (process.key.clone(), Made::Process { new })
            }
            _ => continue,
        };
        let traced = Traced {
            operator: std::mem::replace(&mut node.operator, Box::new(Nothing)),
            station: number as u32,
            key,
            made,
            causes: causes.clone(),
        };
        node.operator = Box::new(traced);
    }
}

/// What made the rows.
enum Made {
    /// A window: a result's first columns are its key, the start and the end of its window.
    Window,
    /// A process function. By target whether its first columns are the key; otherwise they are those of the input.
    Process { new: Vec<bool> },
}

/// An operator that says what its rows came of.
struct Traced {
    operator: Box<dyn Operator>,
    station: u32,
    /// The key columns, as indices of the input.
    key: Vec<usize>,
    made: Made,
    causes: Causes,
}

impl Traced {
    fn mark(&self, out: &mut Output) {
        for (port, event) in &mut out.events {
            let (Port::One(port), Event::Rows(batch)) = (&*port, event) else {
                continue;
            };
            match (&self.made, *port) {
                (Made::Window, window::FAILED) | (Made::Process { .. }, process::FAILED) => {}
                (Made::Window, window::LATE) => self.mark_rows(batch, &self.key),
                (Made::Window, _) => self.mark_results(batch),
                (Made::Process { new }, port) => {
                    let target = (port + 1).saturating_sub(process::SIDES);
                    let first: Vec<usize> = (0..self.key.len()).collect();
                    self.mark_rows(batch, if new[target] { &first } else { &self.key });
                }
            }
        }
    }

    fn mark_rows(&self, batch: &mut Batch, key: &[usize]) {
        let column = |&i: &usize| batch.columns.column(i).clone();
        let key: Vec<ArrayRef> = key.iter().map(column).collect();
        let times = batch.times.times.clone();
        self.set(batch, &key, |row| (times[row], times[row]));
    }

    fn mark_results(&self, batch: &mut Batch) {
        let key = self.key.len();
        let columns = batch.columns.columns();
        let times = |column: &ArrayRef| {
            column
                .as_primitive::<TimestampMicrosecondType>()
                .values()
                .clone()
        };
        let (starts, ends) = (times(&columns[key]), times(&columns[key + 1]));
        let keys = columns[..key].to_vec();
        self.set(batch, &keys, |row| (starts[row], ends[row]));
    }

    /// Gives rows their causes: `window` says the start and the end of each.
    fn set(&self, batch: &mut Batch, key: &[ArrayRef], window: impl Fn(usize) -> (i64, i64)) {
        let rows = batch.len();
        let mut encoded = EncodedKeys::default();
        encoded.encode(key, rows);
        let cause = |row: usize| {
            let (start, end) = window(row);
            self.causes.add(Cause {
                stamp: batch.times.stamps[row],
                end,
                start,
                key: encoded.get(row).to_vec(),
            })
        };
        let position = (0..rows).map(cause).collect();
        let split = std::iter::repeat_n(self.station, rows).collect();
        batch.origin = Some(Origin::new(self.causes.names.clone(), split, position));
    }
}

impl Operator for Traced {
    fn rows(&mut self, batch: Batch, out: &mut Output) -> Result<(), EngineError> {
        let done = self.operator.rows(batch, out);
        self.mark(out);
        done
    }

    fn advance(&mut self, w: i64, out: &mut Output) -> Result<(), EngineError> {
        let done = self.operator.advance(w, out);
        self.mark(out);
        done
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), EngineError> {
        let done = self.operator.go_on(out);
        self.mark(out);
        done
    }

    fn hold(&self) -> i64 {
        self.operator.hold()
    }

    fn next_due(&self) -> Option<i64> {
        self.operator.next_due()
    }

    fn clock(&mut self, now: i64, out: &mut Output) -> Result<(), EngineError> {
        let done = self.operator.clock(now, out);
        self.mark(out);
        done
    }

    fn next_tick(&self) -> Option<i64> {
        self.operator.next_tick()
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        self.operator.flush()
    }

    fn cut(&mut self, at: &At) -> Result<OperatorKept, EngineError> {
        self.operator.cut(at)
    }

    fn migrate(&mut self, kept: OperatorKept, change: &StateChange) -> Result<OperatorKept, Unfit> {
        self.operator.migrate(kept, change)
    }

    fn save(&mut self) -> Result<Option<Block>, EngineError> {
        self.operator.save()
    }

    fn is_full(&self) -> bool {
        self.operator.is_full()
    }

    fn restore(
        &mut self,
        kept: Vec<OperatorKept>,
        blocks: &Blocks,
        mine: &Mine,
    ) -> Result<(), Unrestored> {
        self.operator.restore(kept, blocks, mine)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        self.operator.finish()
    }
}

/// Stands in for an operator while it is put into another.
struct Nothing;

impl Operator for Nothing {
    fn rows(&mut self, _batch: Batch, _out: &mut Output) -> Result<(), EngineError> {
        unreachable!("nothing is given to what stands in for an operator")
    }

    fn advance(&mut self, _w: i64, _out: &mut Output) -> Result<(), EngineError> {
        unreachable!("nothing is given to what stands in for an operator")
    }
}

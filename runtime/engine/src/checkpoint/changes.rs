//! Whether a pipeline can go on from a checkpoint that was taken of it before it was changed, and how.
//!
//! Sources, operators and sinks are known by name; in which order they stand, and what is new, does not matter. What was
//! kept of one that is there no more, or that cannot take it any more, is only let go where a person has said so by name.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::Field;
use serde_json::Value;
use tidemill_checkpoint::{Manifest, Operator};
use tidemill_connectors::{Pending, SinkSpec};

use super::columns::{self, ColumnsChange, Named, New};
use super::cut::StationCut;
use super::schemas;
use crate::plan::{Plan, Station, StationKind, WindowPlan};

/// How what a checkpoint holds becomes what a plan keeps.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    of: BTreeMap<String, StateChange>,
    dropped: BTreeSet<String>,
    /// What is worth saying of it.
    pub notes: Vec<String>,
}

/// How the state of one station becomes what it keeps now; where nothing is said it is as it was.
#[derive(Clone, Debug, Default)]
pub struct StateChange {
    /// Of a window: its accumulators. Of a source: the state of the function that makes its watermarks.
    pub accumulator: Option<ColumnsChange>,
    /// Of a window: the rows that it stores.
    pub rows: Option<ColumnsChange>,
    /// Of a process operator: what has changed of its slots and timers.
    pub states: StatesChange,
}

/// How what a process operator kept becomes what it keeps now; slots and timers are known by name.
#[derive(Clone, Debug, Default)]
pub struct StatesChange {
    /// The columns of slots.
    pub slots: BTreeMap<String, ColumnsChange>,
    /// Slots and timers that are let go.
    pub dropped: BTreeSet<String>,
}

impl Changes {
    /// How the state of a station becomes what it keeps now, if it is not the same.
    pub fn of(&self, station: &str) -> Option<&StateChange> {
        self.of.get(station)
    }

    /// Whether what was kept of a station is let go.
    pub fn is_dropped(&self, station: &str) -> bool {
        self.dropped.contains(station)
    }
}

/// Compares a plan with what a checkpoint holds. `drop` names what may be let go: a source, operator or sink, or
/// `operator.column`.
///
/// # Errors
/// Every reason why the plan cannot go on from it.
pub fn between(plan: &Plan, manifest: &Manifest, drop: &[String]) -> Result<Changes, Vec<String>> {
    let mut compared = Compared {
        drop: drop.iter().map(String::as_str).collect(),
        used: BTreeSet::new(),
        changes: Changes::default(),
        refused: Vec::new(),
    };
    compared.all(plan, manifest);
    // A task is begun wherever it is given, also after it has dropped that.
    if plan.task.is_none() {
        compared.unused();
    }
    match compared.refused.is_empty() {
        true => Ok(compared.changes),
        false => Err(compared.refused),
    }
}

struct Compared<'a> {
    drop: BTreeSet<&'a str>,
    used: BTreeSet<String>,
    changes: Changes,
    refused: Vec<String>,
}

impl Compared<'_> {
    fn all(&mut self, plan: &Plan, manifest: &Manifest) {
        let contents = &manifest.contents;
        if contents.max_parallelism != plan.max_parallelism {
            self.refused.push(format!(
                "max-parallelism was {} and is {} now: it is fixed by the first checkpoint",
                contents.max_parallelism, plan.max_parallelism
            ));
        }
        let station = |name: &str| plan.stations.iter().find(|station| station.name == name);
        for (name, kept) in &contents.sources {
            match station(name).map(|station| (&station.kind, station)) {
                Some((StationKind::Source(_), station)) => self.source(station, kept),
                _ => self.gone(name, "source", "had been read"),
            }
        }
        for (name, kept) in &contents.pending {
            match station(name).map(|station| &station.kind) {
                Some(StationKind::Sink(sink)) => self.sink(name, &sink.spec, kept, &sink.schema),
                _ if pending(kept).is_empty() => {}
                _ => self.gone(name, "sink", "has output that is not published"),
            }
        }
        for operator in &contents.operators {
            self.operator(operator, station(&operator.name));
        }
    }

    /// Whether something may be let go.
    fn may_drop(&mut self, name: &str) -> bool {
        let may = self.drop.contains(name);
        if may {
            self.used.insert(name.to_owned());
        }
        may
    }

    fn gone(&mut self, name: &str, what: &str, which: &str) {
        if self.may_drop(name) {
            self.let_go(name, what);
        } else {
            self.refused.push(format!(
                "there is no {what} {name} any more, which {which}: `--allow-dropped-state {name}` lets it go"
            ));
        }
    }

    fn let_go(&mut self, name: &str, what: &str) {
        let note = format!("what was kept of {what} {name} is dropped");
        self.changes.notes.push(note);
        self.changes.dropped.insert(name.to_owned());
    }

    fn source(&mut self, station: &Station, kept: &Value) {
        let now = schemas::of_station(&station.kind);
        let (was, now) = (read(&kept[schemas::STATE]), read(&now[schemas::STATE]));
        // A function that is new, or gone, begins or ends with its state.
        if let (Some(was), Some(now)) = (was, now) {
            let name = &station.name;
            let of = "the state of its watermark";
            let change = self.columns(("source", name), (was, now), of, New::Fresh);
            self.change(name).accumulator = change;
        }
    }

    fn sink(&mut self, name: &str, spec: &SinkSpec, kept: &Value, schema: &arrow_schema::Schema) {
        let open = pending(kept);
        let open = open.iter().flat_map(|pending| &pending.parts);
        let open = open.filter(|part| part.publish.is_none()).count();
        let now = schemas::of_sink(spec, schema);
        let differs = [schemas::COLUMNS, schemas::FORMAT]
            .into_iter()
            .filter(|part| kept[*part] != now[*part])
            .map(|part| format!("its {part} were {} and are {} now", kept[part], now[part]));
        let differs: Vec<String> = differs.collect();
        if open > 0 && !differs.is_empty() && !self.may_drop(name) {
            self.refused.push(format!(
                "sink {name}: {}, and rows of the old form are not published: a savepoint (`tidemill stop`) publishes them first",
                differs.join(", ")
            ));
        } else if open > 0 && !differs.is_empty() {
            self.let_go(name, "sink");
        }
    }

    fn operator(&mut self, was: &Operator, now: Option<&Station>) {
        let name = &was.name;
        if was.schemas.is_null() {
            return;
        }
        let Some(station) = now else {
            return self.gone(name, "operator", "keeps state");
        };
        let before = self.refused.len();
        match &station.kind {
            StationKind::Window(window) => self.window(name, &was.schemas, window),
            kind @ StationKind::Process(_) => {
                self.process(name, (&was.schemas, &schemas::of_station(kind)));
            }
            kind => self.other(name, (&was.schemas, &schemas::of_station(kind))),
        }
        if self.refused.len() > before && self.may_drop(name) {
            self.refused.truncate(before);
            self.changes.of.remove(name);
            self.let_go(name, "operator");
        }
    }

    /// What keeps state of a kind that cannot be changed: it is as it was, or refused.
    fn other(&mut self, name: &str, (was, now): (&Value, &Value)) {
        if was != now {
            self.refused.push(format!(
                "operator {name}: it keeps state of another kind now"
            ));
        }
    }

    fn window(&mut self, name: &str, was: &Value, plan: &WindowPlan) {
        if was.get(schemas::WINDOW).is_none() {
            return self.other(name, (was, &Value::Null));
        }
        let now = schemas::of_window(plan);
        let (keys_were, keys_are) = (read(&was[schemas::KEY]), named(&plan.key_fields));
        let keys_were = keys_were.unwrap_or_default();
        let same = |(was, now): (&Named, &Named)| {
            was.name == now.name && was.ty == now.ty && (now.nullable || !was.nullable)
        };
        // A null has an encoding of its own, so a key that may be null now is still found.
        let fits = keys_were.len() == keys_are.len() && keys_were.iter().zip(&keys_are).all(same);
        if !fits {
            self.differs(name, schemas::KEY, (was, &now));
        }
        if was[schemas::WINDOW] != now[schemas::WINDOW] {
            self.other_window(name, (was, &now));
            // What rows are stored for follows from the window.
            return;
        }
        let described = plan.function.described();
        let mut change = StateChange::default();
        let accumulators = read(&was[schemas::ACCUMULATOR]).unwrap_or_default();
        let both = (accumulators, named(&described.accumulator));
        let of = ("operator", name);
        change.accumulator = self.columns(of, both, "its accumulator", New::Fresh);
        if let Some(rows) = read(&was[schemas::ROWS]) {
            let both = (rows, named(&described.input));
            change.rows = self.columns(of, both, "its rows", New::Null);
        }
        *self.change(name) = change;
    }

    fn other_window(&mut self, name: &str, (was, now): (&Value, &Value)) {
        let (was, now) = schemas::window_differences(was, now);
        self.refused.push(format!(
            "operator {name}: its window was `{was}` and is `{now}` now, and what is open cannot become other windows: \
             `--allow-dropped-state {name}` drops it; `tidemill stop --drain`, before the change, lets it fire"
        ));
    }

    fn process(&mut self, name: &str, (was, now): (&Value, &Value)) {
        let (Some(slots), Some(timers)) = (
            was[schemas::SLOTS].as_object(),
            was[schemas::TIMERS].as_object(),
        ) else {
            return self.other(name, (was, now));
        };
        if was[schemas::KEY] != now[schemas::KEY] {
            self.differs(name, schemas::KEY, (was, now));
        }
        let mut change = StatesChange::default();
        for (slot, was) in slots {
            match now[schemas::SLOTS].get(slot) {
                None => self.lost(name, ("slot", slot), &mut change),
                Some(now) => change.slots.extend(
                    self.slot((name, slot), (was, now))
                        .map(|columns| (slot.clone(), columns)),
                ),
            }
        }
        for (timer, was) in timers {
            match now[schemas::TIMERS].get(timer) {
                None => self.lost(name, ("timer", timer), &mut change),
                Some(now) if now != was => self.refused.push(format!(
                    "operator {name}: timer `{timer}` was in {was} and is in {now} now"
                )),
                Some(_) => {}
            }
        }
        self.change(name).states = change;
    }

    /// A slot or timer that is there no more.
    fn lost(&mut self, name: &str, (what, which): (&str, &String), change: &mut StatesChange) {
        if self.may_drop(&format!("{name}.{which}")) {
            let note = format!("operator {name}: {what} `{which}` is dropped");
            self.changes.notes.push(note);
            change.dropped.insert(which.clone());
        } else {
            self.refused.push(format!(
                "operator {name}: {what} `{which}` is gone, and may hold something: \
                 `--allow-dropped-state {name}.{which}` lets it go"
            ));
        }
    }

    fn slot(
        &mut self,
        (name, slot): (&str, &str),
        (was, now): (&Value, &Value),
    ) -> Option<ColumnsChange> {
        for part in ["kind", schemas::KEY, "expires"] {
            if was[part] != now[part] {
                self.refused.push(format!(
                    "operator {name}: slot `{slot}`: its {part} was {} and is {} now",
                    was[part], now[part]
                ));
            }
        }
        let columns = |of: &Value| read(&of[schemas::COLUMNS]).unwrap_or_default();
        let of = format!("slot `{slot}`");
        self.columns(
            ("operator", name),
            (columns(was), columns(now)),
            &of,
            New::Null,
        )
    }

    fn differs(&mut self, name: &str, part: &str, (was, now): (&Value, &Value)) {
        self.refused.push(format!(
            "operator {name}: its {part} was {} and is {} now",
            was[part], now[part]
        ));
    }

    fn change(&mut self, name: &str) -> &mut StateChange {
        self.changes.of.entry(name.to_owned()).or_default()
    }

    fn columns(
        &mut self,
        (what, name): (&str, &str),
        both: (Vec<Named>, Vec<Named>),
        of: &str,
        new: New,
    ) -> Option<ColumnsChange> {
        let (drop, used) = (&self.drop, &mut self.used);
        let mut may_drop = |column: &str| {
            let one = format!("{name}.{column}");
            let may = drop.contains(one.as_str());
            if may {
                used.insert(one);
            }
            may
        };
        let compared = columns::compare(both, of, new, &mut may_drop);
        let said = |text: &String| format!("{what} {name}: {text}");
        self.changes.notes.extend(compared.notes.iter().map(said));
        self.refused.extend(compared.refused.iter().map(said));
        compared.change
    }

    /// What was named and is not let go is a mistake.
    fn unused(&mut self) {
        for name in &self.drop {
            if !self.used.contains(*name) {
                self.refused.push(format!(
                    "`--allow-dropped-state {name}` names nothing that would be dropped"
                ));
            }
        }
    }
}

fn named<'a>(fields: impl IntoIterator<Item = &'a (impl AsRef<Field> + 'a)>) -> Vec<Named> {
    fields
        .into_iter()
        .map(|f| Named::from(f.as_ref()))
        .collect()
}

/// Columns, as a manifest says them; nothing if it says none.
fn read(words: &Value) -> Option<Vec<Named>> {
    let words = words.as_array()?.iter();
    words.map(|word| Named::read(word.as_str()?)).collect()
}

/// What a sink had pending, as far as it can be read; what cannot is found when it is restored.
fn pending(kept: &Value) -> Vec<Pending> {
    let cuts: Vec<StationCut> = match serde_json::from_value(kept[schemas::WORKERS].clone()) {
        Ok(cuts) => cuts,
        Err(_) => return vec![Pending::default()],
    };
    let pending = cuts.iter().filter_map(StationCut::pending);
    let some = pending.filter(|pending| !pending.parts.is_empty());
    some.cloned().collect()
}

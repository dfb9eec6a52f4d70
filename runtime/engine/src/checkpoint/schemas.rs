//! What the state of an operator means, as a manifest says it, and whether a plan can go on from it.
//!
//! State is known by what it is made of: the key, the window, what is kept of rows. Whatever of it differs would make other
//! results of what was gathered, so a run that would go on says what, and starts nothing.

use arrow_schema::Field;
use serde_json::{Map, Value, json};
use tidemill_checkpoint::Manifest;
use tidemill_core::window::{Keep, Mode, WindowKind, WindowSpec};
use tidemill_rows::LogicalType;
use tidemill_wasm::{Clock, SlotKind, StateSlot};

use crate::plan::{Plan, ProcessPlan, StationKind, WindowPlan};

/// What the state of a station is made of; null where it has none.
pub fn of_station(kind: &StationKind) -> Value {
    match kind {
        StationKind::Window(window) => of_window(window),
        StationKind::Process(process) => of_process(process),
        StationKind::Source(_) | StationKind::Transform(_) | StationKind::Sink(_) => Value::Null,
    }
}

fn of_window(plan: &WindowPlan) -> Value {
    let described = plan.function.described();
    json!({
        "key": columns(plan.key_fields.iter().map(AsRef::as_ref)),
        "window": window(&plan.spec),
        "accumulator": columns(&described.accumulator),
        "rows": plan.spec.stored.map(|_| columns(&described.input)),
    })
}

/// Slots and timers are known by their names. How long entries live, and how many a list has, may change.
fn of_process(plan: &ProcessPlan) -> Value {
    let described = plan.function.described();
    let slots = described.slots.iter();
    let timers = described.timers.iter();
    json!({
        "key": columns(plan.key_fields.iter().map(AsRef::as_ref)),
        "slots": slots.map(|s| (s.name.clone(), slot(s))).collect::<Map<_, _>>(),
        "timers": timers.map(|t| (t.name.clone(), clock(t.clock).into())).collect::<Map<_, _>>(),
    })
}

fn slot(slot: &StateSlot) -> Value {
    let (kind, sub_key) = match &slot.kind {
        SlotKind::Value => ("value", None),
        SlotKind::List { .. } => ("list", None),
        SlotKind::Map { key } => ("map", Some(columns(key))),
    };
    json!({
        "kind": kind,
        "key": sub_key,
        "columns": columns(&slot.columns),
        "expires": slot.ttl.map(|ttl| clock(ttl.clock)),
    })
}

/// Whose time something is in.
fn clock(clock: Clock) -> &'static str {
    match clock {
        Clock::Event => "event time",
        Clock::Processing => "processing time",
    }
}

fn columns<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Vec<String> {
    fields.into_iter().map(column).collect()
}

fn column(field: &Field) -> String {
    let mark = if field.is_nullable() { "?" } else { "" };
    let ty = LogicalType::of(field.data_type()).name();
    format!("{}: {ty}{mark}", field.name())
}

/// A window in words, lengths in microseconds.
fn window(spec: &WindowSpec) -> String {
    let kind = match spec.kind {
        WindowKind::Tumble { size, offset } => format!("tumble {size} offset {offset}"),
        WindowKind::Hop { size, step, offset } => format!("hop {size} step {step} offset {offset}"),
        WindowKind::Cumulate { size, step, offset } => {
            format!("cumulate {size} step {step} offset {offset}")
        }
        WindowKind::Session { gap } => format!("session {gap}"),
        WindowKind::Global => "global".to_owned(),
        WindowKind::Rows { count } => format!("rows {count}"),
        WindowKind::Slide { range } => format!("slide {range}"),
    };
    let mode = match spec.mode {
        Mode::Accumulating => "accumulating",
        Mode::Discarding => "discarding",
        Mode::Retract => "retract",
    };
    let keep = match spec.stored {
        None => String::new(),
        Some(Keep::All) => ", all rows kept".to_owned(),
        Some(Keep::Newest(count)) => format!(", the newest {count} kept"),
        Some(Keep::Within(d)) => format!(", those within {d} kept"),
    };
    let plain = if spec.is_plain() {
        ""
    } else {
        ", with triggers"
    };
    format!("{kind}, lateness {}, {mode}{keep}{plain}", spec.lateness)
}

/// Every reason why a plan cannot go on from a checkpoint; none if it can.
pub fn differences(plan: &Plan, manifest: &Manifest) -> Vec<String> {
    let contents = &manifest.contents;
    let mut all = Vec::new();
    if contents.max_parallelism != plan.max_parallelism {
        all.push(format!(
            "max-parallelism was {} and is {} now: it is fixed by the first checkpoint",
            contents.max_parallelism, plan.max_parallelism
        ));
    }
    let station = |name: &str| plan.stations.iter().find(|station| station.name == name);
    for name in contents.sources.keys() {
        if !station(name).is_some_and(|s| matches!(s.kind, StationKind::Source(_))) {
            all.push(format!(
                "there is no source {name} any more, which had been read"
            ));
        }
    }
    for name in contents.pending.keys() {
        if !station(name).is_some_and(|s| matches!(s.kind, StationKind::Sink(_))) {
            all.push(format!(
                "there is no sink {name} any more, which may have output pending"
            ));
        }
    }
    for operator in &contents.operators {
        let name = &operator.name;
        match station(name).map(|station| of_station(&station.kind)) {
            None if operator.schemas.is_null() => {}
            None => all.push(format!(
                "there is no operator {name} any more, which keeps state"
            )),
            Some(now) => all.extend(
                differing(&operator.schemas, &now)
                    .into_iter()
                    .map(|what| format!("operator {name}: {what}")),
            ),
        }
    }
    all
}

fn differing(was: &Value, now: &Value) -> Vec<String> {
    if was == now {
        return Vec::new();
    }
    let (Some(was), Some(now)) = (was.as_object(), now.as_object()) else {
        return vec!["it keeps state of another kind now".to_owned()];
    };
    let of = |value: Option<&Value>| value.unwrap_or(&Value::Null).to_string();
    was.keys()
        .filter(|part| was.get(*part) != now.get(*part))
        .map(|part| {
            format!(
                "its {part} was {} and is {} now",
                of(was.get(part)),
                of(now.get(part))
            )
        })
        .collect()
}

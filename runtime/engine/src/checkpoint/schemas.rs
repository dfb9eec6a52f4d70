//! What the state of an operator means, as a manifest says it, and whether a plan can go on from it.
//!
//! State is known by what it is made of: the key, the window, what is kept of rows. Whatever of it differs would make other
//! results of what was gathered, so a run that would go on says what, and starts nothing.

use serde_json::{Value, json};
use tidemill_checkpoint::Manifest;
use tidemill_core::window::{Keep, Mode, WindowKind, WindowSpec};
use tidemill_rows::LogicalType;

use crate::plan::{Plan, StationKind, WindowPlan};

/// What the state of a station is made of; null where it has none.
pub fn of_station(kind: &StationKind) -> Value {
    match kind {
        StationKind::Window(window) => of_window(window),
        StationKind::Source(_) | StationKind::Transform(_) | StationKind::Sink(_) => Value::Null,
    }
}

fn of_window(plan: &WindowPlan) -> Value {
    let described = plan.function.described();
    let key: Vec<String> = plan
        .key_fields
        .iter()
        .map(|field| column(field.name(), field.data_type(), field.is_nullable()))
        .collect();
    let fields = |fields: &[arrow_schema::Field]| -> Vec<String> {
        fields
            .iter()
            .map(|f| column(f.name(), f.data_type(), f.is_nullable()))
            .collect()
    };
    json!({
        "key": key,
        "window": window(&plan.spec),
        "accumulator": fields(&described.accumulator),
        "rows": plan.spec.stored.map(|_| fields(&described.input)),
    })
}

fn column(name: &str, ty: &arrow_schema::DataType, nullable: bool) -> String {
    let mark = if nullable { "?" } else { "" };
    format!("{name}: {}{mark}", LogicalType::of(ty).name())
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

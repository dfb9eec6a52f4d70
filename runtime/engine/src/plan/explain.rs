//! A plan for people: `tidemill check --explain`.

use std::fmt::Write;

use arrow_schema::{Field, FieldRef};
use tidemill_core::clock::Strategy;
use tidemill_core::window::{Keep, Mode, Triggers, WindowKind, WindowSpec};
use tidemill_pipeline::units::show_duration as duration;
use tidemill_rows::LogicalType;
use tidemill_wasm::{Clock, SlotKind, StateSlot, TimerName};

use super::streams::columns_of;
use super::{Edge, Plan, StatePlan, Station, StationKind, WorkTime};
use crate::exchange::Partitioning;

/// The plan as text: stations in order, what leads to each and how, keys and panes.
pub fn explain(plan: &Plan) -> String {
    let mut text = format!(
        "pipeline {}: {}, {} key groups\n",
        plan.name,
        match (plan.has_tasks, plan.workers) {
            (true, _) => "a task per partition number, which several processes share".to_owned(),
            (false, 1) => "1 worker".to_owned(),
            (false, workers) => format!("{workers} workers"),
        },
        plan.max_parallelism
    );
    for (index, station) in plan.stations.iter().enumerate() {
        let _ = writeln!(text, "\n{}", heading(station));
        for edge in plan.edges.iter().filter(|edge| edge.to == index) {
            let _ = writeln!(text, "  from {}", way(plan, edge));
        }
        if station.time == WorkTime::Processing {
            let _ = writeln!(text, "  time: the clock, as it takes rows");
        }
        for line in details(plan, station) {
            let _ = writeln!(text, "  {line}");
        }
        match plan.combining(index) {
            None => {}
            Some(Ok(_)) => text.push_str("  rows of hot keys are added up before they cross\n"),
            Some(Err(why)) => {
                let _ = writeln!(text, "  no rows are added up before they cross: {why}");
            }
        }
        for port in &station.ports {
            let name = if port.name.is_empty() {
                "rows"
            } else {
                &port.name
            };
            let taken = plan
                .edges
                .iter()
                .any(|e| e.from == index && station.ports[e.port].name == port.name);
            if taken {
                let _ = writeln!(text, "  gives {name}: ({})", columns_of(&port.schema));
            }
        }
    }
    text
}

fn heading(station: &Station) -> String {
    let kind = match &station.kind {
        StationKind::Source(_) => "source",
        StationKind::Transform(_) => "transform",
        StationKind::Window(_) => "window",
        StationKind::Process(_) => "process",
        StationKind::Sink(_) => "sink",
    };
    format!("{kind} {}", station.name)
}

fn way(plan: &Plan, edge: &Edge) -> String {
    let from = &plan.stations[edge.from];
    let port = &from.ports[edge.port].name;
    let name = if port.is_empty() {
        from.name.clone()
    } else {
        format!("{}.{port}", from.name)
    };
    match &edge.exchange {
        None => format!("{name}: chained (function calls)"),
        Some(Partitioning::Single) => format!("{name}: exchange, all rows to worker 0"),
        Some(Partitioning::Key(columns)) => {
            let schema = &from.ports[edge.port].schema;
            let names: Vec<&str> = columns
                .iter()
                .map(|&i| schema.field(i).name().as_str())
                .collect();
            format!("{name}: exchange by key group of ({})", names.join(", "))
        }
    }
}

fn details(plan: &Plan, station: &Station) -> Vec<String> {
    match &station.kind {
        StationKind::Source(source) => {
            let end = if source.clock.bounded {
                "bounded"
            } else {
                "live"
            };
            let mut lines = vec![format!("{end}; {}", watermark(source.clock.strategy))];
            lines.extend(source.custom.as_ref().map(function));
            lines
        }
        StationKind::Transform(transform) => vec![function(&transform.function)],
        StationKind::Window(window) => {
            let key = key(&window.key_fields);
            let mut lines = vec![function(&window.function), key, windows(&window.spec)];
            lines.extend(window.spec.stored.map(|keep| kept(keep, window.rows_limit)));
            lines
        }
        StationKind::Process(process) => {
            let mut lines = vec![function(&process.function), key(&process.key_fields)];
            lines.push(match &plan.state {
                StatePlan::Memory => format!(
                    "state of at most {} MiB per worker",
                    process.state_limit >> 20
                ),
                StatePlan::RocksDb(state) => format!(
                    "state in rocksdb, with {} MiB of memory for the process",
                    state.memory >> 20
                ),
            });
            let described = process.function.described();
            let slots = described.slots.iter().map(slot);
            lines.extend(slots.map(|slot| format!("state {slot}")));
            let timers = described.timers.iter().map(timer);
            lines.extend(timers.map(|timer| format!("timer {timer}")));
            lines
        }
        StationKind::Sink(_) => Vec::new(),
    }
}

fn key(fields: &[FieldRef]) -> String {
    let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
    match names.as_slice() {
        [] => "no key: runs on one worker".to_owned(),
        names => format!("key ({})", names.join(", ")),
    }
}

/// A slot of state for people: what it holds per key, and for how long.
pub fn slot(slot: &StateSlot) -> String {
    let columns = fields(&slot.columns);
    let holds = match &slot.kind {
        SlotKind::Value => format!("value ({columns})"),
        SlotKind::List { most } => format!("list of at most {most} ({columns})"),
        SlotKind::Map { key } => format!("map from ({}) to ({columns})", fields(key)),
    };
    let lives = slot.ttl.map(|ttl| {
        let from = match ttl.by_read {
            true => "written or read",
            false => "written",
        };
        format!(
            ", for {} of {} from when it was {from}",
            duration(ttl.micros),
            time_of(ttl.clock)
        )
    });
    let lives = lives.unwrap_or_default();
    format!("{}: {holds}{lives}", slot.name)
}

fn fields(fields: &[Field]) -> String {
    let column = |field: &Field| format!("{}: {}", field.name(), LogicalType::word(field));
    fields.iter().map(column).collect::<Vec<_>>().join(", ")
}

/// A timer for people: its name, and whose time it is in.
pub fn timer(timer: &TimerName) -> String {
    format!("{}: {}", timer.name, time_of(timer.clock))
}

fn time_of(clock: Clock) -> &'static str {
    match clock {
        Clock::Event => "event time",
        Clock::Processing => "the clock",
    }
}

fn watermark(strategy: Strategy) -> String {
    match strategy {
        Strategy::OutOfOrderness(d) => format!("watermark: largest time less {}", duration(d)),
        Strategy::Monotonic => "watermark: largest time".to_owned(),
        Strategy::Custom => "watermark: what a function says".to_owned(),
        Strategy::None => "no watermark until the end".to_owned(),
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Accumulating => "accumulating",
        Mode::Discarding => "discarding",
        Mode::Retract => "retract",
    }
}

fn function(plan: &super::FunctionPlan) -> String {
    let function = &plan.module.description().functions[plan.function];
    format!(
        "function {}/{} ({}, module {})",
        plan.module.file().display(),
        function.name,
        function.kind.name(),
        plan.module.short_hash()
    )
}

/// The window, and the panes that it is computed from.
fn windows(spec: &WindowSpec) -> String {
    let window = match spec.kind {
        WindowKind::Tumble { size, .. } => {
            format!("tumble {}: one pane per window", duration(size))
        }
        WindowKind::Hop { size, step, .. } => {
            let per_step = if size % step == 0 || size < step {
                1
            } else {
                2
            };
            format!(
                "hop {} every {}: {per_step} pane{} per step, each row in one of them",
                duration(size),
                duration(step),
                if per_step == 1 { "" } else { "s" }
            )
        }
        WindowKind::Cumulate { size, step, .. } => {
            format!(
                "cumulate {} by {}: one pane per step",
                duration(size),
                duration(step)
            )
        }
        WindowKind::Session { gap } => format!("session, gap {}", duration(gap)),
        WindowKind::Slide { range } => {
            format!(
                "slide {}: a result per row, of two running merges",
                duration(range)
            )
        }
        WindowKind::Global => "global: one for all rows of a key".to_owned(),
        WindowKind::Rows { count } => format!("rows: every {count} of a key"),
    };
    // Windows that hold rows share those, and no panes.
    let paned = !matches!(
        spec.kind,
        WindowKind::Session { .. } | WindowKind::Global | WindowKind::Rows { .. }
    );
    let window = match window.split_once(':') {
        Some((name, _)) if paned && spec.stored.is_some() => name.to_owned(),
        _ => window,
    };
    let lateness = match spec.kind {
        WindowKind::Global | WindowKind::Rows { .. } => "takes every row".to_owned(),
        WindowKind::Slide { .. } => "takes no row that is behind".to_owned(),
        _ => format!("lateness {}", duration(spec.lateness)),
    };
    format!(
        "window {window}; {lateness}, {}; fires {}",
        mode(spec.mode),
        triggers(&spec.triggers)
    )
}

/// Which rows windows hold.
fn kept(keep: Keep, limit: usize) -> String {
    let which = match keep {
        Keep::All => "every row of a window".to_owned(),
        Keep::Newest(1) => "the newest row of a window".to_owned(),
        Keep::Newest(count) => format!("the newest {count} rows of a window"),
        Keep::Within(d) => format!(
            "a window's rows of the last {} before its newest",
            duration(d)
        ),
    };
    format!("keeps {which}, in at most {} MiB per worker", limit >> 20)
}

/// When windows fire.
fn triggers(triggers: &Triggers) -> String {
    let all = [
        (!triggers.only).then(|| "at the end".to_owned()),
        triggers
            .every
            .map(|time| format!("every {} of event time", duration(time))),
        triggers
            .every_of_clock
            .map(|time| format!("every {} of the clock", duration(time))),
        triggers.every_rows.map(|rows| format!("every {rows} rows")),
        triggers.each_row.then(|| "on each row".to_owned()),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    all.join(", ")
}

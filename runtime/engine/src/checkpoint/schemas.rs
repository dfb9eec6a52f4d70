//! What the state of an operator means, as a manifest says it, and whether a plan can go on from it.
//!
//! State is known by what it is made of: the key, the window, what is kept of rows. Whatever of it differs would make other
//! results of what was gathered, so a run that would go on says what, and starts nothing.

use arrow_schema::{Field, Schema};
use serde_json::{Map, Value, json};
use tidemill_connectors::SinkSpec;
use tidemill_core::window::{Keep, Mode, WindowKind, WindowSpec};
use tidemill_pipeline::units::show_duration;
use tidemill_wasm::{Clock, SlotKind, StateSlot};

use super::columns::Named;
use crate::plan::{ProcessPlan, StationKind, WindowPlan};

/// Of a source: the columns of the state of the function that makes its watermarks.
pub const STATE: &str = "state";
/// Of a sink: the columns that it writes.
pub const COLUMNS: &str = "columns";
/// Of a sink: how it writes them.
pub const FORMAT: &str = "format";
/// Of a source or a sink: what each worker keeps.
pub const WORKERS: &str = "workers";
/// Of a window: the columns of its key.
pub const KEY: &str = "key";
/// Of a process operator: its slots, by name.
pub const SLOTS: &str = "slots";
/// Of a process operator: its timers, by name, and whose time they are in.
pub const TIMERS: &str = "timers";
/// Of a window: which, in words.
pub const WINDOW: &str = "window";
/// Of a window: the columns of its accumulators.
pub const ACCUMULATOR: &str = "accumulator";
/// Of a window that stores rows: their columns.
pub const ROWS: &str = "rows";

/// What the state of a station is made of; null where it has none.
pub fn of_station(kind: &StationKind) -> Value {
    match kind {
        StationKind::Window(window) => of_window(window),
        StationKind::Process(process) => of_process(process),
        StationKind::Source(source) => match &source.custom {
            Some(custom) => json!({ STATE: words(&custom.described().state) }),
            None => json!({}),
        },
        StationKind::Sink(sink) => of_sink(&sink.spec, &sink.schema),
        StationKind::Transform(_) => Value::Null,
    }
}

/// What a sink writes, and how.
pub fn of_sink(spec: &SinkSpec, schema: &Schema) -> Value {
    let columns: Vec<String> = schema.fields().iter().map(|f| word(f)).collect();
    let format = match spec {
        SinkSpec::File { format, .. } => Some(format.ending()),
        SinkSpec::Folder(folder) => Some(folder.format.ending()),
        // Nothing of it is pending in files.
        SinkSpec::Kafka(_)
        | SinkSpec::Stdout { .. }
        | SinkSpec::Encoded { .. }
        | SinkSpec::Blackhole => None,
    };
    json!({ COLUMNS: columns, FORMAT: format })
}

/// What the state of a window is made of.
pub fn of_window(plan: &WindowPlan) -> Value {
    let described = plan.function.described();
    let key: Vec<String> = plan.key_fields.iter().map(|field| word(field)).collect();
    json!({
        KEY: key,
        WINDOW: window(&plan.spec),
        ACCUMULATOR: words(&described.accumulator),
        ROWS: plan.spec.stored.map(|_| words(&described.input)),
    })
}

/// Slots and timers are known by their names. How long entries live, and how many a list has, may change.
fn of_process(plan: &ProcessPlan) -> Value {
    let described = plan.function.described();
    let key: Vec<String> = plan.key_fields.iter().map(|field| word(field)).collect();
    let slots = described.slots.iter();
    let timers = described.timers.iter();
    json!({
        KEY: key,
        SLOTS: slots.map(|s| (s.name.clone(), slot(s))).collect::<Map<_, _>>(),
        TIMERS: timers.map(|t| (t.name.clone(), clock(t.clock).into())).collect::<Map<_, _>>(),
    })
}

fn slot(slot: &StateSlot) -> Value {
    let (kind, sub_key) = match &slot.kind {
        SlotKind::Value => ("value", None),
        SlotKind::List { .. } => ("list", None),
        SlotKind::Map { key } => ("map", Some(words(key))),
    };
    json!({
        "kind": kind,
        KEY: sub_key,
        COLUMNS: words(&slot.columns),
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

fn words(fields: &[Field]) -> Vec<String> {
    fields.iter().map(word).collect()
}

fn word(field: &Field) -> String {
    Named::from(field).word()
}

/// What of a window differs, for people: what was and what is.
pub fn window_differences(was: &Value, now: &Value) -> (String, String) {
    let texts = [was, now].map(|window| window[WINDOW].as_str().unwrap_or("none"));
    let parts = texts.map(|text| text.split(", ").collect::<Vec<_>>());
    let only = |of: usize| {
        let other = &parts[1 - of];
        let own = parts[of].iter().filter(|part| !other.contains(part));
        own.map(|part| for_people(part)).collect::<Vec<_>>()
    };
    match (only(0), only(1)) {
        (was, now) if was.is_empty() || now.is_empty() => {
            let [was, now] = texts.map(for_people);
            (was, now)
        }
        (was, now) => (was.join(", "), now.join(", ")),
    }
}

/// Words of a window with its lengths as pipeline files have them.
fn for_people(words: &str) -> String {
    let mut before = "";
    let word = |word| {
        let counts = matches!(std::mem::replace(&mut before, word), "rows" | "newest");
        // A comma stands behind some numbers.
        let number = word.trim_end_matches(',');
        match number.parse() {
            Ok(micros) if !counts => show_duration(micros) + &word[number.len()..],
            _ => word.to_owned(),
        }
    };
    words.split(' ').map(word).collect::<Vec<_>>().join(" ")
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

/// A window as a manifest says it, read again; nothing if it is none.
pub fn read_window(text: &str) -> Option<WindowSpec> {
    let mut parts = text.split(", ");
    let words: Vec<&str> = parts.next()?.split(' ').collect();
    let number = |text: &str| text.parse::<i64>().ok();
    let kind = match words[..] {
        ["tumble", size, "offset", offset] => WindowKind::Tumble {
            size: number(size)?,
            offset: number(offset)?,
        },
        ["hop", size, "step", step, "offset", offset] => WindowKind::Hop {
            size: number(size)?,
            step: number(step)?,
            offset: number(offset)?,
        },
        ["cumulate", size, "step", step, "offset", offset] => WindowKind::Cumulate {
            size: number(size)?,
            step: number(step)?,
            offset: number(offset)?,
        },
        ["session", gap] => WindowKind::Session { gap: number(gap)? },
        ["global"] => WindowKind::Global,
        ["rows", count] => WindowKind::Rows {
            count: count.parse().ok()?,
        },
        ["slide", range] => WindowKind::Slide {
            range: number(range)?,
        },
        _ => return None,
    };
    let mut spec = WindowSpec::new(kind);
    for part in parts {
        match part.split(' ').collect::<Vec<_>>()[..] {
            ["lateness", lateness] => spec.lateness = number(lateness)?,
            ["accumulating"] => spec.mode = Mode::Accumulating,
            ["discarding"] => spec.mode = Mode::Discarding,
            ["retract"] => spec.mode = Mode::Retract,
            ["all", "rows", "kept"] => spec.stored = Some(Keep::All),
            ["the", "newest", count, "kept"] => {
                spec.stored = Some(Keep::Newest(count.parse().ok()?))
            }
            ["those", "within", d, "kept"] => spec.stored = Some(Keep::Within(number(d)?)),
            // Which ones does not show in what is kept.
            ["with", "triggers"] => spec.triggers.each_row = true,
            _ => return None,
        }
    }
    Some(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_of_windows_is_said() {
        let hour = WindowSpec::new(WindowKind::Tumble {
            size: 3_600_000_000,
            offset: 0,
        });
        let longer = WindowSpec {
            kind: WindowKind::Tumble {
                size: 7_200_000_000,
                offset: -1000,
            },
            lateness: 5_000_000,
            ..hour
        };
        let newest = WindowSpec {
            stored: Some(Keep::Newest(3)),
            ..hour
        };
        let said = |was, now| {
            let of = |spec| json!({ WINDOW: window(spec) });
            let (was, now) = window_differences(&of(was), &of(now));
            format!("{was}; {now}")
        };
        assert_eq!(
            said(&hour, &longer),
            "tumble 1h offset 0s, lateness 0s; tumble 2h offset -1ms, lateness 5s"
        );
        assert_eq!(
            said(&hour, &newest),
            "tumble 1h offset 0s, lateness 0s, accumulating; \
             tumble 1h offset 0s, lateness 0s, accumulating, the newest 3 kept, with triggers"
        );
    }

    #[test]
    fn windows_are_read_back() {
        let kinds = [
            WindowKind::Tumble {
                size: 10,
                offset: -3,
            },
            WindowKind::Hop {
                size: 10,
                step: 3,
                offset: 0,
            },
            WindowKind::Cumulate {
                size: 10,
                step: 5,
                offset: 1,
            },
            WindowKind::Session { gap: 7 },
            WindowKind::Global,
            WindowKind::Rows { count: 9 },
            WindowKind::Slide { range: 4 },
        ];
        let keeps = [
            None,
            Some(Keep::All),
            Some(Keep::Newest(3)),
            Some(Keep::Within(8)),
        ];
        for kind in kinds {
            for mode in [Mode::Accumulating, Mode::Discarding, Mode::Retract] {
                for stored in keeps {
                    let spec = WindowSpec {
                        lateness: 12,
                        mode,
                        stored,
                        ..WindowSpec::new(kind)
                    };
                    let text = window(&spec);
                    let read = read_window(&text).unwrap_or_else(|| panic!("{text}"));
                    assert_eq!(window(&read), text);
                    assert_eq!(read.is_plain(), spec.is_plain(), "{text}");
                    assert_eq!((read.kind, read.stored), (kind, stored), "{text}");
                }
            }
        }
        assert_eq!(read_window("tumble 10"), None);
    }
}

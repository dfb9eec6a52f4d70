//! What a process function keeps per key: slots of state, and timers.

use arrow_schema::Field;
use serde_json::Value;

use super::parse::{column_name, columns, optional, unique};
use super::place::Place;

/// One slot of a process function's state.
#[derive(Clone, Debug)]
pub struct StateSlot {
    /// Its name.
    pub name: String,
    /// What it holds per key.
    pub kind: SlotKind,
    /// The columns of an entry; of a map, of its value.
    pub columns: Vec<Field>,
    /// How long an entry lives.
    pub ttl: Option<Ttl>,
}

/// What a slot holds per key.
#[derive(Clone, Debug, PartialEq)]
pub enum SlotKind {
    /// At most one entry.
    Value,
    /// Entries in the order in which they were appended.
    List {
        /// How many at most; beyond it the oldest go.
        most: u32,
    },
    /// Entries under sub-keys.
    Map {
        /// The columns of a sub-key.
        key: Vec<Field>,
    },
}

/// A time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// In microseconds; at least one.
    pub micros: i64,
    /// Whose time it is.
    pub clock: Clock,
    /// Whether reading an entry keeps it alive, too.
    pub by_read: bool,
}

/// Whose time timers and times to live are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Event time.
    Event,
    /// The host's clock.
    Processing,
}

/// A name under which a process function sets timers.
#[derive(Clone, Debug)]
pub struct TimerName {
    /// The name.
    pub name: String,
    /// Whose time they are in.
    pub clock: Clock,
}

/// The bound of a list that names none.
const LIST: u32 = 1000;
/// The largest bound of a list.
const LONGEST_LIST: u32 = 1_000_000;
const MOST_SLOTS: usize = 64;
const MOST_TIMERS: usize = 64;
/// A thousand years, in microseconds.
const LONGEST_TTL: i64 = 1000 * 366 * 86_400 * 1_000_000;

pub(super) fn slots(place: &Place<'_>) -> Result<Vec<StateSlot>, String> {
    let slots: Vec<StateSlot> = place
        .list(MOST_SLOTS)?
        .iter()
        .map(slot)
        .collect::<Result<_, _>>()?;
    unique("slots", slots.iter().map(|slot| slot.name.as_str())).map_err(|e| place.error(e))?;
    Ok(slots)
}

fn slot(place: &Place<'_>) -> Result<StateSlot, String> {
    place.object(&[
        "name", "kind", "columns", "key", "ttl", "clock", "touch", "most",
    ])?;
    let word = place.required("kind")?;
    let kind = match word.text()? {
        "value" => SlotKind::Value,
        "list" => SlotKind::List {
            most: optional(place, "most", most)?.unwrap_or(LIST),
        },
        "map" => SlotKind::Map {
            key: columns(&place.required("key")?)?,
        },
        other => {
            return Err(word.error(format!(
                "unknown kind of slot {other:?}: expected value, list or map"
            )));
        }
    };
    let foreign: &[&str] = match kind {
        SlotKind::Value => &["key", "most"],
        SlotKind::List { .. } => &["key", "touch"],
        SlotKind::Map { .. } => &["most", "touch"],
    };
    if let Some(name) = foreign.iter().find(|name| place.field(name).is_some()) {
        return Err(place.error(format!("a slot of this kind has no field {name:?}")));
    }
    Ok(StateSlot {
        name: column_name(&place.required("name")?)?.to_owned(),
        kind,
        columns: columns(&place.required("columns")?)?,
        ttl: ttl(place)?,
    })
}

fn ttl(place: &Place<'_>) -> Result<Option<Ttl>, String> {
    let Some(micros) = optional(place, "ttl", micros)? else {
        let settings = ["clock", "touch"];
        return match settings.iter().find(|name| place.field(name).is_some()) {
            None => Ok(None),
            Some(name) => Err(place.error(format!("{name:?} needs the field \"ttl\""))),
        };
    };
    let by_read = |place: &Place<'_>| match place.text()? {
        "write" => Ok(false),
        "read" => Ok(true),
        other => Err(place.error(format!("expected \"write\" or \"read\", found {other:?}"))),
    };
    Ok(Some(Ttl {
        micros,
        clock: optional(place, "clock", clock)?.unwrap_or(Clock::Event),
        by_read: optional(place, "touch", by_read)?.unwrap_or(false),
    }))
}

fn micros(place: &Place<'_>) -> Result<i64, String> {
    let micros = place.value.as_i64();
    micros
        .filter(|micros| (1..=LONGEST_TTL).contains(micros))
        .ok_or_else(|| place.error("expected microseconds, from 1 to a thousand years"))
}

fn most(place: &Place<'_>) -> Result<u32, String> {
    let most = place
        .value
        .as_u64()
        .and_then(|most| u32::try_from(most).ok());
    most.filter(|most| (1..=LONGEST_LIST).contains(most))
        .ok_or_else(|| place.error(format!("expected a number from 1 to {LONGEST_LIST}")))
}

fn clock(place: &Place<'_>) -> Result<Clock, String> {
    match place.value {
        Value::String(word) if word == "event" => Ok(Clock::Event),
        Value::String(word) if word == "processing" => Ok(Clock::Processing),
        _ => Err(place.error("expected \"event\" or \"processing\"")),
    }
}

pub(super) fn timers(place: &Place<'_>) -> Result<Vec<TimerName>, String> {
    let timer = |place: &Place<'_>| {
        place.object(&["name", "clock"])?;
        Ok(TimerName {
            name: column_name(&place.required("name")?)?.to_owned(),
            clock: optional(place, "clock", clock)?.unwrap_or(Clock::Event),
        })
    };
    let timers: Vec<TimerName> = place
        .list(MOST_TIMERS)?
        .iter()
        .map(timer)
        .collect::<Result<_, String>>()?;
    unique("timers", timers.iter().map(|timer| timer.name.as_str())).map_err(|e| place.error(e))?;
    Ok(timers)
}

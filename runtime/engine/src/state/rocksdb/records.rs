//! A record: what is held outside memory for one key, its state and its timers.
//!
//! ```text
//! [alive until, event time | alive until, the clock]   only where something may expire: what the sweep looks at
//! timers of event time | timers of the clock           each: how many, then (name, time, how much later it fires)
//! slot | slot | ...                                     each: how many entries, then the entries
//!   entry: [the time it lives from] [sub-key] [which columns are null] column | column | ...
//! ```
//!
//! Numbers are variable in length, signed ones zigzag, floats and the first two eight bytes, texts have their length before them.
//! Nothing of this lasts: a process reads only what it has written itself, so that the form may change with every version.

mod reading;
#[cfg(test)]
mod tests;
mod writing;

use arrow_schema::Field;
use tidemill_rows::LogicalType;
use tidemill_wasm::{Function, SlotKind, StateSlot, Ttl};

pub use self::reading::{Join, Record};
pub use self::writing::Saved;

/// What records of a function look like.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Values, then lists, then maps.
    slots: Vec<SlotLayout>,
}

/// What entries of a slot look like.
#[derive(Clone, Debug)]
struct SlotLayout {
    columns: Vec<Form>,
    /// Whether a column may hold a null.
    nullable: bool,
    ttl: Option<Ttl>,
    is_map: bool,
}

/// How the values of a column are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Octet,
    Word,
    Float,
    Arena,
}

/// How long the two times are that a sweep looks at.
const UNTIL: usize = 2 * size_of::<i64>();

impl Layout {
    /// Of a function's slots.
    pub fn new(function: &Function) -> Self {
        let values = function.value_slots();
        let entries = function.list_slots().chain(function.map_slots());
        Self {
            slots: values.chain(entries).map(SlotLayout::new).collect(),
        }
    }

    /// Whether anything ever expires.
    pub fn is_mortal(&self) -> bool {
        self.slots.iter().any(|slot| slot.ttl.is_some())
    }
}

impl SlotLayout {
    fn new(slot: &StateSlot) -> Self {
        Self {
            columns: slot.columns.iter().map(Form::of).collect(),
            nullable: slot.columns.iter().any(Field::is_nullable),
            ttl: slot.ttl,
            is_map: matches!(slot.kind, SlotKind::Map { .. }),
        }
    }
}

impl Form {
    fn of(field: &Field) -> Self {
        match LogicalType::of(field.data_type()) {
            LogicalType::Bool => Self::Octet,
            LogicalType::Integer | LogicalType::Time => Self::Word,
            LogicalType::Float => Self::Float,
            LogicalType::Text | LogicalType::Bytes => Self::Arena,
        }
    }
}

/// Whether a record, of a function of which something may expire, holds nothing any more: W stands at `w`, the clock at `now`.
pub fn is_expired(record: &[u8], w: i64, now: i64) -> bool {
    let until = |at: usize| {
        let bytes = record.get(at..at + size_of::<i64>())?;
        Some(i64::from_le_bytes(bytes.try_into().ok()?))
    };
    let both = until(0).zip(until(size_of::<i64>()));
    both.is_some_and(|(event, clock)| event <= w && clock <= now)
}

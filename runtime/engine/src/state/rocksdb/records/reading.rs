//! Records of keys that come into memory, or into a checkpoint.

use smallvec::SmallVec;
use tidemill_core::process::Timer;
use tidemill_wasm::{Arena, Column, Table, Values};

use super::{Form, Layout, SlotLayout, UNTIL};
use crate::checkpoint::kept::{Lists, RowsKept, SlotKept};
use crate::checkpoint::restored::Damaged;

/// What is read of records, in columns: the slots of all keys, one after the other.
pub struct Join<'a> {
    layout: &'a Layout,
    slots: Vec<Slot>,
    bytes: usize,
}

/// What stands in a record beside the slots.
#[derive(Default)]
pub struct Record {
    /// Timers of event time, in order.
    pub timers: SmallVec<[Timer; 1]>,
    /// Timers of the clock, in order.
    pub clock_timers: SmallVec<[Timer; 1]>,
}

struct Slot {
    ends: Vec<u64>,
    columns: Vec<Column>,
    clocks: Vec<i64>,
    sub_keys: Lists<u8>,
}

impl<'a> Join<'a> {
    /// No records yet.
    pub fn new(layout: &'a Layout) -> Self {
        let slot = |slot: &SlotLayout| Slot {
            ends: Vec::new(),
            columns: slot.columns.iter().map(Form::column).collect(),
            clocks: Vec::new(),
            sub_keys: Lists::default(),
        };
        Self {
            layout,
            slots: layout.slots.iter().map(slot).collect(),
            bytes: 0,
        }
    }

    /// Adds a key's record.
    ///
    /// # Errors
    /// If it is none.
    pub fn add(&mut self, record: &[u8]) -> Result<Record, Damaged> {
        self.bytes += record.len();
        let mut bytes = Bytes(record);
        if self.layout.is_mortal() {
            bytes.take(UNTIL)?;
        }
        let read = Record {
            timers: bytes.timers()?,
            clock_timers: bytes.timers()?,
        };
        for (layout, slot) in self.layout.slots.iter().zip(&mut self.slots) {
            slot.read(layout, &mut bytes)?;
        }
        if bytes.0.is_empty() {
            Ok(read)
        } else {
            Err(Damaged)
        }
    }

    /// About how many bytes of data there are.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The slots, as memory takes them.
    pub fn into_slots(self) -> Vec<SlotKept> {
        self.slots.into_iter().map(Slot::into_kept).collect()
    }
}

impl Slot {
    fn read(&mut self, layout: &SlotLayout, bytes: &mut Bytes<'_>) -> Result<(), Damaged> {
        let before = self.ends.last().copied().unwrap_or(0);
        let entries = bytes.unsigned()?;
        for row in before..before + entries {
            if layout.ttl.is_some() {
                self.clocks.push(bytes.signed()?);
            }
            if layout.is_map {
                self.sub_keys.push(bytes.text()?);
            }
            let nulls: SmallVec<[u8; 4]> = match layout.nullable {
                true => SmallVec::from_slice(bytes.take(layout.columns.len().div_ceil(8))?),
                false => SmallVec::new(),
            };
            for (i, column) in self.columns.iter_mut().enumerate() {
                read_value(column, bytes)?;
                let is_null = nulls
                    .get(i / 8)
                    .is_some_and(|null| null >> (i % 8) & 1 == 1);
                if is_null || column.valid.is_some() {
                    let valid = column.valid.get_or_insert_with(|| vec![1; row as usize]);
                    valid.push(u8::from(!is_null));
                }
            }
        }
        self.ends.push(before + entries);
        Ok(())
    }

    fn into_kept(self) -> SlotKept {
        let rows = self.ends.last().copied().unwrap_or(0) as u32;
        let table = match rows {
            0 => Table {
                rows,
                columns: Vec::new(),
            },
            _ => Table {
                rows,
                columns: self.columns,
            },
        };
        SlotKept {
            entries: RowsKept {
                ends: self.ends,
                rows: table.into(),
            },
            clocks: self.clocks,
            sub_keys: self.sub_keys,
        }
    }
}

impl Form {
    /// A column without values.
    fn column(&self) -> Column {
        let values = match self {
            Self::Octet => Values::Octets(Vec::new()),
            Self::Word => Values::Words(Vec::new()),
            Self::Float => Values::Floats(Vec::new()),
            Self::Arena => Values::Arena(Arena {
                offsets: vec![0],
                bytes: Vec::new(),
            }),
        };
        Column {
            values,
            valid: None,
        }
    }
}

fn read_value(column: &mut Column, bytes: &mut Bytes<'_>) -> Result<(), Damaged> {
    match &mut column.values {
        Values::Octets(v) => v.push(bytes.take(1)?[0]),
        Values::Words(v) => v.push(bytes.signed()?),
        Values::Floats(v) => {
            let value = bytes.take(size_of::<f64>())?;
            v.push(f64::from_le_bytes(value.try_into().map_err(|_| Damaged)?));
        }
        Values::Arena(arena) => {
            arena.bytes.extend_from_slice(bytes.text()?);
            let end = u32::try_from(arena.bytes.len()).map_err(|_| Damaged)?;
            arena.offsets.push(end);
        }
    }
    Ok(())
}

/// What is left of a record.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    fn signed(&mut self) -> Result<i64, Damaged> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn text(&mut self) -> Result<&'a [u8], Damaged> {
        let len = self.unsigned()?;
        self.take(usize::try_from(len).map_err(|_| Damaged)?)
    }

    fn timers(&mut self) -> Result<SmallVec<[Timer; 1]>, Damaged> {
        let count = self.unsigned()?;
        let mut timers = SmallVec::new();
        for _ in 0..count {
            let name = u32::try_from(self.unsigned()?).map_err(|_| Damaged)?;
            let time = self.signed()?;
            timers.push(Timer {
                time,
                fires: time.wrapping_add(self.unsigned()? as i64),
                name,
                row: Timer::NO_ROW,
            });
        }
        Ok(timers)
    }
}

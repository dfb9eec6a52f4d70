//! Records of keys that go out of memory.

use tidemill_core::process::Timer;
use tidemill_wasm::{Clock, Column, Table, Values};

use super::{Layout, SlotLayout};
use crate::checkpoint::kept::{Lists, SlotKept};

/// What memory holds of keys, of which each gets a record.
pub struct Saved<'a> {
    layout: &'a Layout,
    slots: Vec<Slot>,
}

struct Slot {
    ends: Vec<u64>,
    rows: Table,
    clocks: Vec<i64>,
    sub_keys: Lists<u8>,
}

impl<'a> Saved<'a> {
    /// What was saved of them.
    pub fn new(layout: &'a Layout, slots: Vec<SlotKept>) -> Self {
        let slot = |kept: SlotKept| Slot {
            ends: kept.entries.ends,
            rows: kept.entries.rows.into(),
            clocks: kept.clocks,
            sub_keys: kept.sub_keys,
        };
        Self {
            layout,
            slots: slots.into_iter().map(slot).collect(),
        }
    }

    /// The record of one of the keys; `record` is replaced.
    pub fn write(&self, key: usize, timers: [&[Timer]; 2], record: &mut Vec<u8>) {
        record.clear();
        let slots = || self.layout.slots.iter().zip(&self.slots);
        if self.layout.is_mortal() {
            let has_timers = timers.iter().any(|timers| !timers.is_empty());
            let mut until = if has_timers {
                [i64::MAX; 2]
            } else {
                [i64::MIN; 2]
            };
            slots().for_each(|(layout, slot)| slot.live(layout, key, &mut until));
            let bytes = until.iter().flat_map(|until| until.to_le_bytes());
            record.extend(bytes);
        }
        for timers in timers {
            write_unsigned(timers.len() as u64, record);
            for timer in timers {
                write_unsigned(timer.name.into(), record);
                write_signed(timer.time, record);
                write_unsigned(timer.fires.wrapping_sub(timer.time) as u64, record);
            }
        }
        slots().for_each(|(layout, slot)| slot.write(layout, key, record));
    }
}

impl Slot {
    fn rows(&self, key: usize) -> std::ops::Range<usize> {
        let start = key.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[key] as usize
    }

    /// Raises what a record of the key is alive until, by its clock.
    fn live(&self, layout: &SlotLayout, key: usize, until: &mut [i64; 2]) {
        let rows = self.rows(key);
        if rows.is_empty() {
            return;
        }
        let Some(ttl) = layout.ttl else {
            *until = [i64::MAX; 2];
            return;
        };
        let newest = self.clocks[rows].iter().max();
        let ends = newest.map_or(i64::MAX, |clock| clock.saturating_add(ttl.micros));
        let at = match ttl.clock {
            Clock::Event => 0,
            Clock::Processing => 1,
        };
        until[at] = until[at].max(ends);
    }

    fn write(&self, layout: &SlotLayout, key: usize, record: &mut Vec<u8>) {
        let rows = self.rows(key);
        write_unsigned(rows.len() as u64, record);
        for row in rows {
            if layout.ttl.is_some() {
                write_signed(self.clocks[row], record);
            }
            if layout.is_map {
                write_bytes(self.sub_keys.get(row).unwrap_or_default(), record);
            }
            let columns = &self.rows.columns;
            if layout.nullable {
                for eight in columns.chunks(8) {
                    let null =
                        |(i, column): (usize, &Column)| u8::from(!is_valid(column, row)) << i;
                    record.push(eight.iter().enumerate().map(null).sum());
                }
            }
            columns
                .iter()
                .for_each(|column| write_value(column, row, record));
        }
    }
}

fn is_valid(column: &Column, row: usize) -> bool {
    column.valid.as_ref().is_none_or(|valid| valid[row] == 1)
}

fn write_value(column: &Column, row: usize, record: &mut Vec<u8>) {
    match &column.values {
        Values::Octets(v) => record.push(v[row]),
        Values::Words(v) => write_signed(v[row], record),
        Values::Floats(v) => record.extend(v[row].to_le_bytes()),
        Values::Arena(arena) => {
            let range = arena.offsets[row] as usize..arena.offsets[row + 1] as usize;
            write_bytes(&arena.bytes[range], record);
        }
    }
}

fn write_bytes(bytes: &[u8], record: &mut Vec<u8>) {
    write_unsigned(bytes.len() as u64, record);
    record.extend_from_slice(bytes);
}

fn write_signed(value: i64, record: &mut Vec<u8>) {
    write_unsigned((value << 1 ^ value >> 63) as u64, record);
}

/// Seven bits to a byte, the lowest first.
fn write_unsigned(mut value: u64, record: &mut Vec<u8>) {
    while value >= 0x80 {
        record.push(value as u8 | 0x80);
        value >>= 7;
    }
    record.push(value as u8);
}

//! Values of formats that have types of their own, as slots of columns.

use std::ops::Range;

use tidemill_rows::LogicalType;
use tidemill_rows::time_text::{LastDay, TimeError};

use super::{Decoded, Misfit, Refusal, excerpt, missing, null, text};
use crate::columns::Slot;
use crate::format::{ColumnSpec, TimeFormat};

/// The years 1 to 9999, in microseconds.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// A value that stands where a column is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer beyond those.
    Large(u64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A moment, in microseconds; none if it is beyond them.
    Time(Option<i64>),
    /// Anything that no column can be.
    Other(&'static str),
    /// Something that has no fields, where fields of it are read.
    NoFields(&'static str),
}

/// What a row has for each column so far.
#[derive(Default)]
pub struct Row {
    slots: Vec<Slot>,
    /// Where the whole value lies in memory, so that a text of it need not be copied.
    value: Range<usize>,
    scratch: Vec<u8>,
    day: LastDay,
}

impl Row {
    /// A row of a value, with nothing in it.
    pub fn begin(&mut self, value: &[u8], columns: usize) {
        let start = value.as_ptr().addr();
        self.value = start..start + value.len();
        self.slots.clear();
        self.slots.resize(columns, Slot::Missing);
        self.scratch.clear();
    }

    /// Whether nothing was found of a column so far.
    pub fn is_missing(&self, at: usize) -> bool {
        self.slots[at] == Slot::Missing
    }

    /// Takes back what was found of a column.
    pub fn forget(&mut self, at: usize) {
        self.slots[at] = Slot::Missing;
    }

    /// Puts what was found of one column.
    ///
    /// # Errors
    /// If it does not fit the column.
    #[inline(always)]
    pub fn put(
        &mut self,
        (at, column): (usize, &ColumnSpec),
        found: Found<'_>,
    ) -> Result<(), Refusal> {
        match self.slot(column, found) {
            Ok(slot) => {
                self.slots[at] = slot;
                Ok(())
            }
            Err(why) => Err(unfit(why, column, found)),
        }
    }

    #[inline(always)]
    fn slot(&mut self, column: &ColumnSpec, found: Found<'_>) -> Result<Slot, Misfit> {
        Ok(match (column.ty, found) {
            (_, Found::Null) => Slot::Null,
            (_, Found::NoFields(_)) => return Err(Misfit::NotAnObject),
            (LogicalType::Bool, Found::Bool(value)) => Slot::Word(value.into()),
            (LogicalType::Integer, Found::Integer(value)) => Slot::Word(value as u64),
            (LogicalType::Float, Found::Float(value)) => Slot::Word(value.to_bits()),
            (LogicalType::Float, Found::Integer(value)) => Slot::Word((value as f64).to_bits()),
            (LogicalType::Float, Found::Large(value)) => Slot::Word((value as f64).to_bits()),
            (LogicalType::Integer, Found::Large(_)) => return Err(Misfit::Range),
            (LogicalType::Text, Found::Text(text)) => self.bytes(text.as_bytes()),
            (LogicalType::Bytes, Found::Bytes(bytes)) => self.bytes(bytes),
            (LogicalType::Time, found) => Slot::Word(self.time(column, found)? as u64),
            _ => return Err(Misfit::Type),
        })
    }

    #[inline]
    fn time(&mut self, column: &ColumnSpec, found: Found<'_>) -> Result<i64, Misfit> {
        let micros = match (found, column.time_format) {
            (Found::Time(micros), _) => micros,
            (Found::Integer(number), TimeFormat::Epoch(unit)) => number.checked_mul(unit.micros()),
            (Found::Text(text), format @ (TimeFormat::Rfc3339 | TimeFormat::Sql)) => {
                let time = text::time(text.as_bytes(), format, &mut self.day);
                return time.map_err(Misfit::Time);
            }
            _ => return Err(Misfit::Type),
        };
        let within = micros.filter(|micros| TIMES.contains(micros));
        within.ok_or(Misfit::Time(TimeError::Years))
    }

    /// Bytes where they lie, if that is in the value.
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Slot {
        let (at, len) = (bytes.as_ptr().addr(), bytes.len() as u32);
        if self.value.contains(&at) {
            let start = (at - self.value.start) as u32;
            return Slot::InRow { start, len };
        }
        let start = self.scratch.len() as u32;
        self.scratch.extend_from_slice(bytes);
        Slot::InScratch { start, len }
    }

    /// All of it.
    ///
    /// # Errors
    /// If a column has nothing, or null, and may not.
    pub fn whole(&self, columns: &[ColumnSpec]) -> Result<Decoded<'_>, Refusal> {
        for (slot, column) in self.slots.iter().zip(columns) {
            match slot {
                Slot::Missing if !column.nullable => return Err(missing(column)),
                Slot::Null if !column.nullable => return Err(null(column)),
                _ => {}
            }
        }
        Ok(Decoded {
            slots: &self.slots,
            scratch: &self.scratch,
        })
    }
}

#[cold]
fn unfit(why: Misfit, column: &ColumnSpec, found: Found<'_>) -> Refusal {
    why.refusal(column, &shown(found))
}

fn shown(found: Found<'_>) -> String {
    match found {
        Found::Null => "null".to_owned(),
        Found::Bool(value) => value.to_string(),
        Found::Integer(value) => value.to_string(),
        Found::Large(value) => value.to_string(),
        Found::Float(value) => value.to_string(),
        Found::Text(text) => format!("`{}`", excerpt(text.as_bytes())),
        Found::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Found::Time(_) => "a time".to_owned(),
        Found::Other(what) | Found::NoFields(what) => what.to_owned(),
    }
}

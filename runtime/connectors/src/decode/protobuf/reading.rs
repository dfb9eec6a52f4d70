//! Goes over one message.

use super::super::Refusal;
use super::super::typed::{Found, Row};
use super::plan::{FieldPlan, Plan, Way};
use crate::LogicalType;
use crate::format::{ColumnSpec, DEPTH_LIMIT};
use crate::proto::{Scalar, Wire};

/// What begins a group, and what ends it.
const GROUP: u32 = 3;
const END: u32 = 4;

/// Reads a message for columns.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the message at hand ends.
    end: usize,
    columns: &'a [ColumnSpec],
    row: &'a mut Row,
}

impl<'a> Reader<'a> {
    /// At the beginning of a message.
    pub fn new(bytes: &'a [u8], columns: &'a [ColumnSpec], row: &'a mut Row) -> Self {
        Self {
            bytes,
            at: 0,
            end: bytes.len(),
            columns,
            row,
        }
    }

    /// Reads all of it.
    pub fn all(&mut self, plan: &Plan) -> Result<(), Refusal> {
        for (column, default) in &plan.defaults {
            if self.row.is_missing(*column) {
                self.put(&[*column], default.found())?;
            }
        }
        while self.at < self.end {
            let (number, wire) = self.tag()?;
            match plan.field(number) {
                None => self.pass(number, wire)?,
                Some(field) => self.field(field, (number, wire))?,
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &FieldPlan, (number, wire): (u32, u32)) -> Result<(), Refusal> {
        for &other in &field.others {
            self.row.forget(other);
        }
        match &field.way {
            Way::Past => self.pass(number, wire),
            Way::Scalar(scalar, columns) => {
                self.expect(field, wire, scalar.wire())?;
                self.scalar(*scalar, columns)
            }
            Way::Enum(values, columns) => {
                self.expect(field, wire, Wire::Varint)?;
                let number = self.varint()? as i32;
                for &column in columns {
                    let named = values.iter().find(|(_, value)| *value == number);
                    let found = match named {
                        Some((name, _)) if self.columns[column].ty == LogicalType::Text => {
                            Found::Text(name)
                        }
                        _ => Found::Integer(number.into()),
                    };
                    self.put(&[column], found)?;
                }
                Ok(())
            }
            Way::Message(plan) => self.within(field, (number, wire), |reader| reader.all(plan)),
            Way::Moment(columns) => self.within(field, (number, wire), |reader| {
                let micros = reader.moment()?;
                reader.put(columns, Found::Time(micros))
            }),
            Way::Misplaced(what, columns) => {
                self.pass(number, wire)?;
                self.put(columns, Found::Other(what))
            }
            Way::Fieldless(columns) => {
                self.pass(number, wire)?;
                self.put(columns, Found::NoFields("a value without fields"))
            }
        }
    }

    /// Reads a message that lies in this one.
    fn within(
        &mut self,
        field: &FieldPlan,
        (number, wire): (u32, u32),
        read: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let (end, behind) = match wire {
            GROUP => {
                let begin = self.at;
                let end = self.group(number)?;
                let behind = std::mem::replace(&mut self.at, begin);
                (end, behind)
            }
            _ => {
                self.expect(field, wire, Wire::Counted)?;
                let length = self.length()?;
                (self.at + length, self.at + length)
            }
        };
        let outer = std::mem::replace(&mut self.end, end);
        read(self)?;
        (self.at, self.end) = (behind, outer);
        Ok(())
    }

    /// Seconds and nanoseconds, as microseconds since 1970.
    fn moment(&mut self) -> Result<Option<i64>, Refusal> {
        let (mut seconds, mut nanos) = (0_i64, 0_i64);
        while self.at < self.end {
            match self.tag()? {
                (1, 0) => seconds = self.varint()? as i64,
                (2, 0) => nanos = self.varint()? as i64,
                (number, wire) => self.pass(number, wire)?,
            }
        }
        let micros = seconds.checked_mul(1_000_000);
        Ok(micros.and_then(|micros| micros.checked_add(nanos.div_euclid(1000))))
    }

    fn scalar(&mut self, scalar: Scalar, columns: &[usize]) -> Result<(), Refusal> {
        let found = match scalar {
            Scalar::Double => Found::Float(f64::from_le_bytes(self.array()?)),
            Scalar::Float => Found::Float(f32::from_le_bytes(self.array()?).into()),
            Scalar::Int32 => Found::Integer((self.varint()? as i32).into()),
            Scalar::Int64 => Found::Integer(self.varint()? as i64),
            Scalar::Uint32 => Found::Integer((self.varint()? as u32).into()),
            Scalar::Uint64 => large(self.varint()?),
            Scalar::Sint32 => Found::Integer((zigzag(self.varint()?) as i32).into()),
            Scalar::Sint64 => Found::Integer(zigzag(self.varint()?)),
            Scalar::Fixed32 => Found::Integer(u32::from_le_bytes(self.array()?).into()),
            Scalar::Fixed64 => large(u64::from_le_bytes(self.array()?)),
            Scalar::Sfixed32 => Found::Integer(i32::from_le_bytes(self.array()?).into()),
            Scalar::Sfixed64 => Found::Integer(i64::from_le_bytes(self.array()?)),
            Scalar::Bool => Found::Bool(self.varint()? != 0),
            Scalar::Bytes => Found::Bytes(self.counted()?),
            Scalar::String => {
                let text = simdutf8::basic::from_utf8(self.counted()?);
                let text = text.map_err(|_| Refusal::new("utf-8", "a string is not UTF-8 text"));
                Found::Text(text?)
            }
        };
        self.put(columns, found)
    }

    fn put(&mut self, columns: &[usize], found: Found<'_>) -> Result<(), Refusal> {
        for &column in columns {
            self.row.put((column, &self.columns[column]), found)?;
        }
        Ok(())
    }

    /// Passes over a field.
    fn pass(&mut self, number: u32, wire: u32) -> Result<(), Refusal> {
        match wire {
            0 => self.varint().map(|_| ()),
            1 => self.array::<8>().map(|_| ()),
            2 => self.counted().map(|_| ()),
            GROUP => self.group(number).map(|_| ()),
            5 => self.array::<4>().map(|_| ()),
            END => Err(self.refuse("a group ends that has not begun")),
            other => Err(self.refuse(&format!("a field is written in no known way ({other})"))),
        }
    }

    /// Passes over a group of this number, and gives where its last field ends.
    fn group(&mut self, number: u32) -> Result<usize, Refusal> {
        let mut open = vec![number];
        loop {
            let end = self.at;
            match self.tag()? {
                (number, GROUP) if open.len() < DEPTH_LIMIT => open.push(number),
                (_, GROUP) => {
                    return Err(Refusal::new("depth", "groups are nested too deep"));
                }
                (number, END) if open.last() == Some(&number) => {
                    open.pop();
                }
                (number, wire) => self.pass(number, wire)?,
            }
            if open.is_empty() {
                return Ok(end);
            }
        }
    }

    /// A field's number, and how it is written.
    #[inline]
    fn tag(&mut self) -> Result<(u32, u32), Refusal> {
        let tag = u32::try_from(self.varint()?);
        match tag.map(|tag| (tag >> 3, tag & 7)) {
            Ok((number @ 1.., wire)) => Ok((number, wire)),
            _ => Err(self.refuse("no field has such a number")),
        }
    }

    fn expect(&self, field: &FieldPlan, wire: u32, expected: Wire) -> Result<(), Refusal> {
        if wire == expected as u32 {
            return Ok(());
        }
        let name = &field.name;
        Err(self.refuse(&format!(
            "field `{name}` is written in another way than its schema has it: it is of another one"
        )))
    }

    fn counted(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.length()?;
        let bytes = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(bytes)
    }

    /// How many bytes follow, all of which are there.
    fn length(&mut self) -> Result<usize, Refusal> {
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        match length <= self.end - self.at {
            true => Ok(length),
            false => Err(self.early()),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes[self.at..self.end].first_chunk::<N>();
        let bytes = *bytes.ok_or_else(|| self.early())?;
        self.at += N;
        Ok(bytes)
    }

    /// A number of variable length.
    #[inline]
    fn varint(&mut self) -> Result<u64, Refusal> {
        let mut word = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes[..self.end].get(self.at) else {
                return Err(self.early());
            };
            self.at += 1;
            word |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(word);
            }
        }
        Err(self.refuse("a number is longer than 64 bits"))
    }

    #[cold]
    fn early(&self) -> Refusal {
        self.refuse("the value ends too early, or is of another schema")
    }

    #[cold]
    fn refuse(&self, what: &str) -> Refusal {
        Refusal::new("syntax", format!("byte {}: {what}", self.at))
    }
}

fn zigzag(word: u64) -> i64 {
    (word >> 1) as i64 ^ -((word & 1) as i64)
}

fn large(word: u64) -> Found<'static> {
    i64::try_from(word).map_or(Found::Large(word), Found::Integer)
}

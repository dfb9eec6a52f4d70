//! Goes over one message.

use super::super::Refusal;
use super::super::typed::{Found, Row};
use super::super::varint::{self, signed};
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

    #[inline]
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
            Way::Moment(columns) => {
                self.within(field, (number, wire), |reader| reader.moment(columns))
            }
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
    #[inline]
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
    #[inline]
    fn moment(&mut self, columns: &[usize]) -> Result<(), Refusal> {
        let (mut seconds, mut nanos) = (0_i64, 0_i64);
        while self.at < self.end {
            match self.tag()? {
                (1, 0) => seconds = self.varint()? as i64,
                (2, 0) => nanos = self.varint()? as i64,
                (number, wire) => self.pass(number, wire)?,
            }
        }
        let micros = seconds.checked_mul(1_000_000);
        let micros = micros.and_then(|micros| micros.checked_add(nanos.div_euclid(1000)));
        self.put(columns, Found::Time(micros))
    }

    #[inline]
    fn scalar(&mut self, scalar: Scalar, columns: &[usize]) -> Result<(), Refusal> {
        // Each kind puts its own: what is found is then never carried about.
        match scalar {
            Scalar::Double => {
                let float = f64::from_le_bytes(self.array()?);
                self.put(columns, Found::Float(float))
            }
            Scalar::Float => {
                let float = f32::from_le_bytes(self.array()?);
                self.put(columns, Found::Float(float.into()))
            }
            Scalar::Int32 => {
                let number = self.varint()? as i32;
                self.integer(columns, number)
            }
            Scalar::Int64 => {
                let number = self.varint()? as i64;
                self.integer(columns, number)
            }
            Scalar::Uint32 => {
                let number = self.varint()? as u32;
                self.integer(columns, number)
            }
            Scalar::Uint64 => {
                let number = self.varint()?;
                self.large(columns, number)
            }
            Scalar::Sint32 => {
                let number = signed(self.varint()?) as i32;
                self.integer(columns, number)
            }
            Scalar::Sint64 => {
                let number = signed(self.varint()?);
                self.integer(columns, number)
            }
            Scalar::Fixed32 => {
                let number = u32::from_le_bytes(self.array()?);
                self.integer(columns, number)
            }
            Scalar::Fixed64 => {
                let number = u64::from_le_bytes(self.array()?);
                self.large(columns, number)
            }
            Scalar::Sfixed32 => {
                let number = i32::from_le_bytes(self.array()?);
                self.integer(columns, number)
            }
            Scalar::Sfixed64 => {
                let number = i64::from_le_bytes(self.array()?);
                self.integer(columns, number)
            }
            Scalar::Bool => {
                let is = self.varint()? != 0;
                self.put(columns, Found::Bool(is))
            }
            Scalar::Bytes => {
                let bytes = self.counted()?;
                self.put(columns, Found::Bytes(bytes))
            }
            Scalar::String => {
                let text = simdutf8::basic::from_utf8(self.counted()?);
                let text = text.map_err(|_| Refusal::new("utf-8", "a string is not UTF-8 text"));
                self.put(columns, Found::Text(text?))
            }
        }
    }

    fn integer(&mut self, columns: &[usize], number: impl Into<i64>) -> Result<(), Refusal> {
        self.put(columns, Found::Integer(number.into()))
    }

    fn large(&mut self, columns: &[usize], number: u64) -> Result<(), Refusal> {
        match i64::try_from(number) {
            Ok(number) => self.put(columns, Found::Integer(number)),
            Err(_) => self.put(columns, Found::Large(number)),
        }
    }

    #[inline(always)]
    fn put(&mut self, columns: &[usize], found: Found<'_>) -> Result<(), Refusal> {
        for &column in columns {
            self.row.put((column, &self.columns[column]), found)?;
        }
        Ok(())
    }

    /// Passes over a field.
    #[inline]
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
    #[inline(always)]
    fn tag(&mut self) -> Result<(u32, u32), Refusal> {
        let tag = u32::try_from(self.short()?);
        match tag.map(|tag| (tag >> 3, tag & 7)) {
            Ok((number @ 1.., wire)) => Ok((number, wire)),
            _ => Err(self.refuse("no field has such a number")),
        }
    }

    #[inline]
    fn expect(&self, field: &FieldPlan, wire: u32, expected: Wire) -> Result<(), Refusal> {
        if wire == expected as u32 {
            return Ok(());
        }
        let name = &field.name;
        Err(self.refuse(&format!(
            "field `{name}` is written in another way than its schema has it: it is of another one"
        )))
    }

    #[inline(always)]
    fn counted(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.length()?;
        let bytes = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(bytes)
    }

    /// How many bytes follow, all of which are there.
    #[inline(always)]
    fn length(&mut self) -> Result<usize, Refusal> {
        let length = usize::try_from(self.short()?).unwrap_or(usize::MAX);
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
    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Refusal> {
        self.number(varint::any)
    }

    /// One that is mostly small: a tag, a length.
    #[inline(always)]
    fn short(&mut self) -> Result<u64, Refusal> {
        self.number(varint::short)
    }

    #[inline(always)]
    fn number(&mut self, read: fn(&[u8]) -> Option<(u64, usize)>) -> Result<u64, Refusal> {
        // What follows the message helps with reading; it is not of the number.
        match read(&self.bytes[self.at..]) {
            Some((word, length)) if length <= self.end - self.at => {
                self.at += length;
                Ok(word)
            }
            _ => Err(self.no_number()),
        }
    }

    #[cold]
    fn no_number(&self) -> Refusal {
        match self.end - self.at < varint::LONGEST {
            true => self.early(),
            false => self.refuse("a number is longer than 64 bits"),
        }
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

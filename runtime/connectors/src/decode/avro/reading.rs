//! Goes over one datum.

use super::super::Refusal;
use super::super::typed::{Found, Row};
use super::plan::{Leaf, Node, Plan};
use crate::format::{ColumnSpec, DEPTH_LIMIT};

const DAY: i64 = 86_400_000_000;

/// Reads a datum for columns.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    plan: &'a Plan,
    columns: &'a [ColumnSpec],
    row: &'a mut Row,
}

impl<'a> Reader<'a> {
    /// At the beginning of a datum.
    pub fn new(
        bytes: &'a [u8],
        plan: &'a Plan,
        columns: &'a [ColumnSpec],
        row: &'a mut Row,
    ) -> Self {
        Self {
            bytes,
            at: 0,
            depth: 0,
            plan,
            columns,
            row,
        }
    }

    /// Reads all of it.
    pub fn all(&mut self) -> Result<(), Refusal> {
        self.node(&self.plan.root)?;
        match self.bytes.len() - self.at {
            0 => Ok(()),
            left => Err(self.refuse(&format!(
                "{left} bytes are left behind the value: it is of another schema"
            ))),
        }
    }

    fn node(&mut self, node: &'a Node) -> Result<(), Refusal> {
        match node {
            Node::Leaf(leaf, columns) => {
                let found = self.leaf(leaf, !columns.is_empty())?;
                self.put(columns, found)
            }
            Node::Record(fields) => fields.iter().try_for_each(|field| self.deeper(field)),
            Node::Union(variants) => {
                let which = self.long()?;
                let variant = usize::try_from(which).ok().and_then(|i| variants.get(i));
                let variant = variant.ok_or_else(|| {
                    let count = variants.len();
                    self.refuse(&format!(
                        "a union of {count} types says that it is number {which}"
                    ))
                })?;
                self.deeper(variant)
            }
            Node::Array(items) => self.blocks(|reader| reader.deeper(items)),
            Node::Map(values) => self.blocks(|reader| {
                reader.counted()?;
                reader.deeper(values)
            }),
            Node::Named(number) => self.deeper(&self.plan.named[*number]),
            Node::Misplaced(what, columns) => self.put(columns, Found::Other(what)),
            Node::Fieldless(leaf, columns) => {
                self.leaf(leaf, false)?;
                self.put(columns, Found::NoFields("a value without fields"))
            }
        }
    }

    fn deeper(&mut self, node: &'a Node) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            let message = format!("values are nested deeper than {DEPTH_LIMIT}");
            return Err(Refusal::new("depth", message));
        }
        let read = self.node(node);
        self.depth -= 1;
        read
    }

    fn put(&mut self, columns: &[usize], found: Found<'_>) -> Result<(), Refusal> {
        for &column in columns {
            self.row.put((column, &self.columns[column]), found)?;
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: &'a Leaf, wanted: bool) -> Result<Found<'a>, Refusal> {
        Ok(match leaf {
            Leaf::Null => Found::Null,
            Leaf::Bool => match self.take(1)?[0] {
                0 => Found::Bool(false),
                1 => Found::Bool(true),
                other => return Err(self.refuse(&format!("{other} is no bool"))),
            },
            Leaf::Int | Leaf::Long => Found::Integer(self.long()?),
            Leaf::Moment(unit) => Found::Time(self.long()?.checked_mul(unit.micros())),
            Leaf::Nanos => Found::Time(Some(self.long()?.div_euclid(1000))),
            Leaf::Days => Found::Time(self.long()?.checked_mul(DAY)),
            Leaf::Float => Found::Float(f32::from_le_bytes(self.array()?).into()),
            Leaf::Double => Found::Float(f64::from_le_bytes(self.array()?)),
            Leaf::Bytes => Found::Bytes(self.counted()?),
            Leaf::Fixed(size) => Found::Bytes(self.take(*size)?),
            Leaf::Text => {
                let bytes = self.counted()?;
                match wanted {
                    true => Found::Text(self.text(bytes)?),
                    false => Found::Bytes(bytes),
                }
            }
            Leaf::Enum(symbols) => {
                let which = self.long()?;
                let symbol = usize::try_from(which).ok().and_then(|i| symbols.get(i));
                match symbol {
                    Some(symbol) => Found::Text(symbol),
                    None => return Err(self.refuse(&format!("an enum has no symbol {which}"))),
                }
            }
        })
    }

    fn text(&self, bytes: &'a [u8]) -> Result<&'a str, Refusal> {
        simdutf8::basic::from_utf8(bytes)
            .map_err(|_| Refusal::new("utf-8", "a string is not UTF-8 text"))
    }

    /// Items in blocks, each behind how many it has; a block whose length is given as well is passed over by that.
    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                let length = self.long()?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.take(length)?;
                continue;
            }
            // Items that take no room are of no use to anybody, and could be any number.
            if count > (self.bytes.len() - self.at) as i64 {
                return Err(self.refuse(&format!("a block of {count} items in fewer bytes")));
            }
            for _ in 0..count {
                item(self)?;
            }
        }
    }

    /// Bytes behind how many they are.
    fn counted(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(self.refuse(&format!("something is {length} bytes long"))),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let bytes = self.bytes;
        match self
            .at
            .checked_add(length)
            .filter(|&end| end <= bytes.len())
        {
            Some(end) => {
                let taken = &bytes[self.at..end];
                self.at = end;
                Ok(taken)
            }
            None => Err(self.refuse("the value ends too early, or is of another schema")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A number of variable length.
    fn long(&mut self) -> Result<i64, Refusal> {
        let mut word = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            if shift == 63 && byte > 1 {
                break;
            }
            word |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((word >> 1) as i64 ^ -((word & 1) as i64));
            }
        }
        Err(self.refuse("a number is longer than 64 bits"))
    }

    fn refuse(&self, what: &str) -> Refusal {
        Refusal::new("syntax", format!("byte {}: {what}", self.at))
    }
}

//! Goes over one datum.

use super::super::Refusal;
use super::super::typed::{Found, Row};
use super::super::varint;
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
            Node::Leaf(leaf, columns) => self.leaf(leaf, columns),
            Node::Record(fields) => fields.iter().try_for_each(|field| match field {
                Node::Leaf(leaf, columns) => self.leaf(leaf, columns),
                other => self.deeper(other),
            }),
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
                self.leaf(leaf, &[])?;
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

    #[inline(always)]
    fn put(&mut self, columns: &[usize], found: Found<'_>) -> Result<(), Refusal> {
        for &column in columns {
            self.row.put((column, &self.columns[column]), found)?;
        }
        Ok(())
    }

    /// Reads a value for columns. Each kind puts its own: what is found is then never carried about.
    #[inline]
    fn leaf(&mut self, leaf: &'a Leaf, columns: &[usize]) -> Result<(), Refusal> {
        match leaf {
            Leaf::Null => self.put(columns, Found::Null),
            Leaf::Bool => match self.array()? {
                [0] => self.put(columns, Found::Bool(false)),
                [1] => self.put(columns, Found::Bool(true)),
                [other] => Err(self.refuse(&format!("{other} is no bool"))),
            },
            Leaf::Int | Leaf::Long => {
                let number = self.number()?;
                self.put(columns, Found::Integer(number))
            }
            Leaf::Moment(unit) => {
                let micros = self.number()?.checked_mul(unit.micros());
                self.put(columns, Found::Time(micros))
            }
            Leaf::Nanos => {
                let micros = self.number()?.div_euclid(1000);
                self.put(columns, Found::Time(Some(micros)))
            }
            Leaf::Days => {
                let micros = self.number()?.checked_mul(DAY);
                self.put(columns, Found::Time(micros))
            }
            Leaf::Float => {
                let float = f32::from_le_bytes(self.array()?);
                self.put(columns, Found::Float(float.into()))
            }
            Leaf::Double => {
                let float = f64::from_le_bytes(self.array()?);
                self.put(columns, Found::Float(float))
            }
            Leaf::Bytes => {
                let bytes = self.counted()?;
                self.put(columns, Found::Bytes(bytes))
            }
            Leaf::Fixed(size) => {
                let bytes = self.take(*size)?;
                self.put(columns, Found::Bytes(bytes))
            }
            Leaf::Text => {
                let bytes = self.counted()?;
                if columns.is_empty() {
                    return Ok(());
                }
                let text = self.text(bytes)?;
                self.put(columns, Found::Text(text))
            }
            Leaf::Enum(symbols) => {
                let which = self.long()?;
                let symbol = usize::try_from(which).ok().and_then(|i| symbols.get(i));
                match symbol {
                    Some(symbol) => self.put(columns, Found::Text(symbol)),
                    None => Err(self.refuse(&format!("an enum has no symbol {which}"))),
                }
            }
        }
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

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        match self.bytes[self.at..].get(..length) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => Err(self.early()),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A number of variable length that is mostly small: a length, say.
    #[inline(always)]
    fn long(&mut self) -> Result<i64, Refusal> {
        self.varint(varint::short)
    }

    /// One that may be of any size.
    #[inline(always)]
    fn number(&mut self) -> Result<i64, Refusal> {
        self.varint(varint::any)
    }

    #[inline(always)]
    fn varint(&mut self, read: fn(&[u8]) -> Option<(u64, usize)>) -> Result<i64, Refusal> {
        let bytes = &self.bytes[self.at..];
        match read(bytes) {
            // The tenth byte has one bit.
            Some((word, length)) if length < varint::LONGEST || bytes[length - 1] <= 1 => {
                self.at += length;
                Ok(varint::signed(word))
            }
            _ => Err(self.no_number()),
        }
    }

    #[cold]
    fn no_number(&self) -> Refusal {
        match self.bytes.len() - self.at < varint::LONGEST {
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

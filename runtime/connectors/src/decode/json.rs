//! JSON lines: one object per line, by RFC 8259, decoded into the columns that are wanted and
//! nothing else.
//!
//! A line is accepted iff `serde_json` accepts it, and gives the same values (a property test
//! holds it to that), but for nesting, which ends at [`DEPTH_LIMIT`](crate::format::DEPTH_LIMIT)
//! levels. Beside the rules of [`super`]:
//!
//! 1. An integer is a number with neither point nor exponent; `1.0`, `1e3` and `-0` are floats. A
//!    float is any number.
//! 2. Text is a string; bytes a string of base64 with padding; bool `true` or `false`; a time a
//!    string or, as an epoch, a number, whose fraction is cut off at the microsecond.
//! 3. `null` and a field that is not there are null. So is a field of an object that is null or not
//!    there.
//! 4. A field given twice has its last value; what the first was does not matter.
//! 5. Other fields are checked for their grammar alone: half a surrogate pair or `1e400` is no
//!    fault there.
//!
//! How it is quick: nothing is allocated per row; fields are expected in the order of the rows
//! before, so a name costs one comparison (`fields`); strings are stepped over sixteen bytes at a
//! time (`scan`).

mod cursor;
mod fields;
mod refuse;
mod scan;
mod unescape;

use tidemill_rows::LogicalType;

use self::cursor::{Cursor, Quoted, Syntax};
use self::fields::{Node, Target};
use self::refuse::NO_OBJECT;
use super::number::Number;
use super::{Decoded, Misfit, Refusal, missing, null, text};
use crate::columns::Slot;
use crate::format::{ColumnSpec, FormatSpec, TimeFormat, Unknown};

/// Decodes lines of JSON.
pub struct JsonDecoder {
    columns: Vec<ColumnSpec>,
    unknown: Unknown,
    nodes: Vec<Node>,
    row: Row,
}

/// What has been found in the row being decoded.
struct Row {
    wants: Vec<Want>,
    slots: Vec<Slot>,
    scratch: Vec<u8>,
    /// For each node the last row that had it, by the number of rows so far.
    entered: Vec<u64>,
    rows: u64,
    /// For each column the next that is read from the same field.
    twins: Vec<Option<usize>>,
    /// Where the value of the first field that no column wants begins, and the object that it is
    /// in.
    stranger: Option<(usize, usize)>,
}

/// What a column wants in JSON.
#[derive(Clone, Copy)]
enum Want {
    Bool,
    Integer,
    Float,
    Text,
    Bytes,
    TimeText(TimeFormat),
    TimeNumber(TimeFormat),
}

impl Want {
    fn of(column: &ColumnSpec) -> Self {
        match (column.ty, column.time_format) {
            (LogicalType::Bool, _) => Self::Bool,
            (LogicalType::Integer, _) => Self::Integer,
            (LogicalType::Float, _) => Self::Float,
            (LogicalType::Text, _) => Self::Text,
            (LogicalType::Bytes, _) => Self::Bytes,
            (LogicalType::Time, format @ TimeFormat::Epoch(_)) => Self::TimeNumber(format),
            (LogicalType::Time, format) => Self::TimeText(format),
        }
    }
}

impl JsonDecoder {
    /// A decoder of a format that has been checked.
    pub fn new(format: &FormatSpec) -> Self {
        let nodes = fields::tree(&format.columns);
        let row = Row {
            wants: format.columns.iter().map(Want::of).collect(),
            slots: vec![Slot::Missing; format.columns.len()],
            scratch: Vec::new(),
            entered: vec![0; nodes.len()],
            rows: 0,
            twins: fields::twins(&format.columns),
            stranger: None,
        };
        Self {
            columns: format.columns.clone(),
            unknown: format.unknown,
            nodes,
            row,
        }
    }

    /// Decodes one line of valid UTF-8.
    ///
    /// # Errors
    /// If it is a bad row.
    pub fn decode(&mut self, line: &[u8]) -> Result<Decoded<'_>, Refusal> {
        self.row.clear();
        let mut cursor = Cursor { row: line, at: 0 };
        if let Err(fault) = self.row.line(&mut self.nodes, &mut cursor) {
            return Err(refuse::syntax(line, fault));
        }
        if let (Unknown::Refuse, Some((value, node))) = (self.unknown, self.row.stranger) {
            return Err(refuse::stranger(line, value, &self.nodes[node]));
        }
        for (slot, column) in self.row.slots.iter().zip(&self.columns) {
            match slot {
                Slot::Missing if !column.nullable => return Err(missing(column)),
                Slot::Null if !column.nullable => return Err(null(column)),
                Slot::Misfit { at, why } => {
                    return Err(refuse::misfit(line, *at as usize, *why, column));
                }
                _ => {}
            }
        }
        Ok(Decoded {
            slots: &self.row.slots,
            scratch: &self.row.scratch,
        })
    }
}

impl Row {
    fn clear(&mut self) {
        self.slots.fill(Slot::Missing);
        self.scratch.clear();
        self.rows += 1;
        self.stranger = None;
    }

    fn line(&mut self, nodes: &mut [Node], cursor: &mut Cursor) -> Result<(), Syntax> {
        if cursor.next_mark() != b'{' {
            // What follows must be JSON all the same for the message to be true.
            cursor.skip_value(0)?;
            return cursor.expected(NO_OBJECT);
        }
        self.object(nodes, 0, cursor, 1)?;
        if cursor.next_mark() != 0 || cursor.at < cursor.row.len() {
            return cursor.expected("nothing behind the object");
        }
        Ok(())
    }

    /// Reads an object, whose brace is next, `depth` levels deep.
    fn object(
        &mut self,
        nodes: &mut [Node],
        node: usize,
        cursor: &mut Cursor,
        depth: usize,
    ) -> Result<(), Syntax> {
        cursor.at += 1;
        if cursor.next_mark() == b'}' {
            cursor.at += 1;
            return Ok(());
        }
        let mut number = 0;
        loop {
            cursor.next_mark();
            let target = match nodes[node].foreseen(&cursor.row[cursor.at..], number) {
                Some((target, len, found)) => {
                    cursor.at += len;
                    number = found;
                    target
                }
                None => self.look_up(&mut nodes[node], cursor, number)?,
            };
            self.value(nodes, (node, target), cursor, depth)?;
            number += 1;
            match cursor.next_mark() {
                b',' => cursor.at += 1,
                b'}' => break,
                _ => return cursor.expected("`,` or `}`"),
            }
        }
        cursor.at += 1;
        Ok(())
    }

    /// Reads a field's name that was not foreseen.
    #[cold]
    fn look_up(
        &mut self,
        node: &mut Node,
        cursor: &mut Cursor,
        number: usize,
    ) -> Result<Target, Syntax> {
        let name = cursor.key()?;
        let text = &cursor.row[name.start..name.end];
        if name.escaped {
            let start = self.scratch.len();
            if unescape::unescape(text, &mut self.scratch).is_none() {
                return Err(Syntax {
                    at: name.start,
                    what: "no half surrogate pair in a name",
                });
            }
            let target = node.find(&self.scratch[start..]);
            self.scratch.truncate(start);
            return Ok(target);
        }
        let target = node.find(text);
        node.learn(text, target, number);
        Ok(target)
    }

    #[inline(always)]
    fn value(
        &mut self,
        nodes: &mut [Node],
        (parent, target): (usize, Target),
        cursor: &mut Cursor,
        depth: usize,
    ) -> Result<(), Syntax> {
        let first = cursor.next_mark();
        match target {
            Target::Column(mut column) => {
                let at = cursor.at;
                loop {
                    self.column(column, first, cursor, depth)?;
                    let Some(twin) = self.twins[column] else {
                        return Ok(());
                    };
                    (column, cursor.at) = (twin, at);
                }
            }
            Target::Node(node) => self.nested(nodes, node, cursor, depth),
            Target::Unknown => {
                self.stranger = self.stranger.or(Some((cursor.at, parent)));
                match first {
                    b'"' => cursor.string().map(|_| ()),
                    b'-' | b'0'..=b'9' => cursor.number().map(|_| ()),
                    b'n' => cursor.literal("null"),
                    _ => cursor.skip_value(depth),
                }
            }
        }
    }

    /// Reads the value of a field that columns look into.
    fn nested(
        &mut self,
        nodes: &mut [Node],
        node: usize,
        cursor: &mut Cursor,
        depth: usize,
    ) -> Result<(), Syntax> {
        let again = std::mem::replace(&mut self.entered[node], self.rows) == self.rows;
        let object = cursor.peek() == b'{';
        if again || !object {
            let slot = match cursor.peek() {
                b'{' => Slot::Missing,
                b'n' => Slot::Null,
                _ => Slot::Misfit {
                    at: cursor.at as u32,
                    why: Misfit::NotAnObject,
                },
            };
            for &column in &nodes[node].columns {
                self.slots[column] = slot;
            }
        }
        if object {
            self.object(nodes, node, cursor, depth + 1)
        } else {
            cursor.skip_value(depth)
        }
    }

    /// Reads the value of a column.
    #[inline(always)]
    fn column(
        &mut self,
        column: usize,
        first: u8,
        cursor: &mut Cursor,
        depth: usize,
    ) -> Result<(), Syntax> {
        let at = cursor.at;
        let slot = match (self.wants[column], first) {
            (Want::Integer, b'-' | b'0'..=b'9') => cursor
                .number()?
                .integer()
                .map(|value| Slot::Word(value as u64)),
            (Want::Float, b'-' | b'0'..=b'9') => cursor
                .number()?
                .float()
                .map(|value| Slot::Word(value.to_bits())),
            (Want::TimeNumber(format), b'-' | b'0'..=b'9') => epoch(&cursor.number()?, format),
            (Want::Text, b'"') => self.text(cursor.string()?, cursor.row),
            (Want::TimeText(format), b'"') => self.time(cursor.string()?, cursor.row, format),
            (Want::Bytes, b'"') => self.bytes(cursor.string()?, cursor.row),
            (Want::Bool, b't') => cursor.literal("true").map(|()| Ok(Slot::Word(1)))?,
            (Want::Bool, b'f') => cursor.literal("false").map(|()| Ok(Slot::Word(0)))?,
            (_, b'n') => cursor.literal("null").map(|()| Ok(Slot::Null))?,
            _ => {
                cursor.skip_value(depth)?;
                Err(Misfit::Type)
            }
        };
        self.slots[column] = slot.unwrap_or_else(|why| Slot::Misfit { at: at as u32, why });
        Ok(())
    }

    #[inline]
    fn text(&mut self, string: Quoted, row: &[u8]) -> Result<Slot, Misfit> {
        let Quoted {
            start,
            end,
            escaped,
        } = string;
        if !escaped {
            return Ok(Slot::InRow {
                start: start as u32,
                len: (end - start) as u32,
            });
        }
        let from = self.scratch.len();
        unescape::unescape(&row[start..end], &mut self.scratch).ok_or(Misfit::Surrogate)?;
        Ok(Slot::InScratch {
            start: from as u32,
            len: (self.scratch.len() - from) as u32,
        })
    }

    #[inline]
    fn time(&mut self, string: Quoted, row: &[u8], format: TimeFormat) -> Result<Slot, Misfit> {
        let slot = self.text(string, row)?;
        let time = text::time(self.bytes_of(slot, row), format).map_err(Misfit::Time)?;
        Ok(Slot::Word(time as u64))
    }

    fn bytes(&mut self, string: Quoted, row: &[u8]) -> Result<Slot, Misfit> {
        match self.text(string, row)? {
            Slot::InScratch { start, .. } => {
                let escaped = self.scratch.split_off(start as usize);
                text::base64(&escaped, &mut self.scratch)
            }
            _ => text::base64(&row[string.start..string.end], &mut self.scratch),
        }
    }

    #[inline]
    fn bytes_of<'a>(&'a self, slot: Slot, row: &'a [u8]) -> &'a [u8] {
        match slot {
            Slot::InRow { start, len } => &row[start as usize..(start + len) as usize],
            Slot::InScratch { start, len } => &self.scratch[start as usize..(start + len) as usize],
            _ => &[],
        }
    }
}

fn epoch(number: &Number, format: TimeFormat) -> Result<Slot, Misfit> {
    text::time(number.text, format)
        .map(|time| Slot::Word(time as u64))
        .map_err(Misfit::Time)
}

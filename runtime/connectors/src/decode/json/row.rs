//! One row, read by the grammar: what every line is in the end held to.

use std::ops::Range;

use tidemill_rows::LogicalType;
use tidemill_rows::time_text::LastDay;

use super::super::number::Number;
use super::super::{Misfit, text};
use super::cursor::{Cursor, Quoted, Syntax};
use super::fields::{self, Node, Target};
use super::numerals;
use super::refuse::NO_OBJECT;
use super::scan::Scan;
use super::shapes::{self, Act, Traced};
use super::unescape;
use crate::columns::Slot;
use crate::format::{ColumnSpec, TimeFormat};

/// What has been found in the row being decoded.
pub struct Row {
    wants: Vec<Want>,
    /// For each column what has been found.
    pub slots: Vec<Slot>,
    /// The bytes that slots in the scratch mean.
    pub scratch: Vec<u8>,
    /// For each node the last row that had it, by the number of rows so far.
    entered: Vec<u64>,
    rows: u64,
    /// For each column the next that is read from the same field.
    twins: Vec<Option<usize>>,
    /// Where the value of the first field that no column wants begins, and the object that it is
    /// in.
    pub stranger: Option<(usize, usize)>,
    /// The values read, where shapes are to be learned.
    pub trace: Option<Trace>,
    /// The day of the last time.
    day: LastDay,
}

/// What the grammar has read of a line.
#[derive(Debug, Default)]
pub struct Trace {
    /// The values, in their order.
    pub values: Vec<Traced>,
    /// The objects named since the last value.
    pub entered: u64,
    /// How many values since the last were passed over as parts of what stands between two.
    nulls: u8,
}

/// So many fields in a row, of no column and null, are taken for what stands between two values: each could be more than that
/// in the next row, and any of these cases is a shape of its own.
const NULLS: u8 = 4;

impl Trace {
    /// Whether this is no value, but part of what stands between two.
    fn passes(&mut self, act: Act, value: &[u8]) -> bool {
        let passes = act == Act::Skip && value == b"null" && self.nulls < NULLS;
        self.nulls = if passes { self.nulls + 1 } else { 0 };
        passes
    }
}

/// A field whose value is next.
#[derive(Clone)]
struct Field {
    /// The object that it is in.
    node: usize,
    /// Its name's place in the line.
    name: Range<usize>,
    /// What is done with its value.
    target: Target,
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

impl Row {
    /// Nothing found yet in a row with these columns.
    pub fn new(columns: &[ColumnSpec], nodes: usize) -> Self {
        Self {
            wants: columns.iter().map(Want::of).collect(),
            slots: vec![Slot::Missing; columns.len()],
            scratch: Vec::new(),
            entered: vec![0; nodes],
            rows: 0,
            twins: fields::twins(columns),
            stranger: None,
            trace: None,
            day: LastDay::default(),
        }
    }

    /// Forgets what was found.
    #[inline]
    pub fn clear(&mut self) {
        self.slots.fill(Slot::Missing);
        self.scratch.clear();
        self.rows += 1;
        self.stranger = None;
        self.trace = None;
    }

    /// Reads a line by the grammar.
    pub fn line<S: Scan>(&mut self, nodes: &[Node], cursor: &mut Cursor<S>) -> Result<(), Syntax> {
        if cursor.next_mark() != b'{' {
            // What follows must be JSON all the same for the message to be true.
            cursor.skip_value(0)?;
            return cursor.expected(NO_OBJECT);
        }
        self.object(nodes, 0, cursor, 1)?;
        if !cursor.is_at_end() {
            return cursor.expected("nothing behind the object");
        }
        Ok(())
    }

    /// Reads an object, whose brace is next, `depth` levels deep.
    fn object<S: Scan>(
        &mut self,
        nodes: &[Node],
        node: usize,
        cursor: &mut Cursor<S>,
        depth: usize,
    ) -> Result<(), Syntax> {
        cursor.at += 1;
        if cursor.next_mark() == b'}' {
            cursor.at += 1;
            return Ok(());
        }
        loop {
            let (name, target) = self.name(&nodes[node], cursor)?;
            let field = Field { node, name, target };
            self.value(nodes, field, cursor, depth)?;
            match cursor.next_mark() {
                b',' => cursor.at += 1,
                b'}' => break,
                _ => return cursor.expected("`,` or `}`"),
            }
        }
        cursor.at += 1;
        Ok(())
    }

    /// Reads a field's name.
    fn name<S: Scan>(
        &mut self,
        node: &Node,
        cursor: &mut Cursor<S>,
    ) -> Result<(Range<usize>, Target), Syntax> {
        let name = cursor.key()?;
        let place = name.start..name.end;
        let text = &cursor.text[place.clone()];
        if !name.escaped {
            return Ok((place, node.find(text)));
        }
        let start = self.scratch.len();
        if unescape::unescape(text, &mut self.scratch).is_none() {
            return Err(Syntax {
                at: name.start,
                what: "no half surrogate pair in a name",
            });
        }
        let target = node.find(&self.scratch[start..]);
        self.scratch.truncate(start);
        Ok((place, target))
    }

    fn value<S: Scan>(
        &mut self,
        nodes: &[Node],
        field: Field,
        cursor: &mut Cursor<S>,
        depth: usize,
    ) -> Result<(), Syntax> {
        let first = cursor.next_mark();
        let start = cursor.at;
        let act = match field.target {
            Target::Column(column) => {
                self.columns(column, first, cursor, depth)?;
                self.act(column)
            }
            Target::Node(node) => {
                if let Some(trace) = &mut self.trace {
                    trace.entered |= shapes::bit(node);
                }
                return self.nested(nodes, node, cursor, depth);
            }
            Target::Unknown => {
                self.stranger = self.stranger.or(Some((start, field.node)));
                cursor.skip(first, depth)?;
                Act::Skip
            }
        };
        if let Some(trace) = &mut self.trace
            && !trace.passes(act, &cursor.text[start..cursor.at])
        {
            trace.values.push(Traced {
                node: field.node,
                name: field.name,
                value: start..cursor.at,
                act,
                depth,
                entered: std::mem::take(&mut trace.entered),
            });
        }
        Ok(())
    }

    /// What is done with a column's values where shapes are known.
    fn act(&self, column: usize) -> Act {
        match (self.wants[column], self.twins[column]) {
            (Want::Integer, None) => Act::Integer(column),
            (Want::Text, None) => Act::Text(column),
            (Want::TimeText(format), None) => Act::Time(column, format),
            _ => Act::Column(column),
        }
    }

    /// Reads the value of a column and its twins.
    pub fn columns<S: Scan>(
        &mut self,
        column: usize,
        first: u8,
        cursor: &mut Cursor<S>,
        depth: usize,
    ) -> Result<(), Syntax> {
        let at = cursor.at;
        let mut column = column;
        loop {
            self.column(column, first, cursor, depth)?;
            let Some(twin) = self.twins[column] else {
                return Ok(());
            };
            (column, cursor.at) = (twin, at);
        }
    }

    /// Reads the value of a field that columns look into.
    fn nested<S: Scan>(
        &mut self,
        nodes: &[Node],
        node: usize,
        cursor: &mut Cursor<S>,
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

    /// Reads an integer of a column, if it is what most are, and says how long it is.
    #[inline(always)]
    pub fn integer_quickly(&mut self, column: usize, value: &[u8]) -> Option<usize> {
        let (len, number) = numerals::short(value)?;
        self.slots[column] = Slot::Word(number as u64);
        Some(len)
    }

    /// Reads a text of a column, `at` so many bytes of the line, if it has no escapes, and says how long it is.
    #[inline(always)]
    pub fn text_quickly<S: Scan>(
        &mut self,
        column: usize,
        value: &[u8],
        at: usize,
    ) -> Option<usize> {
        let end = plain_end::<S>(value)?;
        let (start, len) = (at as u32 + 1, end as u32 - 1);
        self.slots[column] = Slot::InRow { start, len };
        Some(end + 1)
    }

    /// Reads a time of a column, if it is a good one in a text without escapes, and says how long that is.
    #[inline(always)]
    pub fn time_quickly<S: Scan>(
        &mut self,
        column: usize,
        value: &[u8],
        format: TimeFormat,
    ) -> Option<usize> {
        let end = plain_end::<S>(value)?;
        let time = text::time(&value[1..end], format, &mut self.day).ok()?;
        self.slots[column] = Slot::Word(time as u64);
        Some(end + 1)
    }

    /// Reads the value of a column.
    fn column<S: Scan>(
        &mut self,
        column: usize,
        first: u8,
        cursor: &mut Cursor<S>,
        depth: usize,
    ) -> Result<(), Syntax> {
        let at = cursor.at;
        let fit = match (self.wants[column], first) {
            (Want::Integer, b'-' | b'0'..=b'9') => {
                cursor.integer()?.map(|value| Slot::Word(value as u64))
            }
            (Want::Text, b'"') => self.text(cursor.string()?, cursor.text),
            (Want::TimeText(format), b'"') => self.time(cursor.string()?, cursor.text, format),
            _ => self.rarer(column, first, cursor, depth)?,
        };
        self.slots[column] = fit.unwrap_or_else(|why| Slot::Misfit { at: at as u32, why });
        Ok(())
    }

    /// Reads the value of a column of which there are fewer, or what is no value of it.
    #[inline(never)]
    fn rarer<S: Scan>(
        &mut self,
        column: usize,
        first: u8,
        cursor: &mut Cursor<S>,
        depth: usize,
    ) -> Result<Result<Slot, Misfit>, Syntax> {
        Ok(match (self.wants[column], first) {
            (Want::Float, b'-' | b'0'..=b'9') => {
                let float = cursor.number()?.float();
                float.map(|value| Slot::Word(value.to_bits()))
            }
            (Want::TimeNumber(format), b'-' | b'0'..=b'9') => epoch(&cursor.number()?, format),
            (Want::Bytes, b'"') => self.bytes(cursor.string()?, cursor.text),
            (Want::Bool, b't') => cursor.literal("true").map(|()| Ok(Slot::Word(1)))?,
            (Want::Bool, b'f') => cursor.literal("false").map(|()| Ok(Slot::Word(0)))?,
            (_, b'n') => cursor.literal("null").map(|()| Ok(Slot::Null))?,
            _ => {
                cursor.skip_value(depth)?;
                Err(Misfit::Type)
            }
        })
    }

    fn text(&mut self, string: Quoted, row: &[u8]) -> Result<Slot, Misfit> {
        if string.escaped {
            return self.unescaped(string, row);
        }
        Ok(Slot::InRow {
            start: string.start as u32,
            len: (string.end - string.start) as u32,
        })
    }

    /// The text of a string with escapes.
    fn unescaped(&mut self, string: Quoted, row: &[u8]) -> Result<Slot, Misfit> {
        let from = self.scratch.len();
        unescape::unescape(&row[string.start..string.end], &mut self.scratch)
            .ok_or(Misfit::Surrogate)?;
        Ok(Slot::InScratch {
            start: from as u32,
            len: (self.scratch.len() - from) as u32,
        })
    }

    fn time(&mut self, string: Quoted, row: &[u8], format: TimeFormat) -> Result<Slot, Misfit> {
        if !string.escaped {
            let time = text::time(&row[string.start..string.end], format, &mut self.day);
            return time
                .map(|time| Slot::Word(time as u64))
                .map_err(Misfit::Time);
        }
        let Slot::InScratch { start, .. } = self.unescaped(string, row)? else {
            return Err(Misfit::Type);
        };
        let time = text::time(&self.scratch[start as usize..], format, &mut self.day)
            .map_err(Misfit::Time)?;
        Ok(Slot::Word(time as u64))
    }

    fn bytes(&mut self, string: Quoted, row: &[u8]) -> Result<Slot, Misfit> {
        if !string.escaped {
            return text::base64(&row[string.start..string.end], &mut self.scratch);
        }
        let Slot::InScratch { start, .. } = self.unescaped(string, row)? else {
            return Err(Misfit::Type);
        };
        let escaped = self.scratch.split_off(start as usize);
        text::base64(&escaped, &mut self.scratch)
    }
}

/// Where a string ends that a value is, if it is one without escapes.
#[inline(always)]
fn plain_end<S: Scan>(value: &[u8]) -> Option<usize> {
    let end = S::string_end(value, 1);
    (value[0] == b'"' && value[end] == b'"').then_some(end)
}

fn epoch(number: &Number, format: TimeFormat) -> Result<Slot, Misfit> {
    text::time(number.text, format, &mut LastDay::default())
        .map(|time| Slot::Word(time as u64))
        .map_err(Misfit::Time)
}

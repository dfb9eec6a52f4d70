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
//! How it is quick: nothing is allocated per row; what stands between values is expected to be what
//! stood there in the rows before (`shapes`); strings are stepped over 32 bytes at a time (`scan`)
//! and digits read eight at a time (`digits`). `row` and `cursor` are the grammar.

mod cursor;
mod digits;
mod fields;
pub(crate) mod line;
mod numerals;
mod refuse;
mod row;
mod scan;
mod shapes;
mod unescape;

use std::ops::Range;

use self::cursor::Cursor;
use self::fields::Node;
use self::line::Line;
use self::row::{Row, Trace};
#[cfg(target_arch = "x86_64")]
use self::scan::Sse2;
use self::scan::{Base, Portable};
use self::shapes::Shapes;
use super::{Decoded, Refusal, missing, null};
use crate::columns::Slot;
use crate::format::{ColumnSpec, FormatSpec, Unknown};

/// Decodes lines of JSON.
pub struct JsonDecoder {
    columns: Vec<ColumnSpec>,
    unknown: Unknown,
    nodes: Vec<Node>,
    row: Row,
    shapes: Shapes,
    /// For each column whether it must be there and not null.
    required: Vec<bool>,
    way: Way,
    /// Whether the next line has been tried and was not foreseen.
    tried: bool,
    /// Where lines stand that nothing follows.
    space: Vec<u8>,
}

/// How lines of known shapes are looked at: see [`scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Sse2,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Way {
    #[cfg(target_arch = "x86_64")]
    fn best() -> Self {
        let avx2 = std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2");
        if avx2 { Self::Avx2 } else { Self::Sse2 }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn best() -> Self {
        Self::Portable
    }
}

impl JsonDecoder {
    /// A decoder of a format that has been checked.
    pub fn new(format: &FormatSpec) -> Self {
        let nodes = fields::tree(&format.columns);
        Self {
            columns: format.columns.clone(),
            unknown: format.unknown,
            row: Row::new(&format.columns, nodes.len()),
            nodes,
            shapes: Shapes::new(),
            required: format.columns.iter().map(|c| !c.nullable).collect(),
            way: Way::best(),
            tried: false,
            space: Vec::new(),
        }
    }

    /// The same without the instructions that only some processors have: for tests that hold both to
    /// the same.
    #[must_use]
    pub fn portable(mut self) -> Self {
        self.way = Way::Portable;
        self
    }

    /// Decodes one line of valid UTF-8: a range of a buffer, in which the newline should follow. A
    /// line has no newline within.
    ///
    /// # Errors
    /// If it is a bad row.
    #[inline]
    pub fn decode(&mut self, buffer: &[u8], range: Range<usize>) -> Result<Decoded<'_>, Refusal> {
        let line = &buffer[range.clone()];
        debug_assert!(!line.contains(&b'\n'), "a newline within a line");
        let mut space = std::mem::take(&mut self.space);
        let padded = Line::within(buffer, &range);
        let padded = padded.unwrap_or_else(|| Line::copied(line, &mut space));
        let tried = std::mem::take(&mut self.tried);
        let foreseen = !tried && self.foresees(padded).is_some();
        let decoded = if foreseen {
            self.check(line)
        } else {
            self.by_grammar(padded, line)
        };
        self.space = space;
        decoded.map(|()| self.decoded())
    }

    /// Decodes the line that begins a text of valid UTF-8, if it is a good row of a shape that is
    /// known, and says how long it is. Otherwise the line must be given to
    /// [`decode`](Self::decode). There is a newline in the text, and `PADDING` bytes behind it.
    #[inline]
    pub fn decode_ahead(&mut self, text: &[u8]) -> Option<(usize, Decoded<'_>)> {
        let found = self.foresees(Line::ahead(text));
        let Some(len) = found.filter(|_| self.is_complete()) else {
            self.tried = true;
            return None;
        };
        Some((len, self.decoded()))
    }

    /// Reads a line of a known shape, and says how long it is.
    #[inline(always)]
    fn foresees(&mut self, line: Line) -> Option<usize> {
        self.row.clear();
        if !self.shapes.is_promising() {
            return None;
        }
        let len = match self.way {
            Way::Portable => self.row.foreseen::<Portable>(&self.shapes, line),
            #[cfg(target_arch = "x86_64")]
            Way::Sse2 => self.row.foreseen::<Sse2>(&self.shapes, line),
            // SAFETY: `Way::best` has asked the processor.
            #[cfg(target_arch = "x86_64")]
            Way::Avx2 => unsafe { foresee_avx2(&mut self.row, &self.shapes, line) },
        };
        if len.is_none() {
            self.shapes.surprised();
        }
        len
    }

    #[inline(never)]
    fn by_grammar(&mut self, padded: Line, line: &[u8]) -> Result<(), Refusal> {
        self.row.clear();
        self.row.trace = self.shapes.can_learn().then(Trace::default);
        let read = self.row.line(&self.nodes, &mut Cursor::<Base>::new(padded));
        read.map_err(|fault| refuse::syntax(line, fault))?;
        if let (Unknown::Refuse, Some((value, node))) = (self.unknown, self.row.stranger) {
            return Err(refuse::stranger(line, value, &self.nodes[node]));
        }
        self.check(line)?;
        if let Some(trace) = self.row.trace.take() {
            self.shapes.learn(line, &trace.values, trace.entered);
        }
        Ok(())
    }

    /// Whether the row has what it must have, and nothing that doesn't fit.
    #[inline(always)]
    fn is_complete(&self) -> bool {
        let slots = self.row.slots.iter().zip(&self.required);
        slots.fold(true, |all, (slot, required)| {
            let null = matches!(slot, Slot::Missing | Slot::Null);
            all & !(null & required) & !matches!(slot, Slot::Misfit { .. })
        })
    }

    /// Refuses a row that lacks what it must have, or has what doesn't fit.
    #[inline]
    fn check(&self, line: &[u8]) -> Result<(), Refusal> {
        if self.is_complete() {
            return Ok(());
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
        Ok(())
    }

    #[inline(always)]
    fn decoded(&self) -> Decoded<'_> {
        Decoded {
            slots: &self.row.slots,
            scratch: &self.row.scratch,
        }
    }
}

/// # Safety
/// The processor has AVX2 and what came with it.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn foresee_avx2(row: &mut Row, shapes: &Shapes, line: Line) -> Option<usize> {
    row.foreseen::<scan::Avx2>(shapes, line)
}

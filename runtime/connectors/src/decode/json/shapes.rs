//! The shapes that rows have lately had: what stands between their values, byte by byte.
//!
//! Rows of one source are mostly written by one program, so between two values the same bytes come
//! again: `,"bidder":`, `,"bid":{"auction":`. They are learned from good rows, as edges between
//! states. A state is a field of an object behind whose value the reader stands; an edge is what may
//! follow it up to the next value, and says what that value is for. A row that goes along edges to
//! an end is read without looking at its grammar a second time; one that doesn't is read anew by the
//! grammar ([`Row::line`]), which alone says what is wrong with it.
//!
//! ```text
//! start ─ {"id": ─► id ─ ,"bid":{"price": ─► price ─ }} ─► end
//!                   └─── ,"bid":null} ─────────────────────┘
//! ```
//!
//! Invariant: from a state, the grammar reads an edge's bytes as it did when they were learned.
//! 1. What the grammar does next depends on the object that it is in, which the state's field names
//!    (objects that no column looks into are values here, stepped over whole), and on which objects
//!    have been entered before: a row that names one twice is left to the grammar.
//! 2. Fields of no column that are null may stand within an edge: they are the same bytes again.
//!    Values end where tokens end, so an edge begins with a new token; and it ends where a value
//!    begins, which no blank does.
//! 3. A field given twice overwrites its slots here as there. Only good rows are learned from, so
//!    no edge leads to a field that is refused.

use std::cell::Cell;
use std::ops::Range;

use super::cursor::Cursor;
use super::line::Line;
use super::numerals;
use super::row::Row;
use super::scan::{Head, Scan};
use crate::format::TimeFormat;

/// So many edges are learned of a source.
const EDGES: usize = 1024;

/// So many edges may begin at one state: so many comparisons a surprise costs.
const FORKS: usize = 16;

/// So many rows are learned from.
const LESSONS: u32 = 4096;

/// Longer edges are not learned.
const LONGEST: usize = 256;

/// Strings longer than this are stepped over in larger steps.
const LONG: usize = 32;

/// More objects than these are left to the grammar.
const OBJECTS: usize = 64;

/// How much a surprise adds to the doubt whether the next row will be of a known shape; each row
/// takes one away.
const SURPRISE: u32 = 8;

/// With this doubt and more a row is read by the grammar at once.
const DOUBTFUL: u32 = 64;

/// What a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is of no column.
    Skip,
    /// It is of no column, and was a longer string when it was first seen.
    SkipLong,
    /// It is this column's, an integer.
    Integer(usize),
    /// It is this column's, a text.
    Text(usize),
    /// It is this column's, a time in a text.
    Time(usize, TimeFormat),
    /// It is this column's, of another type or one with twins, and theirs.
    Column(usize),
    /// There is none: the row ends.
    End,
}

/// A value that the grammar has read.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The object that it is in.
    pub node: usize,
    /// Its field's name, as it stands in the line.
    pub name: Range<usize>,
    /// The value.
    pub value: Range<usize>,
    /// What it is for.
    pub act: Act,
    /// How deep it is nested.
    pub depth: usize,
    /// The objects whose names stand between the value before and this one, one bit each.
    pub entered: u64,
}

/// The bit of an object, or of all that are left to the grammar.
pub fn bit(node: usize) -> u64 {
    1 << node.min(OBJECTS - 1)
}

/// No edge.
const NONE: u32 = u32::MAX;

/// A field of an object, behind whose value the reader stands.
#[derive(Debug)]
struct State {
    node: usize,
    name: Box<[u8]>,
    /// One of the edges that begin here.
    first: u32,
}

/// What may follow a state.
#[derive(Debug)]
#[repr(align(64))]
struct Edge {
    /// Its first bytes.
    head: Head,
    /// Those behind them.
    second: Head,
    len: usize,
    /// The edge that was taken after this one lately.
    next: Cell<u32>,
    /// The next edge of the same state.
    other: u32,
    /// The state behind the value.
    to: u32,
    act: Act,
    depth: u8,
    entered: u64,
    /// All bytes.
    bytes: Box<[u8]>,
}

/// All shapes learned.
#[derive(Debug)]
pub struct Shapes {
    states: Vec<State>,
    /// The first leads to where rows begin.
    edges: Vec<Edge>,
    lessons: u32,
    doubt: u32,
}

impl Shapes {
    /// None yet.
    pub fn new() -> Self {
        let start = State {
            node: 0,
            name: Box::default(),
            first: NONE,
        };
        Self {
            states: vec![start],
            edges: vec![Edge::new(b"", &Traced::end(0, 0), 0, NONE)],
            lessons: LESSONS,
            doubt: 0,
        }
    }

    /// Whether the next row is worth trying.
    #[inline]
    pub fn is_promising(&mut self) -> bool {
        let promising = self.doubt < DOUBTFUL;
        self.doubt = self.doubt.saturating_sub(1);
        promising
    }

    /// A row was of no shape that is known.
    #[cold]
    pub fn surprised(&mut self) {
        self.doubt += SURPRISE;
    }

    /// Whether there is anything to learn from another row.
    pub fn can_learn(&self) -> bool {
        self.lessons > 0
    }

    /// Learns from a good row with these values.
    #[cold]
    pub fn learn(&mut self, line: &[u8], trace: &[Traced], entered: u64) {
        self.lessons = self.lessons.saturating_sub(1);
        let end = Traced::end(line.len(), entered);
        let (mut edge, mut from) = (0, 0);
        for traced in trace.iter().chain([&end]) {
            let bytes = &line[from..traced.value.start];
            let Some(next) = self.follow(edge, bytes, traced, line) else {
                return;
            };
            (edge, from) = (next, traced.value.end);
        }
    }

    /// The edge with these bytes after another, which is learned if it is new and can be.
    fn follow(&mut self, after: usize, bytes: &[u8], to: &Traced, line: &[u8]) -> Option<usize> {
        let from = self.edges[after].to as usize;
        let mut forks = 0;
        let mut known = self.states[from].first;
        while let Some(edge) = self.edges.get(known as usize) {
            if *edge.bytes == *bytes {
                return Some(known as usize);
            }
            forks += 1;
            known = edge.other;
        }
        // A newline within an edge could be taken for the end of another line.
        let plain = bytes.len() <= LONGEST && !bytes.iter().any(|b| matches!(b, b'\r' | b'\n'));
        let left_to_the_grammar = to.entered & bit(OBJECTS) != 0;
        if forks >= FORKS || self.edges.len() >= EDGES || !plain || left_to_the_grammar {
            return None;
        }
        let state = self.state(to.node, &line[to.name.clone()]);
        let other = std::mem::replace(&mut self.states[from].first, self.edges.len() as u32);
        self.edges.push(Edge::new(bytes, to, state, other));
        Some(self.edges.len() - 1)
    }

    fn state(&mut self, node: usize, name: &[u8]) -> usize {
        let mut known = self.states.iter().skip(1);
        if let Some(known) = known.position(|known| known.node == node && *known.name == *name) {
            return 1 + known;
        }
        self.states.push(State {
            node,
            name: name.into(),
            first: NONE,
        });
        self.states.len() - 1
    }

    /// The edge that a line goes on with after another.
    #[inline(always)]
    fn next<S: Scan>(&self, after: &Edge, rest: &[u8]) -> Option<&Edge> {
        match self.edges.get(after.next.get() as usize) {
            Some(edge) if edge.is_next::<S>(rest) => Some(edge),
            _ => self.next_other::<S>(after, rest),
        }
    }

    /// The edge, but the one taken lately. It is expected from now on.
    #[inline(never)]
    fn next_other<S: Scan>(&self, after: &Edge, rest: &[u8]) -> Option<&Edge> {
        let mut found = self.states[after.to as usize].first;
        loop {
            let edge = self.edges.get(found as usize)?;
            if edge.is_next::<S>(rest) {
                after.next.set(found);
                return Some(edge);
            }
            found = edge.other;
        }
    }
}

impl Traced {
    /// The end of a row, as if it were a value.
    fn end(len: usize, entered: u64) -> Self {
        Self {
            node: 0,
            name: 0..0,
            value: len..len,
            act: Act::End,
            depth: 0,
            entered,
        }
    }
}

impl Edge {
    fn new(bytes: &[u8], to: &Traced, state: usize, other: u32) -> Self {
        let act = match to.act {
            Act::Skip if to.value.len() > LONG => Act::SkipLong,
            act => act,
        };
        Self {
            head: Head::new(bytes),
            second: Head::new(bytes.get(Head::LEN..).unwrap_or_default()),
            len: bytes.len(),
            next: Cell::new(NONE),
            other,
            to: state as u32,
            act,
            depth: to.depth as u8,
            entered: to.entered,
            bytes: bytes.into(),
        }
    }

    #[inline(always)]
    fn is_next<S: Scan>(&self, rest: &[u8]) -> bool {
        let len = self.len;
        begins::<S>(rest, &self.head)
            && (len <= Head::LEN
                || begins::<S>(&rest[Head::LEN..], &self.second)
                    && (len <= 2 * Head::LEN || rest.starts_with(&self.bytes)))
            && (self.act != Act::End || is_end(&rest[len..]))
    }
}

/// Whether a text, which is long enough, begins with these bytes.
#[inline(always)]
fn begins<S: Scan>(text: &[u8], head: &Head) -> bool {
    let first = text.first_chunk::<{ Head::LEN }>();
    first.is_some_and(|first| S::begins(first, head))
}

/// Whether a line ends here.
#[inline(always)]
fn is_end(rest: &[u8]) -> bool {
    matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..])
}

impl Row {
    /// Reads a line that is of a known shape, and says how long it is; otherwise nothing is said of
    /// it, and it must be read anew.
    ///
    /// What is left of the line is passed on by value: a cursor that others are lent lies in memory, and
    /// every value would wait for it to be written and read again.
    #[inline(always)]
    pub fn foreseen<S: Scan>(&mut self, shapes: &Shapes, line: Line) -> Option<usize> {
        let text = line.text();
        let (mut rest, mut edge, mut entered) = (text, &shapes.edges[0], 0);
        loop {
            edge = shapes.next::<S>(edge, rest)?;
            if entered & edge.entered != 0 {
                return None;
            }
            entered |= edge.entered;
            let value = &rest[edge.len..];
            let at = text.len() - value.len();
            let read = match edge.act {
                Act::End => return Some(at),
                Act::Integer(column) => self.integer_quickly(column, value),
                Act::Text(column) => self.text_quickly::<S>(column, value, at),
                Act::Time(column, format) => self.time_quickly::<S>(column, value, format),
                Act::Skip => skip_quickly::<S>(value),
                Act::SkipLong if value[0] == b'"' => plain(value, S::long_string_end(value, 1)),
                Act::SkipLong | Act::Column(_) => None,
            };
            let len = match read {
                Some(len) => len,
                None => self.slowly::<S>(edge, line, at)? - at,
            };
            rest = &value[len..];
        }
    }

    /// Reads a value that is no matter of course, and says what is behind it.
    #[inline(never)]
    fn slowly<S: Scan>(&mut self, edge: &Edge, line: Line, at: usize) -> Option<usize> {
        let mut cursor = Cursor::<S>::new(line);
        cursor.at = at;
        let (first, depth) = (cursor.peek(), usize::from(edge.depth));
        if first <= b' ' {
            // Another edge has these blanks, or none yet: this one ends before a value.
            return None;
        }
        match edge.act {
            Act::Integer(column)
            | Act::Text(column)
            | Act::Time(column, _)
            | Act::Column(column) => {
                self.columns(column, first, &mut cursor, depth).ok()?;
            }
            Act::Skip | Act::SkipLong | Act::End => cursor.skip(first, depth).ok()?,
        }
        Some(cursor.at)
    }
}

/// How long a string is that ends here, if it does.
#[inline(always)]
pub fn plain(value: &[u8], end: usize) -> Option<usize> {
    (value[end] == b'"').then_some(end + 1)
}

#[inline(always)]
fn skip_quickly<S: Scan>(value: &[u8]) -> Option<usize> {
    match value[0] {
        b'"' => plain(value, S::string_end(value, 1)),
        b'0'..=b'9' => numerals::short(value).map(|(len, _)| len),
        b'n' => value.starts_with(b"null").then_some(4),
        _ => None,
    }
}

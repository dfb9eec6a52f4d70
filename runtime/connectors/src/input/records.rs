//! Cutting bytes into records: lines, or CSV records that may hold newlines within quotation marks.
//!
//! The newline (and a carriage return before it) belongs to no record; empty records are passed
//! over; a byte order mark at the start is none of the first record's. The last record needs no
//! newline, unless more may come. A record longer than the limit is given as too long, with as much
//! of its beginning as the limit allows, and the rest of its line is passed over; one over several
//! lines is given up for its first line.
//!
//! What is found from a place on does not depend on how much is read at once: a buffer that ends
//! within a record decides nothing.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::found::{Found, Framing, Place};
use super::{Fill, Input};
use crate::ConnectorError;
use crate::position::Fingerprint;

/// How much is read at a time.
const BLOCK: usize = 128 * 1024;

/// So much is checked to be UTF-8 at once: less than a processor keeps nearest to itself.
const CHECKED: usize = 16 * 1024;

/// A carriage return, which may be none of the record's: with one byte more than that, it is too long.
const NEWLINE: usize = 1;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What the input said last.
enum State {
    Open,
    Ended,
    Broken(String),
}

/// Records of an input.
pub(crate) struct Records {
    input: Box<dyn Input>,
    framing: Framing,
    limit: usize,
    state: State,
    buffer: Vec<u8>,
    /// What has been read and not yet given: `start..end` of the buffer.
    start: usize,
    end: usize,
    /// Before this there is no end of the record that begins at `start`.
    searched: usize,
    /// Whether `searched` is within quotation marks.
    quoted: bool,
    /// Up to where the buffer has been checked to be UTF-8 at once, and whether it was.
    checked: (usize, bool),
    /// Of the byte at `start`.
    at: Place,
    /// The beginning of the record given last.
    last: (usize, Place),
    /// Within the rest of a line that was too long.
    skipping: bool,
    /// Whether the input had nothing more when it was last asked.
    pending: bool,
}

impl Records {
    /// The records of an input.
    pub fn new(input: Box<dyn Input>, framing: Framing, limit: usize) -> Self {
        let at = Place {
            position: 0,
            line: 1,
        };
        Self {
            input,
            framing,
            limit,
            state: State::Open,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            searched: 0,
            quoted: false,
            checked: (0, true),
            at,
            last: (0, at),
            skipping: false,
            pending: false,
        }
    }

    /// Goes on at a place ahead: where a record begins, or within a line that was too long.
    pub fn go_to(&mut self, at: Place, within_line: bool) -> Result<(), ConnectorError> {
        let Some(ahead) = at.position.checked_sub(self.at.position) else {
            return Err(ConnectorError::Changed(format!(
                "the header is not what it was: it ends at byte {} now, behind byte {}",
                self.at.position, at.position
            )));
        };
        if ahead <= (self.end - self.start) as u64 {
            self.advance(ahead as usize, 0);
        } else {
            self.input.skip_to(at.position)?;
            (self.start, self.end, self.searched, self.checked) = (0, 0, 0, (0, true));
        }
        (self.at, self.last) = (at, (self.start, at));
        self.skipping = within_line;
        Ok(())
    }

    /// Where it goes on, and whether that is within a line that was too long.
    pub fn place(&self) -> (Place, bool) {
        (self.at, self.skipping)
    }

    /// Whether everything that there is now has been given.
    pub fn is_caught_up(&self) -> bool {
        self.start == self.end && (self.pending || self.is_over())
    }

    /// Whether everything has been given, and nothing comes any more.
    pub fn is_over(&self) -> bool {
        self.start == self.end && matches!(self.state, State::Ended)
    }

    /// Which file they are of.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.input.fingerprint()
    }

    /// The longest record that is given whole.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// All bytes at hand: records are ranges of it.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// The bytes of a range that was found last.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// The next record.
    pub fn next(&mut self) -> Result<Found, ConnectorError> {
        loop {
            if self.skipping {
                self.skip_line();
                if !self.skipping {
                    continue;
                }
            } else if let Some(after) = self.find_end() {
                if let Some(found) = self.give(after) {
                    return Ok(found);
                }
                continue;
            } else if self.end - self.start > self.limit + NEWLINE {
                if let Some(found) = self.give_up_line() {
                    return Ok(found);
                }
                continue;
            }
            if let Some(found) = self.read_on()? {
                return Ok(found);
            }
        }
    }

    /// Where the next record begins, and lines at hand from there on: valid UTF-8 to the last newline, with `padding` bytes
    /// behind that.
    #[inline]
    pub fn ahead(&mut self, padding: usize) -> Option<(Place, Range<usize>)> {
        if self.framing != Framing::Lines || self.skipping {
            return None;
        }
        if self.start >= self.checked.0 {
            self.check();
        }
        let (checked, utf8) = self.checked;
        let at_hand = utf8 && self.start < checked && checked + padding <= self.buffer.len();
        at_hand.then_some((self.at, self.start..checked))
    }

    /// Takes so many lines ahead, which have so many bytes.
    #[inline]
    pub fn take(&mut self, bytes: usize, lines: u64) {
        self.advance(bytes, lines);
    }

    /// Gives only the first line of the record that was given last, from which the rest is now read
    /// anew. For a CSV record whose quotation marks turned out not to close.
    pub fn only_first_line(&mut self, record: Range<usize>) -> Range<usize> {
        let Some(newline) = memchr(b'\n', &self.buffer[record.clone()]) else {
            return record;
        };
        let (start, place) = self.last;
        let after = record.start + newline + 1;
        self.start = after;
        self.at = Place {
            position: place.position + (after - start) as u64,
            line: place.line + 1,
        };
        self.searched = after;
        self.quoted = false;
        self.trimmed(record.start, after)
    }

    /// Reads more. What is left at the end of the input is the last record.
    fn read_on(&mut self) -> Result<Option<Found>, ConnectorError> {
        if matches!(self.state, State::Open) {
            self.make_room();
            let filled = self.input.fill(&mut self.buffer[self.end..])?;
            self.pending = filled == Fill::Pending;
            match filled {
                Fill::Bytes(len) => self.took(len),
                Fill::Pending => return Ok(Some(Found::Pending)),
                Fill::End => self.state = State::Ended,
                Fill::Broken(message) => self.state = State::Broken(message),
            }
            return Ok(None);
        }
        if let State::Broken(message) = std::mem::replace(&mut self.state, State::Ended) {
            let (at, bytes) = (self.at, self.start..self.end);
            self.start = self.end;
            self.searched = self.end;
            return Ok(Some(Found::Broken { at, bytes, message }));
        }
        if self.start == self.end || self.skipping {
            return Ok(Some(Found::End));
        }
        // Decoders look at what stands behind a record: not at what was read there before.
        if let Some(behind) = self.buffer.get_mut(self.end) {
            *behind = b'\n';
        }
        // Within quotation marks that nobody closes, the first line is the record.
        let line = memchr(b'\n', &self.buffer[self.start..self.end]);
        let after = line.map_or(self.end, |newline| self.start + newline + 1);
        Ok(self.give(after))
    }

    fn took(&mut self, len: usize) {
        self.end += len;
        if self.at.position == 0 && self.buffer[..self.end].starts_with(BYTE_ORDER_MARK) {
            self.advance(BYTE_ORDER_MARK.len(), 0);
        }
    }

    /// Checks whether the next lines are UTF-8: so many at once as are still near when they are
    /// decoded.
    fn check(&mut self) {
        let until = self.end.min(self.start + CHECKED);
        let mut last = memrchr(b'\n', &self.buffer[self.start..until]);
        if last.is_none() {
            let rest = memchr(b'\n', &self.buffer[until..self.end]);
            last = rest.map(|newline| until - self.start + newline);
        }
        if let Some(last) = last {
            let until = self.start + last + 1;
            let utf8 = simdutf8::basic::from_utf8(&self.buffer[self.start..until]).is_ok();
            self.checked = (until, utf8);
        }
    }

    /// Makes room for another block behind what there is.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.checked = (self.checked.0.saturating_sub(self.start), self.checked.1);
            self.start = 0;
        }
        if self.buffer.len() < self.end + BLOCK / 2 {
            let grown = (self.end * 2).max(BLOCK);
            self.buffer.resize(grown, 0);
        }
    }

    /// Behind the newline that ends the record at `start`.
    fn find_end(&mut self) -> Option<usize> {
        let bytes = &self.buffer[..self.end];
        match self.framing {
            Framing::Lines => match memchr(b'\n', &bytes[self.searched..]) {
                Some(newline) => Some(self.searched + newline + 1),
                None => {
                    self.searched = self.end;
                    None
                }
            },
            Framing::Quoted { delimiter } => self.find_quoted_end(delimiter),
        }
    }

    fn find_quoted_end(&mut self, delimiter: u8) -> Option<usize> {
        let bytes = &self.buffer[..self.end];
        loop {
            let rest = &bytes[self.searched..];
            if self.quoted {
                let Some(quote) = memchr(b'"', rest) else {
                    self.searched = self.end;
                    return None;
                };
                match rest.get(quote + 1) {
                    Some(b'"') => self.searched += quote + 2,
                    Some(_) => (self.searched, self.quoted) = (self.searched + quote + 1, false),
                    // Whether this one is doubled, the next byte will say.
                    None if matches!(self.state, State::Open) => {
                        self.searched += quote;
                        return None;
                    }
                    None => (self.searched, self.quoted) = (self.searched + quote + 1, false),
                }
                continue;
            }
            let Some(mark) = memchr::memchr2(b'"', b'\n', rest) else {
                self.searched = self.end;
                return None;
            };
            let at = self.searched + mark;
            self.searched = at + 1;
            if bytes[at] == b'\n' {
                return Some(at + 1);
            }
            self.quoted = at == self.start || bytes[at - 1] == delimiter;
        }
    }

    /// Gives the record that ends before `after`, if there is something in it.
    fn give(&mut self, after: usize) -> Option<Found> {
        let (start, at) = (self.start, self.at);
        let mut after = after;
        let mut newlines = 1;
        if let Framing::Quoted { .. } = self.framing {
            if self.trimmed(start, after).len() > self.limit {
                // Nobody reads so far: it is given up for its first line, as where its end is not at hand.
                let first = memchr(b'\n', &self.buffer[start..after]);
                after = first.map_or(after, |newline| start + newline + 1);
            }
            newlines = memchr::memchr_iter(b'\n', &self.buffer[start..after]).count() as u64;
        }
        self.last = (start, at);
        self.advance(after - start, newlines);
        let bytes = self.trimmed(start, after);
        if bytes.is_empty() {
            return None;
        }
        if bytes.len() > self.limit {
            return Some(self.too_long(at, start));
        }
        let (checked, all_utf8) = self.checked;
        let utf8 = (after <= checked && all_utf8)
            || simdutf8::basic::from_utf8(&self.buffer[bytes.clone()]).is_ok();
        Some(Found::Record { at, bytes, utf8 })
    }

    fn too_long(&self, at: Place, start: usize) -> Found {
        let bytes = start..start + self.limit;
        Found::TooLong { at, bytes }
    }

    /// Without the newline and the carriage return before it.
    fn trimmed(&self, start: usize, after: usize) -> Range<usize> {
        let bytes = &self.buffer[start..after];
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        start..start + bytes.len()
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.at.position += bytes as u64;
        self.at.line += lines;
        self.searched = self.start;
        self.quoted = false;
    }

    /// Gives a record that is too long for its first line, or that as far as the limit allows if it has no end yet.
    fn give_up_line(&mut self) -> Option<Found> {
        let (at, start) = (self.at, self.start);
        if let Some(newline) = memchr(b'\n', &self.buffer[start..self.end]) {
            return self.give(start + newline + 1);
        }
        self.advance(self.end - start, 0);
        self.skipping = true;
        Some(self.too_long(at, start))
    }

    fn skip_line(&mut self) {
        match memchr(b'\n', &self.buffer[self.start..self.end]) {
            Some(newline) => {
                self.advance(newline + 1, 1);
                self.skipping = false;
            }
            None => self.advance(self.end - self.start, 0),
        }
    }
}

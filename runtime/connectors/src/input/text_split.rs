//! A split of text: records of an input, decoded into columns.

use std::ops::Range;
use std::sync::Arc;

use tidemill_rows::SchemaRef;

use super::Input;
use super::found::{Found, Framing, Place};
use super::opening::{Next, Opening};
use super::records::Records;
use crate::ConnectorError;
use crate::columns::Columns;
use crate::decode::json::line::PADDING;
use crate::decode::{Decoder, Refusal, not_utf8};
use crate::format::FormatSpec;
use crate::position::{FilePosition, Fingerprint, Position};
use crate::split::{BAD_ROW_BYTES, BadRow, CHUNK_BYTES, Chunk, Split, Then};

/// So many files that stood at a followed file's place before are remembered (`earlier-files`).
const EARLIER: usize = 64;

/// A split of text.
pub(crate) struct TextSplit {
    name: Arc<str>,
    format: Arc<FormatSpec>,
    schema: SchemaRef,
    opening: Box<dyn Opening>,
    state: State,
    /// Files that stood at its place before, the oldest first; remembered where they could be found again by other names.
    earlier: Vec<Fingerprint>,
}

enum State {
    /// Nothing is open: a source of many files opens each when its turn comes.
    Closed(FilePosition),
    /// It could not be opened.
    Failed(FilePosition),
    Reading(Box<Reading>),
    /// A file was read to its end, and its successor is not there yet.
    Between,
    Ended(Position),
}

/// What is needed while reading.
struct Reading {
    records: Records,
    decoder: Decoder,
    columns: Columns,
    /// Whether the next record is a CSV header.
    header: bool,
}

impl TextSplit {
    /// A split that opens its input when it is first read.
    pub fn new(
        name: Arc<str>,
        format: Arc<FormatSpec>,
        schema: SchemaRef,
        opening: Box<dyn Opening>,
    ) -> Self {
        Self {
            name,
            format,
            schema,
            opening,
            state: State::Closed(FilePosition::default()),
            earlier: Vec::new(),
        }
    }

    /// The same split, read on from a position of it.
    pub fn at(mut self, position: FilePosition) -> Self {
        self.earlier = position.earlier.clone();
        self.state = if position.finished {
            State::Ended(Position::File(position))
        } else {
            State::Closed(position)
        };
        self
    }

    fn reading(&mut self) -> Result<&mut Reading, ConnectorError> {
        if let State::Closed(at) = &mut self.state {
            let at = std::mem::take(at);
            self.state = State::Failed(at.clone());
            let input = self.opening.open()?;
            let mut reading = self.begin(input)?;
            reading.go_to(&at, &self.name)?;
            self.state = State::Reading(Box::new(reading));
        }
        let message = match &mut self.state {
            State::Reading(reading) => return Ok(reading),
            State::Failed(_) => "was read again after it could not be opened",
            _ => "was read after its end",
        };
        Err(ConnectorError::Internal(format!("{} {message}", self.name)))
    }

    fn begin(&self, input: Box<dyn Input>) -> Result<Reading, ConnectorError> {
        let framing = Framing::of(self.format.kind);
        Ok(Reading {
            records: Records::new(input, framing, self.format.line_limit),
            decoder: Decoder::new(&self.format)?,
            columns: Columns::new(self.schema.clone()),
            header: framing != Framing::Lines,
        })
    }

    /// What comes after an input that has ended: whether there is more now, later or never.
    fn go_on(&mut self) -> Result<Then, ConnectorError> {
        let ended = match &self.state {
            State::Reading(reading) => reading.records.fingerprint(),
            _ => None,
        };
        match self.opening.next(ended)? {
            Next::Input(input) => {
                self.remember(ended);
                self.state = State::Reading(Box::new(self.begin(input)?));
                return Ok(Then::More);
            }
            Next::Pending => {
                self.remember(ended);
                self.state = State::Between;
                return Ok(Then::Pending);
            }
            Next::End => {}
        }
        self.state = State::Ended(match self.position() {
            Position::Stream { .. } => Position::Stream { finished: true },
            at => at,
        });
        Ok(Then::End)
    }

    fn remember(&mut self, ended: Option<Fingerprint>) {
        if let Some(ended) = ended.filter(|_| self.opening.remembers()) {
            self.earlier.push(ended);
            let spare = self.earlier.len().saturating_sub(EARLIER);
            self.earlier.drain(..spare);
        }
    }

    fn empty(&self, then: Then) -> Result<Chunk, ConnectorError> {
        let rows = Columns::new(self.schema.clone()).take()?;
        Ok(Chunk {
            rows,
            positions: vec![],
            lines: Some(vec![]),
            changes: None,
            bad: vec![],
            then,
        })
    }
}

impl Split for TextSplit {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn read(&mut self, max_rows: usize) -> Result<Chunk, ConnectorError> {
        if matches!(self.state, State::Ended(_)) {
            return self.empty(Then::End);
        }
        if matches!(self.state, State::Between) {
            let then = self.go_on()?;
            return self.empty(then);
        }
        let name = self.name.clone();
        let mut chunk = self.reading()?.chunk(max_rows, &name)?;
        if chunk.then == Then::End {
            chunk.then = self.go_on()?;
        }
        Ok(chunk)
    }

    fn position(&self) -> Position {
        if self.opening.is_stream() {
            let finished = matches!(self.state, State::Ended(_));
            return Position::Stream { finished };
        }
        let mut earlier = self.earlier.clone();
        let at = match &self.state {
            State::Ended(position) => return position.clone(),
            State::Closed(at) | State::Failed(at) => return Position::File(at.clone()),
            State::Between => awaiting(),
            State::Reading(reading) => match reading.position() {
                None => return Position::Stream { finished: false },
                Some(at) if reading.records.is_over() && self.opening.is_followed() => {
                    earlier.extend(at.file.filter(|_| self.opening.remembers()));
                    awaiting()
                }
                Some(at) => at,
            },
        };
        Position::File(FilePosition { earlier, ..at })
    }
}

/// Where a successor is awaited.
fn awaiting() -> FilePosition {
    FilePosition {
        caught_up: true,
        ..FilePosition::default()
    }
}

/// What a chunk has beside its columns.
struct Marks {
    positions: Vec<u64>,
    lines: Vec<u64>,
    bad: Vec<BadRow>,
    bytes: usize,
}

impl Marks {
    /// Whether a chunk has enough.
    #[inline]
    fn are_full(&self, max_rows: usize) -> bool {
        self.positions.len() + self.bad.len() >= max_rows || self.bytes >= CHUNK_BYTES
    }
}

impl Reading {
    /// Goes on at a position. The header is read anew.
    fn go_to(&mut self, at: &FilePosition, name: &str) -> Result<(), ConnectorError> {
        while self.header && at.header_read {
            match self.records.next()? {
                Found::Record { bytes, .. } => self.header(bytes, name)?,
                Found::TooLong { .. } => {}
                Found::Broken { .. } | Found::Pending | Found::End => {
                    let message = format!("{name} has no header any more");
                    return Err(ConnectorError::Changed(message));
                }
            }
        }
        let place = Place {
            position: at.byte,
            line: at.line,
        };
        self.records.go_to(place, at.within_line)
    }

    /// Where it goes on, if that is in a file.
    fn position(&self) -> Option<FilePosition> {
        let (at, within_line) = self.records.place();
        Some(FilePosition {
            byte: at.position,
            line: at.line,
            within_line,
            header_read: !self.header,
            finished: self.records.is_over(),
            caught_up: self.records.is_caught_up(),
            file: Some(self.records.fingerprint()?),
            earlier: Vec::new(),
        })
    }

    fn chunk(&mut self, max_rows: usize, name: &str) -> Result<Chunk, ConnectorError> {
        let mut marks = Marks {
            positions: Vec::with_capacity(max_rows),
            lines: Vec::with_capacity(max_rows),
            bad: Vec::new(),
            bytes: 0,
        };
        let then = loop {
            if marks.are_full(max_rows) {
                break Then::More;
            }
            if self.ahead(max_rows, &mut marks) {
                continue;
            }
            match self.records.next()? {
                Found::Pending => break Then::Pending,
                Found::End => break Then::End,
                Found::Record { bytes, .. } if self.header => self.header(bytes, name)?,
                Found::Record { at, bytes, utf8 } => self.record(at, bytes, utf8, &mut marks),
                Found::TooLong { at, bytes } => {
                    let limit = self.records.limit();
                    let message = format!("the row is longer than `line-limit`, {limit} bytes");
                    self.bad(at, bytes, Refusal::new("too-long", message), &mut marks);
                }
                Found::Broken { at, bytes, message } => {
                    self.bad(at, bytes, Refusal::new("cut-short", message), &mut marks);
                }
            }
        };
        let rows = self.columns.take()?;
        let Marks {
            positions,
            lines,
            bad,
            ..
        } = marks;
        Ok(Chunk {
            rows,
            positions,
            lines: Some(lines),
            changes: None,
            bad,
            then,
        })
    }

    /// Takes rows as long as they are good ones of lines whose ends need not be looked for, and says whether there was any.
    fn ahead(&mut self, max_rows: usize, marks: &mut Marks) -> bool {
        let Some((first, lines)) = self.records.ahead(PADDING) else {
            return false;
        };
        let mut at = first;
        let (buffer, limit) = (self.records.buffer(), self.records.limit());
        let mut start = lines.start;
        while start < lines.end && !marks.are_full(max_rows) {
            let text = &buffer[start..];
            let Some((len, decoded)) = self.decoder.decode_ahead(text) else {
                break;
            };
            if len > limit {
                break;
            }
            self.columns.push(decoded.slots, text, decoded.scratch);
            marks.bytes += len;
            marks.positions.push(at.position);
            marks.lines.push(at.line);
            // The newline, or a carriage return and the newline.
            let whole = len + 1 + usize::from(text[len] == b'\r');
            start += whole;
            at.position += whole as u64;
            at.line += 1;
        }
        let taken = at.line - first.line;
        self.records.take(start - lines.start, taken);
        taken > 0
    }

    fn header(&mut self, bytes: Range<usize>, name: &str) -> Result<(), ConnectorError> {
        self.header = false;
        let Decoder::Csv(csv) = &mut self.decoder else {
            return Ok(());
        };
        csv.header(self.records.bytes(bytes))
            .map_err(|refusal| ConnectorError::Data(format!("{name}: {}", refusal.message)))
    }

    #[inline]
    fn record(&mut self, at: Place, bytes: Range<usize>, utf8: bool, marks: &mut Marks) {
        let row = self.records.bytes(bytes.clone());
        marks.bytes += row.len();
        if !utf8 {
            let refusal = not_utf8(row, " of the row");
            return self.bad(at, bytes, refusal, marks);
        }
        let buffer = self.records.buffer();
        match self.decoder.decode_within(buffer, bytes.clone()) {
            Ok(decoded) => {
                self.columns.push(decoded.slots, row, decoded.scratch);
                marks.positions.push(at.position);
                marks.lines.push(at.line);
            }
            Err(refusal) => {
                let quote = refusal.code == "quote";
                let bytes = if quote {
                    self.records.only_first_line(bytes)
                } else {
                    bytes
                };
                self.bad(at, bytes, refusal, marks);
            }
        }
    }

    #[cold]
    fn bad(&mut self, at: Place, bytes: Range<usize>, refusal: Refusal, marks: &mut Marks) {
        let kept = self.records.bytes(bytes);
        marks.bad.push(BadRow {
            before: self.columns.rows(),
            position: at.position,
            line: Some(at.line),
            code: refusal.code,
            message: refusal.message,
            bytes: kept[..kept.len().min(BAD_ROW_BYTES)].to_vec(),
            recorded: None,
        });
    }
}

//! A worker's hand on a sink whose rows are published with checkpoints.
//!
//! ```text
//!  rows -> gathered -> segment (hidden, appended to)         part = segments, published as one file
//!          cut: all is written, the part says how far it counts; complete ones get their names
//! ```
//!
//! Invariants:
//! 1. Taking rows does nothing to the file system but at its beginning: what failed took none of the batch.
//! 2. A cut that failed leaves everything to the next one.
//! 3. A part that is complete is in every cut until it is known to be published.

use std::sync::Arc;

use tidemill_rows::Batch;

use super::Sink;
use super::file::Writing;
use super::ledger::Ledger;
use super::pending::{Cut, Ending, Part, Pending};
use crate::ConnectorError;
use crate::encode::{Encoder, Encoding};

/// So many segments a part has at most (`part-segments`).
const MOST_SEGMENTS: usize = 1000;

/// A worker's parts.
pub(super) struct KeptHand {
    ledger: Arc<Ledger>,
    worker: usize,
    encoder: Encoder,
    /// Of the last part and the last segment.
    numbers: (u64, u64),
    /// Ended segments that are not written out yet, each with the part that it belongs to.
    ended: Vec<(String, Current)>,
    /// Complete, and not known to be published.
    complete: Vec<Part>,
    open: Option<Open>,
}

/// The part that rows are added to.
struct Open {
    part: Part,
    /// Its last segment, if that is written to.
    current: Option<Current>,
}

/// A segment that is written to.
struct Current {
    name: String,
    writing: Writing,
    head: u64,
    rows: u64,
}

impl KeptHand {
    /// A worker's hand, with the part that it takes up.
    pub fn new(ledger: Arc<Ledger>, worker: usize, encoder: Encoder) -> Self {
        let (part, taken) = {
            let mut state = ledger.state();
            (state.taken_up.remove(&worker), state.taken)
        };
        let open = part.map(|part| Open {
            part,
            current: None,
        });
        Self {
            ledger,
            worker,
            encoder,
            numbers: (taken, taken),
            ended: Vec::new(),
            complete: Vec::new(),
            open,
        }
    }

    /// The open part, and the segment that is written to.
    fn current(&mut self) -> Result<(&mut Current, &mut Encoder), ConnectorError> {
        let (part, segment) = &mut self.numbers;
        let open = self.open.get_or_insert_with(|| {
            *part += 1;
            Open {
                part: self.ledger.part(self.worker, *part),
                current: None,
            }
        });
        if open.current.is_none() {
            *segment += 1;
            let (name, mut writing) = self.ledger.segment(self.worker, *segment);
            self.encoder.begin(writing.buffer())?;
            let head = match self.ledger.format {
                // What of Parquet stands before the rows means nothing by itself.
                Encoding::Parquet => 0,
                _ => writing.bytes(),
            };
            open.current = Some(Current {
                name,
                writing,
                head,
                rows: 0,
            });
        }
        let broken = || ConnectorError::Internal("a segment that was begun is not there".into());
        let current = open.current.as_mut().ok_or_else(broken)?;
        Ok((current, &mut self.encoder))
    }

    /// Takes rows that all belong to one part.
    fn append(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        let (current, encoder) = self.current()?;
        encoder.rows(batch, current.writing.buffer())?;
        current.rows += batch.len() as u64;
        let bytes = current.writing.bytes() + self.encoder.held() as u64;
        let before = self.open.as_ref().map_or(0, |open| open.part.bytes());
        if self.room() == 0 || before + bytes >= self.ledger.roll.bytes {
            self.complete()?;
        }
        Ok(())
    }

    /// How many rows the open part can still take.
    fn room(&self) -> u64 {
        let rows = self.open.as_ref().map_or(0, Open::rows);
        self.ledger.roll.rows.saturating_sub(rows)
    }

    /// Ends the segment that is written to: in memory, it is written out later.
    fn end_segment(&mut self) -> Result<(), ConnectorError> {
        if let Some(open) = &mut self.open
            && let Some(mut current) = open.current.take()
        {
            self.encoder.end(current.writing.buffer())?;
            self.ended.push((open.part.id.clone(), current));
        }
        Ok(())
    }

    /// Ends the open part.
    fn complete(&mut self) -> Result<(), ConnectorError> {
        self.end_segment()?;
        self.complete.extend(self.open.take().map(|open| open.part));
        Ok(())
    }

    /// Writes out all segments that have ended, and adds them to their parts.
    fn write_ended(&mut self) -> Result<(), ConnectorError> {
        for (_, current) in &mut self.ended {
            current.writing.flush()?;
        }
        for (id, current) in self.ended.drain(..) {
            let open = self.open.iter_mut().map(|open| &mut open.part);
            let part = self
                .complete
                .iter_mut()
                .chain(open)
                .find(|part| part.id == id);
            if let (Some(part), Some(segment)) = (part, self.ledger.written(&current.parts())) {
                part.segments.push(segment);
            }
        }
        Ok(())
    }

    /// Ends what a cut ends.
    fn end_for(&mut self, cut: &Cut) -> Result<(), ConnectorError> {
        let ledger = self.ledger.clone();
        let one_file = ledger.one_file();
        let last = cut.ending == Ending::Everything;
        if last && one_file && self.worker == 0 && self.open.is_none() && self.complete.is_empty() {
            // The file is there at the end, also without rows.
            self.current()?;
        }
        let Some(open) = &self.open else {
            return Ok(());
        };
        let many = !one_file && open.part.segments.len() >= MOST_SEGMENTS;
        let old = ledger
            .roll
            .is_old(open.part.begun_ms, ledger.effects.now_ms());
        let ends = last || cut.ending == Ending::Parts && !one_file;
        if ends || many || old || self.room() == 0 {
            self.complete()
        } else if ledger.format == Encoding::Parquet {
            self.end_segment()
        } else {
            Ok(())
        }
    }
}

impl Open {
    fn rows(&self) -> u64 {
        self.part.rows() + self.current.as_ref().map_or(0, |current| current.rows)
    }
}

/// What is known of a segment: its name, its file, how many bytes are a header, how many rows.
pub(super) type Parts<'a> = (&'a str, &'a Writing, u64, u64);

impl Current {
    fn parts(&self) -> Parts<'_> {
        (&self.name, &self.writing, self.head, self.rows)
    }
}

impl Sink for KeptHand {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.ledger.sound()?;
        self.write_ended()?;
        if let Some(current) = self.open.as_mut().and_then(|open| open.current.as_mut()) {
            current.writing.settle()?;
        }
        let mut from = 0;
        while from < batch.len() {
            let room = usize::try_from(self.room()).unwrap_or(usize::MAX);
            let len = (batch.len() - from).min(room);
            self.append(&batch.slice(from, len))?;
            from += len;
        }
        self.ledger.count(batch.len());
        Ok(())
    }

    /// Nothing is read before it is published: nothing is in a hurry.
    fn flush(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn cut(&mut self, cut: &Cut) -> Result<Pending, ConnectorError> {
        self.ledger.sound()?;
        self.end_for(cut)?;
        self.write_ended()?;
        let mut open = None;
        if let Some(Open { part, current }) = &mut self.open {
            let mut part = part.clone();
            if let Some(current) = current {
                current.writing.flush()?;
                part.segments.extend(self.ledger.written(&current.parts()));
            }
            open = Some(part);
        }
        let ledger = &self.ledger;
        self.complete
            .retain(|part| !ledger.forget_published(&part.id));
        for part in &mut self.complete {
            let name = || self.ledger.published_name(cut, &part.id);
            part.publish.get_or_insert_with(name);
        }
        let parts = self.complete.iter().cloned().chain(open);
        Ok(Pending {
            parts: parts.collect(),
        })
    }

    /// The last cut has ended everything; what it did not see is nobody's.
    fn finish(self: Box<Self>) -> Result<(), ConnectorError> {
        Ok(())
    }
}

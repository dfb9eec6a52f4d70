//! A source on one worker: reads its splits in reading order, gives every row its stamp and W, and counts bad rows.
//!
//! Ports: 0 rows, 1 failed rows.

pub mod alignment;
pub mod assemble;
pub mod custom;
mod ending;
mod finding;
mod parts;
pub mod prepare;
mod saving;
mod telling;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use tidemill_connectors::{Chunk, ConnectorError, Later, Split, Then};
use tidemill_core::clock::{SourceClock, SplitState};
use tidemill_core::time;
use tidemill_rows::{Batch, Origin, RowTimes};

use self::alignment::Aligned;
use self::assemble::Run;
use self::custom::Custom;
pub use self::parts::SourceParts;
use self::prepare::{EventTime, Prepared, Reader, Timing};
use self::saving::Begin;
use self::telling::Told;
use crate::blame::Blame;
use crate::checkpoint::AtEnd;
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::{FailedRow, failed_batch};
use crate::metrics::{Counters, add};

/// Port of failed rows.
pub const FAILED: usize = 1;

/// What a turn at a source came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something was read.
    Read,
    /// Nothing is there just now.
    Pending,
    /// The input has ended, and the end has been given.
    Ended,
}

/// A split and what was read of it ahead.
struct Reading {
    name: u32,
    split: Box<dyn Split>,
    /// Index of its chunk among `chunks`, and the first row that was not given yet.
    chunk: Option<(usize, usize)>,
    then: Then,
    finished: bool,
    /// The largest time of its rows, as `max-jump` sees it and as lateness is measured.
    largest: i64,
    newest: i64,
    /// Where its chunk begins, if checkpoints are taken.
    begin: Option<Begin>,
}

/// A source on one worker.
pub struct Source {
    clock: SourceClock,
    splits: Vec<Reading>,
    names: Arc<[Arc<str>]>,
    later: Option<Later>,
    aligned: Option<Aligned>,
    custom: Option<Custom>,
    timing: Timing,
    bounded: bool,
    batch_rows: usize,
    chunk_rows: usize,
    blame: Blame,
    counters: Arc<Counters>,
    profile: bool,
    /// Whether checkpoints are taken.
    is_cut: bool,
    /// What was read and not yet given whole.
    chunks: Vec<Prepared>,
    runs: Vec<Run>,
    passed_on: i64,
    idle: bool,
    told: Told,
    /// Where a live source with several splits goes on looking.
    next: usize,
    ended: bool,
    at_end: AtEnd,
}

impl Source {
    /// Whether there is a split on this worker that may have rows.
    pub fn has_splits(&self) -> bool {
        self.splits.iter().any(|split| !split.finished)
    }

    /// Raises the watermark of one of its splits by hand; it is passed on in the next turn.
    pub fn raise(&mut self, split: usize, w: i64) {
        self.clock.raise(split, w);
    }

    /// Reads one batch, if there is one, and passes the watermark on. `now` is the clock, in microseconds.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn turn(&mut self, now: i64, out: &mut Output) -> Result<Turn, EngineError> {
        if self.ended {
            return Ok(Turn::Ended);
        }
        self.find_splits()?;
        let (mut stamps, mut w) = (Vec::new(), Vec::new());
        let read = if self.bounded {
            self.read_in_order(now, (&mut stamps, &mut w), out)?
        } else {
            self.read_what_is_there(now, (&mut stamps, &mut w), out)?
        };
        if !self.runs.is_empty() {
            let batch = self.batch(stamps, w);
            add(&self.counters.rows_out, batch.len() as u64);
            out.rows(0, batch);
        }
        self.clock.tick(now);
        self.align();
        self.pass_on(out);
        self.tell(now);
        if self.is_over() {
            self.end(out);
            return Ok(Turn::Ended);
        }
        Ok(if read { Turn::Read } else { Turn::Pending })
    }

    /// Bounded: always the unfinished split of lowest watermark (semantics, Watermarks 7).
    fn read_in_order(
        &mut self,
        now: i64,
        (stamps, w): (&mut Vec<i64>, &mut Vec<i64>),
        out: &mut Output,
    ) -> Result<bool, EngineError> {
        let mut read = false;
        while stamps.len() < self.batch_rows {
            // Where the slowest waits for other workers, all wait.
            let next = self.clock.next_split();
            let Some(split) = next.filter(|&split| !self.is_paused(split)) else {
                break;
            };
            let Some((chunk, from)) = self.splits[split].chunk else {
                if !self.fill(split, now, out)? && self.splits[split].then == Then::Pending {
                    break;
                }
                read = true;
                if self.splits[split].chunk.is_none() && self.splits[split].then == Then::End {
                    self.finish(split);
                }
                continue;
            };
            let left = self.chunks[chunk].len() - from;
            let most = left.min(self.batch_rows - stamps.len());
            let times = &self.chunks[chunk].for_clock()[from..from + most];
            let taken = self.clock.take(split, times, stamps, w);
            self.gave(split, (chunk, from), taken);
            read = true;
        }
        Ok(read)
    }

    /// Live: whatever any split has, each in its turn.
    fn read_what_is_there(
        &mut self,
        now: i64,
        (stamps, w): (&mut Vec<i64>, &mut Vec<i64>),
        out: &mut Output,
    ) -> Result<bool, EngineError> {
        for i in 0..self.splits.len() {
            let split = (self.next + i) % self.splits.len();
            if self.splits[split].finished || self.is_paused(split) {
                continue;
            }
            if self.splits[split].chunk.is_none() && !self.fill(split, now, out)? {
                if self.splits[split].then == Then::End {
                    self.finish(split);
                }
                continue;
            }
            let (chunk, from) = self.splits[split]
                .chunk
                .expect("a filled split has a chunk");
            let times = &self.chunks[chunk].for_clock()[from..];
            let rows = match &self.aligned {
                None => {
                    self.clock.accept(split, times, stamps, w);
                    times.len()
                }
                Some(aligned) => {
                    let limit = self.clock.limit(aligned.max_drift(), aligned.elsewhere());
                    self.clock.accept_up_to((split, limit), times, stamps, w)
                }
            };
            self.gave(split, (chunk, from), rows);
            if self.splits[split].chunk.is_none() && self.splits[split].then == Then::Pending {
                // It has given all that it had.
                self.clock.silent(split, now);
            }
            self.next = split + 1;
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads a chunk of a split. Whether it brought a good row.
    fn fill(&mut self, split: usize, now: i64, out: &mut Output) -> Result<bool, EngineError> {
        if self.splits[split].then == Then::End {
            return Ok(false);
        }
        if self.is_cut {
            self.begin(split, now);
        }
        let reading = &mut self.splits[split];
        let started = self.profile.then(Instant::now);
        let chunk = match reading.split.read(self.chunk_rows) {
            Ok(chunk) => chunk,
            Err(error) => return Err(self.unreadable(error)),
        };
        if let Some(started) = started {
            add(
                &self.counters.decode_ns,
                started.elapsed().as_nanos() as u64,
            );
        }
        reading.then = chunk.then;
        if chunk.rows.num_rows() == 0 && chunk.bad.is_empty() {
            if chunk.then == Then::Pending {
                self.clock.silent(split, now);
            }
            return Ok(false);
        }
        let read = chunk.rows.num_rows() + chunk.bad.len();
        add(&self.counters.rows_in, read as u64);
        reading.has_read(read);
        let (prepared, failed) = self.judge((split, now), chunk)?;
        let reading = &mut self.splits[split];
        if prepared.len() > 0 {
            if matches!(self.timing.event_time, EventTime::Columns(_)) {
                let watch = &self.counters.watch;
                watch.observe(&mut reading.newest, &prepared.times);
            }
            reading.chunk = Some((self.chunks.len(), 0));
            self.chunks.push(prepared);
        } else {
            self.clock.heard(split);
        }
        self.fail(failed, out)?;
        Ok(self.splits[split].chunk.is_some())
    }

    /// Sets the bad rows of a chunk apart that was read at `now`, and asks for the watermarks of the others where a function
    /// makes them.
    fn judge(
        &mut self,
        (split, now): (usize, i64),
        chunk: Chunk,
    ) -> Result<(Prepared, Vec<FailedRow>), EngineError> {
        let reading = &mut self.splits[split];
        let name = &self.names[reading.name as usize];
        let mut reader = Reader {
            split: name,
            now,
            largest: &mut reading.largest,
        };
        let (prepared, mut failed) = self.timing.prepare(chunk, &mut reader, &self.blame);
        match &mut self.custom {
            Some(custom) if prepared.len() > 0 => {
                let (taken, refused) = custom.observe((split, name), prepared)?;
                failed.extend(refused);
                Ok((taken, failed))
            }
            _ => Ok((prepared, failed)),
        }
    }

    fn unreadable(&self, source: ConnectorError) -> EngineError {
        EngineError::Connector {
            name: format!("source {}", self.blame.operator),
            source,
        }
    }

    fn fail(&mut self, failed: Vec<FailedRow>, out: &mut Output) -> Result<(), EngineError> {
        if failed.is_empty() {
            return Ok(());
        }
        add(&self.counters.failed, failed.len() as u64);
        let letters = self.blame.policy.apply(failed)?;
        out.rows(FAILED, failed_batch(&letters, self.passed_on));
        Ok(())
    }

    /// Notes that rows of a chunk are in the batch now.
    fn gave(&mut self, split: usize, (chunk, from): (usize, usize), rows: usize) {
        let name = self.splits[split].name;
        match self.runs.last_mut() {
            Some(run) if run.chunk == chunk && run.from + run.len == from => run.len += rows,
            _ => self.runs.push(Run {
                chunk,
                split: name,
                from,
                len: rows,
            }),
        }
        let left = from + rows < self.chunks[chunk].len();
        self.splits[split].chunk = left.then_some((chunk, from + rows));
    }

    fn finish(&mut self, split: usize) {
        self.splits[split].finished = true;
        self.clock.finish(split);
    }

    /// The batch of the runs; chunks that are given whole are let go.
    fn batch(&mut self, stamps: Vec<i64>, w: Vec<i64>) -> Batch {
        let (chunks, runs) = (&self.chunks, &self.runs);
        let with_lines = chunks.iter().all(|chunk| chunk.lines.is_some());
        let split = runs
            .iter()
            .flat_map(|run| std::iter::repeat_n(run.split, run.len));
        let position = assemble::carried(chunks, runs, |chunk| &chunk.positions);
        let origin = Origin::new(self.names.clone(), split.collect(), position);
        let line = with_lines.then(|| {
            assemble::carried(chunks, runs, |chunk| {
                chunk.lines.as_ref().expect("all chunks have lines")
            })
        });
        let with_changes = chunks.iter().all(|chunk| chunk.changes.is_some());
        let changes = with_changes.then(|| {
            assemble::carried(chunks, runs, |chunk| {
                chunk.changes.as_ref().expect("all chunks have changes")
            })
        });
        let columns = assemble::columns(chunks, runs);
        let times = match self.timing.whole_column(&columns) {
            Some(times) => times,
            None => assemble::carried(chunks, runs, |chunk| &chunk.times),
        };
        let largest = times.iter().copied().max().unwrap_or(time::MIN);
        self.counters.largest.fetch_max(largest, Relaxed);
        let w = (w != stamps).then(|| w.into());
        let batch = Batch {
            columns,
            times: RowTimes {
                times,
                stamps: stamps.into(),
                w,
            },
            changes,
            origin: Some(origin.with_lines(line)),
        };
        self.runs.clear();
        self.let_go();
        batch
    }

    /// Forgets chunks that no split reads from any more.
    fn let_go(&mut self) {
        let mut kept = Vec::new();
        for reading in &mut self.splits {
            if let Some((chunk, from)) = reading.chunk {
                kept.push(self.chunks[chunk].clone());
                reading.chunk = Some((kept.len() - 1, from));
            }
        }
        self.chunks = kept;
    }

    /// Only splits that are aligned are ever paused; asked for every row where splits take turns.
    #[inline]
    fn is_paused(&self, split: usize) -> bool {
        self.aligned.is_some() && self.clock.state(split) == SplitState::Paused
    }

    /// Lets splits that are ahead wait for those that are not, on whichever worker.
    fn align(&mut self) {
        if let Some(aligned) = &self.aligned {
            self.clock.align(aligned.max_drift(), aligned.elsewhere());
            let waits = (0..self.splits.len()).any(|split| self.is_paused(split));
            aligned.say(self.clock.slowest(), waits);
            if waits {
                // Whoever has moved before it could know that somebody waits wakes nobody.
                self.clock.align(aligned.max_drift(), aligned.elsewhere());
            }
        }
    }

    /// For this long nothing could be delivered.
    pub fn blocked(&mut self, from: i64, to: i64) {
        for split in 0..self.splits.len() {
            self.clock.not_deliverable(split, from, to);
        }
    }
}

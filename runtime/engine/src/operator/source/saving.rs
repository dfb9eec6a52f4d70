//! What a source keeps on one worker, for a cut, and going on from one.
//!
//! Of rows that were read and not given, the place where their chunk begins is kept, and how it was judged: after a restart
//! the chunk is read again and judged as it was, what was given of it and its bad rows left out. So nothing of a row itself
//! is kept, and its columns may change.

use tidemill_connectors::Position;
use tidemill_core::clock::{SavedSplit, SourceClock, SplitState};
use tidemill_wasm::Table;

use super::prepare::Prepared;
use super::{Reading, Source};
use crate::checkpoint::changes::StateChange;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::kept::{ChunkKept, Doing, SourceKept, SplitKept};
use crate::error::EngineError;

/// Where a chunk begins, and how it was judged.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    position: Position,
    largest: i64,
    custom: Option<Table>,
    now: i64,
    records: u64,
}

impl Source {
    /// Notes where the next chunk of a split begins.
    pub(super) fn begin(&mut self, split: usize, now: i64) {
        let reading = &self.splits[split];
        let begin = Begin {
            position: reading.split.position(),
            largest: reading.largest,
            custom: self.custom_state(split),
            now,
            records: 0,
        };
        self.splits[split].begin = Some(begin);
    }

    fn custom_state(&self, split: usize) -> Option<Table> {
        let custom = self.custom.as_ref()?;
        custom.states.get(split)?.clone()
    }

    /// Everything that is kept, as of a barrier.
    pub fn kept(&self) -> SourceKept {
        SourceKept {
            passed_on: self.passed_on,
            splits: (0..self.splits.len())
                .map(|split| self.split_kept(split))
                .collect(),
        }
    }

    fn split_kept(&self, split: usize) -> SplitKept {
        let reading = &self.splits[split];
        let saved = self.clock.save(split);
        // What has been given whole needs no reading again: the next chunk begins where the split stands.
        let at_hand = reading.chunk.zip(reading.begin.as_ref());
        let (position, largest, custom, chunk) = match at_hand {
            Some(((_, given), begin)) => {
                let chunk = ChunkKept {
                    records: begin.records,
                    given: given as u64,
                    now: begin.now,
                };
                let position = begin.position.clone();
                (position, begin.largest, begin.custom.clone(), Some(chunk))
            }
            None => {
                let custom = self.custom_state(split);
                (reading.split.position(), reading.largest, custom, None)
            }
        };
        SplitKept {
            name: self.names[reading.name as usize].to_string(),
            watermark: saved.watermark,
            doing: match saved.state {
                SplitState::Active | SplitState::Paused => Doing::Active,
                SplitState::Idle => Doing::Idle,
                SplitState::Finished => Doing::Finished,
            },
            counts: saved.counts,
            largest,
            custom: custom.map(Into::into),
            position,
            chunk,
            newest: reading.newest,
        }
    }

    /// Makes of what was kept what it would have kept as it is now.
    ///
    /// # Errors
    /// If the function that makes watermarks cannot be called; within, if something that was kept has no place.
    pub fn migrate(
        &mut self,
        kept: &mut [SourceKept],
        change: &StateChange,
    ) -> Result<Result<(), Unfit>, EngineError> {
        let (Some(change), Some(custom)) = (&change.accumulator, &mut self.custom) else {
            return Ok(Ok(()));
        };
        let fresh = custom.guest.create();
        let fresh = fresh.map_err(|error| custom.blame.call(error))?;
        for split in kept.iter_mut().flat_map(|kept| &mut kept.splits) {
            let Some(state) = split.custom.take() else {
                continue;
            };
            match change.table(state.into(), Some(&fresh)) {
                Ok(state) => split.custom = Some(state.into()),
                Err(unfit) => return Ok(Err(unfit)),
            }
        }
        Ok(Ok(()))
    }

    /// Goes on from what was kept of its splits, on whichever workers. Nothing has been read.
    ///
    /// # Errors
    /// If rows that were read before cannot be read again.
    pub fn restore(&mut self, kept: &[SourceKept]) -> Result<(), EngineError> {
        let passed_on = kept.iter().map(|kept| kept.passed_on).min();
        let passed_on = passed_on.unwrap_or(tidemill_core::time::MIN);
        let all: Vec<&SplitKept> = kept.iter().flat_map(|kept| &kept.splits).collect();
        let mut saved = Vec::new();
        for split in 0..self.splits.len() {
            let name = &self.names[self.splits[split].name as usize];
            let kept = all.iter().find(|kept| *kept.name == **name);
            if let Some(kept) = kept {
                self.restore_split(split, kept)?;
            }
            let finished = self.splits[split].finished;
            saved.push(kept.map(|kept| kept.clock(finished, passed_on)));
        }
        self.clock = SourceClock::restored(self.clock.config(), &saved, passed_on);
        Ok(())
    }

    fn restore_split(&mut self, split: usize, kept: &SplitKept) -> Result<(), EngineError> {
        let reading = &mut self.splits[split];
        (reading.largest, reading.newest) = (kept.largest, kept.newest);
        // What had been read to its end may have grown since.
        let over = reading.split.position().is_finished();
        reading.finished = kept.doing == Doing::Finished && over;
        if let Some(custom) = &mut self.custom {
            if custom.states.len() <= split {
                custom.states.resize(split + 1, None);
            }
            custom.states[split] = kept.custom.clone().map(Into::into);
        }
        match kept.chunk {
            Some(chunk) => self.read_again(split, chunk),
            None => Ok(()),
        }
    }

    /// Reads a chunk again of which some rows were not given.
    fn read_again(&mut self, split: usize, kept: ChunkKept) -> Result<(), EngineError> {
        self.begin(split, kept.now);
        let mut pieces: Vec<Prepared> = Vec::new();
        let mut left = kept.records;
        while left > 0 {
            let reading = &mut self.splits[split];
            let chunk = match reading.split.read(left as usize) {
                Ok(chunk) => chunk,
                Err(error) => return Err(self.unreadable(error)),
            };
            reading.then = chunk.then;
            let records = (chunk.rows.num_rows() + chunk.bad.len()) as u64;
            if records == 0 {
                // It was there before; a live source may need a moment to bring it again.
                std::thread::yield_now();
                continue;
            }
            left -= records.min(left);
            let (prepared, _) = self.judge((split, kept.now), chunk)?;
            pieces.push(prepared);
        }
        let reading = &mut self.splits[split];
        if let Some(begin) = &mut reading.begin {
            begin.records = kept.records;
        }
        let whole = Prepared::concat(pieces);
        if whole.len() > kept.given as usize {
            reading.chunk = Some((self.chunks.len(), kept.given as usize));
            self.chunks.push(whole);
        }
        Ok(())
    }
}

impl Reading {
    /// Notes how many records the chunk has that begins where was noted.
    pub(super) fn has_read(&mut self, records: usize) {
        if let Some(begin) = &mut self.begin {
            begin.records = records as u64;
        }
    }
}

impl SplitKept {
    /// Where it stands, `finished` or not any more. One that begins again counts as one that was idle does.
    fn clock(&self, finished: bool, passed_on: i64) -> SavedSplit {
        let begins_again = self.doing == Doing::Finished && !finished;
        SavedSplit {
            watermark: self.watermark,
            state: match self.doing {
                Doing::Finished if finished => SplitState::Finished,
                Doing::Active | Doing::Finished => SplitState::Active,
                Doing::Idle => SplitState::Idle,
            },
            counts: self.counts || begins_again && self.watermark >= passed_on,
        }
    }
}

//! Operators that work by the clock (`time = "processing"`; semantics, Rows 3).
//!
//! Such an operator takes its rows as rows of a source that it is itself: their time is the clock as it takes them, and its
//! watermark follows the clock, just short of it, because another row of the same moment may come. What its inputs say of
//! their watermarks is nothing to it; their end is.

use tidemill_core::time;
use tidemill_rows::{Batch, RowTimes};

use super::{Node, Step, WorkTime};
use crate::error::EngineError;
use crate::event::{Event, Output};

/// While nothing is due, W follows the clock in steps of so many microseconds: those behind need not be told more often.
const STEP: i64 = 10_000;

impl Node {
    /// Takes an event at `now`.
    pub(super) fn take_by_clock(
        &mut self,
        event: Event,
        now: i64,
        out: &mut Output,
    ) -> Result<(), EngineError> {
        match event {
            Event::Combined(combined) => {
                let rows = Event::Rows(combined.into_rows());
                return self.take_by_clock(rows, now, out);
            }
            Event::Rows(batch) => {
                self.follow(now);
                let batch = self.at_this_moment(batch, now);
                self.steps.push_back(Step::Rows(batch));
            }
            Event::Watermark(_) | Event::Idle(_) => {}
            Event::Barrier(at) => self.meet(at),
            Event::End => {
                self.closed_inputs += 1;
                self.close();
            }
            Event::Rest => {
                self.closed_inputs += 1;
                self.rests = true;
                self.close();
            }
            Event::Stop => {
                self.closed_inputs += 1;
                self.stopped = true;
                self.close();
            }
        }
        self.step(out)
    }

    fn at_this_moment(&self, mut batch: Batch, now: i64) -> Batch {
        let rows = batch.len();
        let all = |value: i64| std::iter::repeat_n(value, rows).collect();
        batch.times = RowTimes {
            times: all(now),
            stamps: all(self.watermark),
            w: None,
        };
        batch
    }

    /// It is `now`: lets the watermark follow, if something is due or it lags.
    pub(super) fn tick(&mut self, now: i64, out: &mut Output) -> Result<(), EngineError> {
        if self.closed_inputs == self.input_count {
            return Ok(());
        }
        self.operator.clock(now, out)?;
        if self.time == WorkTime::Event {
            return Ok(());
        }
        let w = now - 1;
        let lags = self.watermark == time::MIN || w - self.watermark >= STEP;
        if lags || self.operator.next_due().is_some_and(|due| due <= w) {
            self.follow(now);
        }
        self.step(out)
    }

    fn follow(&mut self, now: i64) {
        let w = now - 1;
        if w > self.watermark {
            self.rise(w);
            let passed = time::back(w, self.operator.hold());
            self.steps.push_back(Step::Tell(Event::Watermark(passed)));
        }
    }

    /// The moment at which the clock makes something due.
    pub(super) fn next_due(&self) -> Option<i64> {
        if self.closed_inputs == self.input_count {
            return None;
        }
        let due = match self.time {
            WorkTime::Event => None,
            _ => self.operator.next_due().and_then(|due| due.checked_add(1)),
        };
        due.into_iter().chain(self.operator.next_tick()).min()
    }
}

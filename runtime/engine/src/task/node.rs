//! An operator or sink of a task: what events make it do, and its watermark.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use tidemill_core::clock::InputClock;
use tidemill_core::time;
use tidemill_rows::Batch;

use super::Routes;
use crate::checkpoint::StationCut;
use crate::checkpoint::cut::{At, Kept};
use crate::checkpoint::kept::NodeKept;
use crate::combine::Combined;
use crate::error::EngineError;
use crate::event::{Event, Output};
use crate::metrics::{Counters, add};
use crate::operator::Operator;

/// An operator or sink, and what is known of its inputs.
pub struct Node {
    /// Index of its station in the plan.
    pub station: usize,
    /// What it does.
    pub operator: Box<dyn Operator>,
    /// Its inputs' watermarks.
    pub inputs: InputClock,
    /// How many inputs it has.
    pub input_count: usize,
    /// Where its output goes.
    pub routes: Routes,
    /// Its counters on this worker.
    pub counters: Arc<Counters>,
    /// Its watermark.
    pub watermark: i64,
    /// How many of its inputs have said that nothing more comes.
    pub closed_inputs: usize,
    /// Whether one of them was stopped rather than at its end.
    pub stopped: bool,
    /// Whether one of them has an end that is none for good.
    pub rests: bool,
    /// Whether it has passed on that none of its inputs counts.
    pub idle: bool,
    /// Whose time it works in.
    pub time: WorkTime,
    /// What is left to be done about the event at hand.
    pub steps: VecDeque<Step>,
    /// The barrier that has come on some inputs, and on how many.
    pub barrier: Option<(At, usize)>,
    /// What it kept at the cut at hand.
    pub cut: Option<StationCut>,
}

/// Whose time an operator works in (semantics, Rows 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkTime {
    /// That of its rows and inputs.
    #[default]
    Event,
    /// The clock's, as it takes rows.
    Processing,
}

/// One thing that an event makes an operator do. The output of any may be interrupted.
pub enum Step {
    /// Its watermark has risen; to [`time::MAX`] in the end round.
    Advance(i64),
    /// Takes rows.
    Rows(Batch),
    /// Tells everyone behind it.
    Tell(Event),
    /// Says what it keeps.
    Cut(At),
    /// Nothing more comes.
    Finish,
}

impl Node {
    /// Takes an event at `now`.
    pub(super) fn take(
        &mut self,
        input: usize,
        event: Event,
        now: i64,
        out: &mut Output,
    ) -> Result<(), EngineError> {
        let started = Instant::now();
        let done = match self.time {
            WorkTime::Event => self.take_event(input, event, out),
            WorkTime::Processing => self.take_by_clock(event, now, out),
        };
        add(&self.counters.busy_ns, started.elapsed().as_nanos() as u64);
        done
    }

    /// Goes on with an event whose output was interrupted.
    pub(super) fn go_on(&mut self, out: &mut Output) -> Result<(), EngineError> {
        let started = Instant::now();
        let done = self.operator.go_on(out).and_then(|()| self.step(out));
        add(&self.counters.busy_ns, started.elapsed().as_nanos() as u64);
        done
    }

    fn take_event(
        &mut self,
        input: usize,
        event: Event,
        out: &mut Output,
    ) -> Result<(), EngineError> {
        match event {
            Event::Rows(batch) => {
                let batch = self.with_w(input, batch);
                return self.operator.rows(batch, out);
            }
            Event::Combined(combined) => self.take_combined(input, *combined, out)?,
            Event::Watermark(w) => {
                self.inputs.set(input, w);
                self.pass_on();
            }
            Event::Idle(w) => {
                self.inputs.idle(input, w);
                self.pass_on();
            }
            Event::Barrier(at) => self.meet(at),
            Event::End => {
                self.closed_inputs += 1;
                self.inputs.finish(input);
                self.pass_on();
                self.close();
            }
            Event::Rest => {
                self.closed_inputs += 1;
                self.rests = true;
                self.inputs.finish(input);
                self.pass_on();
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

    /// A barrier has come on one more input.
    pub(super) fn meet(&mut self, at: At) {
        let (_, met) = self.barrier.unwrap_or((at, 0));
        self.barrier = Some((at, met + 1));
        self.align();
    }

    /// Once the barrier has come on every input that is open, this is the moment of the cut.
    fn align(&mut self) {
        if let Some((at, met)) = self.barrier
            && met + self.closed_inputs >= self.input_count
        {
            self.barrier = None;
            self.steps.push_back(Step::Cut(at));
            self.steps.push_back(Step::Tell(Event::Barrier(at)));
        }
    }

    /// What it keeps now, and what it has counted.
    pub(super) fn kept(&mut self, at: At) -> Result<StationCut, EngineError> {
        let kept = NodeKept {
            watermark: self.watermark,
            operator: self.operator.cut(&at)?,
        };
        Ok(StationCut {
            kept: Kept::Node(kept),
            counts: self.counters.counts(),
        })
    }

    /// Whether nothing more comes to it.
    pub(super) fn is_closed(&self) -> bool {
        self.closed_inputs == self.input_count
    }

    /// Tells those behind it where it stands, after a restart.
    pub(super) fn announce(&mut self, out: &mut Output) {
        if self.watermark != time::MIN {
            let passed = time::back(self.watermark, self.operator.hold());
            out.all(Event::Watermark(passed));
        }
    }

    /// Takes what was added up first: no window that it belongs to is due before the last of the rows.
    fn take_combined(
        &mut self,
        input: usize,
        mut combined: Combined,
        out: &mut Output,
    ) -> Result<(), EngineError> {
        let partials = &mut combined.partials;
        partials.rows = self.with_w(input, partials.rows.clone());
        let rows = if self.operator.partials(partials, out)? {
            combined.rest
        } else {
            combined.into_rows()
        };
        if !rows.is_empty() {
            let rows = self.with_w(input, rows);
            self.steps.push_back(Step::Rows(rows));
        }
        Ok(())
    }

    /// W at each row over all inputs (semantics, Watermarks 10).
    fn with_w(&self, input: usize, mut batch: Batch) -> Batch {
        if self.input_count > 1 {
            let mut w = batch.times.w().to_vec();
            self.inputs.w_at_rows(input, &mut w);
            batch.times.w = Some(w.into());
        }
        batch
    }

    /// Rises to what the inputs allow, and says so to those behind; also where it begins or ends to count for them.
    fn pass_on(&mut self) {
        let (w, idle) = (self.inputs.watermark(), self.inputs.is_left_out());
        let rises = w > self.watermark && w != time::MAX;
        if rises {
            self.rise(w);
        }
        if rises || idle != self.idle {
            self.idle = idle;
            let passed = time::back(self.watermark, self.operator.hold());
            self.steps.push_back(Step::Tell(if idle {
                Event::Idle(passed)
            } else {
                Event::Watermark(passed)
            }));
        }
    }

    pub(super) fn rise(&mut self, w: i64) {
        self.watermark = w;
        self.counters.watermark.store(w, Relaxed);
        self.steps.push_back(Step::Advance(w));
    }

    /// Passes the end on once every input has ended: after the end round, unless the pipeline is stopping.
    pub(super) fn close(&mut self) {
        if self.closed_inputs < self.input_count {
            return self.align();
        }
        self.counters.ended.store(true, Relaxed);
        if self.stopped {
            self.steps.push_back(Step::Tell(Event::Stop));
        } else if self.rests {
            self.steps.push_back(Step::Tell(Event::Rest));
        } else {
            let end_round = [Step::Advance(time::MAX), Step::Tell(Event::End)];
            self.steps.extend(end_round);
        }
        self.steps.push_back(Step::Finish);
    }

    /// Takes the steps that are left of an event, until the output is interrupted.
    pub(super) fn step(&mut self, out: &mut Output) -> Result<(), EngineError> {
        while !out.unfinished
            && let Some(step) = self.steps.pop_front()
        {
            match step {
                Step::Advance(w) => self.operator.advance(w, out)?,
                Step::Rows(batch) => self.operator.rows(batch, out)?,
                Step::Tell(event) => out.all(event),
                Step::Cut(at) => self.cut = Some(self.kept(at)?),
                Step::Finish => self.operator.finish()?,
            }
        }
        Ok(())
    }
}

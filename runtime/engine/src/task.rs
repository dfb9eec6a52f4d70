//! A task: the operators of a pipeline on one worker, with their watermarks. Adjacent operators without an exchange between
//! them are a chain: function calls, no queue.
//!
//! Invariants:
//! 1. What an operator gives for one event has reached everything behind it before the next event is taken.
//! 2. An operator's watermark never falls, and is passed on after everything that it caused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use tidemill_core::clock::InputClock;
use tidemill_core::time;
use tidemill_rows::Batch;

use crate::error::EngineError;
use crate::event::{Event, Output, Port};
use crate::exchange::Outlet;
use crate::metrics::{Counters, add};
use crate::operator::Operator;
use crate::operator::source::{Source, Turn};

/// Where the events of an output port go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To an operator of the same worker.
    Local {
        /// Index among the task's nodes.
        node: usize,
        /// Which of its inputs.
        input: usize,
    },
    /// To an exchange; what is for this worker comes back as this input of this node.
    Exchange {
        /// Index among the task's outlets.
        outlet: usize,
        /// Index among the task's nodes.
        node: usize,
        /// Which of its inputs.
        input: usize,
    },
}

/// The routes of an operator: per output port, everyone who takes it.
pub type Routes = Vec<Vec<Route>>;

/// An operator or sink, and what is known of its inputs.
pub struct Node {
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
    /// Whether it has passed on that all its inputs are idle.
    pub idle: bool,
    /// What is left to be done about the event at hand.
    pub steps: VecDeque<Step>,
}

/// One thing that an event makes an operator do. The output of any may be interrupted.
#[expect(
    clippy::large_enum_variant,
    reason = "there are a few of them at a time"
)]
pub enum Step {
    /// Its watermark has risen; to [`time::MAX`] in the end round.
    Advance(i64),
    /// Tells everyone behind it.
    Tell(Event),
    /// Nothing more comes.
    Finish,
}

/// A source, and where its output goes.
pub struct SourceNode {
    /// What it does.
    pub source: Source,
    /// Where its output goes.
    pub routes: Routes,
    /// Its counters on this worker.
    pub counters: Arc<Counters>,
    /// Whether it has said that nothing more comes.
    pub closed: bool,
}

/// The operators of a pipeline on one worker.
pub struct Task {
    /// Sources.
    pub sources: Vec<SourceNode>,
    /// Operators and sinks, in an order in which everyone comes after what feeds it.
    pub nodes: Vec<Node>,
    /// The sending sides of exchanges.
    pub outlets: Vec<Outlet>,
    /// Where the time is counted that each of them takes; empty if it is not measured.
    pub exchanges: Vec<Arc<Counters>>,
}

impl Task {
    /// Gives one event to an operator, and all that follows from it to those behind.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn deliver(&mut self, node: usize, input: usize, event: Event) -> Result<(), EngineError> {
        let mut out = Output::default();
        self.nodes[node].take(input, event, &mut out)?;
        while !out.events.is_empty() {
            let unfinished = out.unfinished;
            let routes = std::mem::take(&mut self.nodes[node].routes);
            let done = self.route(&routes, out);
            self.nodes[node].routes = routes;
            done?;
            out = Output::default();
            if unfinished {
                self.nodes[node].go_on(&mut out)?;
            }
        }
        Ok(())
    }

    /// Lets every source read one batch. Whether any had something.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn read_sources(&mut self, now: i64) -> Result<bool, EngineError> {
        let mut read = false;
        for i in 0..self.sources.len() {
            let mut out = Output::default();
            let node = &mut self.sources[i];
            if node.closed {
                continue;
            }
            let started = Instant::now();
            let turn = node.source.turn(now, &mut out)?;
            add(&node.counters.busy_ns, started.elapsed().as_nanos() as u64);
            node.closed = turn == Turn::Ended;
            read |= turn != Turn::Pending;
            self.route_source(i, out)?;
        }
        Ok(read)
    }

    /// Ends every source that has no split on this worker. Called before any worker runs, so that no operator ever waits
    /// for the watermark of a sender that has nothing to send: W at a row would depend on which thread starts first.
    ///
    /// # Errors
    /// If a sink that thereby ends cannot be finished.
    pub fn end_empty_sources(&mut self, now: i64) -> Result<(), EngineError> {
        for i in 0..self.sources.len() {
            let node = &mut self.sources[i];
            if node.source.has_splits() {
                continue;
            }
            let mut out = Output::default();
            node.closed = node.source.turn(now, &mut out)? == Turn::Ended;
            self.route_source(i, out)?;
        }
        Ok(())
    }

    /// Ends every source that is still open, before its end.
    ///
    /// # Errors
    /// If the pipeline must stop for another reason.
    pub fn stop_sources(&mut self) -> Result<(), EngineError> {
        for i in 0..self.sources.len() {
            if !std::mem::replace(&mut self.sources[i].closed, true) {
                let mut out = Output::default();
                out.all(Event::Stop);
                self.route_source(i, out)?;
            }
        }
        Ok(())
    }

    /// Lets what waits in buffers go out.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn flush(&mut self) -> Result<(), EngineError> {
        self.nodes
            .iter_mut()
            .try_for_each(|node| node.operator.flush())
    }

    /// Whether nothing more can come of it.
    pub fn is_done(&self) -> bool {
        self.sources.iter().all(|source| source.closed)
            && self
                .nodes
                .iter()
                .all(|node| node.closed_inputs == node.input_count)
            && self.outlets.iter().all(|outlet| !outlet.is_waiting())
    }

    fn route_source(&mut self, source: usize, out: Output) -> Result<(), EngineError> {
        let routes = std::mem::take(&mut self.sources[source].routes);
        let done = self.route(&routes, out);
        self.sources[source].routes = routes;
        done
    }

    fn route(&mut self, routes: &Routes, out: Output) -> Result<(), EngineError> {
        for (port, event) in out.events {
            match port {
                Port::One(port) => self.hand_out(routes[port].iter(), event)?,
                Port::All => self.hand_out(routes.iter().flatten(), event)?,
            }
        }
        Ok(())
    }

    /// Hands an event to everyone on the list; the last one needs no copy.
    fn hand_out<'a>(
        &mut self,
        routes: impl Iterator<Item = &'a Route>,
        event: Event,
    ) -> Result<(), EngineError> {
        let mut routes = routes.peekable();
        let mut event = Some(event);
        while let Some(route) = routes.next() {
            let own = if routes.peek().is_some() {
                event.clone()
            } else {
                event.take()
            };
            let own = own.expect("the event is there until the last route");
            match *route {
                Route::Local { node, input } => self.deliver(node, input, own)?,
                Route::Exchange {
                    outlet,
                    node,
                    input,
                } => {
                    if let Some(own) = self.send(outlet, own) {
                        self.deliver(node, input, own)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Task {
    fn send(&mut self, outlet: usize, event: Event) -> Option<Event> {
        let Some(counters) = self.exchanges.get(outlet) else {
            return self.outlets[outlet].send(event);
        };
        let started = Instant::now();
        let own = self.outlets[outlet].send(event);
        add(&counters.exchange_ns, started.elapsed().as_nanos() as u64);
        own
    }
}

impl Node {
    fn take(&mut self, input: usize, event: Event, out: &mut Output) -> Result<(), EngineError> {
        let started = Instant::now();
        let done = self.take_event(input, event, out);
        add(&self.counters.busy_ns, started.elapsed().as_nanos() as u64);
        done
    }

    /// Goes on with an event whose output was interrupted.
    fn go_on(&mut self, out: &mut Output) -> Result<(), EngineError> {
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
                self.idle = false;
                let batch = self.with_w(input, batch);
                return self.operator.rows(batch, out);
            }
            Event::Watermark(w) => {
                self.idle = false;
                self.inputs.set(input, w);
                self.rise();
            }
            Event::Idle => {
                self.inputs.idle(input);
                self.rise();
                if self.inputs.all_idle() && !std::mem::replace(&mut self.idle, true) {
                    self.steps.push_back(Step::Tell(Event::Idle));
                }
            }
            Event::End => {
                self.closed_inputs += 1;
                self.inputs.finish(input);
                self.rise();
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

    /// W at each row over all inputs (semantics, Watermarks 10).
    fn with_w(&self, input: usize, mut batch: Batch) -> Batch {
        if self.input_count > 1 {
            let mut w = batch.times.w().to_vec();
            self.inputs.w_at_rows(input, &mut w);
            batch.times.w = Some(w.into());
        }
        batch
    }

    fn rise(&mut self) {
        let w = self.inputs.watermark();
        if w <= self.watermark || w == time::MAX {
            return;
        }
        self.watermark = w;
        self.counters.watermark.store(w, Relaxed);
        let passed_on = Event::Watermark(time::back(w, self.operator.hold()));
        self.steps.extend([Step::Advance(w), Step::Tell(passed_on)]);
    }

    /// Passes the end on once every input has ended: after the end round, unless the pipeline is stopping.
    fn close(&mut self) {
        if self.closed_inputs < self.input_count {
            return;
        }
        self.counters.ended.store(true, Relaxed);
        if self.stopped {
            self.steps.push_back(Step::Tell(Event::Stop));
        } else {
            let end_round = [Step::Advance(time::MAX), Step::Tell(Event::End)];
            self.steps.extend(end_round);
        }
        self.steps.push_back(Step::Finish);
    }

    /// Takes the steps that are left of an event, until the output is interrupted.
    fn step(&mut self, out: &mut Output) -> Result<(), EngineError> {
        while !out.unfinished
            && let Some(step) = self.steps.pop_front()
        {
            match step {
                Step::Advance(w) => self.operator.advance(w, out)?,
                Step::Tell(event) => out.all(event),
                Step::Finish => self.operator.finish()?,
            }
        }
        Ok(())
    }
}

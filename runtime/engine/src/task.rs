//! A task: the operators of a pipeline on one worker, with their watermarks. Adjacent operators without an exchange between
//! them are a chain: function calls, no queue.
//!
//! Invariants:
//! 1. What an operator gives for one event has reached everything behind it before the next event is taken.
//! 2. An operator's watermark never falls, and is passed on after everything that it caused.

mod node;
mod processing;

use std::sync::Arc;
use std::time::Instant;

use crate::checkpoint::StationCut;
use crate::checkpoint::cut::{At, Kept};
use crate::checkpoint::kept::Block;
use crate::error::EngineError;
use crate::event::{Event, Output, Port};
use crate::exchange::Outlet;
use crate::metrics::{Counters, add};
use crate::operator::source::{Source, Turn};

pub use node::{Node, Step, WorkTime};

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

/// A source, and where its output goes.
pub struct SourceNode {
    /// Index of its station in the plan.
    pub station: usize,
    /// What it does.
    pub source: Source,
    /// Where its output goes.
    pub routes: Routes,
    /// Its counters on this worker.
    pub counters: Arc<Counters>,
    /// Whether it has said that nothing more comes.
    pub closed: bool,
    /// What it kept at the cut at hand.
    pub cut: Option<StationCut>,
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
    /// What time it is, as of this turn of the worker, in microseconds. Never falls.
    pub now: i64,
}

impl Task {
    /// Gives one event to an operator, and all that follows from it to those behind.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn deliver(&mut self, node: usize, input: usize, event: Event) -> Result<(), EngineError> {
        let mut out = Output::default();
        self.nodes[node].take(input, event, self.now, &mut out)?;
        self.hand_on(node, out)
    }

    /// Lets the watermarks of operators that work by the clock follow it. Whether anything came of it.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn tick(&mut self) -> Result<bool, EngineError> {
        let mut came = false;
        for node in 0..self.nodes.len() {
            let mut out = Output::default();
            self.nodes[node].tick(self.now, &mut out)?;
            came |= !out.events.is_empty();
            self.hand_on(node, out)?;
        }
        Ok(came)
    }

    /// The earliest moment at which the clock makes something due.
    pub fn next_due(&self) -> Option<i64> {
        self.nodes.iter().filter_map(Node::next_due).min()
    }

    /// Hands on what an operator gave, and what it gives when it goes on.
    fn hand_on(&mut self, node: usize, mut out: Output) -> Result<(), EngineError> {
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
    pub fn read_sources(&mut self) -> Result<bool, EngineError> {
        let (mut read, now) = (false, self.now);
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

    /// For this long the sources could not deliver: what they sent found no room.
    pub fn blocked(&mut self, from: i64, to: i64) {
        let sources = self.sources.iter_mut();
        sources.for_each(|node| node.source.blocked(from, to));
    }

    /// Ends every source that has no split on this worker, or says that it is idle if it may find one later. Called before any worker runs, so that no operator ever waits
    /// for the watermark of a sender that has nothing to send: W at a row would depend on which thread starts first.
    ///
    /// # Errors
    /// If a sink that thereby ends cannot be finished.
    pub fn end_empty_sources(&mut self) -> Result<(), EngineError> {
        let now = self.now;
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

    /// Every source says what it keeps, and sends the barrier.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn begin_cut(&mut self, at: At) -> Result<(), EngineError> {
        for i in 0..self.sources.len() {
            let node = &mut self.sources[i];
            node.cut = Some(StationCut {
                kept: Kept::Source(node.source.kept()),
                counts: node.counters.counts(),
            });
            if !node.closed {
                let mut out = Output::default();
                out.all(Event::Barrier(at));
                self.route_source(i, out)?;
            }
        }
        Ok(())
    }

    /// Whether the barrier has come through everything that is open.
    pub fn is_cut(&self) -> bool {
        let cut = |node: &Node| node.cut.is_some() || node.is_closed();
        self.nodes.iter().all(cut)
    }

    /// What every station keeps, in the order of the plan.
    ///
    /// # Errors
    /// If what a sink has written cannot be made to last.
    pub fn take_cut(&mut self, at: At) -> Result<Vec<StationCut>, EngineError> {
        let mut cuts = Vec::new();
        for node in &mut self.sources {
            cuts.extend(node.cut.take().map(|cut| (node.station, cut)));
        }
        for node in &mut self.nodes {
            let cut = match node.cut.take() {
                Some(cut) => cut,
                None => node.kept(at)?,
            };
            cuts.push((node.station, cut));
        }
        cuts.sort_by_key(|(station, _)| *station);
        Ok(cuts.into_iter().map(|(_, cut)| cut).collect())
    }

    /// The next block of what an operator kept at the last cut, and its station, an empty one if it is not there yet; nothing if
    /// all blocks were given.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn save(&mut self) -> Result<Option<(usize, Block)>, EngineError> {
        for node in &mut self.nodes {
            if let Some(block) = node.operator.save()? {
                return Ok(Some((node.station, block)));
            }
        }
        Ok(None)
    }

    /// After a restart everyone says where they stand before anything else is sent: what comes by one input is judged by
    /// where the others stand.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn announce(&mut self) -> Result<(), EngineError> {
        for i in 0..self.sources.len() {
            let mut out = Output::default();
            self.sources[i].source.pass_on(&mut out);
            self.route_source(i, out)?;
        }
        for node in 0..self.nodes.len() {
            let mut out = Output::default();
            self.nodes[node].announce(&mut out);
            self.hand_on(node, out)?;
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

    /// Ends every source that is still open where it stands, as if its input had ended there.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn drain_sources(&mut self) -> Result<(), EngineError> {
        for i in 0..self.sources.len() {
            if !std::mem::replace(&mut self.sources[i].closed, true) {
                let mut out = Output::default();
                self.sources[i].source.drain(&mut out);
                self.route_source(i, out)?;
            }
        }
        Ok(())
    }

    /// Whether a sink has so much that waits for a checkpoint that nothing more should come.
    pub fn is_full(&self) -> bool {
        self.nodes.iter().any(|node| node.operator.is_full())
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
                    if let Some(own) = self.send(outlet, own)? {
                        self.deliver(node, input, own)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Task {
    fn send(&mut self, outlet: usize, event: Event) -> Result<Option<Event>, EngineError> {
        let Some(counters) = self.exchanges.get(outlet) else {
            return self.outlets[outlet].send(event);
        };
        let started = Instant::now();
        let own = self.outlets[outlet].send(event);
        add(&counters.exchange_ns, started.elapsed().as_nanos() as u64);
        own
    }
}

//! What travels between operators, along function calls and through exchanges alike.

use tidemill_rows::Batch;

use crate::checkpoint::cut::At;
use crate::combine::Combined;

/// One thing that an operator's input brings.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all events are rows")]
pub enum Event {
    /// Rows, in arrival order.
    Rows(Batch),
    /// Rows, some of them added up before they crossed.
    Combined(Box<Combined>),
    /// The sender's watermark has risen to this, in microseconds.
    Watermark(i64),
    /// No split of the sender counts: it is left out of the minimum until its watermark comes. Its watermark stands at this,
    /// or has risen to it with the clock.
    Idle(i64),
    /// Everything before this belongs to the checkpoint, nothing behind it does.
    Barrier(At),
    /// The sender has no more rows, ever.
    End,
    /// The sender has no more rows in this run; the next one may have: what is open stays open.
    Rest,
    /// The pipeline is stopping: nothing more comes, and what is open stays open.
    Stop,
}

/// What an operator gives, in order: events at its output ports.
///
/// Port 0 is the main output. Watermarks, idleness and ends concern all ports and are not addressed to one.
#[derive(Debug, Default)]
pub struct Output {
    pub(crate) events: Vec<(Port, Event)>,
    /// Whether the operator has more to give for the same event.
    pub(crate) unfinished: bool,
}

/// Where an operator's event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// One output.
    One(usize),
    /// Every output.
    All,
}

impl Output {
    /// Gives rows at one port; an empty batch is nothing.
    pub fn rows(&mut self, port: usize, batch: Batch) {
        if !batch.is_empty() {
            self.events.push((Port::One(port), Event::Rows(batch)));
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Says that more is to come for the same event: what is here flows on first, then the operator is told to go on. So
    /// an event that causes much needs memory for only a part of it.
    pub fn interrupt(&mut self) {
        self.unfinished = true;
    }

    /// Tells every port.
    pub fn all(&mut self, event: Event) {
        self.events.push((Port::All, event));
    }
}

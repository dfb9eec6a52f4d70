//! Exchanges: bounded queues between workers, and the split of a batch by key group.
//!
//! ```text
//!   worker 0: operator ──► Outlet ──queue──► Inlet ──► operator   (worker 1)
//!                            └── own share: a function call ──► operator   (worker 0)
//! ```
//!
//! A queue that is full keeps what is sent waiting in the outlet, and the worker takes nothing new that could add to it:
//! that is the whole of back-pressure.

use std::collections::VecDeque;

use arrow_array::ArrayRef;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use crossbeam_utils::sync::Unparker;
use tidemill_rows::Batch;
use tidemill_rows::key::{self, EncodedKeys};

use crate::combine::{Combiner, Keys};
use crate::error::EngineError;
use crate::event::Event;

/// How many events a queue between two workers holds (limit `exchange-queue`).
pub const QUEUE: usize = 8;

/// Which worker takes a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partitioning {
    /// By the key group of these columns.
    Key(Vec<usize>),
    /// All of them worker 0.
    Single,
}

/// The sending side of one exchange on one worker.
pub struct Outlet {
    partitioning: Partitioning,
    /// This worker.
    own: usize,
    max_parallelism: u32,
    /// To each worker; none to this one.
    senders: Vec<Option<Sender<Event>>>,
    unparkers: Vec<Unparker>,
    waiting: VecDeque<(usize, Event)>,
    /// Which worker each key group belongs to.
    workers: Vec<usize>,
    encoded: EncodedKeys,
    /// The key group of each row of the batch at hand.
    groups: Vec<u32>,
    shares: Vec<Vec<u32>>,
    /// Adds up rows of hot keys, where that may be.
    combiner: Option<Combiner>,
}

/// The receiving side of one exchange on one worker, from one other worker.
pub struct Inlet {
    /// The operator that is fed.
    pub node: usize,
    /// Which of its inputs.
    pub input: usize,
    /// Who sends.
    pub from: usize,
    /// The queue.
    pub receiver: Receiver<Event>,
}

impl Outlet {
    /// An outlet of worker `own`.
    pub fn new(
        partitioning: Partitioning,
        own: usize,
        max_parallelism: u32,
        senders: Vec<Option<Sender<Event>>>,
        unparkers: Vec<Unparker>,
    ) -> Self {
        let workers = senders.len();
        let worker = |group| key::worker_of_group(group, max_parallelism, workers as u32) as usize;
        Self {
            partitioning,
            own,
            max_parallelism,
            senders,
            unparkers,
            waiting: VecDeque::new(),
            workers: (0..max_parallelism).map(worker).collect(),
            encoded: EncodedKeys::default(),
            groups: Vec::new(),
            shares: vec![Vec::new(); workers],
            combiner: None,
        }
    }

    /// Lets it add up rows of hot keys before they cross.
    #[must_use]
    pub fn with_combiner(self, combiner: Option<Combiner>) -> Self {
        Self { combiner, ..self }
    }

    /// Sends an event to every worker that it concerns. What concerns this worker itself comes back.
    ///
    /// # Errors
    /// If rows cannot be added up before they cross.
    pub fn send(&mut self, event: Event) -> Result<Option<Event>, EngineError> {
        match event {
            Event::Rows(batch) => Ok(self.send_rows(batch)?.map(Event::Rows)),
            other => {
                if let (Some(combiner), Event::Watermark(w) | Event::Idle(w)) =
                    (&mut self.combiner, &other)
                {
                    combiner.passed_on(*w);
                }
                let own = self.own;
                for worker in (0..self.senders.len()).filter(|&worker| worker != own) {
                    self.send_to(worker, other.clone());
                }
                Ok(Some(other))
            }
        }
    }

    fn send_rows(&mut self, batch: Batch) -> Result<Option<Batch>, EngineError> {
        let columns: Vec<ArrayRef> = match &self.partitioning {
            Partitioning::Key(key) => key
                .iter()
                .map(|&i| batch.columns.column(i).clone())
                .collect(),
            Partitioning::Single if self.own == 0 => return Ok(Some(batch)),
            Partitioning::Single => return self.send_all(batch),
        };
        let scratch = (&mut self.encoded, &mut self.groups);
        key::groups(&columns, batch.len(), self.max_parallelism, scratch);
        self.shares.iter_mut().for_each(Vec::clear);
        for (row, &group) in (0..).zip(&self.groups) {
            self.shares[self.workers[group as usize]].push(row);
        }
        let shares = std::mem::take(&mut self.shares);
        let mut own = None;
        for (worker, share) in shares
            .iter()
            .enumerate()
            .filter(|(_, share)| !share.is_empty())
        {
            if worker == self.own {
                own = Some(rows_of(&batch, share));
                continue;
            }
            let keys = match key::integers(&columns) {
                Some(integers) => Keys::Integers(integers),
                None => Keys::Encoded(&self.encoded, &columns),
            };
            let event = crossing(&mut self.combiner, (&batch, share), keys)?;
            self.send_to(worker, event);
        }
        self.shares = shares;
        Ok(own)
    }

    /// Sends all rows to the one worker that takes them.
    fn send_all(&mut self, batch: Batch) -> Result<Option<Batch>, EngineError> {
        let all: Vec<u32> = (0..batch.len() as u32).collect();
        let event = crossing(&mut self.combiner, (&batch, &all), Keys::One)?;
        self.send_to(0, event);
        Ok(None)
    }

    fn send_to(&mut self, worker: usize, event: Event) {
        self.waiting.push_back((worker, event));
        self.send_waiting();
    }

    /// Sends what waits, as far as the queues take it. Whether anything went.
    pub fn send_waiting(&mut self) -> bool {
        let before = self.waiting.len();
        let mut full = vec![false; self.senders.len()];
        let mut left = VecDeque::new();
        for (worker, event) in self.waiting.drain(..) {
            let sender = self.senders[worker]
                .as_ref()
                .expect("nothing is sent to the own worker");
            if full[worker] {
                left.push_back((worker, event));
                continue;
            }
            match sender.try_send(event) {
                Ok(()) => self.unparkers[worker].unpark(),
                Err(TrySendError::Full(event)) => {
                    full[worker] = true;
                    left.push_back((worker, event));
                }
                // The other worker has stopped, and says why itself.
                Err(TrySendError::Disconnected(_)) => {}
            }
        }
        self.waiting = left;
        self.waiting.len() < before
    }

    /// Whether something waits for room in a queue.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// A share of a batch as it crosses: rows of hot keys added up, if there is someone to do so.
fn crossing(
    combiner: &mut Option<Combiner>,
    (batch, share): (&Batch, &[u32]),
    keys: Keys<'_>,
) -> Result<Event, EngineError> {
    let combined = match combiner {
        Some(combiner) => combiner.combine(batch, share, keys)?,
        None => None,
    };
    Ok(match combined {
        Some(combined) => Event::Combined(combined),
        None => Event::Rows(rows_of(batch, share)),
    })
}

fn rows_of(batch: &Batch, share: &[u32]) -> Batch {
    if share.len() == batch.len() {
        batch.clone()
    } else {
        batch.take(share)
    }
}

/// The queues of one exchange: `[from][to]`, none from a worker to itself.
pub type Queues = Vec<Vec<Option<(Sender<Event>, Receiver<Event>)>>>;

/// Makes the queues of one exchange.
pub fn queues(workers: usize) -> Queues {
    let queue = |from, to| (from != to).then(|| bounded(QUEUE));
    (0..workers)
        .map(|from| (0..workers).map(|to| queue(from, to)).collect())
        .collect()
}

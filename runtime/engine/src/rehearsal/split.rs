//! Splits that deliver what a script gives them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tidemill_connectors::{Chunk, ConnectorError, Position, Split, Then};
use tidemill_rows::{RecordBatch, SchemaRef};

/// What a split is to deliver next.
#[derive(Clone, Default)]
pub struct Feed(Arc<Mutex<Fed>>);

#[derive(Default)]
struct Fed {
    chunks: VecDeque<Chunk>,
    ended: bool,
    /// How many rows were given to it so far, and how many it has delivered.
    rows: u64,
    delivered: u64,
}

impl Feed {
    /// Gives it rows. They are numbered from the split's beginning.
    ///
    /// # Panics
    /// If it was ended.
    pub fn push(&self, mut chunk: Chunk) {
        self.with(|fed| {
            assert!(!fed.ended, "a split that was ended has no more rows");
            let first = fed.rows;
            let numbers = |count: usize| (0..count as u64).map(move |i| first + i);
            chunk.positions = numbers(chunk.rows.num_rows()).collect();
            chunk.lines = None;
            for (bad, position) in chunk.bad.iter_mut().zip(numbers(usize::MAX)) {
                bad.position = position;
                bad.line = None;
            }
            chunk.then = Then::Pending;
            fed.rows += (chunk.rows.num_rows() + chunk.bad.len()) as u64;
            fed.chunks.push_back(chunk);
        });
    }

    /// It has no more rows.
    pub fn end(&self) {
        self.with(|fed| fed.ended = true);
    }

    /// Whether it was ended.
    pub fn is_ended(&self) -> bool {
        self.with(|fed| fed.ended)
    }

    /// How many rows it was given so far, and whether it was ended.
    pub fn stands(&self) -> (u64, bool) {
        self.with(|fed| (fed.rows, fed.ended))
    }

    /// A feed that stands there, with nothing to deliver.
    pub fn standing((rows, ended): (u64, bool)) -> Self {
        let chunks = VecDeque::new();
        Self(Arc::new(Mutex::new(Fed {
            chunks,
            ended,
            rows,
            delivered: rows,
        })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Fed) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A split that delivers what it is fed.
pub struct Scripted {
    name: Arc<str>,
    schema: SchemaRef,
    feed: Feed,
}

impl Scripted {
    /// A split.
    pub fn new(name: Arc<str>, schema: SchemaRef, feed: Feed) -> Self {
        Self { name, schema, feed }
    }
}

impl Split for Scripted {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn position(&self) -> Position {
        self.feed.with(|fed| Position::Generated {
            next: fed.delivered,
            finished: fed.ended && fed.chunks.is_empty(),
        })
    }

    fn read(&mut self, _max_rows: usize) -> Result<Chunk, ConnectorError> {
        let next = self.feed.with(|fed| {
            let next = fed.chunks.pop_front().ok_or(fed.ended)?;
            fed.delivered += (next.rows.num_rows() + next.bad.len()) as u64;
            Ok(next)
        });
        Ok(next.unwrap_or_else(|ended: bool| Chunk {
            rows: RecordBatch::new_empty(self.schema.clone()),
            positions: Vec::new(),
            lines: None,
            changes: None,
            bad: Vec::new(),
            then: if ended { Then::End } else { Then::Pending },
        }))
    }
}

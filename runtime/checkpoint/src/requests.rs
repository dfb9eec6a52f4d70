//! What a person asks of the process that runs a pipeline, from another one: a savepoint, or to stop with one.
//!
//! Requests are objects in the location, so they reach the process wherever it runs, and need no port and no rights but those
//! that the location asks for. They are addressed to an incarnation: what was asked of one is never done by its successor.
//!
//! ```text
//!   asker:    newest claim ─► put requests/<incarnation>/<token>.json … get answers/<incarnation>/<token>.json, delete both
//!   process:  list requests/<own incarnation> ─► does it ─► put the answer
//! ```
//!
//! Invariants:
//! 1. A request is done at most once: the process remembers what it has seen, and its successor does not look.
//! 2. Nothing here decides about checkpoints: without requests and answers everything is as it was.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::claim::Claim;
use crate::damage::Why;
use crate::error::CheckpointError;
use crate::life::{Clock, Life, Moment};
use crate::manifest::{Record, Written};
use crate::names::{ANSWERS, Incarnation, LOCK, Number, REQUESTS};
use crate::own::{Patience, put_written};
use crate::sequence::Sequence;
use crate::store::Lock;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// A savepoint; the pipeline goes on.
    Savepoint,
    /// A savepoint, behind which nothing is read; the process ends.
    Stop,
    /// The input is taken to have ended: everything fires, is written and saved; the process ends.
    Drain,
}

/// That somebody asks an incarnation for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// The pipeline's id.
    pub pipeline_id: String,
    /// Who is asked.
    pub incarnation: Incarnation,
    /// Tells it from all others, in sixteen hex digits.
    pub token: String,
    /// What for.
    pub wish: Wish,
    /// What a person knows the asking process by.
    pub process: String,
    /// When.
    pub made: Moment,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Answer {
    /// The request.
    pub token: String,
    /// What came of it.
    pub outcome: Outcome,
    /// When.
    pub made: Moment,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The savepoint of this number has happened; of an instance, which has none: it does what it was asked.
    Done(Number),
    /// It has not, and why.
    Refused(String),
}

impl Written for Request {
    const KIND: &'static str = "request";
}

impl Written for Answer {
    const KIND: &'static str = "answer";
}

/// Who runs a pipeline, as far as the location says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The newest claim's incarnation.
    pub incarnation: Incarnation,
    /// What a person knows the process by.
    pub process: String,
    /// Whether it certainly runs, or certainly does not; nothing where there are no locks.
    pub runs: Option<bool>,
}

impl Sequence {
    /// The process that has claimed the pipeline last; nothing if none ever has.
    ///
    /// # Errors
    /// If the location cannot be read.
    pub fn newest(&self) -> Result<Option<Newest>, CheckpointError> {
        for number in self.numbers()?.into_iter().rev() {
            if let Some(Record::Claim(claim)) = self.record(number)? {
                return Ok(Some(Newest {
                    incarnation: claim.incarnation,
                    process: claim.process,
                    runs: self.is_locked()?,
                }));
            }
        }
        Ok(None)
    }

    /// Whether a process holds the pipeline's lock; nothing where there are no locks.
    ///
    /// # Errors
    /// If that cannot be known.
    pub fn is_locked(&self) -> Result<Option<bool>, CheckpointError> {
        Ok(self.store.is_locked(&self.full(LOCK))?)
    }

    /// Asks an incarnation for something.
    ///
    /// # Errors
    /// If the request cannot be put.
    pub fn ask(
        &self,
        whom: Incarnation,
        wish: Wish,
        life: &Life,
    ) -> Result<Asked, CheckpointError> {
        let request = Request {
            pipeline_id: self.id()?.unwrap_or_default(),
            incarnation: whom,
            token: format!("{:016x}", life.token),
            wish,
            process: life.process.clone(),
            made: life.clock.now(),
        };
        let asked = Asked {
            sequence: self.clone(),
            clock: Arc::clone(&life.clock),
            name: file(REQUESTS, whom, &request.token),
            answer: file(ANSWERS, whom, &request.token),
        };
        let object = (asked.name.as_str(), &request);
        put_written(self, life.clock.as_ref(), object, Patience::SHORT)?;
        Ok(asked)
    }

    /// How long to wait between two looks, which may cost something.
    pub fn look_every(&self) -> Duration {
        self.store.look_every()
    }
}

fn file(folder: &str, whom: Incarnation, token: &str) -> String {
    format!("{folder}/{whom}/{token}.json")
}

/// A request that was put.
#[derive(Debug)]
pub struct Asked {
    sequence: Sequence,
    clock: Arc<dyn Clock>,
    name: String,
    answer: String,
}

impl Asked {
    /// What became of it; nothing yet.
    ///
    /// # Errors
    /// If the answer cannot be read.
    pub fn answer(&self) -> Result<Option<Outcome>, CheckpointError> {
        let Some(bytes) = self.sequence.get(&self.answer)? else {
            return Ok(None);
        };
        let damaged = |why: Why| self.sequence.damaged(&self.answer, why);
        let (answer, _) = Answer::decode(&bytes).map_err(damaged)?;
        Ok(Some(answer.outcome))
    }

    /// Removes what was put for it. A process that has begun to do it goes on.
    pub fn withdraw(self) {
        for name in [&self.name, &self.answer] {
            let full = self.sequence.full(name);
            // What stays is removed with the incarnation's other things.
            let _ = Patience::SHORT.until_done(self.clock.as_ref(), || {
                Ok(self.sequence.store.delete(&full)?)
            });
        }
    }
}

/// What an incarnation is asked for.
#[derive(Debug)]
pub struct Requests {
    pub(crate) sequence: Sequence,
    clock: Arc<dyn Clock>,
    incarnation: Incarnation,
    seen: BTreeSet<String>,
    /// Who asks takes the end of the lock for the end of the process, so it must last until everything is answered.
    _lock: Arc<Lock>,
}

impl Claim {
    /// What this incarnation will be asked for. What was asked of older ones, and nobody has taken back, is removed.
    pub fn requests(&self) -> Requests {
        let requests = Requests {
            sequence: self.sequence.clone(),
            clock: Arc::clone(&self.clock),
            incarnation: self.incarnation,
            seen: BTreeSet::new(),
            _lock: Arc::clone(&self.lock),
        };
        requests.tidy();
        requests
    }
}

impl Requests {
    /// What has been asked since the last look.
    ///
    /// # Errors
    /// If it cannot be listed or read.
    pub fn look(&mut self) -> Result<Vec<Request>, CheckpointError> {
        let mut new = Vec::new();
        let folder = format!("{REQUESTS}/{}", self.incarnation);
        for found in self.sequence.list_folder(&folder)? {
            if self.seen.contains(&found.name) {
                continue;
            }
            // Who has asked may have taken it back in between.
            let Some(bytes) = self.sequence.get(&found.name)? else {
                continue;
            };
            self.seen.insert(found.name.clone());
            let damaged = |why: Why| self.sequence.damaged(&found.name, why);
            let (request, _) = Request::decode(&bytes).map_err(damaged)?;
            if self.name(&request) == found.name
                && Some(&request.pipeline_id) == self.sequence.id()?.as_ref()
            {
                new.push(request);
            }
        }
        Ok(new)
    }

    /// The object that it came with.
    pub(crate) fn name(&self, request: &Request) -> String {
        file(REQUESTS, self.incarnation, &request.token)
    }

    /// How long to wait between two looks.
    pub fn look_every(&self) -> Duration {
        self.sequence.look_every()
    }

    /// Says what became of a request.
    ///
    /// # Errors
    /// If the answer cannot be put.
    pub fn answer(&self, request: &Request, outcome: Outcome) -> Result<(), CheckpointError> {
        let answer = Answer {
            token: request.token.clone(),
            outcome,
            made: self.clock.now(),
        };
        let name = file(ANSWERS, self.incarnation, &request.token);
        let clock = self.clock.as_ref();
        put_written(&self.sequence, clock, (&name, &answer), Patience::SHORT).map(|_| ())
    }

    /// Nothing depends on what is left here, so what cannot be removed stays.
    fn tidy(&self) {
        for folder in [REQUESTS, ANSWERS] {
            let left = self.sequence.list_folder(folder).unwrap_or_default();
            for found in left {
                let _ = self.sequence.store.delete(&self.sequence.full(&found.name));
            }
        }
    }
}

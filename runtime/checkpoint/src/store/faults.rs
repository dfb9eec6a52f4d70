//! A store around another whose effects fail as a test or a simulation decides.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;

use super::{Listed, Lock, Put, Store, StoreError};
use crate::error::Happened;

/// An effect that is about to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Of that name.
    Put(String),
    /// Of that name.
    Get(String),
    /// Of that folder.
    List(String),
    /// Of that name.
    Delete(String),
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is done, and the answer arrives.
    Done,
    /// It is not done, and the error says so.
    Refused,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is not done, and nobody can know.
    Lost,
    /// The process dies before it: this and every later effect is refused.
    CrashBefore,
    /// The process dies after it: it is done, and every later effect is refused.
    CrashAfter,
}

type Decide = Box<dyn FnMut(&Effect) -> Fate + Send>;

/// A store whose effects meet the fates that a function decides. It has no locks.
pub struct Faults<S> {
    inner: S,
    state: Mutex<State>,
}

struct State {
    decide: Decide,
    dead: bool,
}

impl<S: Store> Faults<S> {
    /// A store around `inner`.
    pub fn new(inner: S, decide: impl FnMut(&Effect) -> Fate + Send + 'static) -> Self {
        let decide = Box::new(decide);
        Self {
            inner,
            state: Mutex::new(State {
                decide,
                dead: false,
            }),
        }
    }

    /// Whether the process has died.
    pub fn is_dead(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .dead
    }

    fn meet<T>(
        &self,
        effect: Effect,
        act: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let fate = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let fate = match state.dead {
                true => Fate::CrashBefore,
                false => (state.decide)(&effect),
            };
            state.dead |= matches!(fate, Fate::CrashBefore | Fate::CrashAfter);
            fate
        };
        let failed = |happened| StoreError {
            what: format!("cannot do {effect:?}"),
            error: format!("{fate:?}, as the test decided"),
            happened,
            hint: "nothing: this is a test",
        };
        match fate {
            Fate::Done => act(),
            Fate::Refused => Err(failed(Happened::No)),
            Fate::Lost | Fate::CrashBefore => Err(failed(Happened::Perhaps)),
            Fate::AnswerLost | Fate::CrashAfter => {
                act()?;
                Err(failed(Happened::Perhaps))
            }
        }
    }
}

impl<S: Store> Store for Faults<S> {
    fn put(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError> {
        self.meet(Effect::Put(name.to_owned()), || {
            self.inner.put(name, pieces)
        })
    }

    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.meet(Effect::Get(name.to_owned()), || self.inner.get(name))
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        self.meet(Effect::List(folder.to_owned()), || self.inner.list(folder))
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.meet(Effect::Delete(name.to_owned()), || self.inner.delete(name))
    }

    fn lock(&self, _name: &str, _holder: &str) -> Result<Lock, StoreError> {
        Ok(Lock::None)
    }

    fn place(&self, name: &str) -> String {
        self.inner.place(name)
    }
}

impl<S: Store> fmt::Debug for Faults<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults({:?})", self.inner)
    }
}

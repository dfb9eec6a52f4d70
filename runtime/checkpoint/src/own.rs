//! Puts that are tried again until it is known what became of them.

use std::time::Duration;

use bytes::Bytes;

use crate::error::{CheckpointError, Happened};
use crate::life::Clock;
use crate::manifest::Written;
use crate::sequence::Sequence;
use crate::store::{Put, Store, StoreError};

/// How often an effect of unknown outcome is tried, and how long the waits between grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    tries: u32,
    first: Duration,
    most: Duration,
}

impl Patience {
    /// For data files: a checkpoint may fail, and the next one tries again. At most half a second of waiting.
    pub(crate) const SHORT: Self = Self {
        tries: 4,
        first: Duration::from_millis(70),
        most: Duration::from_millis(280),
    };
    /// For claims and manifests, whose outcome must be known or the pipeline must stop. At most a minute of waiting.
    pub(crate) const LONG: Self = Self {
        tries: 12,
        first: Duration::from_millis(50),
        most: Duration::from_secs(10),
    };

    /// The wait after a try, from the first.
    fn pause(&self, tried: u32) -> Duration {
        self.most.min(self.first * 2_u32.pow(tried.min(16)))
    }

    /// Tries an effect that can be repeated without harm until it is done, or patience is at its end.
    pub(crate) fn until_done<T>(
        &self,
        clock: &dyn Clock,
        mut act: impl FnMut() -> Result<T, CheckpointError>,
    ) -> Result<T, CheckpointError> {
        let mut tried = 0;
        loop {
            match act() {
                Err(e) if e.is_transient() && tried + 1 < self.tries => {
                    clock.pause(self.pause(tried))
                }
                done => return done,
            }
            tried += 1;
        }
    }
}

/// Whose an object is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Ours: it was created now, or by an earlier try of which that was not known.
    Ours,
    /// Another one's: these are its bytes.
    Other(Bytes),
}

/// What is put: its name, and its bytes, one piece behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    name: &'a str,
    pieces: &'a [Bytes],
    /// Whether it need not take room in caches.
    past_cache: bool,
}

impl<'a> Object<'a> {
    /// One that is long, and is seldom read.
    pub(crate) fn past_cache(name: &'a str, pieces: &'a [Bytes]) -> Self {
        Self {
            past_cache: true,
            ..(name, pieces).into()
        }
    }
}

impl<'a> From<(&'a str, &'a [Bytes])> for Object<'a> {
    fn from((name, pieces): (&'a str, &'a [Bytes])) -> Self {
        Self {
            name,
            pieces,
            past_cache: false,
        }
    }
}

/// Puts an object whose bytes nobody else would write. If its name is taken it is read back, since an earlier try may have
/// been done all the same.
///
/// # Errors
/// If patience came to its end. Says that it certainly was not done only if no try had an unknown outcome.
pub(crate) fn put_own<'a>(
    sequence: &Sequence,
    clock: &dyn Clock,
    object: impl Into<Object<'a>>,
    patience: Patience,
) -> Result<Whose, CheckpointError> {
    let object = object.into();
    let full = sequence.full(object.name);
    let mut in_doubt = false;
    for tried in 0.. {
        let error = match put_once(sequence.store.as_ref(), &full, object) {
            Ok(whose) => return Ok(whose),
            Err(error) => error,
        };
        if error.happened == Happened::No && !in_doubt {
            return Err(error.into());
        }
        in_doubt = true;
        if tried + 1 == patience.tries {
            return Err(StoreError {
                happened: Happened::Perhaps,
                ..error
            }
            .into());
        }
        clock.pause(patience.pause(tried));
    }
    unreachable!("the last try returns")
}

/// As [`put_own`], of what has a form of its own.
pub(crate) fn put_written(
    sequence: &Sequence,
    clock: &dyn Clock,
    (name, what): (&str, &impl Written),
    patience: Patience,
) -> Result<Whose, CheckpointError> {
    let (bytes, _) = what.encode().map_err(CheckpointError::Internal)?;
    put_own(sequence, clock, (name, &[bytes.into()][..]), patience)
}

fn put_once(store: &dyn Store, full: &str, object: Object<'_>) -> Result<Whose, StoreError> {
    let pieces = object.pieces;
    let put = match object.past_cache {
        true => store.put_past_cache(full, pieces)?,
        false => store.put(full, pieces)?,
    };
    match put {
        Put::Created => Ok(Whose::Ours),
        Put::Taken => {
            let in_doubt = |error| StoreError {
                what: format!("cannot know who has written {}", store.place(full)),
                error,
                happened: Happened::Perhaps,
                hint: "see whether the location can be read",
            };
            match store.get(full) {
                Ok(Some(found)) if is_equal(&found, pieces) => Ok(Whose::Ours),
                Ok(Some(found)) => Ok(Whose::Other(found)),
                Ok(None) => Err(in_doubt("it was there and is gone".to_owned())),
                Err(e) => Err(in_doubt(format!("{}: {}", e.what, e.error))),
            }
        }
    }
}

fn is_equal(found: &Bytes, pieces: &[Bytes]) -> bool {
    let mut rest = &found[..];
    for piece in pieces {
        match rest.strip_prefix(&piece[..]) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty()
}

//! What a process brings along when it claims: its token, what it is called, and its clock.
//!
//! All of it comes in from outside, so that a simulation repeats itself to the byte.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::CheckpointError;

/// A moment of the wall clock, in microseconds since the Unix epoch; in JSON as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{} us", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = Timestamp::from_microsecond(self.0).map_err(S::Error::custom)?;
        serializer.collect_str(&format_args!("{time:.6}"))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Self(time.as_microsecond()))
    }
}

/// Tells the time, and waits.
pub trait Clock: Send + Sync + fmt::Debug {
    /// What time it is.
    fn now(&self) -> Moment;
    /// Returns after that long.
    fn pause(&self, long: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Moment(since.as_micros() as i64)
    }

    fn pause(&self, long: Duration) {
        std::thread::sleep(long);
    }
}

/// One life of a process, before it has a number.
#[derive(Clone)]
pub struct Life {
    /// Tells it from every other one.
    pub token: u64,
    /// What a person knows it by: `process 4711 on host mill`.
    pub process: String,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
}

impl Life {
    /// The life of this process from now on, with a new random token.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn of_this_process() -> Result<Self, CheckpointError> {
        let token = getrandom::u64().map_err(|error| {
            CheckpointError::configuration(
                format!("the system gives no random numbers: {error}"),
                "see whether the process may use getrandom(2)",
            )
        })?;
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy();
        Ok(Self {
            token,
            process: format!("process {} on host {host}", std::process::id()),
            clock: Arc::new(SystemClock),
        })
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:016x})", self.process, self.token)
    }
}

//! Timers: what sets them, and what is told when they fire.

use crate::Timestamp;
use crate::bindings::exports::tidemill::operator::process::{Due, Timed as Wire};

/// The timers of a process function: a struct of [`Timer`]s. Derived, never written by hand:
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Timers)]
/// struct Timers {
///     silent: Timer,
///     #[timer(processing)]
///     retry: Timer,
/// }
/// ```
///
/// Each field is the name of a timer. `#[timer(processing)]`: by the clock of the host, in place of
/// event time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name timers",
    label = "not a struct of timers",
    note = "timers are a struct of `Timer` fields with #[derive(Timers)]"
)]
pub trait Timers: Sized {
    /// The names.
    const TIMERS: &'static [TimerOf];

    /// None changed yet.
    fn open() -> Self;
    /// From now on a row is served.
    fn begin(&mut self, row: u32);
    /// Takes back what the row has changed.
    fn undo(&mut self);
    /// Hands over what has changed.
    fn close(self, timed: &mut Timed);
}

/// A timer as it is declared.
#[derive(Clone, Copy, Debug)]
pub struct TimerOf {
    /// Its name.
    pub name: &'static str,
    /// Whether it is by the host's clock.
    pub processing: bool,
}

/// A name under which timers of a key are set: a field of [`Timers`].
///
/// A timer is its key, its name and its time. Setting it twice is one timer; setting it at another
/// time is another timer.
#[derive(Default)]
pub struct Timer {
    changes: Vec<Change>,
    row: u32,
    before: usize,
}

struct Change {
    row: u32,
    change: u8,
    at: i64,
}

impl Timer {
    /// Lets it fire at this time.
    #[inline(always)]
    pub fn set(&mut self, at: Timestamp) {
        self.note(0, at.micros());
    }

    /// Takes back the one at this time, if there is one.
    #[inline(always)]
    pub fn delete(&mut self, at: Timestamp) {
        self.note(1, at.micros());
    }

    /// Takes back all of this name.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.note(2, 0);
    }

    /// Lets it fire at this time, and at no other.
    #[inline(always)]
    pub fn move_to(&mut self, at: Timestamp) {
        self.clear();
        self.set(at);
    }

    #[inline(always)]
    fn note(&mut self, change: u8, at: i64) {
        let row = self.row;
        self.changes.push(Change { row, change, at });
    }

    /// From now on a row is served.
    #[doc(hidden)]
    #[inline(always)]
    pub fn begin(&mut self, row: u32) {
        self.row = row;
        self.before = self.changes.len();
    }

    /// Takes back what the row has changed.
    #[doc(hidden)]
    pub fn undo(&mut self) {
        self.changes.truncate(self.before);
    }

    /// Hands over what has changed.
    #[doc(hidden)]
    pub fn close(self, name: u32, timed: &mut Timed) {
        timed.add(name, self.changes);
    }
}

/// Changes of all timers.
#[derive(Default)]
pub struct Timed {
    changes: Vec<(u32, Change)>,
    names: usize,
}

impl Timed {
    fn add(&mut self, name: u32, changes: Vec<Change>) {
        self.names += usize::from(!changes.is_empty());
        self.changes
            .extend(changes.into_iter().map(|change| (name, change)));
    }

    /// In order of rows, as the host takes them.
    pub(super) fn finish(mut self) -> Wire {
        if self.names > 1 {
            // Stable: a row's changes of one name keep their order; those of several names do not touch.
            self.changes.sort_by_key(|(_, change)| change.row);
        }
        let changes = || self.changes.iter();
        Wire {
            rows: changes().map(|(_, change)| change.row).collect(),
            names: changes().map(|(name, _)| *name).collect(),
            changes: changes().map(|(_, change)| change.change).collect(),
            times: changes().map(|(_, change)| change.at).collect(),
        }
    }
}

/// No timers.
impl Timers for () {
    const TIMERS: &'static [TimerOf] = &[];

    fn open() -> Self {}
    #[inline(always)]
    fn begin(&mut self, _row: u32) {}
    fn undo(&mut self) {}
    fn close(self, _timed: &mut Timed) {}
}

/// A timer that fires, as `on_timer` is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fired {
    name: &'static str,
    at: Timestamp,
    ended: bool,
}

impl Fired {
    /// One for a unit test that calls `on_timer` itself.
    pub const fn new(name: &'static str, at: Timestamp) -> Self {
        Self {
            name,
            at,
            ended: false,
        }
    }

    /// The timer's name: that of its field.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The time that it was set to.
    pub const fn time(&self) -> Timestamp {
        self.at
    }

    /// Whether the input has ended: it fires for that, its time may lie far ahead, and what is set
    /// now never fires.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    pub(super) fn of(due: &Due, index: usize, timers: &[TimerOf]) -> Option<Self> {
        let name = *due.names.get(index)? as usize;
        Some(Self {
            name: timers.get(name)?.name,
            at: Timestamp::from_micros(*due.times.get(index)?),
            ended: due.ended,
        })
    }
}

/// Appends what `describe` says of the timers of `T`, as a JSON list.
pub fn describe_timers<T: Timers>(json: &mut String) {
    crate::describe::list(json, T::TIMERS, |json, timer| {
        *json += "{\"name\":";
        crate::describe::text(json, timer.name);
        if timer.processing {
            *json += ",\"clock\":\"processing\"";
        }
        json.push('}');
    });
}

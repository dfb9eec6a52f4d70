//! The timers of one process operator, in one time: event time, or the clock.
//!
//! A timer is its key, its name and its time. Names are numbered in their own order, so that timers of a key compare by
//! (time, name).
//!
//! Invariants:
//! 1. A key's timers stand in order of (time, name), each once.
//! 2. A key that has timers is looked for at or before the time of its first one, or is among the keys that the last
//!    [`Timers::due`] gave and that were not given back with [`Timers::arm`].
//! 3. The queue has fewer places of keys that were forgotten than there are keys, a few aside: it does not grow with how
//!    often keys come and go.

use smallvec::SmallVec;

use crate::window::KeyId;
use crate::window::timers::Timers as Queue;

/// A timer that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The time that it is set to.
    pub time: i64,
    /// The time at which it fires: its own, or right after what set it, if it was due already.
    pub fires: i64,
    /// The number of its name.
    pub name: u32,
    /// The row of the batch at hand that made it due already; [`Timer::NO_ROW`] for all others.
    pub row: u32,
}

impl Timer {
    /// No row made it due.
    pub const NO_ROW: u32 = u32::MAX;
}

/// What sets a timer.
#[derive(Clone, Copy, Debug)]
pub struct Setter {
    /// From when on what it sets can fire: right after W at a row, the firing of a timer.
    pub from: i64,
    /// The row, or the row that made the timer due that sets another.
    pub row: u32,
}

impl Setter {
    /// A row with this number in its batch, W standing at `w`.
    pub fn row(row: u32, w: i64) -> Self {
        Self {
            from: w.saturating_add(1),
            row,
        }
    }

    /// A timer that fires.
    pub fn timer(timer: &Timer) -> Self {
        Self {
            from: timer.fires,
            row: timer.row,
        }
    }
}

/// A key's timers, put aside.
#[derive(Clone, Debug)]
pub struct Saved(SmallVec<[Timer; 1]>);

#[derive(Debug)]
struct Entry {
    timers: SmallVec<[Timer; 1]>,
    /// When the key is looked for.
    armed: i64,
}

/// No timer.
const NEVER: i64 = i64::MAX;

impl Default for Entry {
    fn default() -> Self {
        Self {
            timers: SmallVec::new(),
            armed: NEVER,
        }
    }
}

/// The timers of all keys.
#[derive(Debug)]
pub struct Timers {
    /// By key.
    keys: Vec<Entry>,
    queue: Queue,
    set: usize,
    /// About how many places in the queue are of keys that were forgotten.
    stale: usize,
}

/// So many stale places are few.
const FEW_STALE: usize = 1024;

impl Default for Timers {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            queue: Queue::new(),
            set: 0,
            stale: 0,
        }
    }
}

impl Timers {
    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.set
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.set == 0
    }

    /// No timer is due before this time; at it, perhaps none either.
    pub fn first(&self) -> i64 {
        self.queue.first()
    }

    /// Whether a key has any.
    pub fn has(&self, key: KeyId) -> bool {
        !self.of(key).is_empty()
    }

    /// A key's first timer in order of time and name.
    pub fn earliest(&self, key: KeyId) -> Option<&Timer> {
        self.of(key).first()
    }

    /// A key's timers in order of time and name.
    pub fn of(&self, key: KeyId) -> &[Timer] {
        self.keys
            .get(key as usize)
            .map_or(&[], |entry| &entry.timers)
    }

    /// Sets a timer. One that is set already stays what it is.
    pub fn set(&mut self, key: KeyId, (time, name): (i64, u32), by: Setter) {
        let at = key as usize;
        if at >= self.keys.len() {
            self.keys.resize_with(at + 1, Entry::default);
        }
        let entry = &mut self.keys[at];
        let place = entry
            .timers
            .binary_search_by_key(&(time, name), |timer| (timer.time, timer.name));
        let Err(place) = place else { return };
        let overdue = time < by.from;
        let timer = Timer {
            time,
            fires: time.max(by.from),
            name,
            row: if overdue { by.row } else { Timer::NO_ROW },
        };
        entry.timers.insert(place, timer);
        self.set += 1;
        if time < entry.armed {
            entry.armed = time;
            self.queue.set(time, key);
        }
    }

    /// Puts a timer back that [`Timers::of`] gave.
    pub fn put(&mut self, key: KeyId, timer: Timer) {
        let by = Setter {
            from: timer.fires,
            row: timer.row,
        };
        self.set(key, (timer.time, timer.name), by);
    }

    /// Forgets a key's timers: from now on they are kept elsewhere, or by nobody.
    pub fn forget(&mut self, key: KeyId) {
        let Some(entry) = self.keys.get_mut(key as usize) else {
            return;
        };
        let Entry { timers, armed } = std::mem::take(entry);
        self.set -= timers.len();
        self.stale += usize::from(armed != NEVER);
        if self.stale > self.keys.len().max(FEW_STALE) {
            self.sweep();
        }
    }

    /// Makes the queue anew, of the keys that are looked for.
    fn sweep(&mut self) {
        self.stale = 0;
        self.queue = Queue::new();
        for (entry, key) in self.keys.iter().zip(0..) {
            if entry.armed != NEVER {
                self.queue.set(entry.armed, key);
            }
        }
    }

    /// About how much memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        let places = self.set + self.stale;
        self.keys.len() * size_of::<Entry>() + places * (size_of::<Timer>() + size_of::<KeyId>())
    }

    /// Takes a timer back, if it is set.
    pub fn delete(&mut self, key: KeyId, (time, name): (i64, u32)) {
        self.retain(key, |timer| (timer.time, timer.name) != (time, name));
    }

    /// Takes all timers of a name back.
    pub fn clear(&mut self, key: KeyId, name: u32) {
        self.retain(key, |timer| timer.name != name);
    }

    fn retain(&mut self, key: KeyId, keep: impl Fn(&Timer) -> bool) {
        if let Some(entry) = self.keys.get_mut(key as usize) {
            let before = entry.timers.len();
            entry.timers.retain(|timer| keep(timer));
            self.set -= before - entry.timers.len();
        }
    }

    /// Takes a key's first timer out: it fires.
    pub fn take(&mut self, key: KeyId) -> Option<Timer> {
        let entry = self.keys.get_mut(key as usize)?;
        let timer = (!entry.timers.is_empty()).then(|| entry.timers.remove(0));
        self.set -= usize::from(timer.is_some());
        timer
    }

    /// Puts a key's timers aside, to be put back if what changes them is to be undone.
    pub fn save(&self, key: KeyId) -> Saved {
        Saved(SmallVec::from_slice(self.of(key)))
    }

    /// Makes a key's timers what they were.
    pub fn restore(&mut self, key: KeyId, saved: Saved) {
        if let Some(entry) = self.keys.get_mut(key as usize) {
            self.set = self.set + saved.0.len() - entry.timers.len();
            entry.timers = saved.0;
            self.arm(key);
        }
    }

    /// Looks for a key at its first timer again.
    pub fn arm(&mut self, key: KeyId) {
        let Some(entry) = self.keys.get_mut(key as usize) else {
            return;
        };
        if let Some(first) = entry.timers.first().map(|timer| timer.time)
            && first < entry.armed
        {
            entry.armed = first;
            self.queue.set(first, key);
        }
    }

    /// The keys of the earliest timers due at or before `until`, about `most` of them, each once and in no order, and the
    /// time up to which these are all. They are to be armed again when these have fired.
    pub fn due(&mut self, until: i64, most: usize, keys: &mut Vec<KeyId>) -> i64 {
        keys.clear();
        while keys.len() < most {
            let Some((at, bucket)) = self.queue.pop(until) else {
                return until;
            };
            let run = bucket.run.into_iter().map(|(_, key)| key);
            for key in bucket.loose.into_iter().chain(run) {
                let entry = &mut self.keys[key as usize];
                if entry.armed != at {
                    continue;
                }
                entry.armed = NEVER;
                match entry.timers.first() {
                    Some(first) if first.time <= at => keys.push(key),
                    _ => self.arm(key),
                }
            }
            if keys.len() >= most {
                return at;
            }
        }
        until
    }
}

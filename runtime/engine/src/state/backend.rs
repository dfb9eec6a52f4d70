//! The seam between process operators and what holds their state.
//!
//! State is addressed by operator, key, slot and, in maps, sub-key. An operator's copy on a worker has a backend of its own,
//! which knows keys by the numbers of the operator's key table: the encoded key, hence its key group, is the table's.
//! Whatever the backend, the same is held.

use std::path::PathBuf;

use thiserror::Error;
use tidemill_core::process::{Lives, Timers};
use tidemill_core::window::KeyId;
use tidemill_wasm::{Clock, Held, HeldEntries, Kept, Listed, Mapped};

use super::key_table::KeyTable;
use super::rocksdb::Snapshot;
use crate::checkpoint::kept::SlotKept;
use crate::checkpoint::restored::Damaged;

/// Keys of which state is asked for, each with the moment that it is asked at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The keys, each once.
    pub keys: &'a [KeyId],
    /// For each key where W stands: what has expired by then is no longer there.
    pub w: &'a [i64],
    /// The host's clock.
    pub now: i64,
}

/// How far expired entries are removed in the background.
#[derive(Clone, Copy, Debug)]
pub struct Upto {
    /// Where W stands: no row and no timer is still to see what has expired by then.
    pub w: i64,
    /// The host's clock.
    pub now: i64,
    /// Of about how many keys.
    pub keys: usize,
}

/// What one call wants changed.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    /// The keys of the call.
    pub keys: &'a [KeyId],
    /// Keys of which nothing is to be taken over; absent: there is none.
    pub rejected: Option<&'a [bool]>,
    /// The key of each row of the call.
    pub groups: &'a [u32],
    /// The time of each row of the call.
    pub times: &'a [i64],
    /// The host's clock.
    pub now: i64,
    /// One for each slot of kind value.
    pub values: &'a [Kept],
    /// One for each slot of kind list.
    pub lists: &'a [Listed],
    /// One for each slot of kind map.
    pub maps: &'a [Mapped],
}

impl Changed<'_> {
    /// Whether what concerns a key of the call is taken over.
    pub fn takes(&self, group: usize) -> bool {
        self.rejected.is_none_or(|rejected| !rejected[group])
    }
}

/// What an operator has beside the state of its keys, and what goes out of memory and comes back with it.
pub struct Beside<'a> {
    /// Its keys.
    pub table: &'a mut KeyTable,
    /// Their timers of event time.
    pub timers: &'a mut Timers,
    /// Their timers of the clock.
    pub clock_timers: &'a mut Timers,
    /// Keys that come into memory are added to these.
    pub came: &'a mut Vec<KeyId>,
}

/// Why state cannot be held.
#[derive(Debug, Error)]
pub enum StateError {
    /// More than the budget.
    #[error(
        "the state of its keys takes more memory on one worker than `state-limit` allows: about {bytes} bytes for {keys} \
         keys, {budget} allowed"
    )]
    Budget {
        /// The budget of one worker.
        budget: usize,
        /// What is held.
        bytes: usize,
        /// For about how many keys.
        keys: usize,
    },
    /// What one event needs of it is more than may be in memory.
    #[error(
        "the state of the keys of one batch takes more memory than `memory` of [state] leaves for it: about {bytes} bytes, {budget} \
         allowed"
    )]
    Event {
        /// What all operators may have.
        budget: usize,
        /// What is held.
        bytes: usize,
    },
    /// The folder of what is not in memory.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Why the folder of state that is not in memory is of no use.
#[derive(Debug, Error)]
#[error("the state folder {} cannot be {doing}: {what}", folder.display())]
pub struct FolderError {
    /// The folder.
    pub folder: PathBuf,
    /// What was tried: made, opened, read, written to.
    pub doing: &'static str,
    /// What came of it.
    pub what: String,
}

impl FolderError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        "[state] `folder` is to be a place that can be written and has room; what was in it is in the last checkpoint too"
    }
}

impl StateError {
    /// Whether it may go better when the run goes on from the last checkpoint, with an empty folder.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// What to do about it, where it happens to an operator.
    pub fn hint(&self, operator: &str) -> String {
        match self {
            Self::Budget { .. } => format!(
                "[operators.{operator}] raise `state-limit`, run with more workers, or let state expire: `ttl` of its slots; or \
                 hold it outside memory: [state] backend = \"rocksdb\""
            ),
            Self::Event { .. } => format!(
                "[state] raise `memory`; or let operator {operator} hold less for a key: `ttl` of its slots, `most` of its lists"
            ),
            Self::Folder(error) => error.hint().to_owned(),
        }
    }
}

/// What holds the state of one process operator on one worker.
pub trait StateBackend: Send {
    /// What the slots of kind value hold. What has expired is removed, in lists and maps of the keys too. `lives` is told
    /// until when all is alive that is held for each key in event time; it has one entry per key.
    fn read(&mut self, asked: &Asked<'_>, lives: &mut [Lives]) -> Vec<Held>;

    /// Lists and maps for a call about these keys, to be given back; nothing if there are no such slots.
    fn lend(&mut self, keys: &[KeyId]) -> Option<Box<dyn HeldEntries>>;

    /// Takes back what was lent.
    fn take_back(&mut self, entries: Box<dyn HeldEntries>);

    /// Takes over what a call wants changed.
    ///
    /// # Errors
    /// If there is no room for it.
    fn change(&mut self, changed: &Changed<'_>) -> Result<(), StateError>;

    /// Whether anything is held for a key.
    fn holds(&self, key: KeyId) -> bool;

    /// Removes what has expired, of some keys, in turn. Those of which nothing is left are added to `gone`.
    fn sweep(&mut self, upto: Upto, gone: &mut Vec<KeyId>);

    /// About how much memory it takes, in bytes.
    fn bytes(&self) -> usize;

    /// About how many bytes of data are held for a key.
    fn weight(&self, key: KeyId) -> usize;

    /// What is held for keys, for a cut: the slots of kind value, then list, then map.
    fn save(&self, keys: &[KeyId]) -> Vec<SlotKept>;

    /// Removes what is held for keys in memory.
    fn forget(&mut self, keys: &[KeyId]);

    /// So many keys are about to come: there should be room for them. Gives for how many there is in memory.
    fn expect(&mut self, keys: usize) -> usize;

    /// Goes on from what was kept, in slots as [`StateBackend::save`] gives them; nothing of one that is new. For each key,
    /// of which nothing is held yet, its place among those kept is named.
    ///
    /// # Errors
    /// If what was kept is not what such slots hold.
    fn load(&mut self, own: &[(KeyId, usize)], slots: Vec<Option<SlotKept>>)
    -> Result<(), Damaged>;

    // What follows is for backends that hold state outside memory. There keys have no numbers; a key's timers are where its
    // state is.

    /// Has what there is of these keys in memory from now on, until the event is over.
    ///
    /// # Errors
    /// If it cannot be read.
    fn bring(&mut self, _keys: &[KeyId], _beside: &mut Beside<'_>) -> Result<(), StateError> {
        Ok(())
    }

    /// No timer outside memory is due before this time; at it, perhaps none either.
    fn first_outside(&self, _clock: Clock) -> i64 {
        i64::MAX
    }

    /// The time by which about `most` keys outside memory have a timer, or `until` if fewer have one by then.
    ///
    /// # Errors
    /// If they cannot be read.
    fn step_outside(
        &mut self,
        (_clock, until): (Clock, i64),
        _most: usize,
    ) -> Result<i64, StateError> {
        Ok(until)
    }

    /// As [`StateBackend::bring`], for the next keys outside memory with a timer at or before a time: so many that they have
    /// room, or all, or perhaps none. They are added to `keys`.
    ///
    /// # Errors
    /// If they cannot be read.
    fn bring_due(
        &mut self,
        (_clock, _until): (Clock, i64),
        _beside: &mut Beside<'_>,
        _keys: &mut Vec<KeyId>,
    ) -> Result<(), StateError> {
        Ok(())
    }

    /// A key's timers have changed.
    fn timers_changed(&mut self, _key: KeyId) {}

    /// Nothing is left of these keys: they lose their numbers.
    ///
    /// # Errors
    /// If what lies outside memory cannot be removed.
    fn let_go(&mut self, _keys: &[KeyId], _beside: &Beside<'_>) -> Result<(), StateError> {
        Ok(())
    }

    /// Keys that are to be sent out of memory now that an event is over, for there is too much in it. None: there is not.
    fn leaving(&mut self, _beside: &Beside<'_>) -> Vec<KeyId> {
        Vec::new()
    }

    /// Sends keys out of memory that are leaving, with their timers. They lose their numbers. With each stands behind how many cuts
    /// it has changed, unless checkpoints have it as it is.
    ///
    /// # Errors
    /// If they cannot be written.
    fn send_out(
        &mut self,
        _leaving: &[(KeyId, Option<u64>)],
        _beside: &mut Beside<'_>,
    ) -> Result<(), StateError> {
        Ok(())
    }

    /// About how many keys are outside memory.
    fn outside(&self) -> usize {
        0
    }

    /// What lies outside memory now, to be read while rows go on: all of it, or what has changed behind so many cuts, and is not
    /// asked for again behind fewer. Nothing if nothing lies there. Keys that are in memory may be in it too, as they once were.
    ///
    /// # Errors
    /// If it cannot be read.
    fn snapshot_outside(&mut self, _since: Option<u64>) -> Result<Option<Snapshot>, StateError> {
        Ok(None)
    }
}

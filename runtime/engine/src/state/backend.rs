//! The seam between process operators and what holds their state.
//!
//! State is addressed by operator, key, slot and, in maps, sub-key. An operator's copy on a worker has a backend of its own,
//! which knows keys by the numbers of the operator's key table: the encoded key, hence its key group, is the table's.
//! Whatever the backend, the same is held.

use thiserror::Error;
use tidemill_core::process::Lives;
use tidemill_core::window::KeyId;
use tidemill_wasm::{Held, HeldEntries, Kept, Listed, Mapped};

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

    /// Removes everything that is held for keys.
    fn forget(&mut self, keys: &[KeyId]);

    /// So many keys are about to come: there should be room for them.
    fn expect(&mut self, keys: usize);

    /// Goes on from what was kept, in slots as [`StateBackend::save`] gives them; nothing of one that is new. For each key,
    /// of which nothing is held yet, its place among those kept is named.
    ///
    /// # Errors
    /// If what was kept is not what such slots hold.
    fn load(&mut self, own: &[(KeyId, usize)], slots: Vec<Option<SlotKept>>)
    -> Result<(), Damaged>;
}

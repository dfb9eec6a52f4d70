//! Lists and maps of the keys of a call, read by the guest as it needs them (`wit/state.wit`).

use std::any::Any;

use crate::bindings::tidemill::operator::state as import;
use crate::check;
use crate::description::SlotKind;
use crate::instance::State;
use crate::load::Module;
use crate::wire::{Listed, Mapped, Table};

/// Some entries of a map.
pub struct Entries {
    /// Their sub-keys.
    pub sub_keys: Table,
    /// Their values.
    pub values: Table,
}

/// What is held in lists and maps of the keys of a call. Keys go by their number in the call, slots by their number among
/// those of their kind. What is read is as it was when the call began, with what was noted since.
pub trait HeldEntries: Any + Send {
    /// How many entries a list has.
    fn list_length(&mut self, slot: usize, key: usize) -> u32;

    /// The newest entries of a list, the oldest of them first.
    fn list_newest(&mut self, slot: usize, key: usize, most: usize) -> Table;

    /// What a map holds under sub-keys: one byte for each, and the values there are.
    fn map_get(&mut self, slot: usize, key: usize, sub_keys: &Table) -> (Vec<u8>, Table);

    /// Entries of a map in order of their encoded sub-keys, behind the one given, if one is.
    fn map_entries(&mut self, slot: usize, key: usize, after: &Table, most: usize) -> Entries;

    /// Lets what is read from now on show these changes, too: a call is given in parts, and this is what one of them
    /// returned. `groups` says the key of each row of the call.
    fn note(&mut self, lists: &[Listed], maps: &[Mapped], groups: &[u32]);

    /// Forgets what was noted.
    fn forget(&mut self);
}

/// What a call lends its guest.
pub(crate) struct Lent {
    pub entries: Box<dyn HeldEntries>,
    /// The keys of a part, as keys of the whole call; absent: the call is whole.
    pub keys: Option<Vec<u32>>,
    /// How many keys the part has.
    pub count: usize,
    /// Whose they are.
    pub module: Module,
    /// Which function it is.
    pub function: usize,
}

impl Lent {
    /// Checks sub-keys of a map.
    fn check(&self, slot: u32, sub_keys: &Table) -> wasmtime::Result<()> {
        let function = &self.module.description().functions[self.function];
        let slot = function.map_slots().nth(slot as usize);
        let Some(SlotKind::Map { key }) = slot.map(|slot| &slot.kind) else {
            return Err(wasmtime::Error::msg("no such map"));
        };
        if sub_keys.rows == 0 && sub_keys.columns.is_empty() {
            return Ok(());
        }
        let checked = check::table("sub-keys", sub_keys, key, sub_keys.rows as usize);
        checked.map_err(wasmtime::Error::msg)
    }
}

/// How many entries one import hands over at most.
const MOST_ENTRIES: u32 = 1 << 20;

impl State {
    /// What is lent, and the key of the whole call.
    fn lent(&mut self, maps: bool, slot: u32, key: u32) -> wasmtime::Result<(&mut Lent, usize)> {
        let outside = "tidemill:operator/state is only there during on-rows and on-timers of a function with lists or maps";
        let lent = self
            .held
            .as_mut()
            .ok_or_else(|| wasmtime::Error::msg(outside))?;
        let function = &lent.module.description().functions[lent.function];
        let slots = match maps {
            true => function.map_slots().count(),
            false => function.list_slots().count(),
        };
        let keys = lent.count;
        if slot as usize >= slots || key as usize >= keys {
            return Err(wasmtime::Error::msg(format!(
                "it asks for slot {slot} of key {key}: there are {slots} slots of that kind, and {keys} keys in the call"
            )));
        }
        let key = match &lent.keys {
            Some(keys) => keys[key as usize] as usize,
            None => key as usize,
        };
        Ok((lent, key))
    }
}

impl import::Host for State {
    fn list_length(&mut self, slot: u32, key: u32) -> wasmtime::Result<u32> {
        let (lent, key) = self.lent(false, slot, key)?;
        Ok(lent.entries.list_length(slot as usize, key))
    }

    fn list_newest(&mut self, slot: u32, key: u32, most: u32) -> wasmtime::Result<Table> {
        let (lent, key) = self.lent(false, slot, key)?;
        let most = most.min(MOST_ENTRIES) as usize;
        Ok(lent.entries.list_newest(slot as usize, key, most))
    }

    fn map_get(&mut self, slot: u32, key: u32, sub_keys: Table) -> wasmtime::Result<import::Found> {
        let (lent, key) = self.lent(true, slot, key)?;
        lent.check(slot, &sub_keys)?;
        let (present, values) = lent.entries.map_get(slot as usize, key, &sub_keys);
        Ok(import::Found { present, values })
    }

    fn map_entries(
        &mut self,
        slot: u32,
        key: u32,
        after: Table,
        most: u32,
    ) -> wasmtime::Result<import::Entries> {
        let (lent, key) = self.lent(true, slot, key)?;
        lent.check(slot, &after)?;
        if after.rows > 1 {
            return Err(wasmtime::Error::msg("`after` is one sub-key, or none"));
        }
        let most = most.min(MOST_ENTRIES) as usize;
        let Entries { sub_keys, values } =
            lent.entries.map_entries(slot as usize, key, &after, most);
        Ok(import::Entries { sub_keys, values })
    }
}

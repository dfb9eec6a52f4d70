//! What the host holds in lists and maps, asked for as it is needed. In a unit test the harness
//! answers.

use crate::bindings::tidemill::operator::columns::Table;

#[cfg(target_arch = "wasm32")]
use crate::bindings::tidemill::operator::state as host;

#[cfg(not(target_arch = "wasm32"))]
use super::harness::held as host;

/// How many entries a key's list has.
pub fn list_length(slot: u32, key: usize) -> usize {
    host::list_length(slot, key as u32) as usize
}

/// The newest entries of a key's list, the oldest of them first.
pub fn list_newest(slot: u32, key: usize, most: usize) -> Table {
    host::list_newest(slot, key as u32, most.min(u32::MAX as usize) as u32)
}

/// The value under one sub-key of a key's map, if there is one.
pub fn map_get(slot: u32, key: usize, sub_key: &Table) -> Option<Table> {
    let found = host::map_get(slot, key as u32, sub_key);
    (found.present == [1]).then_some(found.values)
}

/// At most so many entries of a key's map, behind `after` or from the first: sub-keys and values.
pub fn map_entries(slot: u32, key: usize, after: &Table, most: u32) -> (Table, Table) {
    let entries = host::map_entries(slot, key as u32, after, most);
    (entries.sub_keys, entries.values)
}

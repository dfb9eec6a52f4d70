//! What stands in for the host's `state` while a function is called.

use std::cell::RefCell;

use super::columns::{order, together};
use super::keys::Key;
use crate::bindings::tidemill::operator::columns::Table;
use crate::bindings::tidemill::operator::state::{Entries, Found};

thread_local! {
    /// The key of the call under way.
    static HELD: RefCell<Option<Key>> = const { RefCell::new(None) };
}

/// Lets `call` see what is held for `key`.
pub fn lend<R>(key: Key, call: impl FnOnce(&Key) -> R) -> (Key, R) {
    HELD.with_borrow_mut(|held| *held = Some(key.clone()));
    let done = call(&key);
    HELD.with_borrow_mut(|held| *held = None);
    (key, done)
}

fn with<R>(see: impl FnOnce(&Key) -> R) -> R {
    HELD.with_borrow(|held| see(held.as_ref().expect("lists and maps are read in a Harness")))
}

pub fn list_length(slot: u32, _key: u32) -> u32 {
    with(|key| key.lists[slot as usize].len() as u32)
}

pub fn list_newest(slot: u32, _key: u32, most: u32) -> Table {
    with(|key| {
        let list = &key.lists[slot as usize];
        let from = list.len().saturating_sub(most as usize);
        together(list[from..].iter().map(|cell| &cell.entry))
    })
}

pub fn map_get(slot: u32, _key: u32, sub_keys: &Table) -> Found {
    with(|key| {
        let map = &key.maps[slot as usize];
        match map.get(&order(&sub_keys.columns)) {
            Some((_, cell)) => Found {
                present: vec![1],
                values: cell.entry.clone(),
            },
            None => Found {
                present: vec![0],
                values: together(std::iter::empty()),
            },
        }
    })
}

/// All entries at once, whatever `most` says: the end is where nothing comes behind `after`.
pub fn map_entries(slot: u32, _key: u32, after: &Table, _most: u32) -> Entries {
    with(|key| {
        let map = &key.maps[slot as usize];
        let shown = || map.values().filter(|_| after.rows == 0);
        Entries {
            sub_keys: together(shown().map(|(key, _)| key)),
            values: together(shown().map(|(_, cell)| &cell.entry)),
        }
    })
}

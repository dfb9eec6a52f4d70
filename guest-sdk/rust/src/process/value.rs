//! A slot that holds at most one entry per key.

use std::cell::Cell;

use super::entry::{Entry, table};
use super::slot::{At, Changes, Opening, Slot, Spec};
use crate::bindings::exports::tidemill::operator::process::Kept;

/// A slot of [`State`](crate::State) that holds at most one entry per key. What it is about is
/// always the key of the row at hand.
///
/// ```
/// use tidemill::prelude::*;
///
/// fn count(count: &mut Value<i64>) -> i64 {
///     let rows = count.get().copied().unwrap_or_default() + 1;
///     count.set(rows);
///     rows
/// }
/// ```
pub struct Value<T> {
    entries: Vec<Option<T>>,
    changes: Vec<u8>,
    /// For a slot with a time to live: per key the row that its entry lives from, and its time.
    touched: Vec<(u32, i64)>,
    at: At,
    /// What stood before the row at hand changed it.
    before: Option<Before<T>>,
    /// Whether reading touches, and whether the row at hand has read.
    by_read: bool,
    read: Cell<bool>,
}

struct Before<T> {
    entry: Option<T>,
    change: u8,
    touched: (u32, i64),
}

const UNCHANGED: u8 = 0;
const PUT: u8 = 1;
const DELETED: u8 = 2;
const PUT_ANEW: u8 = 3;
/// No row has touched an entry.
const NONE: (u32, i64) = (u32::MAX, i64::MIN);

impl<T: Entry> Value<T> {
    /// The entry, if there is one.
    #[inline(always)]
    pub fn get(&self) -> Option<&T> {
        if self.by_read {
            self.read.set(true);
        }
        self.entries[self.at.key].as_ref()
    }

    /// Makes `entry` the entry.
    #[inline(always)]
    pub fn set(&mut self, entry: T) {
        let change = match self.changes[self.at.key] {
            DELETED | PUT_ANEW => PUT_ANEW,
            _ => PUT,
        };
        self.replace(Some(entry), change);
        self.touch();
    }

    /// Removes the entry, if there is one.
    pub fn delete(&mut self) {
        if self.entries[self.at.key].is_none() {
            return;
        }
        self.replace(None, DELETED);
        if let Some(touched) = self.touched.get_mut(self.at.key) {
            *touched = NONE;
        }
        self.read.set(false);
    }

    /// Changes the entry, or what is there by default if there is none.
    #[inline(always)]
    pub fn change(&mut self, change: impl FnOnce(&mut T))
    where
        T: Default,
    {
        let mut entry = self.entries[self.at.key].clone().unwrap_or_default();
        change(&mut entry);
        self.set(entry);
    }

    #[inline(always)]
    fn replace(&mut self, entry: Option<T>, change: u8) {
        let key = self.at.key;
        let entry = std::mem::replace(&mut self.entries[key], entry);
        let change = std::mem::replace(&mut self.changes[key], change);
        if self.at.fallible && self.before.is_none() {
            let touched = self.touched.get(key).copied().unwrap_or(NONE);
            self.before = Some(Before {
                entry,
                change,
                touched,
            });
        }
    }

    #[inline(always)]
    fn touch(&mut self) {
        if let Some(touched) = self.touched.get_mut(self.at.key)
            && self.at.time >= touched.1
        {
            *touched = (self.at.row, self.at.time);
        }
    }

    /// What the row at hand has read lives from it, if it is there.
    fn note_read(&mut self) {
        if self.read.take() && self.entries[self.at.key].is_some() {
            self.touch();
        }
    }
}

impl<T: Entry> Slot for Value<T> {
    const KIND: &'static str = "value";

    fn describe(json: &mut String) {
        *json += ",\"columns\":";
        T::describe(json);
    }

    #[inline(always)]
    fn open(spec: &Spec, opening: &mut Opening<'_>) -> Result<Self, String> {
        let keys = opening.keys;
        let held = opening.value()?;
        let mut there = T::read(&held.entries)?.into_iter();
        let entries = held.present.iter().map(|&present| match present {
            0 => None,
            _ => there.next(),
        });
        let touched = if spec.ttl.is_some() { keys } else { 0 };
        Ok(Self {
            entries: entries.collect(),
            changes: vec![UNCHANGED; keys],
            touched: vec![NONE; touched],
            at: At::default(),
            before: None,
            by_read: spec.read,
            read: Cell::new(false),
        })
    }

    #[inline(always)]
    fn begin(&mut self, at: At) {
        if self.by_read {
            self.note_read();
        }
        self.before = None;
        self.at = at;
    }

    fn undo(&mut self) {
        self.read.set(false);
        if let Some(before) = self.before.take() {
            let key = self.at.key;
            self.entries[key] = before.entry;
            self.changes[key] = before.change;
            if let Some(touched) = self.touched.get_mut(key) {
                *touched = before.touched;
            }
        }
    }

    #[inline(always)]
    fn close(mut self, changes: &mut Changes) {
        if self.by_read {
            self.note_read();
        }
        let put = |change: &&u8| matches!(**change, PUT | PUT_ANEW);
        let puts = self.changes.iter().filter(put).count();
        let entries = if puts == self.entries.len() {
            table(
                self.entries
                    .iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .into_iter(),
            )
        } else {
            let changed = self.entries.iter().zip(&self.changes);
            let changed = changed.filter(|(_, change)| put(change));
            let changed: Vec<&T> = changed.filter_map(|(entry, _)| entry.as_ref()).collect();
            table(changed.into_iter())
        };
        changes.values.push(Kept {
            changes: self.changes,
            entries,
            touched: self.touched.iter().map(|&(row, _)| row).collect(),
        });
    }
}

//! A slot that holds a map per key.

use std::collections::BTreeMap;

use super::entry::{Entry, table};
use super::held;
use super::slot::{At, Changes, Opening, Slot, Spec};
use crate::bindings::exports::tidemill::operator::process::Mapped;
use crate::bindings::tidemill::operator::columns::Table;

/// What the entries of a [`Map`] are found by: an [`Entry`] of which any two compare as the host
/// compares them, so no `f64`, and of a struct the derived order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the sub-key of a map",
    label = "not what entries can be found by",
    note = "write bool, i64, String, Vec<u8>, Timestamp, or a struct of these with \
            #[derive(Record, Clone, PartialEq, Eq, PartialOrd, Ord)]"
)]
pub trait SubKey: Entry + Ord {}

impl<T: Entry + Ord> SubKey for T {}

/// A slot of [`State`](crate::State) that holds a map per key: values under sub-keys.
///
/// What is held is fetched when it is asked for, one sub-key at a time; writing fetches nothing.
pub struct Map<K, V> {
    slot: u32,
    /// What the rows of the call have written, by key.
    own: Vec<Own<K, V>>,
    changes: Vec<Change<K, V>>,
    at: At,
    /// What stood before the row at hand changed it.
    before: Option<(Own<K, V>, usize)>,
}

/// What the rows of a call have made of one key's map.
#[derive(Clone)]
struct Own<K, V> {
    /// Whether what the host holds is gone.
    cleared: bool,
    /// `None`: deleted.
    written: BTreeMap<K, Option<V>>,
}

struct Change<K, V> {
    row: u32,
    what: What<K, V>,
}

enum What<K, V> {
    Put(K, V),
    Delete(K),
    Clear,
}

/// How many entries are fetched at once.
const PAGE: u32 = 1000;

impl<K: SubKey, V: Entry> Map<K, V> {
    /// The value under a sub-key, if there is one.
    pub fn get(&self, key: &K) -> Option<V> {
        let own = &self.own[self.at.key];
        match own.written.get(key) {
            Some(written) => written.clone(),
            None if own.cleared => None,
            None => {
                let sub_key = table([key].into_iter());
                let found = held::map_get(self.slot, self.at.key, &sub_key)?;
                read::<V>(&found).pop()
            }
        }
    }

    /// Whether there is a value under a sub-key.
    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Makes `value` the value under a sub-key.
    pub fn set(&mut self, key: K, value: V) {
        self.keep();
        self.note(What::Put(key.clone(), value.clone()));
        self.own[self.at.key].written.insert(key, Some(value));
    }

    /// Removes the value under a sub-key, if there is one.
    pub fn delete(&mut self, key: &K) {
        self.keep();
        self.note(What::Delete(key.clone()));
        self.own[self.at.key].written.insert(key.clone(), None);
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        self.keep();
        self.note(What::Clear);
        self.own[self.at.key] = Own {
            cleared: true,
            written: BTreeMap::new(),
        };
    }

    /// All sub-keys and their values, in order of the sub-keys.
    pub fn entries(&self) -> Vec<(K, V)> {
        let own = &self.own[self.at.key];
        let mut entries = match own.cleared {
            true => BTreeMap::new(),
            false => self.held(),
        };
        for (key, written) in &own.written {
            match written {
                Some(value) => drop(entries.insert(key.clone(), value.clone())),
                None => drop(entries.remove(key)),
            }
        }
        entries.into_iter().collect()
    }

    /// What the host holds.
    fn held(&self) -> BTreeMap<K, V> {
        let mut all = BTreeMap::new();
        let mut after = table(Vec::<&K>::new().into_iter());
        loop {
            let (keys, values) = held::map_entries(self.slot, self.at.key, &after, PAGE);
            let keys = read::<K>(&keys);
            let rows = keys.len();
            if let Some(last) = keys.last() {
                after = table([last].into_iter());
            }
            all.extend(keys.into_iter().zip(read::<V>(&values)));
            if rows < PAGE as usize {
                return all;
            }
        }
    }

    fn note(&mut self, what: What<K, V>) {
        let row = self.at.row;
        self.changes.push(Change { row, what });
    }

    fn keep(&mut self) {
        if self.at.fallible && self.before.is_none() {
            self.before = Some((self.own[self.at.key].clone(), self.changes.len()));
        }
    }
}

fn read<T: Entry>(table: &Table) -> Vec<T> {
    T::read(table).expect("the host holds what was declared")
}

impl<K: SubKey, V: Entry> Slot for Map<K, V> {
    const KIND: &'static str = "map";

    fn describe(json: &mut String) {
        *json += ",\"key\":";
        K::describe(json);
        *json += ",\"columns\":";
        V::describe(json);
    }

    fn open(_spec: &Spec, opening: &mut Opening<'_>) -> Result<Self, String> {
        let none = Own {
            cleared: false,
            written: BTreeMap::new(),
        };
        Ok(Self {
            slot: opening.map(),
            own: vec![none; opening.keys],
            changes: Vec::new(),
            at: At::default(),
            before: None,
        })
    }

    fn begin(&mut self, at: At) {
        self.before = None;
        self.at = at;
    }

    fn undo(&mut self) {
        if let Some((own, changes)) = self.before.take() {
            self.own[self.at.key] = own;
            self.changes.truncate(changes);
        }
    }

    fn close(self, changes: &mut Changes) {
        let (mut kinds, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for change in &self.changes {
            kinds.push(match &change.what {
                What::Put(key, value) => {
                    keys.push(key);
                    values.push(value);
                    0
                }
                What::Delete(key) => {
                    keys.push(key);
                    1
                }
                What::Clear => 2,
            });
        }
        changes.maps.push(Mapped {
            rows: self.changes.iter().map(|change| change.row).collect(),
            changes: kinds,
            sub_keys: table(keys.into_iter()),
            values: table(values.into_iter()),
        });
    }
}

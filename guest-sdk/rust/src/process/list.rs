//! A slot that holds a list of entries per key.

use super::entry::{Entry, table};
use super::held;
use super::slot::{At, Changes, Opening, Slot, Spec};
use crate::bindings::exports::tidemill::operator::process::Listed;

/// A slot of [`State`](crate::State) that holds a list of entries per key, in the order in which
/// they were pushed. Beyond the slot's bound (`most`) the oldest go.
///
/// What is held is fetched when it is asked for; pushing fetches nothing.
pub struct List<T> {
    slot: u32,
    most: usize,
    /// What the rows of the call have pushed, by key.
    own: Vec<Own<T>>,
    changes: Vec<(u32, Option<T>)>,
    at: At,
    /// What stood before the row at hand changed it.
    before: Option<(Own<T>, usize)>,
}

/// What the rows of a call have made of one key's list.
#[derive(Clone)]
struct Own<T> {
    /// Whether what the host holds is gone.
    cleared: bool,
    pushed: Vec<T>,
}

/// The bound of a list that names none.
const MOST: u32 = 1000;

impl<T: Entry> List<T> {
    /// Appends an entry.
    pub fn push(&mut self, entry: T) {
        self.keep();
        self.changes.push((self.at.row, Some(entry.clone())));
        self.own[self.at.key].pushed.push(entry);
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.keep();
        self.changes.push((self.at.row, None));
        self.own[self.at.key] = Own {
            cleared: true,
            pushed: Vec::new(),
        };
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        (self.held() + self.own().pushed.len()).min(self.most)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries, the oldest first.
    pub fn all(&self) -> Vec<T> {
        self.newest(self.most)
    }

    /// The newest entries, at most so many, the oldest of them first.
    pub fn newest(&self, most: usize) -> Vec<T> {
        let most = most.min(self.most);
        let own = self.own();
        let pushed = &own.pushed[own.pushed.len().saturating_sub(most)..];
        let held = most - pushed.len();
        let mut entries = match held {
            0 => Vec::new(),
            _ if own.cleared => Vec::new(),
            _ => {
                let held = held::list_newest(self.slot, self.at.key, held);
                T::read(&held).expect("the host holds what was declared")
            }
        };
        entries.extend_from_slice(pushed);
        entries
    }

    fn own(&self) -> &Own<T> {
        &self.own[self.at.key]
    }

    fn held(&self) -> usize {
        match self.own().cleared {
            true => 0,
            false => held::list_length(self.slot, self.at.key),
        }
    }

    fn keep(&mut self) {
        if self.at.fallible && self.before.is_none() {
            self.before = Some((self.own().clone(), self.changes.len()));
        }
    }
}

impl<T: Entry> Slot for List<T> {
    const KIND: &'static str = "list";

    fn describe(json: &mut String) {
        *json += ",\"columns\":";
        T::describe(json);
    }

    fn open(spec: &Spec, opening: &mut Opening<'_>) -> Result<Self, String> {
        let none = Own {
            cleared: false,
            pushed: Vec::new(),
        };
        Ok(Self {
            slot: opening.list(),
            most: spec.most.unwrap_or(MOST) as usize,
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
        let entries: Vec<&T> = self
            .changes
            .iter()
            .filter_map(|(_, e)| e.as_ref())
            .collect();
        changes.lists.push(Listed {
            rows: self.changes.iter().map(|(row, _)| *row).collect(),
            changes: self
                .changes
                .iter()
                .map(|(_, entry)| u8::from(entry.is_none()))
                .collect(),
            entries: table(entries.into_iter()),
        });
    }
}

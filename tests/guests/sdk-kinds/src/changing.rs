//! Functions that take rows that delete, and give such.

use tidemill::prelude::*;

use crate::aggregates::WholeSum;

/// A row of a table; one that deletes has no value.
#[derive(Record)]
pub struct Entry {
    pub value: Option<i64>,
    #[record(change)]
    pub change: Change,
}

/// A row that says what it does to others.
#[derive(Record)]
pub struct Entered {
    pub entered: i64,
    #[record(change)]
    pub change: Change,
}

/// Adds up what there is: rows that are taken back count for nothing, and keys that are deleted one less.
#[derive(Config)]
pub struct Standing {}

#[aggregate(combinable)]
impl Standing {
    fn add(&self, acc: &mut WholeSum, entry: Entry) {
        let sign = if entry.change.adds() { 1 } else { -1 };
        acc.sum += sign * entry.value.unwrap_or(0);
        acc.rows += sign;
    }

    fn merge(&self, acc: &mut WholeSum, other: WholeSum) {
        acc.sum += other.sum;
        acc.rows += other.rows;
    }

    fn finish(&self, _window: Window, acc: &WholeSum) -> WholeSum {
        acc.clone()
    }
}

/// The value of a key.
#[derive(State)]
pub struct Last {
    value: Value<i64>,
}

/// The newest value of every key, as a table: knows what a key had, and takes that back.
#[derive(Config)]
pub struct Newest {}

#[process]
impl Newest {
    fn on_row(&self, entry: Entry, last: &mut Last, out: &mut Output<Entered>) {
        let before = last.value.get().copied();
        let deleted = !entry.change.adds();
        if let Some(entered) = before {
            let change = match deleted {
                true => Change::Delete,
                false => Change::UpdateBefore,
            };
            out.push(Entered { entered, change });
        }
        match entry.value {
            Some(entered) if !deleted => {
                last.value.set(entered);
                let change = before.map_or(Change::Insert, |_| Change::UpdateAfter);
                out.push(Entered { entered, change });
            }
            _ => last.value.delete(),
        }
    }
}

/// What was done to others, undone: a row that is there takes one away.
#[derive(Config)]
pub struct Undo {}

#[transform]
impl Undo {
    fn map(&self, entry: Entry) -> Extended<Undone> {
        let change = match entry.change {
            Change::Insert => Change::Delete,
            Change::UpdateBefore => Change::UpdateAfter,
            Change::UpdateAfter => Change::UpdateBefore,
            Change::Delete => Change::Insert,
        };
        Extended(Undone { change })
    }
}

/// What a row does that undoes another.
#[derive(Record)]
pub struct Undone {
    #[record(change)]
    pub change: Change,
}

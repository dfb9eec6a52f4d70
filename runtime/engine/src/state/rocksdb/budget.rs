//! One memory for all: what `memory` of `[state]` allows the process, and who has how much of it.
//!
//! ```text
//! memory ─┬─ 48 MiB: the program itself, modules, rows on their way
//!         └─ the rest ─┬─ 5/16: what operators hold of their keys in memory, of all operators on all workers
//!                      ├─ 3/16: blocks of files that were read, their filters and indexes, what is still to be written
//!                      └─ a half: room that columns have grown to, what writes files in the background, gaps between allocations
//! ```
//!
//! An operator's copy on a worker may have more than its equal part while others have less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What operators may hold in memory together.
#[derive(Debug)]
pub struct Budget {
    most: usize,
    used: AtomicUsize,
    shares: AtomicUsize,
}

/// What one copy of an operator has of it.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    own: usize,
}

impl Budget {
    /// Of so many bytes for the process.
    pub fn new(memory: usize) -> Self {
        Self {
            most: rest(memory) / 16 * 5,
            used: AtomicUsize::new(0),
            shares: AtomicUsize::new(0),
        }
    }
}

/// What is for blocks that were read and what is to be written, of so many bytes for the process.
pub fn of_blocks(memory: usize) -> usize {
    rest(memory) / 16 * 3
}

/// What is for the program itself, modules and rows on their way.
const PROGRAM: usize = 48 << 20;

/// What is left for state; in tests, of a budget in which no program has room, a half.
fn rest(memory: usize) -> usize {
    memory - PROGRAM.min(memory / 2)
}

impl Share {
    /// Another copy.
    pub fn new(budget: &Arc<Budget>) -> Self {
        budget.shares.fetch_add(1, Relaxed);
        Self {
            budget: budget.clone(),
            own: 0,
        }
    }

    /// Says how much it has now.
    pub fn set(&mut self, own: usize) {
        self.budget.used.fetch_add(own, Relaxed);
        self.budget.used.fetch_sub(self.own, Relaxed);
        self.own = own;
    }

    /// By how much it has too much: all together have too much, and it has more than its equal part.
    pub fn excess(&self) -> usize {
        let budget = &*self.budget;
        let part = budget.most / budget.shares.load(Relaxed).max(1);
        let all = budget.used.load(Relaxed).saturating_sub(budget.most);
        all.min(self.own.saturating_sub(part))
    }

    /// What all of them may have together.
    pub fn most(&self) -> usize {
        self.budget.most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.own, Relaxed);
        self.budget.shares.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_than_its_part_has_too_much_once_all_have() {
        let budget = Arc::new(Budget {
            most: 1000,
            used: AtomicUsize::new(0),
            shares: AtomicUsize::new(0),
        });
        let (mut one, mut other) = (Share::new(&budget), Share::new(&budget));
        one.set(900);
        assert_eq!(one.excess(), 0);
        other.set(300);
        assert_eq!((one.excess(), other.excess()), (200, 0));
        other.set(600);
        assert_eq!((one.excess(), other.excess()), (400, 100));
        drop(other);
        assert_eq!(one.excess(), 0);
    }
}

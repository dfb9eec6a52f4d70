//! What generators share: row i is in split i mod splits, whatever the number of workers; its
//! number is its position.

use std::sync::Arc;

use crate::ConnectorError;
use crate::pace::Pace;
use crate::position::Position;
use crate::split::Then;

/// The row numbers of one split.
pub(crate) struct Numbers {
    next: u64,
    splits: u64,
    rows: Option<u64>,
    pace: Option<Pace>,
}

impl Numbers {
    /// The rows of a split from this one on, of `rows` in all, at a pace.
    pub fn new(next: u64, splits: usize, rows: Option<u64>, pace: Option<Pace>) -> Self {
        Self {
            next,
            splits: splits as u64,
            rows,
            pace,
        }
    }

    /// The next numbers, at most so many: the first, how many, what comes after them.
    pub fn take(&mut self, most: usize) -> (u64, usize, Then) {
        let first = self.next;
        let all = self.rows.unwrap_or(u64::MAX);
        let due = self.pace.as_ref().map_or(all, |pace| pace.due().min(all));
        let there = due.saturating_sub(first).div_ceil(self.splits);
        let len = there.min(most as u64);
        self.next = first.saturating_add(len * self.splits);
        let then = match &self.pace {
            _ if self.next >= all => Then::End,
            Some(pace) if self.next >= due => {
                pace.wait();
                Then::Pending
            }
            _ => Then::More,
        };
        (first, len as usize, then)
    }

    /// Where it goes on.
    pub fn position(&self) -> Position {
        Position::Generated {
            next: self.next,
            finished: self.next >= self.rows.unwrap_or(u64::MAX),
        }
    }
}

/// The number of each split's first row, by positions that were kept.
pub(crate) fn begins(
    names: &[Arc<str>],
    splits: usize,
    kept: &[(Arc<str>, Position)],
) -> Result<Vec<u64>, ConnectorError> {
    let mut begins: Vec<u64> = (0..splits as u64).collect();
    for (name, at) in kept {
        let split = names.iter().position(|n| n == name);
        match (split, at) {
            (Some(split), Position::Generated { next, .. })
                if next % splits as u64 == split as u64 =>
            {
                begins[split] = *next;
            }
            _ => {
                return Err(ConnectorError::Changed(format!(
                    "{name} is no split of this generator any more: it has {splits} splits now"
                )));
            }
        }
    }
    Ok(begins)
}

/// The names of a generator's splits: `nexmark-0`, `nexmark-1`, ...
pub(crate) fn names(of: &str, splits: usize) -> Vec<Arc<str>> {
    let width = splits.saturating_sub(1).to_string().len();
    (0..splits)
        .map(|split| format!("{of}-{split:0width$}").into())
        .collect()
}

/// Checks what generators have in common.
pub(crate) fn check(splits: usize, rate: Option<f64>) -> Result<(), ConnectorError> {
    /// The most splits that a generator has.
    const MOST_SPLITS: usize = 1024;
    let refuse = |message: String| Err(ConnectorError::Configuration(message));
    if !(1..=MOST_SPLITS).contains(&splits) {
        return refuse(format!("`splits` must be 1 to {MOST_SPLITS}: {splits}"));
    }
    match rate {
        Some(rate) if !(rate.is_finite() && rate > 0.0) => refuse(format!(
            "`rate` must be more than 0 rows per second: {rate}"
        )),
        _ => Ok(()),
    }
}

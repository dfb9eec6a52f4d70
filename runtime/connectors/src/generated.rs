//! What generators share: row i is in split i mod splits, whatever the number of workers; its
//! number is its position.

use std::sync::Arc;

use crate::ConnectorError;
use crate::pace::Pace;
use crate::split::Then;

/// The row numbers of one split.
pub(crate) struct Numbers {
    next: u64,
    splits: u64,
    rows: Option<u64>,
    pace: Option<Pace>,
}

impl Numbers {
    /// The rows of a split, of `rows` in all, at a pace.
    pub fn new(split: usize, splits: usize, rows: Option<u64>, pace: Option<Pace>) -> Self {
        Self {
            next: split as u64,
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

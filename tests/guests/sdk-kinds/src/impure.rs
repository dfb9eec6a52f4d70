//! Functions that are not pure, each in its own way: `tidemill check --pure` must find them.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use tidemill::prelude::*;

use crate::aggregates::{Any, Real, RealSum, Rows, Whole, WholeSum};
use crate::whole::Timed;

/// A row's number.
#[derive(Record)]
pub struct Numbered {
    pub number: i64,
}

/// Numbers rows with a counter that the instance keeps.
#[derive(Config)]
pub struct Numbering {}

static ROWS_SEEN: AtomicI64 = AtomicI64::new(0);

#[transform]
impl Numbering {
    fn map(&self, _row: Any) -> Extended<Numbered> {
        Extended(Numbered {
            number: ROWS_SEEN.fetch_add(1, Relaxed),
        })
    }
}

/// Adds what the instance saw last to what it is given.
#[derive(Config)]
pub struct AddBefore {}

static LAST_VALUE: AtomicI64 = AtomicI64::new(0);

#[aggregate]
impl AddBefore {
    fn add(&self, acc: &mut WholeSum, row: Whole) {
        acc.sum = acc
            .sum
            .wrapping_add(row.value)
            .wrapping_add(LAST_VALUE.swap(row.value, Relaxed));
        acc.rows += 1;
    }

    fn merge(&self, acc: &mut WholeSum, other: WholeSum) {
        acc.sum = acc.sum.wrapping_add(other.sum);
        acc.rows += other.rows;
    }

    fn finish(&self, _window: Window, acc: &WholeSum) -> WholeSum {
        acc.clone()
    }
}

/// Counts well, and the results that it has given too.
#[derive(Config)]
pub struct CountResults {}

static RESULTS: AtomicI64 = AtomicI64::new(0);

#[aggregate]
impl CountResults {
    fn add(&self, acc: &mut Rows, _row: Any) {
        acc.rows += 1;
    }

    fn merge(&self, acc: &mut Rows, other: Rows) {
        acc.rows += other.rows;
    }

    fn finish(&self, _window: Window, acc: &Rows) -> Rows {
        Rows {
            rows: acc.rows + RESULTS.fetch_add(1, Relaxed),
        }
    }
}

/// A sum of floats is not what it claims to be: its last bits depend on the order.
#[derive(Config)]
pub struct SumFloatsAnyhow {}

#[aggregate(combinable)]
impl SumFloatsAnyhow {
    fn add(&self, acc: &mut RealSum, row: Real) {
        acc.sum += row.value;
        acc.rows += 1;
    }

    fn merge(&self, acc: &mut RealSum, other: RealSum) {
        acc.sum += other.sum;
        acc.rows += other.rows;
    }

    fn finish(&self, _window: Window, acc: &RealSum) -> RealSum {
        acc.clone()
    }
}

/// Counts the rows of windows, and all windows that the instance has seen.
#[derive(Config)]
pub struct CountWindows {}

static WINDOWS_SEEN: AtomicI64 = AtomicI64::new(0);

#[window]
impl CountWindows {
    fn apply(&self, _window: Window, rows: &[Any]) -> Rows {
        Rows {
            rows: rows.len() as i64 * 1000 + WINDOWS_SEEN.fetch_add(1, Relaxed),
        }
    }
}

/// Time has come as far as the instance has ever seen.
#[derive(Config)]
pub struct LatestEver {}

static LATEST: AtomicI64 = AtomicI64::new(i64::MIN);

#[watermark]
impl LatestEver {
    fn observe(&self, row: Timed) -> Timestamp {
        let before = LATEST.fetch_max(row.at.micros(), Relaxed);
        Timestamp::from_micros(before.max(row.at.micros() - 1))
    }
}

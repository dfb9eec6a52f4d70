//! Functions that fail in one of their calls, or for some of their rows, and leave the others alone.

use tidemill::prelude::*;

use crate::failing::Marked;

/// Drops rows that are marked as bad.
#[derive(Config)]
pub struct Unmarked {}

#[transform]
impl Unmarked {
    fn filter(&self, row: Marked) -> bool {
        !row.bad
    }
}

/// Drops some rows and fails on marked ones.
#[derive(Config)]
pub struct Sift {
    /// Values that this divides are dropped.
    pub drop: i64,
}

#[transform]
impl Sift {
    fn filter(&self, row: Marked) -> Result<bool, Failure> {
        match row.bad {
            true => Err(Failure::invalid(
                "marked",
                format!("value {} is marked as bad", row.value),
            )),
            false => Ok(row.value % self.drop != 0),
        }
    }
}

/// A sum, and whether a marked row is in it.
#[derive(Record, Default, Clone)]
pub struct Tainted {
    pub sum: i64,
    pub tainted: bool,
}

impl Tainted {
    fn add(&mut self, sum: i64, tainted: bool) {
        self.sum += sum;
        self.tainted |= tainted;
    }
}

/// What comes out where nothing is tainted.
#[derive(Record)]
pub struct Clean {
    pub sum: i64,
}

/// `merge` fails once a marked row is on either side.
#[derive(Config)]
pub struct FailMerge {}

#[aggregate]
impl FailMerge {
    fn add(&self, acc: &mut Tainted, row: Marked) {
        acc.add(row.value, row.bad);
    }

    fn merge(&self, acc: &mut Tainted, other: Tainted) -> Result<(), Failure> {
        acc.add(other.sum, other.tainted);
        match acc.tainted {
            true => Err(Failure::invalid("tainted", format!("a sum of {}", acc.sum))),
            false => Ok(()),
        }
    }

    fn finish(&self, _window: Window, acc: &Tainted) -> Clean {
        Clean { sum: acc.sum }
    }
}

/// `finish` fails, or panics, where a marked row is among those of the window.
#[derive(Config)]
pub struct FailFinish {
    /// Whether it panics.
    #[config(default = false)]
    pub panics: bool,
}

#[aggregate]
impl FailFinish {
    fn add(&self, acc: &mut Tainted, row: Marked) {
        acc.add(row.value, row.bad);
    }

    fn merge(&self, acc: &mut Tainted, other: Tainted) {
        acc.add(other.sum, other.tainted);
    }

    fn finish(&self, _window: Window, acc: &Tainted) -> Result<Clean, Failure> {
        assert!(!(acc.tainted && self.panics), "a sum of {}", acc.sum);
        match acc.tainted {
            true => Err(Failure::invalid("tainted", format!("a sum of {}", acc.sum))),
            false => Ok(Clean { sum: acc.sum }),
        }
    }
}

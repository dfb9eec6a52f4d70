//! Functions that fail, by value or by a trap.

use tidemill::prelude::*;

/// A row that may be marked as bad.
#[derive(Record)]
pub struct Marked {
    pub value: i64,
    pub bad: bool,
}

/// Two fields that always change together: the sum, and the sum as text.
#[derive(Record, Default, Clone)]
pub struct Twice {
    pub sum: i64,
    pub text: String,
}

impl Twice {
    /// Changes one field, then the other.
    fn set(&mut self, sum: i64) {
        self.sum = sum;
        self.text = sum.to_string();
    }

    /// Whether a row was only half undone, or not at all: bad rows have values of `trace` and more.
    fn shows_a_bad_row(&self, trace: i64) -> bool {
        self.sum >= trace || (!self.text.is_empty() && self.text != self.sum.to_string())
    }
}

/// `add` changes two fields, then fails on a marked row. The next row of the key fails only if it sees that.
#[derive(Config)]
pub struct FailAfterChange {
    /// A sum that only a bad row can reach.
    #[config(default = 1_000_000)]
    pub trace: i64,
}

#[aggregate]
impl FailAfterChange {
    fn add(&self, acc: &mut Twice, row: Marked) -> Result<(), Failure> {
        if acc.shows_a_bad_row(self.trace) {
            return Err(Failure::invalid(
                "saw-a-bad-row",
                format!("a sum of {}", acc.sum),
            ));
        }
        acc.set(acc.sum + row.value + if row.bad { self.trace } else { 0 });
        match row.bad {
            true => Err(Failure::invalid(
                "marked",
                format!("value {} is marked as bad", row.value),
            )),
            false => Ok(()),
        }
    }

    fn merge(&self, acc: &mut Twice, other: Twice) {
        acc.set(acc.sum + other.sum);
    }

    fn finish(&self, _window: Window, acc: &Twice) -> Twice {
        acc.clone()
    }
}

/// A sum of rows that are not bad.
#[derive(Record, Default, Clone)]
pub struct GoodSum {
    pub sum: i64,
    pub rows: i64,
}

/// Adds up whole numbers and fails on marked rows; some sums it cannot merge.
#[derive(Config)]
pub struct PickySum {
    /// Sums of a multiple of so many rows cannot be merged.
    #[config(default = 3)]
    pub unmergeable: i64,
}

#[aggregate(combinable)]
impl PickySum {
    fn add(&self, acc: &mut GoodSum, row: Marked) -> Result<(), Failure> {
        if row.bad {
            return Err(Failure::invalid("marked", format!("value {}", row.value)));
        }
        acc.sum += row.value;
        acc.rows += 1;
        Ok(())
    }

    fn merge(&self, acc: &mut GoodSum, other: GoodSum) -> Result<(), Failure> {
        if other.rows % self.unmergeable == 0 {
            return Err(Failure::invalid(
                "unmergeable",
                format!("{} rows", other.rows),
            ));
        }
        acc.sum += other.sum;
        acc.rows += other.rows;
        Ok(())
    }

    fn finish(&self, _window: Window, acc: &GoodSum) -> GoodSum {
        acc.clone()
    }
}

/// Adds up whole numbers, at most so many: a row more fails, however good it is.
#[derive(Config)]
pub struct Crowded {
    pub most: i64,
}

#[aggregate]
impl Crowded {
    fn add(&self, acc: &mut GoodSum, row: Marked) -> Result<(), Failure> {
        if acc.rows == self.most {
            let message = format!("{} rows are enough", self.most);
            return Err(Failure::invalid("crowded", message));
        }
        acc.sum += row.value;
        acc.rows += 1;
        Ok(())
    }

    fn merge(&self, acc: &mut GoodSum, other: GoodSum) {
        acc.sum += other.sum;
        acc.rows += other.rows;
    }

    fn finish(&self, _window: Window, acc: &GoodSum) -> GoodSum {
        acc.clone()
    }
}

/// As `FailAfterChange`, with a trap.
#[derive(Config)]
pub struct TrapAfterChange {
    /// A sum that only a bad row can reach.
    #[config(default = 1_000_000)]
    pub trace: i64,
}

#[aggregate]
impl TrapAfterChange {
    fn add(&self, acc: &mut Twice, row: Marked) -> Result<(), Failure> {
        if acc.shows_a_bad_row(self.trace) {
            return Err(Failure::invalid(
                "saw-a-bad-row",
                format!("a sum of {}", acc.sum),
            ));
        }
        acc.set(acc.sum + row.value + if row.bad { self.trace } else { 0 });
        assert!(!row.bad, "value {} is marked as bad", row.value);
        Ok(())
    }

    fn merge(&self, acc: &mut Twice, other: Twice) {
        acc.set(acc.sum + other.sum);
    }

    fn finish(&self, _window: Window, acc: &Twice) -> Twice {
        acc.clone()
    }
}

/// Lets rows through, writes a line for each, and traps on those with the value `at`.
#[derive(Config)]
pub struct Trapping {
    pub at: i64,
}

/// A row with a whole number.
#[derive(Record)]
pub struct Whole {
    pub value: i64,
}

#[transform]
impl Trapping {
    fn filter(&self, row: Whole) -> bool {
        log::info!("looking at {}", row.value);
        assert!(row.value != self.at, "the value is {}", row.value);
        true
    }
}

//! Aggregates that cannot fail.

use tidemill::prelude::*;

/// A row of which nothing is looked at.
#[derive(Record)]
pub struct Any {}

/// How many rows there were.
#[derive(Record, Default, Clone)]
pub struct Rows {
    pub rows: i64,
}

/// Counts rows.
#[derive(Config)]
pub struct Count {}

#[aggregate(combinable)]
impl Count {
    fn add(&self, acc: &mut Rows, _row: Any) {
        acc.rows += 1;
    }

    fn merge(&self, acc: &mut Rows, other: Rows) {
        acc.rows += other.rows;
    }

    fn finish(&self, _window: Window, acc: &Rows) -> Rows {
        acc.clone()
    }
}

/// A row with a whole number.
#[derive(Record)]
pub struct Whole {
    pub value: i64,
}

/// A sum of whole numbers.
#[derive(Record, Default, Clone)]
pub struct WholeSum {
    pub sum: i64,
    pub rows: i64,
}

/// Adds up whole numbers.
#[derive(Config)]
pub struct Sum {}

#[aggregate(combinable)]
impl Sum {
    fn add(&self, acc: &mut WholeSum, row: Whole) {
        acc.sum = acc.sum.wrapping_add(row.value);
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

/// A row with a float.
#[derive(Record)]
pub struct Real {
    pub value: f64,
}

/// A sum of floats.
#[derive(Record, Default, Clone)]
pub struct RealSum {
    pub sum: f64,
    pub rows: i64,
}

/// Adds up floats: the order of rows shows in the last bit.
#[derive(Config)]
pub struct SumFloats {}

#[aggregate]
impl SumFloats {
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

/// A payment.
#[derive(Record)]
pub struct Payment {
    pub amount: f64,
}

/// What was paid.
#[derive(Record, Default, Clone)]
pub struct Spent {
    pub total: f64,
    pub payments: i64,
}

/// The function of `wit/guests/c/velocity.c`, with the same state.
#[derive(Config)]
pub struct Velocity {
    pub limit: f64,
}

#[aggregate]
impl Velocity {
    fn add(&self, spent: &mut Spent, payment: Payment) {
        spent.total += payment.amount;
        spent.payments += 1;
    }

    fn merge(&self, spent: &mut Spent, other: Spent) {
        spent.total += other.total;
        spent.payments += other.payments;
    }

    fn finish(&self, _window: Window, spent: &Spent) -> Option<Spent> {
        (spent.total > self.limit).then(|| spent.clone())
    }
}

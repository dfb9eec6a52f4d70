use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Record, Default)]
struct Sum {
    sum: i64,
}

#[derive(Record)]
struct Total {
    sum: i64,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Config)]
struct Sums {}

#[aggregate]
impl Sums {
    fn add(&self, acc: &mut Sum, row: Row) {
        acc.sum += row.value;
    }
    fn merge(&self, acc: &mut Sum, other: Sum) {
        acc.sum += other.sum;
    }
    fn finish(&self, window: Window, acc: &Sum) -> Total {
        Total { sum: acc.sum, at: window.end }
    }
}

fn main() {}

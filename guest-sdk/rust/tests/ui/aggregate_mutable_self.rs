use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Record, Default)]
struct Sum {
    sum: i64,
}

#[derive(Config)]
struct Sums {}

#[aggregate]
impl Sums {
    fn add(&mut self, acc: &mut Sum, row: Row) {
        acc.sum += row.value;
    }
    fn merge(&self, acc: &mut Sum, other: Sum) {
        acc.sum += other.sum;
    }
    fn finish(&self, _window: Window, acc: &Sum) -> Sum {
        Sum { sum: acc.sum }
    }
}

fn main() {}

use tidemill::prelude::*;

#[derive(Record)]
struct Payment {
    amount: f32,
}

#[derive(Record)]
struct Order {
    items: Vec<i64>,
}

struct Money(i64);

#[derive(Record)]
struct Price {
    price: Money,
}

fn main() {}

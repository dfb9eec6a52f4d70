use tidemill::prelude::*;

#[derive(Record)]
struct Payment {
    amount: f64,
}

#[derive(Record)]
struct Alert {
    total: f64,
}

#[derive(Config)]
struct Total {}

#[window]
impl Total {
    fn add(&self, total: &mut Alert, payment: Payment) {
        total.total += payment.amount;
    }
}

fn main() {}

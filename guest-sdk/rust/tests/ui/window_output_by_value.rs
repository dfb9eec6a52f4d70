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
    fn apply(&self, _window: Window, _payments: &[Payment], _out: Vec<Alert>) {}
}

fn main() {}

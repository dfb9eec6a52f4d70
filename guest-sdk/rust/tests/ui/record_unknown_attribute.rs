use tidemill::prelude::*;

#[derive(Record)]
struct Payment {
    #[record(rename = "total")]
    amount: f64,
}

fn main() {}

use tidemill::prelude::*;

#[derive(Record)]
struct Payment<T> {
    amount: T,
}

fn main() {}

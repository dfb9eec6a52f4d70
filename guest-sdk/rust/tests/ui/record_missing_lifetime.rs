use tidemill::prelude::*;

#[derive(Record)]
struct Payment {
    account: &str,
}

fn main() {}

use tidemill::prelude::*;

#[derive(Record)]
enum Payment {
    Card,
    Cash,
}

fn main() {}

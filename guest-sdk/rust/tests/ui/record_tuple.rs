use tidemill::prelude::*;

#[derive(Record)]
struct Payment(f64);

fn main() {}

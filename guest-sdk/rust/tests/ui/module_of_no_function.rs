use tidemill::prelude::*;

#[derive(Config)]
struct Large {
    at_least: f64,
}

tidemill::module!(Large);

fn main() {}

use tidemill::prelude::*;

#[derive(Config)]
struct Large {
    #[config(default = 1)]
    at_least: f64,
}

#[derive(Config)]
struct Largest {
    #[config(default = f64::MAX)]
    at_most: f64,
}

#[derive(Config)]
struct Other {
    #[config(optional)]
    note: String,
}

fn main() {}

use std::collections::HashMap;

use tidemill::prelude::*;

#[derive(Config)]
struct Large {
    at_least: f32,
}

#[derive(Config)]
struct Rates {
    per_currency: HashMap<String, f64>,
}

#[derive(Config)]
struct Named {
    name: &'static str,
}

fn main() {}

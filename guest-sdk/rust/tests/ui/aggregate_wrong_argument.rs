use tidemill::prelude::*;

#[derive(Config)]
struct Sums {}

#[aggregate(parallel)]
impl Sums {}

fn main() {}

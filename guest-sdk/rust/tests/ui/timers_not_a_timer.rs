use tidemill::prelude::*;

#[derive(Timers)]
struct Timers {
    silent: Timestamp,
}

fn main() {}

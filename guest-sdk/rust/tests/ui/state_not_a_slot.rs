use tidemill::prelude::*;

#[derive(State)]
struct Sensor {
    last: Timestamp,
}

fn main() {}

use tidemill::prelude::*;

#[derive(State)]
struct Sensor {
    #[state(ttl = "1 week")]
    last: Value<Timestamp>,
}

fn main() {}

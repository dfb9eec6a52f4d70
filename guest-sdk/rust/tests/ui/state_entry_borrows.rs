use tidemill::prelude::*;

#[derive(State)]
struct Sensor {
    name: Value<&'static str>,
}

fn main() {}

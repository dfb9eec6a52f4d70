use tidemill::prelude::*;

#[derive(Record)]
struct Ping {
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record)]
struct Silent {
    since: Timestamp,
}

#[derive(State)]
struct Sensor {
    last: Value<Timestamp>,
}

#[derive(Timers)]
struct Timers {
    silent: Timer,
}

#[derive(Config)]
struct Watch;

#[process]
impl Watch {
    fn on_row(&self, _ping: Ping, _seen: &mut Silent, _out: &mut Output<Silent>) {}
}

fn main() {}

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
    fn on_row(&self, ping: Ping, _sensor: &mut Sensor, timers: &mut Timers, _out: &mut Output<Silent>) {
        timers.silnt.set(ping.at);
    }

    fn on_timer(&self, _fired: Fired, _sensor: &mut Sensor, _timers: &mut Timers, _out: &mut Output<Silent>) {}
}

fn main() {}

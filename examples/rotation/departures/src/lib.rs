//! Departures of aircraft from New York: the time between two of them, and aircraft that are not seen for two days.

use tidemill::prelude::*;

/// A departure.
#[derive(Record)]
pub struct Departure<'a> {
    #[record(event_time)]
    pub at: Timestamp,
    pub carrier: &'a str,
    pub flight: i64,
    pub origin: &'a str,
    pub dest: &'a str,
}

/// The last departure of an aircraft.
#[derive(Record, Clone)]
pub struct Last {
    pub at: Timestamp,
    pub origin: String,
    pub dest: String,
}

/// What is known of an aircraft.
#[derive(State)]
pub struct Aircraft {
    last: Value<Last>,
}

#[derive(Timers)]
pub struct Timers {
    unseen: Timer,
}

/// An aircraft that has left New York again.
#[derive(Record, Debug, PartialEq)]
pub struct Rotation<'a> {
    pub flight: &'a str,
    pub left_at: Timestamp,
    pub before: Timestamp,
    pub from: &'a str,
    pub to: &'a str,
    /// Where it had gone the time before.
    pub gone_to: &'a str,
    pub minutes: i64,
}

/// An aircraft that has not been seen since.
#[derive(Record, Debug, PartialEq)]
pub struct Unseen {
    pub left_at: Timestamp,
    pub from: String,
    pub to: String,
}

#[derive(Sides)]
pub struct Sides {
    unseen: Output<Unseen>,
}

/// The time between an aircraft's departures; to `unseen` aircraft that have not left for `after_hours`.
#[derive(Config)]
pub struct Rotations {
    pub after_hours: i64,
}

#[process]
impl Rotations {
    fn on_row(
        &self,
        departure: Departure,
        aircraft: &mut Aircraft,
        timers: &mut Timers,
        out: &mut Output<Rotation<'static>>,
        _sides: &mut Sides,
    ) {
        if let Some(last) = aircraft.last.get() {
            out.push(Rotation {
                flight: &format!("{}{}", departure.carrier, departure.flight),
                left_at: departure.at,
                before: last.at,
                from: departure.origin,
                to: departure.dest,
                gone_to: &last.dest,
                minutes: departure.at.micros_since(last.at) / 60_000_000,
            });
        }
        aircraft.last.set(Last {
            at: departure.at,
            origin: departure.origin.to_owned(),
            dest: departure.dest.to_owned(),
        });
        let patience = self.after_hours * 3_600_000_000;
        timers.unseen.move_to(departure.at.plus_micros(patience));
    }

    fn on_timer(
        &self,
        fired: Fired,
        aircraft: &mut Aircraft,
        _timers: &mut Timers,
        _out: &mut Output<Rotation<'static>>,
        sides: &mut Sides,
    ) {
        // At the end of the input every timer fires: of these aircraft nobody knows yet.
        if fired.ended() {
            return;
        }
        if let Some(last) = aircraft.last.get() {
            sides.unseen.push(Unseen {
                left_at: last.at,
                from: last.origin.clone(),
                to: last.dest.clone(),
            });
        }
    }
}

tidemill::module!(Rotations);

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill::Harness;

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_seconds(3600 * hour)
    }

    fn departure(at: i64, dest: &str) -> Departure<'_> {
        Departure {
            at: hour(at),
            carrier: "UA",
            flight: 1,
            origin: "EWR",
            dest,
        }
    }

    #[test]
    fn an_aircraft_is_unseen_two_days_after_its_last_departure() {
        let mut harness = Harness::new(Rotations { after_hours: 48 });
        harness
            .row("N1", departure(1, "BOS"))
            .row("N1", departure(11, "ORD"));
        let rotations = harness.rows::<Rotation>();
        assert_eq!((rotations.len(), rotations[0].minutes), (1, 600));
        assert_eq!(rotations[0].gone_to, "BOS");
        harness.advance_to(hour(58));
        assert!(
            harness.side::<Unseen>(0).is_empty(),
            "it was seen in between"
        );
        harness.advance_to(hour(59));
        assert_eq!(harness.side::<Unseen>(0)[0].to, "ORD");
    }

    #[test]
    fn of_what_flew_lately_the_end_says_nothing() {
        let mut harness = Harness::new(Rotations { after_hours: 48 });
        harness.row("N1", departure(1, "BOS")).end();
        assert!(harness.side::<Unseen>(0).is_empty());
    }
}

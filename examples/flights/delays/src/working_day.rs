//! What an aircraft did between two long rests.

use tidemill::prelude::*;

/// A flight. No delay means that it never departed.
#[derive(Record)]
pub struct Flight {
    pub scheduled_at: Timestamp,
    pub departure_delay_min: Option<i64>,
    pub distance_miles: i64,
}

/// What the aircraft did so far; the day began at `window_start`.
#[derive(Record, Default, Clone, Debug, PartialEq)]
pub struct Day {
    pub last_at: Option<Timestamp>,
    pub departures: i64,
    pub cancelled: i64,
    pub miles: i64,
}

/// Adds up an aircraft's flights. Miles are those of flights that took place.
#[derive(Config)]
pub struct WorkingDay {}

#[aggregate]
impl WorkingDay {
    fn add(&self, day: &mut Day, flight: Flight) {
        day.last_at = day.last_at.max(Some(flight.scheduled_at));
        if flight.departure_delay_min.is_none() {
            day.cancelled += 1;
        } else {
            day.departures += 1;
            day.miles += flight.distance_miles;
        }
    }

    fn merge(&self, day: &mut Day, other: Day) {
        day.last_at = day.last_at.max(other.last_at);
        day.departures += other.departures;
        day.cancelled += other.cancelled;
        day.miles += other.miles;
    }

    fn finish(&self, _window: Window, day: &Day) -> Day {
        day.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_flight_covers_no_distance() {
        let mut day = Day::default();
        for (at, departure_delay_min) in [(2_000_000, Some(4)), (1_000_000, None)] {
            let scheduled_at = Timestamp::from_micros(at);
            let flight = Flight {
                scheduled_at,
                departure_delay_min,
                distance_miles: 500,
            };
            WorkingDay {}.add(&mut day, flight);
        }
        let flown = WorkingDay {}.finish(Window::default(), &day);
        assert_eq!(
            (flown.departures, flown.cancelled, flown.miles),
            (1, 1, 500)
        );
        assert_eq!(flown.last_at, Some(Timestamp::from_micros(2_000_000)));
    }
}

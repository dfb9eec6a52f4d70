//! Jams of an airport: flight after flight that left late. What makes a jam is the order of the flights, which no
//! accumulator keeps: so this function is given all flights of a window, in the order of their schedule.

use tidemill::prelude::*;

/// A flight. No delay means that it never departed.
#[derive(Record)]
pub struct Flight<'a> {
    pub scheduled_at: Timestamp,
    pub carrier: &'a str,
    pub flight: i64,
    pub departure_delay_min: Option<i64>,
}

/// One jam: from its first flight's scheduled time to its last one's.
#[derive(Record, Debug, PartialEq)]
pub struct Jam {
    pub from: Timestamp,
    pub until: Timestamp,
    pub first_flight: String,
    pub flights: i64,
    pub median_delay_min: f64,
}

/// Finds jams. A cancelled flight neither belongs to one nor ends it.
#[derive(Config)]
pub struct Jams {
    /// A flight counts as delayed from this many minutes on.
    pub delayed_from_min: i64,
    /// Fewer delayed flights in a row are no jam.
    pub at_least_flights: i64,
}

/// A flight that departed, and how late.
type Departed<'a, 'b> = (&'b Flight<'a>, i64);

#[window]
impl Jams {
    fn apply(&self, _window: Window, flights: &[Flight]) -> Vec<Jam> {
        let departed: Vec<Departed> = flights
            .iter()
            .filter_map(|flight| Some((flight, flight.departure_delay_min?)))
            .collect();
        departed
            .split(|&(_, delay)| delay < self.delayed_from_min)
            .filter(|delayed| delayed.len() as i64 >= self.at_least_flights.max(1))
            .map(jam)
            .collect()
    }
}

/// What is to be said of some flights in a row, of which there is one at least.
fn jam(delayed: &[Departed]) -> Jam {
    let ((first, _), (last, _)) = (delayed[0], delayed[delayed.len() - 1]);
    let mut delays: Vec<i64> = delayed.iter().map(|&(_, delay)| delay).collect();
    delays.sort_unstable();
    let (below, above) = (delays[(delays.len() - 1) / 2], delays[delays.len() / 2]);
    Jam {
        from: first.scheduled_at,
        until: last.scheduled_at,
        first_flight: format!("{} {}", first.carrier, first.flight),
        flights: delayed.len() as i64,
        median_delay_min: (below + above) as f64 / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Jams = Jams {
        delayed_from_min: 15,
        at_least_flights: 2,
    };

    /// Jams of flights that are scheduled a minute apart: (first flight, flights, median delay).
    fn jams(delays: &[Option<i64>]) -> Vec<(String, i64, f64)> {
        let flight = |(minute, &departure_delay_min)| Flight {
            scheduled_at: Timestamp::from_micros(minute * 60_000_000),
            carrier: "UA",
            flight: minute,
            departure_delay_min,
        };
        let flights: Vec<Flight> = (0..).zip(delays).map(flight).collect();
        let found = RULE.apply(Window::default(), &flights);
        let said = |jam: Jam| (jam.first_flight, jam.flights, jam.median_delay_min);
        found.into_iter().map(said).collect()
    }

    #[test]
    fn a_punctual_flight_ends_a_jam() {
        let delays = [
            Some(15),
            Some(20),
            Some(14),
            Some(90),
            Some(0),
            Some(30),
            Some(31),
            Some(99),
        ];
        let expected = [("UA 0".to_owned(), 2, 17.5), ("UA 5".to_owned(), 3, 31.0)];
        assert_eq!(jams(&delays), expected);
    }

    #[test]
    fn a_cancelled_flight_does_not() {
        let delays = [Some(15), None, Some(45), None];
        assert_eq!(jams(&delays), [("UA 0".to_owned(), 2, 30.0)]);
    }

    #[test]
    fn no_flights_are_no_jam() {
        assert_eq!(jams(&[]), []);
        assert_eq!(jams(&[None, None]), []);
    }
}

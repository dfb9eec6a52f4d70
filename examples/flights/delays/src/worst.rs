//! The worst delay of an airport, and whose it was.

use tidemill::prelude::*;

/// A flight. No delay means that it never departed.
#[derive(Record)]
pub struct Flight<'a> {
    pub carrier: &'a str,
    pub flight: i64,
    pub dest: &'a str,
    pub departure_delay_min: Option<i64>,
}

/// The worst delay of one airport and window, and how many flights were as late as `at_least_min`.
#[derive(Record, Default, Clone, Debug, PartialEq)]
pub struct Delays {
    pub worst_delay_min: i64,
    pub worst_flight: String,
    pub flights: i64,
}

/// Finds the worst delay. Windows in which nothing was that late give no result.
#[derive(Config)]
pub struct Worst {
    /// Delays of fewer minutes are nothing to report.
    pub at_least_min: i64,
}

impl Worst {
    /// Of two flights equally late the name decides, so that the result does not depend on who came first.
    fn keep_worse(delays: &mut Delays, delay_min: i64, flight: String) {
        let standing = (delays.worst_delay_min, &delays.worst_flight);
        if (delay_min, &flight) > standing {
            delays.worst_delay_min = delay_min;
            delays.worst_flight = flight;
        }
    }
}

#[aggregate]
impl Worst {
    fn add(&self, delays: &mut Delays, flight: Flight) {
        let Some(delay_min) = flight
            .departure_delay_min
            .filter(|&min| min >= self.at_least_min)
        else {
            return;
        };
        delays.flights += 1;
        let name = format!("{} {} to {}", flight.carrier, flight.flight, flight.dest);
        Self::keep_worse(delays, delay_min, name);
    }

    fn merge(&self, delays: &mut Delays, other: Delays) {
        delays.flights += other.flights;
        Self::keep_worse(delays, other.worst_delay_min, other.worst_flight);
    }

    fn finish(&self, _window: Window, delays: &Delays) -> Option<Delays> {
        (delays.flights > 0).then(|| delays.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Worst = Worst { at_least_min: 60 };

    fn delays(flights: &[(i64, Option<i64>)]) -> Delays {
        let mut delays = Delays::default();
        for &(flight, departure_delay_min) in flights {
            let flight = Flight {
                carrier: "UA",
                flight,
                dest: "IAH",
                departure_delay_min,
            };
            RULE.add(&mut delays, flight);
        }
        delays
    }

    #[test]
    fn small_delays_and_cancelled_flights_are_nothing_to_report() {
        let nothing = delays(&[(1, Some(59)), (2, None)]);
        assert_eq!(RULE.finish(Window::default(), &nothing), None);
    }

    #[test]
    fn merging_in_any_order_finds_the_same_flight() {
        let (a, b) = (
            delays(&[(1, Some(90)), (2, Some(61))]),
            delays(&[(3, Some(90))]),
        );
        let merged = |mut into: Delays, other: &Delays| {
            RULE.merge(&mut into, other.clone());
            into
        };
        let expected = Delays {
            worst_delay_min: 90,
            worst_flight: "UA 3 to IAH".to_owned(),
            flights: 3,
        };
        assert_eq!(merged(a.clone(), &b), expected);
        assert_eq!(merged(b, &a), expected);
    }
}

//! How punctual an airport was.

use tidemill::prelude::*;

/// A flight. No delay means that it never departed.
#[derive(Record)]
pub struct Flight {
    pub departure_delay_min: Option<i64>,
}

/// Flights of one airport and window so far.
#[derive(Record, Default)]
pub struct Seen {
    pub departed: i64,
    pub cancelled: i64,
    pub delayed: i64,
    pub delay_sum_min: i64,
    pub worst_delay_min: Option<i64>,
}

/// The result. Without a departure there is no mean and no worst delay.
#[derive(Record, Debug, PartialEq)]
pub struct Punctuality {
    pub departed: i64,
    pub cancelled: i64,
    pub delayed: i64,
    pub mean_delay_min: Option<f64>,
    pub worst_delay_min: Option<i64>,
}

/// Counts flights and averages their delays.
#[derive(Config)]
pub struct Departures {
    /// A flight counts as delayed from this many minutes on.
    pub delayed_from_min: i64,
}

#[aggregate]
impl Departures {
    fn add(&self, seen: &mut Seen, flight: Flight) {
        let Some(delay) = flight.departure_delay_min else {
            seen.cancelled += 1;
            return;
        };
        seen.departed += 1;
        seen.delayed += i64::from(delay >= self.delayed_from_min);
        seen.delay_sum_min += delay;
        seen.worst_delay_min = seen.worst_delay_min.max(Some(delay));
    }

    fn merge(&self, seen: &mut Seen, other: Seen) {
        seen.departed += other.departed;
        seen.cancelled += other.cancelled;
        seen.delayed += other.delayed;
        seen.delay_sum_min += other.delay_sum_min;
        seen.worst_delay_min = seen.worst_delay_min.max(other.worst_delay_min);
    }

    fn finish(&self, _window: Window, seen: &Seen) -> Punctuality {
        let mean = seen.delay_sum_min as f64 / seen.departed as f64;
        Punctuality {
            departed: seen.departed,
            cancelled: seen.cancelled,
            delayed: seen.delayed,
            mean_delay_min: (seen.departed > 0).then_some(mean),
            worst_delay_min: seen.worst_delay_min,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Departures = Departures {
        delayed_from_min: 15,
    };

    fn seen(delays: &[Option<i64>]) -> Seen {
        let mut seen = Seen::default();
        for &departure_delay_min in delays {
            RULE.add(
                &mut seen,
                Flight {
                    departure_delay_min,
                },
            );
        }
        seen
    }

    #[test]
    fn a_flight_that_never_departed_has_no_delay() {
        let result = RULE.finish(Window::default(), &seen(&[None, None]));
        assert_eq!((result.departed, result.cancelled), (0, 2));
        assert_eq!(
            (result.mean_delay_min, result.worst_delay_min),
            (None, None)
        );
    }

    #[test]
    fn early_departures_count_against_delays() {
        let mut first = seen(&[Some(-5), Some(15)]);
        RULE.merge(&mut first, seen(&[None, Some(2)]));
        let result = RULE.finish(Window::default(), &first);
        assert_eq!(
            (result.departed, result.cancelled, result.delayed),
            (3, 1, 1)
        );
        assert_eq!(
            (result.mean_delay_min, result.worst_delay_min),
            (Some(4.0), Some(15))
        );
    }
}

//! The board that people look at: a few columns of what [`crate::Departures`] found.

use tidemill::prelude::*;

/// What was found by `Departures` over a day.
#[derive(Record)]
pub struct Day<'a> {
    pub origin: &'a str,
    pub window_start: Timestamp,
    pub departed: i64,
    pub cancelled: i64,
    pub delayed: i64,
    pub mean_delay_min: Option<f64>,
    pub worst_delay_min: Option<i64>,
}

/// A line of the board.
#[derive(Record, Debug, PartialEq)]
pub struct Line<'a> {
    pub airport: &'a str,
    pub day_from: Timestamp,
    pub flights: i64,
    pub cancelled: i64,
    pub delayed: i64,
    pub mean_delay_min: Option<f64>,
    pub worst_delay_min: Option<i64>,
}

/// Names the columns as people would, with delays to a tenth of a minute.
#[derive(Config)]
pub struct Board {}

#[transform]
impl Board {
    fn map<'a>(&self, day: Day<'a>) -> Line<'a> {
        Line {
            airport: day.origin,
            day_from: day.window_start,
            flights: day.departed + day.cancelled,
            cancelled: day.cancelled,
            delayed: day.delayed,
            mean_delay_min: day.mean_delay_min.map(|mean| (mean * 10.0).round() / 10.0),
            worst_delay_min: day.worst_delay_min,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_cancelled_flights_as_flights() {
        let day = Day {
            origin: "JFK",
            window_start: Timestamp::from_micros(0),
            departed: 3,
            cancelled: 2,
            delayed: 1,
            mean_delay_min: Some(10.0 / 3.0),
            worst_delay_min: Some(20),
        };
        let line = Board {}.map(day);
        assert_eq!(
            (line.flights, line.cancelled, line.mean_delay_min),
            (5, 2, Some(3.3))
        );
    }
}

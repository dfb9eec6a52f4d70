//! Functions that are given all rows of a window, and functions that say how far time has come.

use tidemill::prelude::*;

/// A whole number with its time.
#[derive(Record)]
pub struct Timed {
    pub value: i64,
    #[record(event_time)]
    pub at: Timestamp,
}

/// The rows of a window, as text.
#[derive(Record)]
pub struct Listed {
    pub values: String,
    pub rows: i64,
}

/// Lists the numbers of a window in order of event time. A window with 13 is refused, one with 666 traps.
#[derive(Config)]
pub struct List {}

#[window]
impl List {
    fn apply(&self, _window: Window, rows: &[Timed]) -> Result<Listed, Failure> {
        for row in rows {
            assert!(row.value != 666, "a window with 666");
            if row.value == 13 {
                return Err(Failure::invalid("thirteen", "a window with 13"));
            }
        }
        let values: Vec<String> = rows.iter().map(|row| row.value.to_string()).collect();
        Ok(Listed {
            values: values.join(" "),
            rows: rows.len() as i64,
        })
    }
}

/// Time has come as far as a row of 0 says. A row of 13 is refused.
#[derive(Config)]
pub struct Punctuated {}

#[watermark]
impl Punctuated {
    fn observe(&self, row: Timed) -> Result<Option<Timestamp>, Failure> {
        match row.value {
            13 => Err(Failure::invalid("thirteen", "no row is 13")),
            value => Ok((value == 0).then_some(row.at)),
        }
    }
}

/// What a split has shown.
#[derive(Record, Default)]
pub struct Largest {
    pub at: Option<Timestamp>,
}

/// Time has come as far as the largest time less `tolerance` and one microsecond.
#[derive(Config)]
pub struct Tolerant {
    pub tolerance: i64,
}

#[watermark]
impl Tolerant {
    fn observe(&self, largest: &mut Largest, row: Timed) -> Timestamp {
        let at = largest.at.map_or(row.at, |at| at.max(row.at));
        largest.at = Some(at);
        at.plus_micros(-self.tolerance - 1)
    }
}

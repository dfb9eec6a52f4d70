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

/// A row that may be marked.
#[derive(Record)]
pub struct Member {
    pub value: i64,
    pub bad: bool,
    #[record(event_time)]
    pub at: Timestamp,
}

/// The rows of a window, as text with their times, and added up.
#[derive(Record)]
pub struct Membership {
    pub sum: i64,
    pub rows: i64,
    pub members: String,
}

/// Lists the rows of a window, each as `value@time`. Where it `fails`, a window with a marked row is refused; where it
/// `panics`, that traps.
#[derive(Config)]
pub struct Members {
    #[config(default = false)]
    pub fails: bool,
    #[config(default = false)]
    pub panics: bool,
}

#[window]
impl Members {
    fn apply(&self, _window: Window, rows: &[Member]) -> Result<Membership, Failure> {
        if let Some(marked) = rows.iter().find(|row| row.bad) {
            assert!(!self.panics, "value {} is marked as bad", marked.value);
            if self.fails {
                let message = format!("value {} is marked as bad", marked.value);
                return Err(Failure::invalid("marked", message));
            }
        }
        let member = |row: &Member| format!("{}@{}", row.value, row.at.micros());
        let members: Vec<String> = rows.iter().map(member).collect();
        Ok(Membership {
            sum: rows.iter().fold(0, |sum, row| sum.wrapping_add(row.value)),
            rows: rows.len() as i64,
            members: members.join(" "),
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

//! Times in directives.

use jiff::Timestamp;

/// Microseconds since 1970 of `2013-01-01T10:15:00Z`, or of a whole number of them.
pub fn moment(word: &str) -> Option<i64> {
    if let Ok(us) = word.parse::<i64>() {
        return Some(us);
    }
    let at: Timestamp = word.parse().ok()?;
    Some(at.as_microsecond())
}

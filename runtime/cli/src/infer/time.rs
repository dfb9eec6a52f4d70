//! What could be a time.

use tidemill_pipeline::TimeFormat;
use tidemill_rows::time_text::{parse_rfc3339, parse_sql};

/// Whether a text is a time as RFC 3339 has it.
pub fn is_rfc3339(text: &str) -> bool {
    parse_rfc3339(text.as_bytes()).is_ok()
}

/// Whether a text is a time as databases print it.
pub fn is_sql(text: &str) -> bool {
    parse_sql(text.as_bytes()).is_ok()
}

/// From 2000 to 2100, in seconds since the Unix epoch: no time that somebody writes down today is outside.
const LIKELY_S: (i64, i64) = (946_684_800, 4_102_444_800);

/// Endings of names of fields that hold times.
const ENDINGS: [&str; 9] = [
    "at",
    "time",
    "timestamp",
    "ts",
    "date",
    "on",
    "when",
    "ms",
    "us",
];

/// What a whole number counts from the epoch, if it looks like it does: by its size, and in seconds also by its name, since
/// many other numbers are of that size.
pub fn epoch(name: &str, (min, max): (i64, i64)) -> Option<TimeFormat> {
    let within = |factor: i64| min >= LIKELY_S.0 * factor && max <= LIKELY_S.1 * factor;
    let lower = name.to_lowercase();
    let last = lower.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let named = ENDINGS.contains(&last)
        || lower.ends_with("time")
        || lower.ends_with("timestamp")
        || name.ends_with("At");
    if within(1_000_000) {
        Some(TimeFormat::EpochMicros)
    } else if within(1_000) {
        Some(TimeFormat::EpochMillis)
    } else {
        (named && within(1)).then_some(TimeFormat::EpochSeconds)
    }
}

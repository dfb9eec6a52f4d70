//! Event time: `i64` microseconds since the Unix epoch, and the two ends that no event reaches.

/// Before everything: the watermark of a split without a row.
pub const MIN: i64 = i64::MIN;

/// The end: the watermark after the last row of a bounded input.
pub const MAX: i64 = i64::MAX;

/// 0001-01-01T00:00:00Z: an earlier event time is a bad row.
pub const FIRST: i64 = -62_135_596_800_000_000;

/// 9999-12-31T23:59:59.999999Z: a later event time is a bad row.
pub const LAST: i64 = 253_402_300_799_999_999;

/// The largest size, step, gap, offset or lateness: 1,000 years of 366 days.
pub const LONGEST: i64 = 366_000 * 86_400 * 1_000_000;

/// `w - d`, with the two ends left as they are: what an operator with hold `d` passes on.
pub fn back(w: i64, d: i64) -> i64 {
    if w == MIN || w == MAX { w } else { w - d }
}

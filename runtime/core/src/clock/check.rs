//! Which event times are none: bad rows, which move no watermark (Rows 1 and 2).

use std::ops::RangeInclusive;

use crate::time;

/// The event times that there are: the years 1 to 9999.
const TIMES: RangeInclusive<i64> = time::FIRST..=time::LAST;

/// Appends the indices of the rows whose time lies outside the years 1 to 9999, ascending.
pub fn out_of_range(times: &[i64], bad: &mut Vec<u32>) {
    find(times, bad, |time| !TIMES.contains(&time));
}

/// Appends the indices of the rows that are further ahead of `now` than `max_ahead`, ascending.
pub fn ahead(times: &[i64], now: i64, max_ahead: i64, bad: &mut Vec<u32>) {
    let limit = now.saturating_add(max_ahead);
    find(times, bad, |time| time > limit);
}

/// Appends the indices of the rows that are further ahead of the largest time of their split so far than `max_jump`,
/// ascending. `largest` is that of the rows before, [`time::MIN`] if there was none; a row that is bad, be it named in `bad`
/// before, does not raise it.
pub fn jumps(times: &[i64], largest: &mut i64, max_jump: i64, bad: &mut Vec<u32>) {
    let before = std::mem::take(bad);
    let mut known = before.iter().copied().peekable();
    for (i, &time) in (0..).zip(times) {
        let jumps = || *largest != time::MIN && time > largest.saturating_add(max_jump);
        if known.next_if_eq(&i).is_some() || jumps() {
            bad.push(i);
        } else {
            *largest = time.max(*largest);
        }
    }
}

/// The check of all rows is one loop without a branch; indices are looked for only where there are any.
fn find(times: &[i64], bad: &mut Vec<u32>, is_bad: impl Fn(i64) -> bool) {
    let any = times.iter().fold(false, |any, &time| any | is_bad(time));
    if any {
        let indices = (0..).zip(times).filter(|(_, time)| is_bad(**time));
        bad.extend(indices.map(|(i, _): (u32, _)| i));
    }
}
